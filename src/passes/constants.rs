//! `fold-constants`: joins constants that follow each other, and drops steps that change nothing.
//! Keeps every bit.
//!
//! - `(x + a) + b` is `x + (a+b)`, `(x · a) · b` is `x · (a·b)`;
//! - `(x / a) / b` is `x / (a·b)`: truncation toward zero composes;
//! - `x + 0`, `x · 1` at the same scale, ReLU of what is never negative, and bounds that are never passed are `x`.

use num_traits::{One, Signed, Zero};

use super::rewrite::Rewriter;
use crate::ir::{Ir, Op, Value, ValueId};

/// Folds constants.
pub(super) fn fold(ir: &Ir) -> Ir {
    Rewriter::run(ir, rule)
}

fn rule(rewriter: &mut Rewriter, value: &Value, x: ValueId) -> Option<ValueId> {
    if changes_nothing(&value.op, rewriter.builder.value(x)) {
        return Some(x);
    }
    let joined = match (&value.op, rewriter.op(x)) {
        (Op::Add { constant: b, .. }, Op::Add { x, constant: a }) => {
            Op::Add { x: *x, constant: a.iter().zip(b).map(|(a, b)| a + b).collect() }
        }
        (Op::Mul { constant: b, unit: v, .. }, Op::Mul { x, constant: a, unit: u }) => {
            Op::Mul { x: *x, constant: a.iter().zip(b).map(|(a, b)| a * b).collect(), unit: u * v }
        }
        (Op::Rescale { divisor: b, .. }, Op::Rescale { x, divisor: a }) => Op::Rescale { x: *x, divisor: a * b },
        _ => return None,
    };
    // The first step stays for its other users; without any, dead-code drops it.
    Some(rewriter.push(joined, value))
}

fn changes_nothing(op: &Op, operand: &Value) -> bool {
    match op {
        Op::Add { constant, .. } => constant.iter().all(Zero::is_zero),
        Op::Mul { constant, unit, .. } => unit.is_one() && constant.iter().all(One::is_one),
        Op::Max { constant, .. } => operand.intervals.iter().zip(constant).all(|(of, bound)| of.low >= *bound),
        Op::Min { constant, .. } => operand.intervals.iter().zip(constant).all(|(of, bound)| of.high <= *bound),
        Op::Relu { .. } => operand.intervals.iter().all(|interval| !interval.low.is_negative()),
        _ => false,
    }
}
