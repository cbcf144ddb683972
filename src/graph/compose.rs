//! Functions of one number, put together of the ops that exporters write them with.
//!
//! Ops on several values that come from the same number (`x·Sigmoid(x)`, `0.5·x·(1 + Erf(x/√2))`, a Where by a comparison
//! of `x`) are one function of that number again.

use std::sync::Arc;

use super::activation::{CHECK_SHAPES, step};
use super::function::{Binary, Expression, Function, Unary};
use super::import::Importer;
use super::operand::{Computed, Meaning, Operand, Test};
use super::quantised::one;
use super::{NodeId, Op};
use crate::error::Problem;
use crate::onnx::{ElementType, Node, Tensor};

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
pub(super) fn uniform(node: &Node, tensor: &Tensor) -> Result<f64, Problem> {
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
