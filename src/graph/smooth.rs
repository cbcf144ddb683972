//! Smooth activations, and the functions that exporters write them with.

use std::sync::Arc;

use super::activation::{constant, step};
use super::compose::{activate, combine, uniform};
use super::function::{Binary, Expression, Function, Unary};
use super::import::Importer;
use super::operand::{Computed, Operand};
use super::{Op, Origin};
use crate::error::Problem;
use crate::onnx::{Node, Tensor};

/// Smooth activations, and the functions that exporters compose them of.
pub(super) fn smooth(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?.for_arithmetic(importer, node)?;
    let expression = expression(node)?;
    activate(importer, node, &x, expression).map(Operand::Computed)
}

fn expression(node: &Node) -> Result<Expression, Problem> {
    use Expression::X;
    let unary = Expression::unary;
    let times = |x, y| Expression::binary(Binary::Multiply, x, y);
    let sum = |x, y| Expression::binary(Binary::Add, x, y);
    // α·(e^(min(x, 0)/γ) - 1): the negative half of Elu and its kin.
    let negative_half = |alpha: f64, gamma: f64| {
        let below = Expression::binary(Binary::Min, X, Expression::Constant(0.0));
        unary(Unary::ExpMinusOne, below.times(1.0 / gamma)).times(alpha)
    };
    let relu = || unary(Unary::Relu, X);
    Ok(match node.op.rsplit('.').next().unwrap_or_default() {
        "Tanh" => unary(Unary::Tanh, X),
        "Sigmoid" => unary(Unary::Sigmoid, X),
        "Softplus" => unary(Unary::Softplus, X),
        "Softsign" => Expression::binary(Binary::Divide, X, unary(Unary::Abs, X).plus(1.0)),
        "Elu" => sum(relu(), negative_half(node.float("alpha", 1.0)?, 1.0)),
        "Selu" => {
            let (alpha, gamma) = (node.float("alpha", 1.673_263_2)?, node.float("gamma", 1.050_701)?);
            sum(relu(), negative_half(alpha, 1.0)).times(gamma)
        }
        "Celu" => {
            let alpha = node.float("alpha", 1.0)?;
            sum(relu(), negative_half(alpha, alpha))
        }
        "Gelu" => match node.text("approximate", "none")? {
            "tanh" => gelu_by_tanh(),
            _ => gelu(),
        },
        "FastGelu" => gelu_by_tanh(),
        "QuickGelu" => times(X, unary(Unary::Sigmoid, X.times(node.float("alpha", 1.702)?))),
        "Swish" => times(X, unary(Unary::Sigmoid, X.times(node.float("alpha", 1.0)?))),
        "Mish" => times(X, unary(Unary::Tanh, unary(Unary::Softplus, X))),
        "HardSwish" => {
            let line = unary(Unary::Relu, X.times(1.0 / 6.0).plus(0.5));
            times(X, Expression::binary(Binary::Min, line, Expression::Constant(1.0)))
        }
        "Exp" => unary(Unary::Exp, X),
        "Log" => unary(Unary::Log, X),
        "Sqrt" => unary(Unary::Sqrt, X),
        "Reciprocal" => unary(Unary::Reciprocal, X),
        "Erf" => unary(Unary::Erf, X),
        "Erfc" => unary(Unary::Negate, unary(Unary::Erf, X)).plus(1.0),
        _ => return Err(node.problem("is no function that is known")),
    })
}

/// `x·(1 + erf(x/√2))/2`.
fn gelu() -> Expression {
    let erf = Expression::unary(Unary::Erf, Expression::X.times(std::f64::consts::FRAC_1_SQRT_2));
    Expression::binary(Binary::Multiply, Expression::X.times(0.5), erf.plus(1.0))
}

/// `x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2`.
fn gelu_by_tanh() -> Expression {
    let square = || Expression::binary(Binary::Multiply, Expression::X, Expression::X);
    let inner = Expression::binary(Binary::Multiply, Expression::X, square().times(0.044_715).plus(1.0));
    let root = (2.0 / std::f64::consts::PI).sqrt();
    let tanh = Expression::unary(Unary::Tanh, inner.times(root));
    Expression::binary(Binary::Multiply, Expression::X.times(0.5), tanh.plus(1.0))
}

/// BiasGelu and FastGelu of onnxruntime: a bias, which may be left out of the latter, in front of the function.
pub(super) fn biased_gelu(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let mut x = importer.computed(node, 0)?.for_arithmetic(importer, node)?;
    if node.input(1).is_some() {
        let constant = constant(importer, node, 1, &x)?;
        x = step(importer, node, &x, Op::Add { x: x.node, constant })?;
    }
    let function = if node.op.ends_with("BiasGelu") { gelu() } else { gelu_by_tanh() };
    activate(importer, node, &x, function).map(Operand::Computed)
}

/// Pow: a number to a constant power, or a constant to it.
pub(super) fn pow(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let one_for_all = |tensor: &Tensor| uniform(node, tensor).map(Expression::Constant);
    let (x, expression) = match (importer.operand(node, 0)?, importer.operand(node, 1)?) {
        (Operand::Computed(x), Operand::Constant(power)) => {
            (x, Expression::binary(Binary::Power, Expression::X, one_for_all(&power)?))
        }
        (Operand::Constant(base), Operand::Computed(x)) => {
            (x, Expression::binary(Binary::Power, one_for_all(&base)?, Expression::X))
        }
        (Operand::Computed(x), Operand::Computed(y)) => {
            let (x, y) = (x.for_arithmetic(importer, node)?, y.for_arithmetic(importer, node)?);
            return combine(importer, node, Binary::Power, &x, &y).map(Operand::Computed);
        }
        _ => return Err(node.problem("takes two constants, but could not be folded")),
    };
    let x = x.for_arithmetic(importer, node)?;
    activate(importer, node, &x, expression).map(Operand::Computed)
}

/// The Sigmoid of each element of a logit.
pub(super) fn sigmoid(importer: &mut Importer<'_>, origin: Origin, x: &Computed) -> Computed {
    let op = Op::Activate { x: x.node, function: Arc::new(Function::sigmoid()) };
    importer.push_from(origin, op, x.shape.clone(), x.element)
}

/// A function by its op, or by what it is made of, for tests.
#[cfg(test)]
pub(crate) fn named(name: &str) -> Function {
    let apart = || Expression::X.plus(-0.3);
    let expression = match name {
        "Square" => Expression::binary(Binary::Power, Expression::X, Expression::Constant(2.0)),
        "GeluByTanh" => gelu_by_tanh(),
        "Sign" => Expression::binary(Binary::Divide, apart(), Expression::unary(Unary::Abs, apart())),
        "Pole" => Expression::unary(Unary::Reciprocal, apart()),
        "Steep" => Expression::unary(Unary::Sigmoid, apart().times(1e6)),
        "Bump" => Expression::unary(Unary::Exp, Expression::binary(Binary::Multiply, apart(), apart()).times(-1e5)),
        op => expression(&Node {
            name: String::new(),
            op: op.to_owned(),
            inputs: vec![],
            outputs: vec![],
            attributes: Default::default(),
        })
        .unwrap(),
    };
    Function::new(expression).unwrap()
}
