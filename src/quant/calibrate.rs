//! Samples of the input, carried through the layers beside the lowering: what each layer's input is in
//! the integer network, and what its output should be.
//!
//! Floats here choose roundings and nothing else; the arithmetic is plain (no fused or reordered sums),
//! so that the choice is the same on every machine.

use num_traits::ToPrimitive;

use crate::graph::{Graph, eval_all as eval_float};
use crate::ir::{Ir, ValueId, eval_all};

/// Samples of the input, as the model takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// One row a sample: numbers to the float model.
    pub floats: Vec<Vec<f64>>,
    /// The same as the contract's integers.
    pub integers: Vec<Vec<num_bigint::BigInt>>,
}

/// Second moments of a layer's input: `Σ x xᵀ / n`, row-major.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub(super) size: usize,
    pub(super) elements: Vec<f64>,
}

impl Moments {
    /// Moments of rows of equal length.
    pub(super) fn of(rows: &[Vec<f64>]) -> Moments {
        let size = rows.first().map_or(0, Vec::len);
        let mut elements = vec![0.0; size * size];
        for row in rows {
            for (i, &x) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                for (sum, &y) in elements[i * size..][..=i].iter_mut().zip(row) {
                    *sum += x * y;
                }
            }
        }
        for i in 0..size {
            for j in 0..i {
                elements[j * size + i] = elements[i * size + j];
            }
        }
        let count = rows.len().max(1) as f64;
        elements.iter_mut().for_each(|sum| *sum /= count);
        Moments { size, elements }
    }

    /// How much each input matters: its mean square, and a little for inputs that the samples never use.
    pub(super) fn diagonal(&self) -> Vec<f64> {
        let squares: Vec<f64> = (0..self.size).map(|i| self.elements[i * self.size + i]).collect();
        let damping = damping(&squares);
        squares.iter().map(|square| square + damping).collect()
    }
}

/// A hundredth of the mean: what is added to the moments so that no input counts nothing.
pub(super) fn damping(squares: &[f64]) -> f64 {
    let mean = squares.iter().sum::<f64>() / squares.len().max(1) as f64;
    if mean > 0.0 { 0.01 * mean } else { 1.0 }
}

/// The elements of an IR value for each sample, in steps of its scale.
pub(super) fn integer_rows(calibration: &Calibration, ir: &Ir, value: ValueId) -> Vec<Vec<f64>> {
    let of = |input: &Vec<num_bigint::BigInt>| {
        let values = eval_all(ir, input);
        values[value].iter().map(|v| v.to_f64().unwrap_or(0.0)).collect()
    };
    calibration.integers.iter().map(of).collect()
}

/// The float network's values of a node for each sample.
pub(super) fn float_rows(calibration: &Calibration, graph: &Graph, node: usize) -> Vec<Vec<f64>> {
    calibration.floats.iter().map(|sample| eval_float(graph, sample).swap_remove(node)).collect()
}
