//! Whose limits count.

use clap::{Args, ValueEnum};
use onnx2script::target::{Era, Rules, Target};

/// Which node's limits count.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Node")]
pub(crate) struct Node {
    /// Rules of the chain when the coin was created.
    #[arg(long, value_enum, default_value_t = EraChoice::Genesis)]
    pub(crate) era: EraChoice,
    /// Limits of a node's default policy, or of consensus [default: policy].
    ///
    /// `run` and `eval` take consensus for a script that is too long for policy, unless told otherwise.
    #[arg(long, value_enum)]
    pub(crate) rules: Option<RulesChoice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EraChoice {
    /// Since February 2020.
    Genesis,
    /// Since April 2026.
    Chronicle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RulesChoice {
    /// What a node relays and mines by default.
    Policy,
    /// What a block may hold.
    Consensus,
}

impl Node {
    /// The target that the interpreter and the compiler know.
    pub(crate) fn target(self) -> Target {
        let era = match self.era {
            EraChoice::Genesis => Era::Genesis,
            EraChoice::Chronicle => Era::Chronicle,
        };
        Target { era, rules: self.chosen_rules().unwrap_or(Rules::Policy) }
    }

    /// The rules, where the user asked for some.
    pub(crate) fn chosen_rules(self) -> Option<Rules> {
        self.rules.map(|rules| match rules {
            RulesChoice::Policy => Rules::Policy,
            RulesChoice::Consensus => Rules::Consensus,
        })
    }
}
