//! Grids that weights already lie on: ternary, binary, 4-bit or 8-bit from quantisation-aware training,
//! integers in float tensors. Such weights are stored in their own few bits, without loss.

use num_integer::Integer;

use super::intk;
use crate::graph::{Matrix, Stored};

/// Largest multiple of a step that is not an integer: 9 bits and a sign.
const MOST_STEPS: f64 = 256.0;
/// Largest integer weight.
const MOST_INTEGER: f64 = 32767.0;
/// Relative error of a float32 product of a step and an integer, with the step's own.
const TOLERANCE: f64 = 1.0 / (1 << 22) as f64;
/// The smallest weight may be so many steps.
const SMALLEST: u32 = 16;
/// Fewer weights than this lie on some grid by chance.
const FEWEST: usize = 4;

/// Weights as multiples of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// One step for all weights, or one for each column.
    pub steps: Vec<f64>,
    /// The weights in steps, row-major.
    pub elements: Vec<i64>,
}

impl Grid {
    /// How many bits tell the levels of the widest column apart.
    pub fn bits(&self) -> u32 {
        bits(&self.elements, self.steps.len())
    }

    /// How many different levels there are between the smallest and the largest weight in use.
    pub fn levels(&self) -> usize {
        let mut levels = self.elements.clone();
        levels.sort_unstable();
        levels.dedup();
        levels.len()
    }
}

/// How many bits tell apart the levels of integer weights, at best: `columns` apart where there are
/// several scales.
pub fn bits(elements: &[i64], columns: usize) -> u32 {
    let range = |column: usize| {
        let values = || elements.iter().skip(column).step_by(columns.max(1));
        let low = values().min().copied().unwrap_or(0);
        let stride = values().fold(0, |stride: i64, value| stride.gcd(&(value - low))).max(1);
        let high = values().max().copied().unwrap_or(0);
        u64::BITS - ((high - low) / stride).unsigned_abs().leading_zeros()
    };
    (0..columns.max(1)).map(range).max().unwrap_or(0)
}

/// The grid that the model stores its weights on, or the one that they turn out to lie on.
pub fn of(weights: &Matrix) -> Option<Grid> {
    match &weights.stored {
        Some(Stored { steps, integers }) => Some(Grid { steps: steps.clone(), elements: integers.clone() }),
        None => find(weights),
    }
}

/// The grid that all weights lie on, or each column of them; `None` where there is none.
pub fn find(weights: &Matrix) -> Option<Grid> {
    if let Some((step, elements)) = of_group(&weights.elements, true) {
        return Some(Grid { steps: vec![step], elements });
    }
    let mut grid = Grid { steps: Vec::new(), elements: vec![0; weights.elements.len()] };
    for column in 0..weights.columns {
        let values: Vec<f64> = weights.elements.iter().skip(column).step_by(weights.columns).copied().collect();
        let (step, elements) = of_group(&values, false)?;
        grid.steps.push(step);
        for (row, element) in elements.into_iter().enumerate() {
            grid.elements[row * weights.columns + column] = element;
        }
    }
    Some(grid)
}

/// The step that all values are multiples of, and the multiples.
fn of_group(values: &[f64], integers: bool) -> Option<(f64, Vec<i64>)> {
    if integers && values.iter().all(|value| value.fract() == 0.0 && value.abs() <= MOST_INTEGER) {
        let elements: Vec<i64> = values.iter().map(|&value| value as i64).collect();
        let step = elements.iter().fold(0, |step: i64, value| step.gcd(value)).max(1);
        return Some((step as f64, elements.iter().map(|value| value / step).collect()));
    }
    let nonzero: Vec<f64> = values.iter().map(|value| value.abs()).filter(|&value| value > 0.0).collect();
    let smallest = nonzero.iter().copied().reduce(f64::min)?;
    if nonzero.len() < FEWEST {
        return None;
    }
    let largest = nonzero.iter().copied().fold(0.0, f64::max);
    let candidates = (1..=SMALLEST).map(|times| smallest / f64::from(times));
    let mut plausible = candidates.filter(|step| largest / step <= MOST_STEPS);
    let fits = |step: f64| {
        nonzero.iter().all(|&value| {
            let multiple = (value / step).round();
            (value - multiple * step).abs() <= value * TOLERANCE
        })
    };
    let step = plausible.find(|&step| fits(step))?;
    let elements: Vec<i64> = values.iter().map(|value| (value / step).round() as i64).collect();
    // The step that the weights agree on best: the smallest weight alone carries its own rounding.
    let (above, below) = values.iter().zip(&elements).fold((0.0, 0.0), |(above, below), (value, &multiple)| {
        (above + value * multiple as f64, below + (multiple * multiple) as f64)
    });
    // A float32, as the weights are: its exact fraction stays short.
    Some((intk::short(above / below), elements))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(columns: usize, elements: Vec<f64>) -> Matrix {
        Matrix { rows: elements.len() / columns, columns, elements, stored: None }
    }

    fn in_f32(steps: &[i64], step: f32) -> Vec<f64> {
        steps.iter().map(|&multiple| f64::from(multiple as f32 * step)).collect()
    }

    #[test]
    fn ternary_and_int4_and_integers_are_found() {
        let ternary = find(&matrix(2, in_f32(&[1, 0, -1, 0, 1, 1, -1, 1], 0.043_217))).unwrap();
        assert_eq!((ternary.bits(), ternary.levels(), ternary.elements[2]), (2, 3, -1));
        let int4 = find(&matrix(2, in_f32(&[-8, 7, 3, -5, 2, 6, -3, 0], 0.012_3))).unwrap();
        assert_eq!((int4.bits(), int4.elements.clone()), (4, vec![-8, 7, 3, -5, 2, 6, -3, 0]));
        let integers = find(&matrix(2, vec![100.0, -4.0, 8.0, 0.0])).unwrap();
        assert_eq!((integers.steps[0], integers.elements[0]), (4.0, 25));
        let binary = find(&matrix(2, in_f32(&[1, -1, -1, 1], 0.7))).unwrap();
        assert_eq!(binary.bits(), 1);
    }

    #[test]
    fn columns_may_have_their_own_steps() {
        let (a, b) = (in_f32(&[1, -3, 2, 5, -4], 0.031_415_9), in_f32(&[2, 1, -1, -7, 3], 0.007_234_7));
        let both = a.iter().zip(&b).flat_map(|(a, b)| [*a, *b]).collect();
        let grid = find(&matrix(2, both)).unwrap();
        assert_eq!(grid.steps.len(), 2);
        assert_eq!(grid.elements, vec![1, 2, -3, 1, 2, -1, 5, -7, -4, 3]);
    }

    #[test]
    fn trained_floats_lie_on_no_grid() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(((state >> 40) as f32 / (1u32 << 24) as f32) - 0.5)
        };
        for columns in [1, 3, 8] {
            for _ in 0..200 {
                let weights = matrix(columns, (0..columns * 5).map(|_| next()).collect());
                assert_eq!(find(&weights), None);
            }
        }
    }
}
