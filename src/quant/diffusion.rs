//! Rounding without samples: what one weight loses, the weights behind it make up for on average.
//!
//! Inputs are taken as independent and uniform over their proved intervals. Bytes and outputs of ReLU are
//! never negative, so errors of one sign add up: the sum of `mean · error` is what has to stay small. With
//! such moments (a diagonal plus one product) the best continuation has a closed form, and rounding a
//! column takes one pass.

use num_traits::ToPrimitive;

use super::intk::Step;
use crate::graph::Matrix;
use crate::ir::Interval;

/// What is assumed of one input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Assumed {
    mean: f64,
    variance: f64,
}

impl Assumed {
    /// Uniform over an interval, in units of `whole`.
    pub(super) fn uniform(interval: &Interval, whole: f64) -> Self {
        let bound = |bound: &num_bigint::BigInt| bound.to_f64().unwrap_or(0.0) / whole;
        let (low, high) = (bound(&interval.low), bound(&interval.high));
        Assumed { mean: (low + high) / 2.0, variance: (high - low) * (high - low) / 12.0 }
    }
}

/// The integers for `weights`.
pub(super) fn round(weights: &Matrix, steps: &[Step], inputs: &[Assumed]) -> Vec<i64> {
    let mut integers = vec![0; weights.elements.len()];
    // How much of an error the inputs from each one on can make up for, and how much of it each.
    let share = |input: &Assumed| if input.variance > 0.0 { input.mean / input.variance } else { 0.0 };
    let mut room = vec![0.0; weights.rows + 1];
    for row in (0..weights.rows).rev() {
        room[row] = room[row + 1] + share(&inputs[row]) * inputs[row].mean;
    }
    for column in 0..weights.columns {
        let step = &steps[column % steps.len()];
        let mut error = 0.0;
        for (row, input) in inputs.iter().enumerate() {
            let index = row * weights.columns + column;
            let weight = weights.elements[index];
            integers[index] = step.round(weight - share(input) * error / (1.0 + room[row]));
            error += input.mean * (integers[index] as f64 * step.size - weight);
        }
    }
    integers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_inputs_that_are_never_negative_do_not_add_up() {
        let elements: Vec<f64> = (0..200).map(|i| 0.3 + f64::from(i % 7) * 0.01).collect();
        let weights = Matrix { rows: 200, columns: 1, elements };
        let steps = [Step { size: 1.0, levels: 15, zero: 8 }];
        let error =
            |integers: &[i64]| (integers.iter().sum::<i64>() as f64 - weights.elements.iter().sum::<f64>()).abs();
        let bytes = vec![Assumed::uniform(&Interval::new(0, 255), 255.0); 200];
        assert!(error(&round(&weights, &steps, &bytes)) < 1.0);
        // Errors of inputs around zero cancel by themselves: each weight goes to the nearest level.
        let signed = vec![Assumed::uniform(&Interval::new(-255, 255), 255.0); 200];
        assert_eq!(round(&weights, &steps, &signed), vec![0; 200]);
    }
}
