//! Sums, differences, products and quotients.

use super::Op;
use super::activation::{elementwise, step};
use super::compose::{activate, combine, is_function, is_one_function};
use super::function::{Binary, Expression};
use super::import::Importer;
use super::operand::{Computed, Meaning, Operand};
use super::quantised::one;
use crate::error::Problem;
use crate::onnx::{ElementType, Node, Tensor};

/// Add: a constant on either side, or two computed values.
pub(super) fn add(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let (x, y) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    sum_of(importer, node, x, y).map(Operand::Computed)
}

/// The sum of a computed value and another one, or a constant.
pub(super) fn sum_of(importer: &mut Importer<'_>, node: &Node, x: Operand, y: Operand) -> Result<Computed, Problem> {
    match together(importer, node, x, y)? {
        Operands::Constant { x, constant, .. } => step(importer, node, &x, Op::Add { x: x.node, constant }),
        Operands::Computed(x, y) => sum(importer, node, &x, &y),
    }
}

/// Sub: `x - c`, `c - x` as `-x + c`, and `x - y` as `x + -y`.
pub(super) fn sub(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    match operands(importer, node)? {
        Operands::Constant { x, constant, constant_first: false } => {
            let constant = constant.iter().map(|value| -value).collect();
            elementwise(importer, node, &x, Op::Add { x: x.node, constant })
        }
        Operands::Constant { x, constant, constant_first: true } => {
            let minus = negated(importer, node, &x)?;
            elementwise(importer, node, &x, Op::Add { x: minus.node, constant })
        }
        Operands::Computed(x, y) => {
            let minus = negated(importer, node, &y)?;
            sum(importer, node, &x, &minus).map(Operand::Computed)
        }
    }
}

fn negated(importer: &mut Importer<'_>, node: &Node, x: &Computed) -> Result<Computed, Problem> {
    step(importer, node, x, Op::Mul { x: x.node, constant: vec![-1.0; x.len()] })
}

/// A residual connection; where it is an activation that an exporter took apart, that activation.
fn sum(importer: &mut Importer<'_>, node: &Node, x: &Computed, y: &Computed) -> Result<Computed, Problem> {
    match is_function(importer, x, y) {
        true => combine(importer, node, Binary::Add, x, y),
        false => step(importer, node, x, Op::Sum { terms: [x.node, y.node] }),
    }
}

/// Mul: a constant on either side, or two computed values. What only has an order keeps it.
pub(super) fn mul(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    if let Some(ordered) = rescaled_order(importer, node)? {
        return Ok(Operand::Computed(ordered));
    }
    match operands(importer, node)? {
        Operands::Constant { x, constant, .. } => elementwise(importer, node, &x, Op::Mul { x: x.node, constant }),
        Operands::Computed(x, y) => product(importer, node, &x, &y).map(Operand::Computed),
    }
}

/// What only has an order, times one positive constant.
fn rescaled_order(importer: &Importer<'_>, node: &Node) -> Result<Option<Computed>, Problem> {
    let ((Operand::Computed(x), Operand::Constant(factor)) | (Operand::Constant(factor), Operand::Computed(x))) =
        (importer.operand(node, 0)?, importer.operand(node, 1)?)
    else {
        return Ok(None);
    };
    let positive =
        factor.len() == 1 && factor.to_floats().is_some_and(|values| values.iter().all(|value| *value > 0.0));
    Ok(matches!(x.meaning, Meaning::Order(_)).then_some(x).filter(|_| positive))
}

/// A product of two values; where it is an activation that an exporter took apart, that activation.
pub(super) fn product(
    importer: &mut Importer<'_>,
    node: &Node,
    x: &Computed,
    y: &Computed,
) -> Result<Computed, Problem> {
    match is_one_function(importer, x, y) {
        true => combine(importer, node, Binary::Multiply, x, y),
        false => step(importer, node, x, Op::Product { factors: [x.node, y.node] }),
    }
}

