//! Keras's guard against negative zeros before an ArgMax: it replaces each -0 by the largest number
//! below 0. A contract has no negative zero, so "is zero and has its sign bit set" is never true, and the
//! rest of the guard folds away.
//!
//! Its steps are followed as what they ask of the elements, nothing being computed.

use super::compose;
use super::import::Importer;
use super::operand::{Computed, Meaning, Operand, Test};
use crate::error::Problem;
use crate::onnx::tensor::Elements;
use crate::onnx::{ElementType, Node, Tensor};

const INT32: ElementType = ElementType::Integer { bits: 32, signed: true };

/// Bitcast of floats: their bits.
pub(super) fn bitcast(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?;
    let element = i32::try_from(node.int("type", node.int("to", 0)?)?).ok().and_then(ElementType::from_onnx);
    let float32_to_int32 = value.element == ElementType::Float && element == Some(INT32);
    if !float32_to_int32 || value.meaning != Meaning::Value {
        return Err(not_a_guard(node));
    }
    Ok(test(value, Test::Bits, INT32))
}

/// BitwiseAnd with the sign bit.
pub(super) fn bitwise_and(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let (value, constant) = beside_constant(importer, node)?;
    let is_sign = constant.to_ints().is_some_and(|bits| bits.iter().all(|&bits| bits == i64::from(i32::MIN)));
    match value.meaning {
        Meaning::Test(Test::Bits) if is_sign && fits(&value, &constant) => Ok(test(value, Test::SignBit, INT32)),
        _ => Err(not_a_guard(node)),
    }
}

/// Less than 0, of a sign bit; of numbers, a comparison.
pub(super) fn less(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    // The constant must be the second operand, `x < 0`.
    let is_second = node.input(1).is_some_and(|_| matches!(importer.operand(node, 1), Ok(Operand::Constant(_))));
    let Ok((value, constant)) = beside_constant(importer, node) else { return compose::compare(importer, node) };
    if value.meaning == Meaning::Value {
        return compose::compare(importer, node);
    }
    match value.meaning {
        Meaning::Test(Test::SignBit) if is_second && is_zero(&constant) && fits(&value, &constant) => {
            Ok(test(value, Test::Signed, ElementType::BOOL))
        }
        _ => Err(not_a_guard(node)),
    }
}

/// Equal to 0.
pub(super) fn equal(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let (value, constant) = beside_constant(importer, node)?;
    match value.meaning {
        Meaning::Value if is_zero(&constant) && fits(&value, &constant) => {
            Ok(test(value, Test::Zero, ElementType::BOOL))
        }
        _ => Err(not_a_guard(node)),
    }
}

/// And: never true of an element that is zero and has its sign bit set.
pub(super) fn and(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let (Operand::Computed(one), Operand::Computed(other)) = (importer.operand(node, 0)?, importer.operand(node, 1)?)
    else {
        return Err(not_a_guard(node));
    };
    let tests = [&one.meaning, &other.meaning];
    let both = [Test::Zero, Test::Signed].iter().all(|&test| tests.contains(&&Meaning::Test(test)));
    if !both || one.node != other.node || one.shape != other.shape {
        return Err(not_a_guard(node));
    }
    let elements = Elements::Int(vec![0; one.len()]);
    Ok(Operand::Constant(Tensor { shape: one.shape, element: ElementType::BOOL, elements }))
}

/// Not, Or and others of their kind: whatever the guard does with them was folded.
pub(super) fn folded(_: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    Err(not_a_guard(node))
}

fn test(value: Computed, test: Test, element: ElementType) -> Operand {
    Operand::Computed(Computed { element, meaning: Meaning::Test(test), ..value })
}

fn beside_constant(importer: &Importer<'_>, node: &Node) -> Result<(Computed, Tensor), Problem> {
    match (importer.operand(node, 0)?, importer.operand(node, 1)?) {
        (Operand::Computed(value), Operand::Constant(constant))
        | (Operand::Constant(constant), Operand::Computed(value)) => Ok((value, constant)),
        _ => Err(not_a_guard(node)),
    }
}

fn is_zero(constant: &Tensor) -> bool {
    constant.to_floats().is_some_and(|values| values.iter().all(|value| value.abs().total_cmp(&0.0).is_eq()))
}

/// Whether a constant adds no dimension and no element.
fn fits(value: &Computed, constant: &Tensor) -> bool {
    constant.shape.len() <= value.shape.len() && constant.broadcast_to(&value.shape).is_some()
}

fn not_a_guard(node: &Node) -> Problem {
    node.problem("compares computed numbers, or takes their bits").help(
        "only the guard against negative zeros that Keras puts before an ArgMax is known of that kind; change the model \
         or its export so that this op is not needed",
    )
}
