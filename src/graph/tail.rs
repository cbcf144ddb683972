//! How a classifier ends: Softmax, Sigmoid, ArgMax and its kin.

use super::import::{Importer, origin};
use super::operand::{Computed, Meaning, Operand};
use super::{NodeId, Op, Tie, dims};
use crate::error::Problem;
use crate::onnx::{ElementType, Node};

/// Softmax: keeps the order of the scores, so it is dropped where only the class is asked for.
pub(super) fn softmax(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?.for_computing(importer, node)?;
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
    let value = importer.computed(node, 0)?.for_computing(importer, node)?;
    Ok(Operand::Computed(Computed { meaning: Meaning::Logit(origin(node)), ..value }))
}

/// ArgMax over all elements of a value.
pub(super) fn argmax(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    pick(importer, node, Pick { smallest: false, keep: node.int("keepdims", 1)? != 0, axis: node.int("axis", 0)? })
}

/// ArgMin: ArgMax of the negated value.
pub(super) fn argmin(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    pick(importer, node, Pick { smallest: true, keep: node.int("keepdims", 1)? != 0, axis: node.int("axis", 0)? })
}

/// TopK with k = 1: its indices are an ArgMax; its values are not supported.
pub(super) fn top_k(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let k = match importer.constant(node, 1)? {
        Some(k) => k.to_ints().map(<[i64]>::to_vec).unwrap_or_default(),
        None => vec![node.int("k", 0)?],
    };
    if k != [1] {
        return Err(node
            .problem(format!("takes the largest {k:?} elements"))
            .help("a contract has one class: use TopK with k = 1, or ArgMax"));
    }
    let pick_one = Pick { smallest: node.int("largest", 1)? == 0, keep: true, axis: node.int("axis", -1)? };
    let index = pick(importer, node, pick_one)?;
    let largest = match &index {
        Operand::Computed(index) => importer.computed(node, 0)?.reshaped(index.shape.clone()),
        Operand::Constant(_) => importer.computed(node, 0)?,
    };
    importer.also(node, 1, index);
    Ok(Operand::Computed(largest.meaning(Meaning::Largest(origin(node)))))
}

/// Which element's index is wanted.
struct Pick {
    smallest: bool,
    /// Whether its axis stays, as a dimension of one.
    keep: bool,
    axis: i64,
}

fn pick(importer: &mut Importer<'_>, node: &Node, pick: Pick) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?;
    if let Meaning::Class(_) | Meaning::Label(..) | Meaning::Test(_) | Meaning::Largest(_) = value.meaning {
        return value.for_computing(importer, node).map(Operand::Computed);
    }
    let axis = normalise(pick.axis, &value, node)?;
    if value.shape[axis] != value.len() {
        return Err(node
            .problem(format!("takes the largest along axis {axis} of shape {:?}: several classes at once", value.shape))
            .help("use ArgMax over the last axis, with one sample a batch"));
    }
    let tie = if node.int("select_last_index", 0)? != 0 { Tie::Last } else { Tie::First };
    let mut shape = value.shape.clone();
    match pick.keep {
        true => shape[axis] = 1,
        false => drop(shape.remove(axis)),
    }
    let class = match value.meaning {
        Meaning::Pair(_) | Meaning::Complement(_) => {
            if pick.smallest || tie == Tie::Last || !matches!(value.meaning, Meaning::Pair(_)) {
                return value.for_computing(importer, node).map(Operand::Computed);
            }
            importer.push(node, Op::Positive { x: value.node }, shape, ElementType::INT64)?
        }
        _ => {
            let x = if pick.smallest { negated(importer, node, &value)? } else { value.node };
            importer.push(node, Op::ArgMax { x, tie }, shape, ElementType::INT64)?
        }
    };
    Ok(Operand::Computed(class.meaning(Meaning::Class(origin(node)))))
}

fn negated(importer: &mut Importer<'_>, node: &Node, value: &Computed) -> Result<NodeId, Problem> {
    let minus = Op::Mul { x: value.node, constant: vec![-1.0; value.len()] };
    Ok(importer.push(node, minus, value.shape.clone(), value.element)?.node)
}

/// An axis counted from the front.
pub(super) fn normalise(axis: i64, value: &Computed, node: &Node) -> Result<usize, Problem> {
    dims::axis(axis, value.shape.len()).map_err(|reason| node.problem(reason))
}