/// Div: by a constant without zeros, or of functions of one number.
pub(super) fn div(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let (x, constant, constant_first) = match operands(importer, node)? {
        Operands::Constant { x, constant, constant_first } => (x, constant, constant_first),
        Operands::Computed(x, y) => {
            return combine(importer, node, Binary::Divide, &x, &y).map(Operand::Computed);
        }
    };
    if x.element != ElementType::Float {
        return Err(node
            .problem("divides integers, which cuts the fraction off")
            .help("put a Cast to float32 in front of it"));
    }
    if constant_first {
        let &dividend = one(&constant).ok_or_else(|| {
            node.problem("divides a constant for each element by a computed value")
                .help("use the same constant for all elements")
        })?;
        let quotient = Expression::binary(Binary::Divide, Expression::Constant(dividend), Expression::X);
        return activate(importer, node, &x, quotient).map(Operand::Computed);
    }
    let constant: Vec<f64> = constant.iter().map(|value| 1.0 / value).collect();
    if constant.iter().any(|value| !value.is_finite()) {
        return Err(node.problem("divides by zero, or by a number too small to invert"));
    }
    elementwise(importer, node, &x, Op::Mul { x: x.node, constant })
}

/// The two operands of an elementwise op, brought to one shape.
pub(super) enum Operands {
    Constant { x: Computed, constant: Vec<f64>, constant_first: bool },
    Computed(Computed, Computed),
}

const CHECK_SHAPES: &str =
    "check the shapes of the model: a constant has one element for each of the value's, or broadcasts to it";

fn operands(importer: &mut Importer<'_>, node: &Node) -> Result<Operands, Problem> {
    let (x, y) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    together(importer, node, x, y)
}

pub(super) fn together(importer: &mut Importer<'_>, node: &Node, x: Operand, y: Operand) -> Result<Operands, Problem> {
    let (x, constant, constant_first) = match (x, y) {
        (Operand::Computed(x), Operand::Constant(constant)) => (x, constant, false),
        (Operand::Constant(constant), Operand::Computed(x)) => (x, constant, true),
        (Operand::Computed(x), Operand::Computed(y)) => {
            let (x, y) = (x.for_arithmetic(importer, node)?, y.for_arithmetic(importer, node)?);
            return alike(x, y).map_err(|reason| node.problem(reason).help("bring both to the same shape first"));
        }
        (Operand::Constant(_), Operand::Constant(_)) => {
            return Err(node
                .problem("takes two constants, but could not be folded")
                .help("simplify the model first, e.g. with onnxsim"));
        }
    };
    let x = x.for_arithmetic(importer, node)?;
    let (x, constant) = broadcast(x, &constant).map_err(|reason| node.problem(reason).help(CHECK_SHAPES))?;
    Ok(Operands::Constant { x, constant, constant_first })
}

/// Two values of one shape, up to dimensions of one in front.
fn alike(x: Computed, y: Computed) -> Result<Operands, String> {
    let tail = |shape: &[usize]| -> Vec<usize> { shape.iter().copied().skip_while(|&dim| dim == 1).collect() };
    if tail(&x.shape) != tail(&y.shape) {
        return Err(format!("takes computed values of shapes {:?} and {:?}", x.shape, y.shape));
    }
    let shape = if x.shape.len() < y.shape.len() { y.shape.clone() } else { x.shape.clone() };
    Ok(Operands::Computed(x.reshaped(shape.clone()), y.reshaped(shape)))
}

/// Brings a constant to the shape of `x`; `x` may gain dimensions of one, but no elements.
fn broadcast(x: Computed, constant: &Tensor) -> Result<(Computed, Vec<f64>), String> {
    let mut shape = vec![1; constant.shape.len().saturating_sub(x.shape.len())];
    shape.extend(&x.shape);
    let misfit = || format!("a constant of shape {:?} does not fit a value of shape {:?}", constant.shape, x.shape);
    let values = constant.broadcast_to(&shape).ok_or_else(misfit)?;
    Ok((x.reshaped(shape), values))
}
