//! A value times a constant matrix: what all dense layers are made of.

use super::import::Importer;
use super::operand::Computed;
use super::{Matrix, Op};
use crate::error::Problem;
use crate::onnx::{Node, Tensor};

/// A constant matrix as ONNX gives it, and how it is to be read.
pub(super) struct Weights<'a> {
    pub(super) tensor: &'a Tensor,
    /// Whether its rows are the outputs.
    pub(super) transposed: bool,
    /// What all of it is multiplied by (exact: two f32 factors fit an f64).
    pub(super) factor: f64,
}

impl Weights<'_> {
    /// Its rows and columns, one an input and one an output.
    pub(super) fn size(&self, node: &Node) -> Result<(usize, usize), Problem> {
        // Dimensions of one in front are a batch of one matrix.
        let dims = &self.tensor.shape;
        let front = dims.iter().take(dims.len().saturating_sub(2)).all(|&dim| dim == 1);
        match dims.as_slice() {
            [.., rows, columns] if front => Ok(if self.transposed { (*columns, *rows) } else { (*rows, *columns) }),
            _ => Err(node
                .problem(format!("its weights have shape {dims:?}, not a matrix"))
                .help("use a weight matrix of shape [inputs, outputs]")),
        }
    }

    fn matrix(&self, node: &Node) -> Result<Matrix, Problem> {
        let (rows, columns) = self.size(node)?;
        let values = self.tensor.to_floats().ok_or_else(|| node.problem("has integer weights beyond 2^53"))?;
        let at = |row: usize, column: usize| match self.transposed {
            true => values[column * rows + row] * self.factor,
            false => values[row * columns + column] * self.factor,
        };
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        Ok(Matrix { rows, columns, elements: places.map(|(row, column)| at(row, column)).collect() })
    }
}

/// `x` as one row times the weights, in a shape of as many elements as the weights have columns.
pub(super) fn product(
    importer: &mut Importer<'_>,
    node: &Node,
    x: &Computed,
    weights: &Weights<'_>,
    shape: Vec<usize>,
) -> Result<Computed, Problem> {
    let (rows, columns) = weights.size(node)?;
    if x.len() != rows {
        return Err(node.problem(format!("multiplies {} values by weights for {rows}", x.len())).help(
            "check the shapes of the model: the value must be flattened to as many elements as the weights have rows",
        ));
    }
    if columns == 0 || rows == 0 {
        return Err(node.problem("has weights without elements"));
    }
    let op = Op::MatMul { x: x.node, weights: weights.matrix(node)? };
    importer.push(node, op, shape, x.element)
}

/// Adds a bias, times a factor, that has the shape of `x` or broadcasts to it.
pub(super) fn bias(
    importer: &mut Importer<'_>,
    node: &Node,
    x: Computed,
    bias: &Tensor,
    factor: f64,
) -> Result<Computed, Problem> {
    let values = bias.broadcast_to(&x.shape).ok_or_else(|| {
        node.problem(format!("a bias of shape {:?} does not fit {} outputs", bias.shape, x.len()))
            .help("check the shapes of the model: the bias has one element for each output, or one for all")
    })?;
    let constant = values.iter().map(|value| value * factor).collect();
    importer.push(node, Op::Add { x: x.node, constant }, x.shape, x.element)
}
