//! Passes over the IR: named, listed by level, verified after each one.
//!
//! A pass says what it keeps. *Every bit*: [`ir::eval`] gives the same answer for every
//! input. *Exact values*: it takes a rounding away, so that scores move toward the unrounded network by
//! less than one step of the rescale removed; only a near-tie can change its class, and a number changes by
//! no more than its last digit.

mod affine;
mod constants;
mod dead;
mod rescale;
mod rewrite;
mod rounds;

use std::fmt;
use std::str::FromStr;

use crate::ir::{self, Ir};

/// What a pass leaves as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// The answer for every input.
    EveryBit,
    /// The unrounded scores: a rounding moves or goes.
    ExactValues,
}

/// A rewrite of the IR.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// Its name, as `--stop-after` takes it.
    pub name: &'static str,
    /// What it keeps.
    pub keeps: Keeps,
    run: fn(&Ir) -> Ir,
}

/// How much the IR is rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Not at all: the arithmetic is what the options say, to the letter.
    None,
    /// Only where every bit is kept.
    Exact,
    /// Roundings may move or go.
    #[default]
    Full,
}

const FOLD_CONSTANTS: Pass = Pass { name: "fold-constants", keeps: Keeps::EveryBit, run: constants::fold };
const FOLD_ROUNDS: Pass = Pass { name: "fold-rounds", keeps: Keeps::EveryBit, run: rounds::fold };
const FOLD_AFFINE: Pass = Pass { name: "fold-affine", keeps: Keeps::EveryBit, run: affine::fold };
const SINK_RESCALE: Pass = Pass { name: "sink-rescale", keeps: Keeps::ExactValues, run: rescale::sink };
const REMOVE_RESCALE: Pass = Pass { name: "remove-rescale", keeps: Keeps::ExactValues, run: rescale::remove };
const MERGE_CONSTANTS: Pass = Pass { name: "merge-constants", keeps: Keeps::EveryBit, run: constants::fold };
const DEAD_CODE: Pass = Pass { name: "dead-code", keeps: Keeps::EveryBit, run: dead::eliminate };

/// Every pass, in the order in which the full level runs them.
pub const ALL: &[Pass] =
    &[FOLD_ROUNDS, FOLD_CONSTANTS, FOLD_AFFINE, SINK_RESCALE, REMOVE_RESCALE, MERGE_CONSTANTS, DEAD_CODE];

impl Level {
    /// The passes of this level, in order.
    pub fn passes(self) -> Vec<Pass> {
        let kept = |pass: &&Pass| match self {
            Level::None => false,
            Level::Exact => pass.keeps == Keeps::EveryBit,
            Level::Full => true,
        };
        ALL.iter().filter(kept).copied().collect()
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "0" => Ok(Level::None),
            "1" => Ok(Level::Exact),
            "2" => Ok(Level::Full),
            _ => Err("give 0 (none), 1 (every bit kept) or 2 (roundings may move or go)".into()),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::None => "0",
            Level::Exact => "1",
            Level::Full => "2",
        })
    }
}

impl Pass {
    /// Runs the pass alone, and verifies what it made.
    ///
    /// # Errors
    /// A defect of the pass: which invariant it broke.
    pub fn apply(&self, ir: &Ir) -> Result<Ir, String> {
        let rewritten = (self.run)(ir);
        ir::verify(&rewritten).map_err(|reason| format!("after pass {}: {reason}", self.name))?;
        Ok(rewritten)
    }
}

/// Runs the passes of a level; with `stop_after`, only up to and including the pass of that name.
///
/// # Errors
/// A defect of the compiler: the IR or what a pass made of it breaks an invariant.
pub fn run(ir: &Ir, level: Level, stop_after: Option<&str>) -> Result<Ir, String> {
    ir::verify(ir)?;
    let mut current = ir.clone();
    for pass in level.passes() {
        current = pass.apply(&current)?;
        if stop_after == Some(pass.name) {
            break;
        }
    }
    Ok(current)
}
