//! Integers of few bits: the step that loses least.

use crate::graph::Matrix;

/// Candidates for the clipping range, from the whole range of the weights down.
const CANDIDATES: u32 = 128;
/// The narrowest range tried, as a share of the whole.
const NARROWEST: f64 = 0.25;

/// The levels that weights are rounded to: `size · (q - zero)` for `q` in `0 ..= levels`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// What a step of one is worth; a float32, so that exact fractions stay short.
    pub(super) size: f64,
    /// The largest `q`.
    pub(super) levels: i64,
    /// The `q` that stands for zero; one bit has none: its levels are -1 and 1.
    pub(super) zero: i64,
}

impl Step {
    /// The integer nearest to a weight, as the contract multiplies by it.
    pub(super) fn round(&self, weight: f64) -> i64 {
        if self.levels == 1 {
            return if weight < 0.0 { -1 } else { 1 };
        }
        let multiple = (weight / self.size).round_ties_even();
        (multiple.clamp(-self.zero as f64, (self.levels - self.zero) as f64)) as i64
    }

    /// The same levels at a wider step; zero moves so that both ends of the range are kept.
    fn widened(&self, size: f64) -> Step {
        let size = short(size);
        let (middle, off) = ((self.levels + 1) / 2, self.zero - (self.levels + 1) / 2);
        let zero = if self.levels <= 1 { self.zero } else { middle + (off as f64 * self.size / size).round() as i64 };
        Step { size, zero, ..*self }
    }

    fn error(&self, weights: &[f64], importance: Option<&[f64]>) -> f64 {
        let errors = weights.iter().enumerate().map(|(row, &weight)| {
            let error = weight - self.round(weight) as f64 * self.size;
            error * error * importance.map_or(1.0, |importance| importance[row])
        });
        errors.sum()
    }
}

/// One step for all weights, or one for each column; by least squared error, weighted by the
/// importance of each input where it is known.
pub(super) fn choose(
    weights: &Matrix,
    bits: u32,
    own_scales: bool,
    zero_points: bool,
    importance: Option<&[f64]>,
) -> Vec<Step> {
    if own_scales {
        let column = |column: usize| {
            weights.elements.iter().skip(column).step_by(weights.columns).copied().collect::<Vec<f64>>()
        };
        return (0..weights.columns).map(|index| best(&column(index), bits, zero_points, importance)).collect();
    }
    let spread: Option<Vec<f64>> =
        importance.map(|rows| rows.iter().flat_map(|&row| std::iter::repeat_n(row, weights.columns)).collect());
    vec![best(&weights.elements, bits, zero_points, spread.as_deref())]
}

/// The layer that takes up the scales of this one's outputs.
pub(super) struct Next<'a> {
    /// Its weights.
    pub(super) weights: &'a Matrix,
    /// Its bits.
    pub(super) bits: u32,
}

/// Candidates for the balance between two layers.
const BALANCES: u32 = 32;

/// Widens steps so that two layers together lose least. A narrow step makes its output's integers large,
/// and with them what the next layer's rounding of that output's weights costs; and rows of the next
/// layer, multiplied by the scales, share one step, which should be used by all of them.
///
/// With steps `s_j` here and `t` there, the expected squared error is `n Σ_j a_j² s_j²` from this layer's
/// rounding and `m t² Σ_j h_j² / s_j²` from the next one's, `a_j` and `h_j` being the norms of what leaves
/// and enters neuron `j`, inputs being taken as independent.
pub(super) fn balance(weights: &Matrix, steps: Vec<Step>, next: &Next<'_>) -> Vec<Step> {
    let column = |j: usize| weights.elements.iter().skip(j).step_by(weights.columns);
    let row = |j: usize| &next.weights.elements[j * next.weights.columns..][..next.weights.columns];
    let square = |sum: f64, value: &f64| sum + value * value;
    let leaving: Vec<f64> = (0..steps.len()).map(|j| row(j).iter().fold(0.0, square)).collect();
    let entering: Vec<f64> = (0..steps.len()).map(|j| column(j).fold(0.0, square)).collect();
    let most: Vec<f64> = (0..steps.len()).map(|j| row(j).iter().fold(0.0, |most: f64, w| most.max(w.abs()))).collect();
    let largest: Vec<f64> = (0..steps.len()).map(|j| column(j).fold(0.0, |most: f64, w| most.max(w.abs()))).collect();
    let live = (0..steps.len()).filter(|&j| largest[j] > 0.0);
    let widest = live.map(|j| steps[j].size * most[j]).fold(0.0, f64::max);
    // Beyond twice the largest weight all of a column are zero, and a wider step changes nothing. A column
    // of zeros has no step of its own: it takes the one that fits the next layer.
    let fitting = |j: usize| if most[j] > 0.0 { widest / most[j] } else { 0.0 };
    let size = |j: usize, share: f64| match largest[j] > 0.0 {
        true => steps[j].size.max((share * fitting(j)).min(2.0 * largest[j])),
        false => {
            if fitting(j) > 0.0 {
                fitting(j).min(1.0)
            } else {
                1.0
            }
        }
    };
    let there = widest / f64::from((1u32 << next.bits) / 2);
    let loss = |share: f64| {
        let squares = (0..steps.len()).map(|j| (j, size(j, share) * size(j, share)));
        let (rows, columns) = (weights.rows as f64, next.weights.columns as f64);
        squares
            .map(|(j, square)| rows * leaving[j] * square + columns * there * there * entering[j] / square)
            .sum::<f64>()
    };
    let shares = (0..=BALANCES).map(|index| f64::from(index) / f64::from(BALANCES));
    let best = shares.map(|share| (loss(share), share)).reduce(|best, next| if next.0 < best.0 { next } else { best });
    let share = best.map_or(0.0, |(_, share)| share);
    steps.iter().enumerate().map(|(j, step)| step.widened(size(j, share))).collect()
}

