//! What exporters write with ops that mean something else elsewhere: recognised before the ops are
//! imported one by one, and only where it is exactly that.

use super::import::{Importer, origin};
use super::operand::{Computed, Meaning, Operand};
use super::relabel;
use crate::error::Problem;
use crate::onnx::{Node, Tensor};

/// Imports a node that is part of an idiom; `None` for all others.
pub(super) fn recognise(importer: &mut Importer<'_>, node: &Node) -> Option<Result<Operand, Problem>> {
    match node.op.as_str() {
        "Sub" => complement(importer, node).map(Ok),
        "Concat" => pair(importer, node).map(Ok),
        "Gather" => relabel::gathered(importer, node),
        _ => None,
    }
}

/// scikit-learn's second probability: 1 - Sigmoid(x) of a single logit.
fn complement(importer: &Importer<'_>, node: &Node) -> Option<Operand> {
    let (Operand::Constant(one), Operand::Computed(value)) =
        (importer.operand(node, 0).ok()?, importer.operand(node, 1).ok()?)
    else {
        return None;
    };
    let Meaning::Logit(sigmoid) = &value.meaning else { return None };
    let sigmoid = sigmoid.clone();
    (value.len() == 1 && is_one(&one)).then(|| Operand::Computed(value.meaning(Meaning::Complement(sigmoid))))
}

fn is_one(constant: &Tensor) -> bool {
    constant.len() == 1
        && constant.to_floats().is_some_and(|values| values.iter().all(|value| value.total_cmp(&1.0).is_eq()))
}

/// Both probabilities side by side, or the scores of both classes, which are a score and its negative.
fn pair(importer: &Importer<'_>, node: &Node) -> Option<Operand> {
    let [_, _] = node.inputs.as_slice() else { return None };
    let (Operand::Computed(none), Operand::Computed(one)) =
        (importer.operand(node, 0).ok()?, importer.operand(node, 1).ok()?)
    else {
        return None;
    };
    let sigmoid = match (&none.meaning, &one.meaning) {
        (Meaning::Complement(sigmoid), Meaning::Logit(same)) if none.node == one.node && sigmoid == same => {
            sigmoid.clone()
        }
        (Meaning::Value, Meaning::Value) if one.len() == 1 && importer.is_negative(none.node, one.node) => origin(node),
        _ => return None,
    };
    let rank = one.shape.len() as i64;
    let axis = node.int("axis", 1).ok()?;
    let last = axis == -1 || axis == rank - 1;
    if none.shape != one.shape || !last {
        return None;
    }
    let mut shape = one.shape.clone();
    *shape.last_mut()? = 2;
    Some(Operand::Computed(Computed { shape, ..one }.meaning(Meaning::Pair(sigmoid))))
}
