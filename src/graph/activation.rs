//! Elementwise functions: activations, bounds, and whatever exporters compose activations of.
//!
//! What is piecewise linear stays exact. Any other function of a single number becomes an [`Op::Activate`], and ops on
//! several values that come from the same number by such functions (`x·Sigmoid(x)`, `0.5·x·(1 + Erf(x/√2))`) are one
//! function of that number again.

use std::sync::Arc;

use super::function::{Binary, Expression, Function, Unary};
use super::import::Importer;
use super::operand::{Computed, Meaning, Operand, Test};
use super::quantised::one;
use super::{NodeId, Op, Origin};
use crate::error::Problem;
use crate::onnx::{ElementType, Node, Tensor};

const CHECK_SHAPES: &str =
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

/// A function of each element of a value. Where that is a smooth function itself, both are one.
pub(super) fn activate(
    importer: &mut Importer<'_>,
    node: &Node,
    x: &Computed,
    expression: Expression,
) -> Result<Computed, Problem> {
    let whole = inner_function(importer, x.node).and_then(|(base, inner)| {
        let size = expression.operations().saturating_mul(inner.operations() + 1);
        let composed = (size <= MOST_COMPOSED).then(|| Function::new(expression.after(&inner)))??;
        Some((base, composed))
    });
    let (base, function) = match whole {
        Some(whole) => whole,
        None => (x.node, Function::new(expression).ok_or_else(|| too_long(node))?),
    };
    step(importer, node, x, Op::Activate { x: base, function: Arc::new(function) })
}

/// Larger expressions are not written out: they would be refused anyway.
const MOST_COMPOSED: usize = 1000;

/// The number that a value is a smooth function of, through all such functions.
fn inner_function(importer: &Importer<'_>, node: NodeId) -> Option<(NodeId, Expression)> {
    let chain = expressions(importer, node);
    let last = chain.iter().rposition(|(base, _)| matches!(importer.op(*base), Op::Activate { .. }))?;
    chain.into_iter().nth(last + 1)
}

fn too_long(node: &Node) -> Problem {
    node.problem("ends a function of too many steps")
        .help("write the activation as one of ONNX's own (a newer opset, or fewer operations)")
}

/// Two values that are functions of one number each, as one function of the number that both come from.
///
/// # Errors
/// A problem where they come from different numbers: a contract cannot multiply or compare computed values.
pub(super) fn combine(
    importer: &mut Importer<'_>,
    node: &Node,
    op: Binary,
    x: &Computed,
    y: &Computed,
) -> Result<Computed, Problem> {
    let (base, expression) = common(importer, op, x, y).ok_or_else(|| apart(node))?;
    let function = Function::new(expression).ok_or_else(|| too_long(node))?;
    step(importer, node, x, Op::Activate { x: base, function: Arc::new(function) })
}

/// Greater, Less and their kin: a condition, for a Where to choose by.
pub(super) fn compare(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let (op, swapped) = match node.op.as_str() {
        "Greater" => (Binary::Greater, false),
        "Less" => (Binary::Greater, true),
        "GreaterOrEqual" => (Binary::GreaterOrEqual, false),
        _ => (Binary::GreaterOrEqual, true),
    };
    let (first, second) = if swapped { (1, 0) } else { (0, 1) };
    let operands = [importer.operand(node, first)?, importer.operand(node, second)?];
    let condition = function_of(importer, node, operands, |[x, y]| Expression::binary(op, x, y))?;
    Ok(Operand::Computed(Computed { element: ElementType::BOOL, ..condition }.meaning(Meaning::Test(Test::Compared))))
}

/// Not, of a condition.
pub(super) fn not(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    if x.meaning != Meaning::Test(Test::Compared) {
        return Err(node.problem("computes with something else than a comparison of numbers").help(
            "of that kind, only a Where that chooses between functions of the same number, and the guard against \
             negative zeros that Keras puts before an ArgMax are known",
        ));
    }
    let turned = activate(importer, node, &x, Expression::X.times(-1.0).plus(1.0))?;
    Ok(Operand::Computed(Computed { meaning: x.meaning, ..turned }))
}

/// Where: one of two functions of a number, by a condition on it.
pub(super) fn choose(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let mut operands = [importer.operand(node, 0)?, importer.operand(node, 1)?, importer.operand(node, 2)?];
    if let Operand::Computed(Computed { meaning, .. }) = &mut operands[0] {
        if *meaning != Meaning::Test(Test::Compared) {
            return Err(node
                .problem("chooses by something else than a comparison of numbers")
                .help("choose by a comparison of the same number (x > 0), as activations do"));
        }
        *meaning = Meaning::Value;
    }
    let element = match (&operands[1], &operands[2]) {
        (Operand::Computed(x), _) | (_, Operand::Computed(x)) => x.element,
        _ => ElementType::Float,
    };
    let chosen = function_of(importer, node, operands, |[test, x, y]| Expression::choose(test, x, y))?;
    Ok(Operand::Computed(Computed { element, ..chosen }))
}

