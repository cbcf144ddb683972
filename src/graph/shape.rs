//! Ops that move no number: shapes, casts and what only matters in training.

use super::fold;
use super::import::Importer;
use super::operand::{Computed, Meaning, Operand, Test};
use super::relabel;
use crate::error::Problem;
use crate::onnx::{ElementType, Node, tensor::Elements};

/// Reshape, Flatten, Squeeze, Unsqueeze: the same elements in the order they had.
pub(super) fn reshape(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?;
    let constant = importer.constant(node, 1)?;
    let shape = fold::reshaped(node, importer.opset(), &value.shape, constant.as_ref());
    let shape = shape.map_err(|reason| {
        node.problem(reason).help("check the shapes of the model; only the first dimension may be the batch")
    })?;
    Ok(Operand::Computed(value.reshaped(shape)))
}

/// Shape: of a computed value a constant as well.
pub(super) fn shape(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?;
    fold::shape_of(node, &value.shape).map(Operand::Constant).map_err(|reason| node.problem(reason))
}

/// Size: of a computed value a constant as well.
pub(super) fn size(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    Ok(Operand::Constant(fold::scalar(importer.computed(node, 0)?.len())))
}

/// Identity.
pub(super) fn identity(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    importer.operand(node, 0)
}

/// Dropout: does nothing in inference.
pub(super) fn dropout(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    if node.input(2).is_some() {
        let training = match importer.operand(node, 2)? {
            Operand::Constant(flag) => !matches!(&flag.elements, Elements::Int(values) if values == &[0]),
            Operand::Computed(_) => true,
        };
        if training {
            return Err(node
                .problem("is in training mode")
                .help("export the model for inference (torch: model.eval())"));
        }
    }
    importer.operand(node, 0)
}

/// Cast: to a float nothing changes; to an integer only what is an integer of that type already, or a
/// class that the type can count to.
pub(super) fn cast(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let value = importer.computed(node, 0)?;
    if let Meaning::Label(origin, labels) = &value.meaning {
        let (origin, labels) = (origin.clone(), labels.clone());
        return relabel::cast(node, value, origin, &labels).map(Operand::Computed);
    }
    let Some(element) = i32::try_from(node.int("to", 0)?).ok().and_then(ElementType::from_onnx) else {
        return Err(node.problem("casts to a type that has no numbers").help("cast to float32"));
    };
    let keeps = match value.meaning {
        Meaning::Class(_) => element.counts_to(importer.classes(&value) - 1),
        // The sign bit alone is the most negative integer, and negative as a float.
        Meaning::Test(_) => element == ElementType::Float,
        _ => element == ElementType::Float || element.holds(value.element),
    };
    match (keeps, &value.meaning) {
        // A condition as 0 or 1: a jump, which other functions may smooth out.
        (true, Meaning::Test(Test::Compared)) => {
            Ok(Operand::Computed(Computed { element, meaning: Meaning::Value, ..value }))
        }
        (true, _) => Ok(Operand::Computed(Computed { element, ..value })),
        (false, Meaning::Class(_)) => Err(node
            .problem(format!("casts one of {} classes to a type that cannot count them", importer.classes(&value)))
            .help("cast the class to int32 or int64")),
        (false, _) => Err(node
            .problem("cuts a computed number down to an integer")
            .help("cast to an integer only behind ArgMax; for quantised arithmetic use --weights of onnx2script")),
    }
}

/// Shape arithmetic: it was folded, or it never will be.
pub(super) fn folded(_: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    Err(node
        .problem("is only supported in shape arithmetic, but it computes with the sample here")
        .help("change the model or its export so that this op is not needed"))
}
