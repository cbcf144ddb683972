//! `fold-affine`: takes products and sums with constants into the dense layer beside them.
//! Keeps every bit.
//!
//! - `(x · c) @ W` is `x @ (c · W)`, row by row;
//! - `(x + c) @ W` is `x @ W + (c @ W)`;
//! - `(x @ W) · c` is `x @ (W · c)`, column by column.
//!
//! Only where every folded weight still fits its integer type. Values at other roundings (after a
//! [`Op::Rescale`]) are not touched.

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

use super::rewrite::Rewriter;
use crate::ir::{Ir, Matrix, Op, Value, ValueId};

/// Folds affine steps.
pub(super) fn fold(ir: &Ir) -> Ir {
    Rewriter::run(ir, rule)
}

fn rule(rewriter: &mut Rewriter, value: &Value, operand: ValueId) -> Option<ValueId> {
    match (&value.op, rewriter.op(operand).clone()) {
        (Op::MatMul { weights, .. }, inner @ (Op::Mul { .. } | Op::Add { .. })) => {
            fold_into_next(rewriter, value, weights, inner)
        }
        (Op::Mul { constant, unit, .. }, Op::MatMul { x, weights }) if rewriter.sole_use(value) => {
            let weights = scale_weights(&weights, unit, |_, column| &constant[column])?;
            Some(rewriter.push(Op::MatMul { x, weights: Arc::new(weights) }, value))
        }
        _ => None,
    }
}

/// Takes the chain of affine steps in front of a dense layer into it, nearest first.
fn fold_into_next(rewriter: &mut Rewriter, value: &Value, weights: &Arc<Matrix>, first: Op) -> Option<ValueId> {
    let mut weights = Arc::clone(weights);
    let mut bias: Option<Vec<BigInt>> = None;
    let mut step = first;
    let mut folded = None;
    loop {
        let x = match step {
            Op::Mul { x, constant, unit } => {
                // A bias taken in earlier is at the scale before this product's unit is: it stays an integer.
                let Some(scaled) = scale_weights(&weights, &unit, |row, _| &constant[row]) else {
                    break;
                };
                weights = Arc::new(scaled);
                x
            }
            Op::Add { x, constant } => {
                let through = vector_times_matrix(&constant, &weights);
                bias = Some(match bias {
                    None => through,
                    Some(bias) => bias.iter().zip(&through).map(|(a, b)| a + b).collect(),
                });
                x
            }
            _ => break,
        };
        folded = Some(x);
        step = rewriter.op(x).clone();
    }
    let product = rewriter.push(Op::MatMul { x: folded?, weights }, value);
    Some(match bias {
        None => product,
        Some(constant) => rewriter.push(Op::Add { x: product, constant }, value),
    })
}

fn scale_weights<'a>(
    weights: &Matrix,
    unit: &BigRational,
    factor: impl Fn(usize, usize) -> &'a BigInt,
) -> Option<Matrix> {
    let scaled = |(index, &weight): (usize, &i64)| {
        let product = factor(index / weights.columns, index % weights.columns) * weight;
        product.to_i64().filter(|&weight| weight != i64::MIN)
    };
    let elements = weights.elements.iter().enumerate().map(scaled).collect::<Option<Vec<i64>>>()?;
    Some(Matrix { elements, unit: &weights.unit * unit, ..*weights })
}

fn vector_times_matrix(vector: &[BigInt], weights: &Matrix) -> Vec<BigInt> {
    let mut sums = vec![BigInt::ZERO; weights.columns];
    for (row, x) in vector.iter().enumerate() {
        for (sum, weight) in sums.iter_mut().zip(weights.row(row)) {
            *sum += x * weight;
        }
    }
    sums
}
