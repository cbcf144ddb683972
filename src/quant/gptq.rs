//! Rounding with error feedback: what one weight loses, the weights behind it make up for, as far as the
//! samples say that their inputs go together.
//!
//! Source: Frantar et al., "GPTQ" (2022): rows are rounded in the order of their importance, and each
//! error is spread over the rows not yet rounded by the Cholesky factor of the inverse moments.

use super::calibrate::{Moments, damping};
use super::intk::Step;
use crate::graph::Matrix;

/// The integers for `weights`, by the moments of the layer's input.
pub(super) fn round(weights: &Matrix, steps: &[Step], moments: &Moments) -> Vec<i64> {
    let (rows, columns) = (weights.rows, weights.columns);
    let order = by_importance(moments);
    let factor = inverse_factor(moments, &order);
    let mut left = weights.elements.clone();
    let mut integers = vec![0i64; rows * columns];
    for (place, &row) in order.iter().enumerate() {
        let own = factor[place * rows + place];
        for column in 0..columns {
            let step = &steps[column % steps.len()];
            let weight = left[row * columns + column];
            let integer = step.round(weight);
            integers[row * columns + column] = integer;
            let error = (weight - integer as f64 * step.size) / own;
            for (later, &other) in order.iter().enumerate().skip(place + 1) {
                left[other * columns + column] -= error * factor[place * rows + later];
            }
        }
    }
    integers
}

/// Rows by falling mean square; ties in their own order.
fn by_importance(moments: &Moments) -> Vec<usize> {
    let squares = moments.diagonal();
    let mut order: Vec<usize> = (0..moments.size).collect();
    order.sort_by(|&a, &b| squares[b].total_cmp(&squares[a]).then(a.cmp(&b)));
    order
}

/// The upper Cholesky factor of the inverse of the damped moments, in the given order.
fn inverse_factor(moments: &Moments, order: &[usize]) -> Vec<f64> {
    let n = moments.size;
    let squares: Vec<f64> = (0..n).map(|i| moments.elements[i * n + i]).collect();
    let damping = damping(&squares);
    // With rows and columns reversed, the inverse of the lower factor is the upper factor of the inverse.
    let at = |i: usize, j: usize| {
        let (i, j) = (order[n - 1 - i], order[n - 1 - j]);
        moments.elements[i * n + j] + if i == j { damping } else { 0.0 }
    };
    let mut lower = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
            let rest = at(i, j) - dot;
            lower[i * n + j] = if i == j { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / lower[j * n + j] };
        }
    }
    let inverse = invert_lower(&lower, n);
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            factor[(n - 1 - i) * n + (n - 1 - j)] = inverse[i * n + j];
        }
    }
    factor
}

fn invert_lower(lower: &[f64], n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    for i in 0..n {
        let own = 1.0 / lower[i * n + i];
        for k in 0..i {
            let factor = lower[i * n + k];
            let (above, below) = inverse.split_at_mut(i * n);
            for (sum, &x) in below[..=k].iter_mut().zip(&above[k * n..][..=k]) {
                *sum -= factor * x;
            }
        }
        inverse[i * n..][..i].iter_mut().for_each(|x| *x *= own);
        inverse[i * n + i] = own;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factor is what it says: upper, and its product with its transpose is the inverse.
    #[test]
    fn the_factor_is_of_the_inverse() {
        let rows: Vec<Vec<f64>> = vec![vec![1.0, 2.0, 0.5], vec![-1.0, 0.3, 2.0], vec![0.7, 1.1, -0.2]];
        let moments = Moments::of(&rows);
        let order = [2, 0, 1];
        let factor = inverse_factor(&moments, &order);
        let n = 3;
        let squares: Vec<f64> = (0..n).map(|i| moments.elements[i * n + i]).collect();
        let damped = |i: usize, j: usize| {
            let extra = if i == j { damping(&squares) } else { 0.0 };
            moments.elements[order[i] * n + order[j]] + extra
        };
        // factorᵀ · factor is the inverse of the damped moments.
        let inverse = |i: usize, j: usize| (0..n).map(|k| factor[k * n + i] * factor[k * n + j]).sum::<f64>();
        for i in 0..n {
            for j in 0..n {
                let product: f64 = (0..n).map(|k| damped(i, k) * inverse(k, j)).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-9, "{i} {j}: {product}");
            }
        }
        assert!(factor[n].abs() < 1e-12 && factor[2 * n].abs() < 1e-12);
    }

    /// On correlated inputs the layer's outputs lose less than by rounding each weight on its own.
    #[test]
    fn error_feedback_loses_less_than_rounding_to_nearest() {
        let rows: Vec<Vec<f64>> =
            (0..60).map(|i| (0..6).map(|j| f64::from((i * 7 + j * j) % 11) + f64::from(i % 5)).collect()).collect();
        let elements: Vec<f64> = (0..12).map(|i| f64::from(i * 5 % 13) / 13.0 - 0.5).collect();
        let weights = Matrix { rows: 6, columns: 2, elements };
        let steps = [Step { size: 0.25, levels: 7, zero: 4 }];
        let loss = |integers: &[i64]| {
            let output = |row: &Vec<f64>, column: usize| {
                (0..6)
                    .map(|i| row[i] * (weights.elements[i * 2 + column] - integers[i * 2 + column] as f64 * 0.25))
                    .sum::<f64>()
            };
            rows.iter().flat_map(|row| [output(row, 0), output(row, 1)]).map(|error| error * error).sum::<f64>()
        };
        let fed_back = loss(&round(&weights, &steps, &Moments::of(&rows)));
        let nearest = loss(&super::super::intk::round(&weights, &steps));
        assert!(fed_back < nearest, "{fed_back} against {nearest}");
    }
}