/// Rounds every weight to the nearest level: what the other roundings are compared with.
#[cfg(test)]
pub(super) fn round(weights: &Matrix, steps: &[Step]) -> Vec<i64> {
    let step = |index: usize| &steps[index % weights.columns % steps.len()];
    weights.elements.iter().enumerate().map(|(index, &weight)| step(index).round(weight)).collect()
}

fn best(weights: &[f64], bits: u32, zero_points: bool, importance: Option<&[f64]>) -> Step {
    let levels = (1i64 << bits) - 1;
    let low = weights.iter().copied().fold(0.0, f64::min);
    let high = weights.iter().copied().fold(0.0, f64::max);
    if bits == 1 {
        return binary(weights, importance);
    }
    let middle = (levels + 1) / 2;
    let candidate = |index: u32| {
        let share = 1.0 - (1.0 - NARROWEST) * f64::from(index) / f64::from(CANDIDATES);
        let (size, zero) = if zero_points {
            let size = (high - low) * share / levels as f64;
            (size, if size > 0.0 { (-low * share / size).round().clamp(0.0, levels as f64) as i64 } else { middle })
        } else {
            // The range has one more step below zero than above it.
            ((high / (middle - 1).max(1) as f64).max(-low / middle as f64) * share, middle)
        };
        Step { size: short(size), levels, zero }
    };
    let candidates = (0..=CANDIDATES).map(candidate).filter(|step| step.size > 0.0);
    let scored = candidates.map(|step| (step.error(weights, importance), step));
    let none = Step { size: 1.0, levels, zero: middle };
    scored.reduce(|best, next| if next.0 < best.0 { next } else { best }).map_or(none, |(_, step)| step)
}

/// The float32 next to a step, where there is one of full precision: its exact fraction is short.
pub(super) fn short(size: f64) -> f64 {
    let single = size as f32;
    if single.is_normal() { f64::from(single) } else { size }
}

/// The levels -1 and 1: the mean magnitude loses least.
fn binary(weights: &[f64], importance: Option<&[f64]>) -> Step {
    let weight_of = |row: usize| importance.map_or(1.0, |importance| importance[row]);
    let (sum, count) = weights
        .iter()
        .enumerate()
        .fold((0.0, 0.0), |(sum, count), (row, weight)| (sum + weight.abs() * weight_of(row), count + weight_of(row)));
    // Zeros alone have no sign to keep: their only level is zero.
    if sum > 0.0 {
        Step { size: short(sum / count), levels: 1, zero: 0 }
    } else {
        Step { size: 1.0, levels: 0, zero: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(elements: &[f64]) -> Matrix {
        Matrix { rows: elements.len(), columns: 1, elements: elements.to_vec() }
    }

    #[test]
    fn integers_stay_within_their_bits() {
        let weights = row(&[-1.0, -0.31, 0.0, 0.02, 0.4, 0.97]);
        for bits in 2..=16 {
            for zero_points in [false, true] {
                let steps = choose(&weights, bits, true, zero_points, None);
                let integers = round(&weights, &steps);
                let (low, high) = (*integers.iter().min().unwrap(), *integers.iter().max().unwrap());
                assert!(high - low < 1 << bits, "{bits} bits: {integers:?}");
                assert!(low >= -(1 << bits) && high <= 1 << bits);
            }
        }
        assert_eq!(round(&weights, &choose(&weights, 1, true, false, None)), [-1, -1, 1, 1, 1, 1]);
    }

    #[test]
    fn more_bits_lose_less_and_clipping_pays() {
        let weights: Vec<f64> = (0..400).map(|i| ((i * 37 % 401) as f64 / 401.0 - 0.5).powi(3)).collect();
        let error = |bits| best(&weights, bits, false, None).error(&weights, None);
        assert!((2..10).all(|bits| error(bits + 1) < error(bits)));
        let whole = Step { size: 0.125 / 7.0, levels: 15, zero: 8 };
        assert!(error(4) < whole.error(&weights, None));
    }

    #[test]
    fn zeros_alone_have_a_step() {
        for bits in 1..=4 {
            assert_eq!(round(&row(&[0.0, 0.0]), &choose(&row(&[0.0, 0.0]), bits, true, true, None)), [0, 0]);
        }
    }
}
