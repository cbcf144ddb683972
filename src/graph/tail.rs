//! How a classifier ends: Softmax, Sigmoid and ArgMax.

use super::import::{Importer, origin};
use super::operand::{Computed, Meaning, Operand};
use super::{Op, Tie};
use crate::error::Problem;
use crate::onnx::{ElementType, Node};

/// Softmax: keeps the order of the scores, so it is dropped where only the class is asked for.
pub(super) fn softmax(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?.for_computing(node)?;
    // Before opset 13, the default axis was 1 and everything behind it was one distribution.
    let axis = node.int("axis", if importer.opset() < 13 { 1 } else { -1 })?;
    let axis = normalise(axis, &value, node)?;
    let over = match importer.opset() < 13 {
        true => value.shape[axis..].iter().product(),
        false => value.shape[axis],
    };
    if over != value.len() {
        return Err(node
            .problem(format!("normalises over {over} of {} scores", value.len()))
            .help("only one distribution over all classes can be dropped; flatten the scores first"));
    }
    Ok(Operand::Computed(Computed { meaning: Meaning::Order(origin(node)), ..value }))
}

/// Sigmoid: keeps the order of its operands and exceeds one half where they are above 0, so it is dropped where only that
/// is asked for.
pub(super) fn sigmoid(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?.for_computing(node)?;
    Ok(Operand::Computed(Computed { meaning: Meaning::Logit(origin(node)), ..value }))
}

/// ArgMax over all elements of a value.
pub(super) fn argmax(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?;
    if let Meaning::Class(_) = value.meaning {
        return value.for_computing(node).map(Operand::Computed);
    }
    let axis = normalise(node.int("axis", 0)?, &value, node)?;
    if value.shape[axis] != value.len() {
        return Err(node
            .problem(format!("takes the largest along axis {axis} of shape {:?}: several classes at once", value.shape))
            .help("use ArgMax over the last axis, with one sample a batch"));
    }
    let keep = node.int("keepdims", 1)? != 0;
    let tie = if node.int("select_last_index", 0)? != 0 { Tie::Last } else { Tie::First };
    let mut shape = value.shape.clone();
    if keep {
        shape[axis] = 1;
    } else {
        shape.remove(axis);
    }
    let index = ElementType::Integer { bits: 64, signed: true };
    let class = importer.push(node, Op::ArgMax { x: value.node, tie }, shape, index)?;
    Ok(Operand::Computed(Computed { meaning: Meaning::Class(origin(node)), ..class }))
}

/// An axis counted from the front.
pub(super) fn normalise(axis: i64, value: &Computed, node: &Node) -> Result<usize, Problem> {
    let rank = value.shape.len();
    let counted = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(counted)
        .ok()
        .filter(|&axis| axis < rank)
        .ok_or_else(|| node.problem(format!("axis {axis} is outside a value of {rank} dimensions")))
}
