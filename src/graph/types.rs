//! Operands that must be of one type: what ONNX demands of them, checked in one place.

use super::import::Importer;
use crate::error::Problem;
use crate::onnx::Node;

/// The operands of a node that have one type, as ONNX defines the op; none where they may differ.
fn of_one_type(node: &Node) -> &[String] {
    match node.op.as_str() {
        "Add" | "Sub" | "Mul" | "Div" | "MatMul" | "Gemm" | "Min" | "Max" | "Sum" | "Mean" | "PRelu" | "Concat"
        | "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "And" | "Or" | "Xor" | "BitwiseAnd" => {
            &node.inputs
        }
        "Where" => node.inputs.get(1..).unwrap_or_default(),
        _ => &[],
    }
}

/// Refuses a node that mixes types.
pub(super) fn check(importer: &Importer<'_>, node: &Node) -> Result<(), Problem> {
    let mut types = of_one_type(node).iter().filter_map(|name| importer.element(name));
    let Some(first) = types.next() else { return Ok(()) };
    match types.find(|&other| other != first) {
        Some(other) => Err(node
            .problem(format!("mixes {first} and {other}"))
            .help(format!("put a Cast in front of it: {} takes operands of one type", node.op))),
        None => Ok(()),
    }
}