/// A function of the one number that all computed operands come from; constants are the same for all elements.
fn function_of<const N: usize>(
    importer: &mut Importer<'_>,
    node: &Node,
    operands: [Operand; N],
    function: impl FnOnce([Expression; N]) -> Expression,
) -> Result<Computed, Problem> {
    let mut like: Option<Computed> = None;
    let mut parts = Vec::with_capacity(N);
    for operand in operands {
        parts.push(match operand {
            Operand::Constant(tensor) => Err(uniform(node, &tensor)?),
            Operand::Computed(value) => {
                let value = value.for_computing(importer, node)?;
                if like.as_ref().is_some_and(|like| like.len() != value.len()) {
                    return Err(node.problem("takes values of different lengths").help(CHECK_SHAPES));
                }
                let chain = expressions(importer, value.node);
                like.get_or_insert(value);
                Ok(chain)
            }
        });
    }
    let like = like.ok_or_else(|| node.problem("takes constants only, but could not be folded"))?;
    let chains: Vec<&Vec<(NodeId, Expression)>> = parts.iter().filter_map(|part| part.as_ref().ok()).collect();
    let in_all = |base: &NodeId| chains.iter().all(|chain| chain.iter().any(|(other, _)| other == base));
    let base = chains[0].iter().map(|(base, _)| *base).find(in_all).ok_or_else(|| apart(node))?;
    let of_base = |part: Result<Vec<(NodeId, Expression)>, f64>| match part {
        Ok(chain) => chain.into_iter().find(|(other, _)| *other == base).map_or(Expression::X, |(_, found)| found),
        Err(constant) => Expression::Constant(constant),
    };
    let parts: Vec<Expression> = parts.into_iter().map(of_base).collect();
    let parts: [Expression; N] = parts.try_into().map_err(|_| apart(node))?;
    let function = Function::new(function(parts)).ok_or_else(|| too_long(node))?;
    step(importer, node, &like, Op::Activate { x: base, function: Arc::new(function) })
}

/// The number that all elements of a constant are.
fn uniform(node: &Node, tensor: &Tensor) -> Result<f64, Problem> {
    let values = tensor.to_floats().unwrap_or_default();
    one(&values).copied().ok_or_else(|| {
        node.problem("has a constant for each element beside a function").help("use the same one for all elements")
    })
}

fn apart(node: &Node) -> Problem {
    node.problem("takes two computed values, which come from different numbers").help(
        "only sums, differences and products of them are supported; a function may use the number it is a function of \
         several times, as in x * Sigmoid(x)",
    )
}

/// Whether a product of two values is one function of one number.
pub(super) fn is_one_function(importer: &Importer<'_>, x: &Computed, y: &Computed) -> bool {
    common(importer, Binary::Multiply, x, y).is_some()
}

/// Whether a sum of two values is better read as a function: one of them is one, of the number the other is.
pub(super) fn is_function(importer: &Importer<'_>, x: &Computed, y: &Computed) -> bool {
    let curved = |value: &Computed| {
        expressions(importer, value.node).iter().any(|(base, _)| matches!(importer.op(*base), Op::Activate { .. }))
    };
    (curved(x) || curved(y)) && common(importer, Binary::Add, x, y).is_some()
}

fn common(importer: &Importer<'_>, op: Binary, x: &Computed, y: &Computed) -> Option<(NodeId, Expression)> {
    if x.len() != y.len() {
        return None;
    }
    let others = expressions(importer, y.node);
    expressions(importer, x.node).into_iter().find_map(|(base, of_x)| {
        let (_, of_y) = others.iter().find(|(other, _)| *other == base)?;
        Some((base, Expression::binary(op, of_x, of_y.clone())))
    })
}

/// A value as a function of itself, of what it is a function of, and so on.
fn expressions(importer: &Importer<'_>, node: NodeId) -> Vec<(NodeId, Expression)> {
    const MOST: usize = 64;
    let (mut base, mut expression) = (node, Expression::X);
    let mut found = vec![(base, expression.clone())];
    while let Some((operand, inner)) = scalar(importer.op(base))
        && expression.operations() + inner.operations() <= MOST
    {
        // `inner` tells the base from its operand, and the expression the value from the base.
        expression = expression.after(&inner);
        base = operand;
        found.push((base, expression.clone()));
    }
    found
}

/// An op as one function for all elements, and its operand.
fn scalar(op: &Op) -> Option<(NodeId, Expression)> {
    let same = |values: &[f64]| one(values).copied();
    let bound = |op: Binary, constant: &[f64]| {
        Some(Expression::binary(op, Expression::X, Expression::Constant(same(constant)?)))
    };
    Some(match op {
        Op::Add { x, constant } => (*x, Expression::X.plus(same(constant)?)),
        Op::Mul { x, constant } => (*x, Expression::X.times(same(constant)?)),
        Op::Relu { x } => (*x, Expression::unary(Unary::Relu, Expression::X)),
        Op::Max { x, constant } => (*x, bound(Binary::Max, constant)?),
        Op::Min { x, constant } => (*x, bound(Binary::Min, constant)?),
        Op::Leaky { x, slopes } => {
            let below = Expression::binary(Binary::Min, Expression::X, Expression::Constant(0.0));
            let above = Expression::unary(Unary::Relu, Expression::X);
            (*x, Expression::binary(Binary::Add, above, below.times(same(slopes)?)))
        }
        Op::Activate { x, function } => (*x, function.expression().clone()),
        _ => return None,
    })
}

/// A constant operand, spread over the elements of a value.
fn constant(importer: &Importer<'_>, node: &Node, index: usize, x: &Computed) -> Result<Vec<f64>, Problem> {
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
