//! Elementwise ops: sums and products with constants, ReLU.

use super::Op;
use super::import::Importer;
use super::operand::{Computed, Operand};
use crate::error::Problem;
use crate::onnx::{ElementType, Node, Tensor};

/// Add: a constant on either side.
pub(super) fn add(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let Pair { x, constant, .. } = pair(importer, node)?;
    elementwise(importer, node, &x, Op::Add { x: x.node, constant })
}

/// Sub: `x - c`, or `c - x` as `-x + c`.
pub(super) fn sub(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let Pair { x, constant, constant_first } = pair(importer, node)?;
    if !constant_first {
        let constant = constant.iter().map(|value| -value).collect();
        return elementwise(importer, node, &x, Op::Add { x: x.node, constant });
    }
    let minus =
        importer.push(node, Op::Mul { x: x.node, constant: vec![-1.0; x.len()] }, x.shape.clone(), x.element)?;
    elementwise(importer, node, &x, Op::Add { x: minus.node, constant })
}

/// Mul: a constant on either side.
pub(super) fn mul(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let Pair { x, constant, .. } = pair(importer, node)?;
    elementwise(importer, node, &x, Op::Mul { x: x.node, constant })
}

/// Div: by a constant without zeros.
pub(super) fn div(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let Pair { x, constant, constant_first } = pair(importer, node)?;
    if constant_first {
        return Err(node.problem("divides by a computed value").help("divide by constants only"));
    }
    if x.element != ElementType::Float {
        return Err(node
            .problem("divides integers, which cuts the fraction off")
            .help("put a Cast to float32 in front of it"));
    }
    let constant: Vec<f64> = constant.iter().map(|value| 1.0 / value).collect();
    if constant.iter().any(|value| !value.is_finite()) {
        return Err(node.problem("divides by zero, or by a number too small to invert"));
    }
    elementwise(importer, node, &x, Op::Mul { x: x.node, constant })
}

/// Relu.
pub(super) fn relu(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?.for_computing(node)?;
    elementwise(importer, node, &x, Op::Relu { x: x.node })
}

/// A step whose result has the shape and the type of its operand.
fn elementwise(importer: &mut Importer<'_>, node: &Node, x: &Computed, op: Op) -> Result<Operand, Problem> {
    importer.push(node, op, x.shape.clone(), x.element).map(Operand::Computed)
}

/// A computed value and a constant brought to its shape.
struct Pair {
    x: Computed,
    constant: Vec<f64>,
    constant_first: bool,
}

fn pair(importer: &Importer<'_>, node: &Node) -> Result<Pair, Problem> {
    let (x, constant, constant_first) = match (importer.operand(node, 0)?, importer.operand(node, 1)?) {
        (Operand::Computed(x), Operand::Constant(constant)) => (x, constant, false),
        (Operand::Constant(constant), Operand::Computed(x)) => (x, constant, true),
        (Operand::Computed(_), Operand::Computed(_)) => {
            return Err(node
                .problem("takes two computed values")
                .help("residual connections and products of activations are not supported yet: one operand must be a constant"));
        }
        (Operand::Constant(_), Operand::Constant(_)) => {
            return Err(node
                .problem("takes two constants, but could not be folded")
                .help("simplify the model first, e.g. with onnxsim"));
        }
    };
    let x = x.for_arithmetic(node)?;
    let (x, constant) = broadcast(x, &constant).map_err(|reason| {
        node.problem(reason).help(
            "check the shapes of the model: a constant has one element for each of the value's, or broadcasts to it",
        )
    })?;
    Ok(Pair { x, constant, constant_first })
}

/// Brings a constant to the shape of `x`; `x` may gain dimensions of one, but no elements.
fn broadcast(x: Computed, constant: &Tensor) -> Result<(Computed, Vec<f64>), String> {
    let mut shape = vec![1; constant.shape.len().saturating_sub(x.shape.len())];
    shape.extend(&x.shape);
    let misfit = || format!("a constant of shape {:?} does not fit a value of shape {:?}", constant.shape, x.shape);
    let values = constant.broadcast_to(&shape).ok_or_else(misfit)?;
    Ok((x.reshaped(shape), values))
}
