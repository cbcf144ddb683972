//! `fold-affine`: takes products and sums with constants into the dense layer beside them.
//! Keeps every bit.
//!
//! - `(x · c) @ W` is `x @ (c · W)`, row by row;
//! - `(x + c) @ W` is `x @ W + (c @ W)`;
//! - `(x @ W) · c` is `x @ (W · c)`, column by column.
//!
//! Only where every folded weight still fits its integer type, and where pushing the longer weights takes
//! no more bytes than the products that go. Values at other roundings (after a [`Op::Rescale`]) are not
//! touched.

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

use super::rewrite::Rewriter;
use crate::ir::{Ir, Matrix, Op, Value, ValueId};
use crate::script::{number, push};

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
            let weights = scale_weights(&weights, unit, constant, Along::Columns)?;
            Some(rewriter.push(Op::MatMul { x, weights: Arc::new(weights) }, value))
        }
        _ => None,
    }
}

/// Which way a vector lies beside a matrix.
#[derive(Clone, Copy)]
enum Along {
    Rows,
    Columns,
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
                let Some(scaled) = scale_weights(&weights, &unit, &constant, Along::Rows) else {
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

/// The weights times a constant for each of their rows, or columns; `None` where that cannot be or does not pay.
fn scale_weights(weights: &Matrix, unit: &BigRational, constant: &[BigInt], along: Along) -> Option<Matrix> {
    let scaled = |(index, &weight): (usize, &i64)| {
        let product = match along {
            Along::Rows => &constant[index / weights.columns],
            Along::Columns => &constant[index % weights.columns],
        } * weight;
        product.to_i64().filter(|&weight| weight != i64::MIN)
    };
    let elements = weights.elements.iter().enumerate().map(scaled).collect::<Option<Vec<i64>>>()?;
    let pays = product_bytes(&elements) <= product_bytes(&weights.elements) + scaling_bytes(constant);
    pays.then(|| Matrix { elements, unit: &weights.unit * unit, ..*weights })
}

/// Script bytes of the products with weights.
fn product_bytes(weights: &[i64]) -> usize {
    weights.iter().map(|&weight| scaling_bytes(&[weight.into()])).sum()
}

/// Script bytes of products with constants: push and MUL; NEGATE; nothing.
fn scaling_bytes(constants: &[BigInt]) -> usize {
    let bytes = |constant: &BigInt| match constant.to_i8() {
        Some(0 | 1) => 0,
        Some(-1) => 1,
        _ => push::encoded_len(&number::encode(constant)) + 1,
    };
    constants.iter().map(bytes).sum()
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
