//! `sink-rescale` and `remove-rescale`: divisions move toward the output, and vanish before the class.
//!
//! Sinking past a ReLU keeps every bit: `max(x/d, 0) = max(x, 0)/d` when division truncates toward
//! zero. Sinking past a sum, `x/d + c` becomes `(x + c·d)/d`, changes the last digit where the signs of
//! `x` and of the sum differ. Removal before ArgMax keeps exact values: `x` has the order of `x/d`, and
//! distinguishes what the division would have made equal. So does removal before a threshold: `x` has the
//! sign of `x/d`, and a logit of less than one step, which the division would have made 0, keeps it. Where
//! the answer is a number, its division stays: without it, it would be another integer.

use num_bigint::BigInt;

use super::rewrite::Rewriter;
use crate::ir::{Ir, Op, Value, ValueId};

/// Moves rescales past sums with constants and past ReLU. A rescale stays before a dense layer: there
/// it keeps the numbers of the next layer short.
pub(super) fn sink(ir: &Ir) -> Ir {
    Rewriter::run(ir, |rewriter: &mut Rewriter, value: &Value, operand: ValueId| {
        let Op::Rescale { x, divisor } = rewriter.op(operand).clone() else {
            return None;
        };
        if !rewriter.sole_use(value) {
            return None;
        }
        let inner = match &value.op {
            Op::Relu { .. } => Op::Relu { x },
            Op::Add { constant, .. } => {
                let constant: Vec<BigInt> = constant.iter().map(|constant| constant * &divisor).collect();
                Op::Add { x, constant }
            }
            _ => return None,
        };
        let inner = rewriter.push(inner, value);
        Some(rewriter.push(Op::Rescale { x: inner, divisor }, value))
    })
}

/// Drops rescales whose result is only compared.
pub(super) fn remove(ir: &Ir) -> Ir {
    Rewriter::run(ir, |rewriter: &mut Rewriter, value: &Value, operand: ValueId| {
        let (Op::ArgMax { .. } | Op::Positive { .. }, Op::Rescale { x, .. }) = (&value.op, rewriter.op(operand)) else {
            return None;
        };
        let x = *x;
        Some(rewriter.push(value.op.with_operands(|_| x), value))
    })
}
