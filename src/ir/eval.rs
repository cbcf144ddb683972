//! The definition of what a contract computes.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

use super::{Ir, Matrix, Op, Tie};

/// The answer for an input of integers: a class, or a number in steps of the last value's scale.
///
/// # Panics
/// When `input` has another length than the network's input.
pub fn eval(ir: &Ir, input: &[BigInt]) -> BigInt {
    eval_all(ir, input).pop().and_then(|mut answer| answer.pop()).unwrap_or_default()
}

/// Every value for an input of integers, in the order of [`Ir::values`].
///
/// # Panics
/// When `input` has another length than the network's input.
pub fn eval_all(ir: &Ir, input: &[BigInt]) -> Vec<Vec<BigInt>> {
    assert_eq!(input.len(), ir.values[0].len(), "one integer for each input element");
    let mut results: Vec<Vec<BigInt>> = Vec::with_capacity(ir.values.len());
    for value in &ir.values {
        let result = match (&value.op, value.op.operands()) {
            (Op::Sum { .. }, &[x, y]) => results[x].iter().zip(&results[y]).map(|(x, y)| x + y).collect(),
            (Op::Product { .. }, &[x, y]) => results[x].iter().zip(&results[y]).map(|(x, y)| x * y).collect(),
            (Op::Gather { parts, picks }, _) => {
                picks.iter().map(|&(part, index)| results[parts[part]][index].clone()).collect()
            }
            (op, &[x]) => apply(op, &results[x]),
            _ => input.to_vec(),
        };
        results.push(result);
    }
    results
}

fn apply(op: &Op, x: &[BigInt]) -> Vec<BigInt> {
    match op {
        Op::Input | Op::Sum { .. } | Op::Product { .. } | Op::Gather { .. } => x.to_vec(),
        Op::MatMul { weights, .. } => matmul(x, weights),
        Op::Products { weights, .. } => {
            let row = |(row, x): (usize, &BigInt)| weights.row(row).iter().map(|w| x * w).collect::<Vec<_>>();
            x.iter().enumerate().flat_map(row).collect()
        }
        Op::SumRows { columns, .. } => {
            (0..*columns).map(|column| x.iter().skip(column).step_by(*columns).sum()).collect()
        }
        Op::Add { constant, .. } => x.iter().zip(constant).map(|(x, c)| x + c).collect(),
        Op::Mul { constant, .. } => x.iter().zip(constant).map(|(x, c)| x * c).collect(),
        // BigInt divides as OP_DIV does: toward zero.
        Op::Rescale { divisor, .. } => x.iter().map(|x| x / divisor).collect(),
        Op::Round { factors, divisor, .. } => {
            x.iter().zip(factors).map(|(x, factor)| round_quotient(&(x * factor), divisor)).collect()
        }
        Op::Relu { .. } => x.iter().map(|x| x.clone().max(BigInt::zero())).collect(),
        Op::Max { constant, .. } => x.iter().zip(constant).map(|(x, c)| x.max(c).clone()).collect(),
        Op::Min { constant, .. } => x.iter().zip(constant).map(|(x, c)| x.min(c).clone()).collect(),
        Op::Piecewise { curves, .. } => x.iter().enumerate().map(|(j, x)| curves[j % curves.len()].at(x)).collect(),
        Op::ArgMax { tie, .. } => vec![argmax(x, *tie)],
        Op::Positive { .. } => x.iter().map(|x| BigInt::from(x.is_positive())).collect(),
    }
}

/// The integer nearest to a quotient by a positive divisor; halves go to the even one.
pub fn round_quotient(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let (quotient, remainder) = dividend.div_mod_floor(divisor);
    let up = match (remainder * 2u8).cmp(divisor) {
        Ordering::Less => false,
        Ordering::Equal => quotient.is_odd(),
        Ordering::Greater => true,
    };
    if up { quotient + 1u8 } else { quotient }
}

/// Sums in 128 bits while they provably fit, else in big numbers.
fn matmul(x: &[BigInt], weights: &Matrix) -> Vec<BigInt> {
    let small: Option<Vec<i64>> = x.iter().map(ToPrimitive::to_i64).collect();
    // |x| < 2^40, |w| <= 2^63 and fewer than 2^22 rows keep every partial sum below 2^125.
    match small.filter(|x| x.iter().all(|x| x.unsigned_abs() < 1 << 40) && x.len() < 1 << 22) {
        Some(small) => {
            let mut sums = vec![0i128; weights.columns];
            for (row, &x) in small.iter().enumerate().filter(|(_, x)| **x != 0) {
                for (sum, &weight) in sums.iter_mut().zip(weights.row(row)) {
                    *sum += i128::from(x) * i128::from(weight);
                }
            }
            sums.into_iter().map(BigInt::from).collect()
        }
        None => {
            let mut sums = vec![BigInt::zero(); weights.columns];
            for (row, x) in x.iter().enumerate() {
                for (sum, weight) in sums.iter_mut().zip(weights.row(row)) {
                    *sum += x * weight;
                }
            }
            sums
        }
    }
}

fn argmax(x: &[BigInt], tie: Tie) -> BigInt {
    let mut best = 0;
    for (index, value) in x.iter().enumerate() {
        if *value > x[best] || (tie == Tie::Last && *value == x[best]) {
            best = index;
        }
    }
    BigInt::from(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_where_onnx_says() {
        let scores: Vec<BigInt> = [3, 7, 7, 1].map(BigInt::from).to_vec();
        assert_eq!(argmax(&scores, Tie::First), BigInt::from(1));
        assert_eq!(argmax(&scores, Tie::Last), BigInt::from(2));
    }

    #[test]
    fn zero_is_not_positive() {
        let positive = |x: i32| apply(&Op::Positive { x: 0 }, &[x.into()]);
        assert_eq!([-1, 0, 1].map(positive), [0, 0, 1].map(|class| vec![BigInt::from(class)]));
    }

    #[test]
    fn halves_are_rounded_to_even() {
        let round = |x: i64, divisor: i64| round_quotient(&x.into(), &divisor.into());
        assert_eq!([-7, -5, -3, -1, 1, 3, 5, 7].map(|x| round(x, 2)), [-4, -2, -2, 0, 0, 2, 2, 4].map(BigInt::from));
        assert_eq!([-5, -4, -2, -1, 1, 2, 4, 5].map(|x| round(x, 3)), [-2, -1, -1, 0, 0, 1, 1, 2].map(BigInt::from));
    }

    #[test]
    fn wide_and_narrow_sums_agree() {
        let weights =
            Matrix { rows: 2, columns: 2, elements: vec![i64::MAX, -3, i64::MIN, 5], unit: num_traits::One::one() };
        let narrow = [BigInt::from(-7), BigInt::from(1u64 << 39)];
        let wide: Vec<BigInt> = narrow.iter().map(|x| x << 70).collect();
        let shifted: Vec<BigInt> = matmul(&wide, &weights).into_iter().map(|sum| sum >> 70).collect();
        assert_eq!(matmul(&narrow, &weights), shifted);
    }
}
