//! The integrated interpreter: runs a spend the way a Bitcoin SV node does.
//!
//! It judges what the compiler makes and must not share its mistakes, so it knows nothing of it: only
//! the tables of [`crate::script`] and the limits of [`crate::target`]. It agrees with node 1.2.2 on
//! the 6,000 vectors of `tests/vectors`, in the error and in the top of the stack.
//!
//! Signatures are checked where the transaction is given ([`run_spending`]); else a script that needs
//! one ends with [`ScriptError::TransactionNeeded`]. What is left out: the clock of the mempool, and
//! coins from before Genesis. Where consensus leaves stack memory to the operator, it allows
//! [`STACK_BYTES_OPERATOR`].
//!
//! It never panics and never fails to end, whatever the bytes.

mod big;
mod control;
pub mod error;
mod item;
mod limbs;
mod machine;
mod number;
mod ops;
mod parse;
mod product;
mod sighash;
mod spending;
mod stack;
mod step;
#[cfg(test)]
mod tests;
mod transaction;
pub mod vectors;
mod work;

pub use error::ScriptError;
pub use spending::{MAX_SATOSHIS, Spending, SpendingError};
pub use stack::STACK_BYTES_OPERATOR;
pub use step::{Instruction, ScriptKind, Step};
pub use transaction::TransactionError;

use crate::target::Target;
use machine::{Machine, Tracer};
use spending::Context;

/// How a spend ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What failed; `None` if the spend is valid.
    pub error: Option<ScriptError>,
    /// The main stack, bottom first, at the end or as the failing instruction left it.
    pub stack: Vec<Vec<u8>>,
    /// What it took.
    pub stats: Stats,
}

impl Outcome {
    /// Whether the spend is valid.
    pub fn is_ok(&self) -> bool {
        self.error.is_none()
    }

    /// `OK`, or the name of the error.
    pub fn verdict(&self) -> &'static str {
        self.error.map_or("OK", |error| error.name())
    }
}

/// What running the two scripts took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Instructions executed in both scripts, pushes included, skipped branches not.
    pub instructions: u64,
    /// Most items on both stacks at once.
    pub peak_items: usize,
    /// Most memory for both stacks at once as the node counts it: bytes, and 32 for each item.
    pub peak_memory: u64,
}

/// Runs the unlocking and then the locking script, and judges what they leave.
pub fn run(unlocking: &[u8], locking: &[u8], target: &Target) -> Outcome {
    run_machine(unlocking, locking, Context { target: *target, spending: None }, None, None)
}

/// [`run`] in a transaction, which signatures are checked against. The unlocking script is as a rule
/// the transaction's, [`Spending::unlocking`]; signatures do not sign it.
pub fn run_spending(unlocking: &[u8], locking: &[u8], target: &Target, spending: &Spending<'_>) -> Outcome {
    run_machine(unlocking, locking, Context { target: *target, spending: Some(spending) }, None, None)
}

/// [`run`], or [`run_spending`] if there is a transaction, calling `tracer` before each instruction.
pub fn run_traced(
    unlocking: &[u8],
    locking: &[u8],
    target: &Target,
    spending: Option<&Spending<'_>>,
    tracer: &mut dyn FnMut(&Step<'_>),
) -> Outcome {
    run_machine(unlocking, locking, Context { target: *target, spending }, None, Some(tracer))
}

/// [`run_traced`] for a stranger's scripts: ends with [`ScriptError::WorkLimit`] before they take more than so many units
/// of work, each about a nanosecond. Without a limit, a script of 500 KB may take hours.
pub fn run_within(
    work: u64,
    unlocking: &[u8],
    locking: &[u8],
    target: &Target,
    tracer: Option<&mut dyn FnMut(&Step<'_>)>,
) -> Outcome {
    run_machine(unlocking, locking, Context { target: *target, spending: None }, Some(work), tracer)
}

fn run_machine<'s>(
    unlocking: &'s [u8],
    locking: &'s [u8],
    context: Context<'s>,
    work: Option<u64>,
    tracer: Option<Tracer<'_>>,
) -> Outcome {
    let mut machine = Machine::new(context, work, tracer);
    let error = verify_spend(&mut machine, unlocking, locking, &context).err();
    Outcome {
        error,
        stack: machine.stack.main().iter().map(|item| item.bytes().to_vec()).collect(),
        stats: Stats {
            instructions: machine.instructions,
            peak_items: machine.stack.peak_items(),
            peak_memory: machine.stack.peak_weight(),
        },
    }
}

/// The node's `VerifyScript`.
fn verify_spend<'s>(
    machine: &mut Machine<'s, '_>,
    unlocking: &'s [u8],
    locking: &'s [u8],
    context: &Context<'_>,
) -> Result<(), ScriptError> {
    if !context.is_malleable() && !parse::is_push_only(unlocking) {
        return Err(ScriptError::SigPushOnly);
    }
    machine.eval(unlocking, ScriptKind::Unlocking)?;
    machine.eval(locking, ScriptKind::Locking)?;
    let left = machine.stack.main();
    if !left.last().is_some_and(|top| top.is_true()) {
        return Err(ScriptError::EvalFalse);
    }
    if context.is_tidy() && left.len() != 1 {
        return Err(ScriptError::CleanStack);
    }
    Ok(())
}
