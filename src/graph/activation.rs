//! Elementwise functions that are piecewise linear, and stay exact: ReLU and its kin, bounds, sign changes.

use super::Op;
use super::compose::combine;
use super::function::Binary;
use super::import::Importer;
use super::operand::{Computed, Operand};
use crate::error::Problem;
use crate::onnx::{Node, Tensor};

/// What helps where constants do not fit.
pub(super) const CHECK_SHAPES: &str =
    "check the shapes of the model: a constant has one element for each of the value's, or broadcasts to it";

/// Relu.
pub(super) fn relu(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?.for_computing(importer, node)?;
    elementwise(importer, node, &x, Op::Relu { x: x.node })
}

/// LeakyRelu: one slope for all that is negative.
pub(super) fn leaky_relu(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let slope = node.float("alpha", 0.01)?;
    let x = importer.computed(node, 0)?.for_arithmetic(importer, node)?;
    elementwise(importer, node, &x, Op::Leaky { x: x.node, slopes: vec![slope; x.len()] })
}

/// PRelu: constant slopes for what is negative.
pub(super) fn prelu(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?.for_arithmetic(importer, node)?;
    let slopes = constant(importer, node, 1, &x)?;
    elementwise(importer, node, &x, Op::Leaky { x: x.node, slopes })
}

/// Abs.
pub(super) fn abs(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?.for_arithmetic(importer, node)?;
    elementwise(importer, node, &x, Op::Leaky { x: x.node, slopes: vec![-1.0; x.len()] })
}

/// Neg.
pub(super) fn neg(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?.for_arithmetic(importer, node)?;
    elementwise(importer, node, &x, Op::Mul { x: x.node, constant: vec![-1.0; x.len()] })
}

/// Clip: bounds by attributes in old operator sets, by constant operands since; either may be left out.
pub(super) fn clip(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?.for_computing(importer, node)?;
    let mut bounds = Vec::new();
    for (index, name) in [(1, "min"), (2, "max")] {
        bounds.push(if node.input(index).is_some() {
            Some(constant(importer, node, index, &x)?)
        } else if node.attributes.contains_key(name) {
            Some(vec![node.float(name, 0.0)?; x.len()])
        } else {
            None
        });
    }
    let high = bounds.pop().flatten();
    bounded(importer, node, x, bounds.pop().flatten(), high).map(Operand::Computed)
}

/// HardSigmoid: a line between 0 and 1.
pub(super) fn hard_sigmoid(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let (alpha, beta) = (node.float("alpha", 0.2)?, node.float("beta", 0.5)?);
    let x = importer.computed(node, 0)?.for_arithmetic(importer, node)?;
    let len = x.len();
    let steep = step(importer, node, &x, Op::Mul { x: x.node, constant: vec![alpha; len] })?;
    let line = step(importer, node, &x, Op::Add { x: steep.node, constant: vec![beta; len] })?;
    bounded(importer, node, line, Some(vec![0.0; len]), Some(vec![1.0; len])).map(Operand::Computed)
}

/// Max of a value and constants, or of functions of one number.
pub(super) fn max(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    extremum(importer, node, Binary::Max)
}

/// Min of a value and constants, or of functions of one number.
pub(super) fn min(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    extremum(importer, node, Binary::Min)
}

fn extremum(importer: &mut Importer<'_>, node: &Node, op: Binary) -> Result<Operand, Problem> {
    let mut best: Option<Computed> = None;
    let mut constants = Vec::new();
    for index in 0..node.inputs.len() {
        match importer.operand(node, index)? {
            Operand::Constant(tensor) => constants.push(tensor),
            Operand::Computed(value) => {
                let value = value.for_computing(importer, node)?;
                best = Some(match best {
                    None => value,
                    Some(best) => combine(importer, node, op, &best, &value)?,
                });
            }
        }
    }
    let mut x = best.ok_or_else(|| node.problem("takes constants only, but could not be folded"))?;
    for tensor in constants {
        let bound = spread(node, &tensor, &x)?;
        x = match op {
            Binary::Max => bounded(importer, node, x, Some(bound), None)?,
            _ => bounded(importer, node, x, None, Some(bound))?,
        };
    }
    Ok(Operand::Computed(x))
}

/// A value kept between bounds; a lower bound of 0 is a ReLU.
pub(super) fn bounded(
    importer: &mut Importer<'_>,
    node: &Node,
    mut x: Computed,
    low: Option<Vec<f64>>,
    high: Option<Vec<f64>>,
) -> Result<Computed, Problem> {
    // The largest float stands for no bound, as exporters write it.
    let binds = |bounds: &Vec<f64>| bounds.iter().any(|bound| bound.abs() < f64::from(f32::MAX));
    if let Some(constant) = low.filter(binds) {
        let relu = constant.iter().all(|bound| *bound == 0.0);
        let op = if relu { Op::Relu { x: x.node } } else { Op::Max { x: x.node, constant } };
        x = step(importer, node, &x, op)?;
    }
    if let Some(constant) = high.filter(binds) {
        x = step(importer, node, &x, Op::Min { x: x.node, constant })?;
    }
    Ok(x)
}

/// A constant operand, spread over the elements of a value.
pub(super) fn constant(importer: &Importer<'_>, node: &Node, index: usize, x: &Computed) -> Result<Vec<f64>, Problem> {
    match importer.operand(node, index)? {
        Operand::Constant(tensor) => spread(node, &tensor, x),
        Operand::Computed(_) => Err(node
            .problem(format!("operand {index} is computed from the sample"))
            .help("make it a constant before exporting")),
    }
}

fn spread(node: &Node, tensor: &Tensor, x: &Computed) -> Result<Vec<f64>, Problem> {
    tensor.broadcast_to(&x.shape).ok_or_else(|| {
        let reason = format!("a constant of shape {:?} does not fit a value of shape {:?}", tensor.shape, x.shape);
        node.problem(reason).help(CHECK_SHAPES)
    })
}

/// A step whose result has the shape and the type of its operand.
pub(super) fn step(importer: &mut Importer<'_>, node: &Node, x: &Computed, op: Op) -> Result<Computed, Problem> {
    importer.push(node, op, x.shape.clone(), x.element)
}

/// The same, as an operand.
pub(super) fn elementwise(importer: &mut Importer<'_>, node: &Node, x: &Computed, op: Op) -> Result<Operand, Problem> {
    step(importer, node, x, op).map(Operand::Computed)
}
