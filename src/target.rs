//! Where a script will run: the era of the coin it locks, and how strictly it is judged.
//!
//! Every limit is a named constant with its source. Consensus says what a block may hold; policy is
//! what a node with default settings relays and mines. A contract that only fits consensus must be
//! mined by arrangement with a miner.

use std::fmt;

/// The rules of the chain at the height where the coin was created.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, PartialOrd, Ord)]
pub enum Era {
    /// Since mainnet height 620538 (February 2020).
    #[default]
    Genesis,
    /// Since mainnet height 943816 (April 2026): 2MUL, 2DIV, SUBSTR, LEFT, RIGHT, LSHIFTNUM, RSHIFTNUM, VER.
    Chronicle,
}

/// How strictly a script is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, PartialOrd, Ord)]
pub enum Rules {
    /// What a node's mempool accepts under default settings.
    #[default]
    Policy,
    /// What a block may contain.
    Consensus,
}

/// An era and a strictness: everything the interpreter and the compiler need to know of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Target {
    /// Era of the coin being spent.
    pub era: Era,
    /// Consensus or policy.
    pub rules: Rules,
}

/// Longest number a Genesis script may compute with, in bytes.
/// Source: node 1.2.2 `consensus/consensus.h`, `MAX_SCRIPT_NUM_LENGTH_AFTER_GENESIS`.
pub const NUMBER_BYTES_GENESIS: usize = 750_000;
/// Longest number a Chronicle script may compute with, in bytes.
/// Source: node 1.2.2 `consensus/consensus.h`, `MAX_SCRIPT_NUM_LENGTH_AFTER_CHRONICLE`.
pub const NUMBER_BYTES_CHRONICLE: usize = 32_000_000;
/// Longest number under default policy, in bytes.
/// Source: node 1.2.2 `policy/policy.h`, `DEFAULT_SCRIPT_NUM_LENGTH_POLICY_AFTER_GENESIS`.
pub const NUMBER_BYTES_POLICY: usize = 10_000;
/// Longest script by consensus, in bytes (unlocking and locking script each).
/// Source: node 1.2.2 `consensus/consensus.h`, `MAX_SCRIPT_SIZE_AFTER_GENESIS`.
pub const SCRIPT_BYTES_CONSENSUS: usize = u32::MAX as usize;
/// Longest script under default policy, in bytes.
/// Source: node 1.2.2 `policy/policy.h`, `DEFAULT_MAX_SCRIPT_SIZE_POLICY_AFTER_GENESIS`.
pub const SCRIPT_BYTES_POLICY: usize = 500_000;
/// Longest transaction under default policy, in bytes.
/// Source: node 1.2.2 `policy/policy.h`, `DEFAULT_MAX_TX_SIZE_POLICY_AFTER_GENESIS`.
pub const TRANSACTION_BYTES_POLICY: usize = 10_000_000;
/// Most memory that both stacks may take under default policy, in bytes.
/// Source: node 1.2.2 `policy/policy.h`, `DEFAULT_STACK_MEMORY_USAGE_POLICY_AFTER_GENESIS`.
pub const STACK_BYTES_POLICY: u64 = 100_000_000;
/// What each stack element counts besides its bytes.
/// Source: node 1.2.2 `script/limitedstack.h`, `ELEMENT_OVERHEAD`.
pub const STACK_ELEMENT_OVERHEAD: u64 = 32;
/// Processor time a mempool gives to a non-standard transaction, in milliseconds. It runs the
/// script twice under this clock, so a contract should need less than half.
/// Source: node 1.2.2 `validation.h`, `DEFAULT_MAX_NON_STD_TXN_VALIDATION_DURATION`.
pub const VALIDATION_MS_POLICY: u64 = 1_000;

impl Target {
    /// The target that a script of so many bytes is judged by: the user's rules, where some were asked for; else consensus
    /// where it is too long for policy, since the limit is a warning, and what the user came for is the answer.
    pub fn judging(self, script_bytes: usize, rules: Option<Rules>) -> Target {
        let fallback = if script_bytes > self.max_script_bytes() { Rules::Consensus } else { self.rules };
        Target { rules: rules.unwrap_or(fallback), ..self }
    }

    /// Longest number, operand or result, in bytes.
    pub const fn max_number_bytes(&self) -> usize {
        match (self.rules, self.era) {
            (Rules::Policy, _) => NUMBER_BYTES_POLICY,
            (Rules::Consensus, Era::Genesis) => NUMBER_BYTES_GENESIS,
            (Rules::Consensus, Era::Chronicle) => NUMBER_BYTES_CHRONICLE,
        }
    }

    /// Longest script, in bytes.
    pub const fn max_script_bytes(&self) -> usize {
        match self.rules {
            Rules::Policy => SCRIPT_BYTES_POLICY,
            Rules::Consensus => SCRIPT_BYTES_CONSENSUS,
        }
    }

    /// Most memory for both stacks, in bytes, 32 an element included; `None` where it is the
    /// operator's to set.
    pub const fn max_stack_bytes(&self) -> Option<u64> {
        match self.rules {
            Rules::Policy => Some(STACK_BYTES_POLICY),
            Rules::Consensus => None,
        }
    }
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Era::Genesis => "genesis",
            Era::Chronicle => "chronicle",
        })
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rules::Policy => "policy",
            Rules::Consensus => "consensus",
        })
    }
}

/// What any instruction takes of a mempool's clock, in nanoseconds: a system call each.
/// Source: measured on node 1.2.2 (`bsv-script-facts.md`); an estimate for other machines.
pub const COST_INSTRUCTION_NS: u64 = 200;
