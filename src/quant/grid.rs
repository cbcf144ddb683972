//! Grids that weights already lie on: ternary, binary, 4-bit or 8-bit from quantisation-aware training,
//! integers in float tensors. Such weights are stored in their own few bits, without loss.

use num_integer::Integer;

use super::intk;
use crate::graph::Matrix;

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

/// The grid that all weights lie on, or each column of them; `None` where there is none.
pub fn find(weights: &Matrix) -> Option<Grid> {
    let columns = || -> Vec<Vec<f64>> {
        let column = |column: usize| weights.elements.iter().skip(column).step_by(weights.columns).copied().collect();
        (0..weights.columns).map(column).collect()
    };
    let whole = || vec![weights.elements.clone()];
    let integers = integers(&weights.elements).map(|group| vec![group]);
    integers
        .or_else(|| exact_groups(&whole()))
        .or_else(|| whole().iter().map(|group| rounded(group)).collect())
        .or_else(|| exact_groups(&columns()))
        .or_else(|| columns().iter().map(|group| rounded(group)).collect())
        .map(grid_of)
}

/// A step and multiples of it.
type Multiples = (f64, Vec<i64>);

/// The grid of one group, or of one for each column.
fn grid_of(groups: Vec<Multiples>) -> Grid {
    let (columns, rows) = (groups.len(), groups[0].1.len());
    let elements = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    Grid {
        elements: elements.map(|(row, column)| groups[column].1[row]).collect(),
        steps: groups.iter().map(|(step, _)| *step).collect(),
    }
}

/// Integers, and the largest step that they are multiples of.
fn integers(values: &[f64]) -> Option<Multiples> {
    if values.iter().any(|value| value.fract() != 0.0 || value.abs() > MOST_INTEGER) {
        return None;
    }
    let elements: Vec<i64> = values.iter().map(|&value| value as i64).collect();
    let step = elements.iter().fold(0, |step: i64, value| step.gcd(value)).max(1);
    Some((step as f64, elements.iter().map(|value| value / step).collect()))
}

/// Groups of exact multiples of a step each, as the weights of quantised models are once their integers are multiplied
/// out. One weight of a group is always a multiple of some step: others must show that it is one.
fn exact_groups(groups: &[Vec<f64>]) -> Option<Vec<Multiples>> {
    let shown = |values: &Vec<f64>| values.iter().filter(|value| **value != 0.0).count().saturating_sub(1);
    if groups.iter().map(shown).sum::<usize>() < FEWEST {
        return None;
    }
    groups.iter().map(|group| exact(group)).collect()
}

/// The largest step that all values are exact multiples of.
fn exact(values: &[f64]) -> Option<Multiples> {
    /// Farther apart than this no two multiples of a step are.
    const MOST_SHIFT: i32 = 70;
    let parts: Vec<(u64, i32)> = values.iter().map(|&value| odd_part(value)).collect();
    let Some(lowest) = parts.iter().filter(|(odd, _)| *odd != 0).map(|(_, power)| *power).min() else {
        return Some((1.0, vec![0; values.len()]));
    };
    let whole = |&(odd, power): &(u64, i32)| match power - lowest {
        _ if odd == 0 => Some(0),
        shift @ 0..MOST_SHIFT => Some(u128::from(odd) << shift),
        _ => None,
    };
    let wholes: Vec<u128> = parts.iter().map(whole).collect::<Option<_>>()?;
    let step = wholes.iter().fold(0, |step: u128, whole| step.gcd(whole));
    let multiple = |(whole, value): (&u128, &f64)| {
        let multiple = i64::try_from(whole / step).ok().filter(|multiple| *multiple as f64 <= MOST_INTEGER + 1.0)?;
        Some(if *value < 0.0 { -multiple } else { multiple })
    };
    let multiples = wholes.iter().zip(values).map(multiple).collect::<Option<_>>()?;
    // Below what a normal float can be, a power of two by multiplication is none.
    let step = step as f64 * 2f64.powi(lowest);
    (step.is_normal()).then_some((step, multiples))
}

/// A magnitude as an odd number (or 0) times a power of two.
fn odd_part(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let (significand, power) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    match significand {
        0 => (0, 0),
        _ => (significand >> significand.trailing_zeros(), power + significand.trailing_zeros() as i32),
    }
}

/// The step that all values are multiples of but for the rounding of a float32, and the multiples.
fn rounded(values: &[f64]) -> Option<Multiples> {
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
        Matrix { rows: elements.len() / columns, columns, elements }
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
    fn exact_multiples_are_found_however_large_and_few() {
        let (a, b) = (f64::from(0.012_345_678f32), f64::from(0.000_987_654_3f32));
        let elements: Vec<f64> = [(113, 30_001), (0, -29_999), (-127, 0), (35, 17)]
            .iter()
            .flat_map(|&(x, y)| [f64::from(x) * a, f64::from(y) * b])
            .collect();
        let grid = find(&matrix(2, elements)).unwrap();
        assert_eq!(grid.steps, [a, b]);
        assert_eq!(grid.elements, [113, 30_001, 0, -29_999, -127, 0, 35, 17]);
        // A step that has no full precision is a step nevertheless.
        for tiny in [5e-324, 1e-310] {
            let grid = find(&matrix(1, [1.0, 2.0, 3.0, -5.0, 7.0, 9.0].map(|q| q * tiny).to_vec()));
            assert!(grid.is_some_and(|grid| grid.steps[0] > 0.0));
        }
        // Two columns of one weight each show nothing.
        assert_eq!(find(&matrix(2, vec![0.1, 0.2, 0.0, 0.0])), None);
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
