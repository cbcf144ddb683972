//! Dense layers: MatMul and Gemm, with constant weights on either side.

use super::import::Importer;
use super::linear::{self, Weights};
use super::operand::{Computed, Operand};
use super::ops;
use crate::error::Problem;
use crate::onnx::{Attribute, Node, Tensor};

/// MatMul, of a single row or column.
pub(super) fn matmul(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    product(importer, node, 1.0).map(Operand::Computed)
}

/// com.microsoft.FusedMatMul: MatMul of operands that may be transposed, times a factor.
pub(super) fn fused_matmul(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    if node.int("transBatchA", 0)? != 0 || node.int("transBatchB", 0)? != 0 {
        return Err(node
            .problem("transposes a batch")
            .help("optimise the model less, e.g. at onnxruntime's basic level"));
    }
    let alpha = node.float("alpha", 1.0)?;
    product(importer, node, alpha).map(Operand::Computed)
}

/// Gemm: `alpha · A' · B' + beta · C`.
pub(super) fn gemm(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    gemm_value(importer, node).map(Operand::Computed)
}

/// com.microsoft.FusedGemm: Gemm and an activation behind it, which is imported as the node that it was.
pub(super) fn fused_gemm(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let activation = node.text("activation", "")?;
    let Some(supported) = ops::find(activation) else {
        return Err(node.problem(format!("has the activation `{activation}` fused into it")).help(format!(
            "{}; or optimise the model less, e.g. at onnxruntime's basic level",
            ops::remedy(activation)
        )));
    };
    let sum = Operand::Computed(gemm_value(importer, node)?);
    let attribute =
        |(name, value): (&String, &Attribute)| Some((name.strip_prefix("activation_")?.to_owned(), value.clone()));
    let attributes = node.attributes.iter().filter_map(attribute).collect();
    let unfused = Node { op: activation.to_owned(), inputs: vec![], attributes, ..node.clone() };
    importer.import_behind(sum, unfused, supported.import)
}

fn gemm_value(importer: &mut Importer<'_>, node: &Node) -> Result<Computed, Problem> {
    let (alpha, beta) = (node.float("alpha", 1.0)?, node.float("beta", 1.0)?);
    for index in 0..2 {
        let shape = shape_of(&importer.operand(node, index)?);
        if shape.len() != 2 {
            return Err(node
                .problem(format!("operand {index} has shape {shape:?}, not a matrix"))
                .help("check the shapes of the model: Gemm multiplies matrices"));
        }
    }
    let sum = product(importer, node, alpha)?;
    match importer.constant(node, 2)? {
        Some(constant) => linear::bias(importer, node, sum, &constant, beta),
        None => Ok(sum),
    }
}

fn shape_of(operand: &Operand) -> Vec<usize> {
    match operand {
        Operand::Constant(constant) => constant.shape.clone(),
        Operand::Computed(value) => value.shape.clone(),
    }
}

/// The product of a node's first two operands.
fn product(importer: &mut Importer<'_>, node: &Node, factor: f64) -> Result<Computed, Problem> {
    let (a, b) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    multiply(importer, node, a, b, factor)
}

/// The product of a computed and a constant operand, each transposed where the node says so.
pub(super) fn multiply(
    importer: &mut Importer<'_>,
    node: &Node,
    a: Operand,
    b: Operand,
    factor: f64,
) -> Result<Computed, Problem> {
    let (trans_a, trans_b) = (node.int("transA", 0)? != 0, node.int("transB", 0)? != 0);
    match (a, b) {
        (Operand::Computed(x), Operand::Constant(weights)) => {
            row(importer, node, (x, trans_a), (weights, trans_b), factor)
        }
        (Operand::Constant(weights), Operand::Computed(x)) => {
            column(importer, node, (weights, trans_a), (x, trans_b), factor)
        }
        (Operand::Computed(_), Operand::Computed(_)) => Err(node
            .problem("multiplies two computed values")
            .help("the weights must be constants: freeze the model before exporting it")),
        (Operand::Constant(_), Operand::Constant(_)) => {
            Err(node.problem("takes two constants, but could not be folded").help("simplify the model with onnxsim"))
        }
    }
}

/// A computed row by constant weights on the right.
fn row(
    importer: &mut Importer<'_>,
    node: &Node,
    (x, trans_x): (Computed, bool),
    (mut weights, transposed): (Tensor, bool),
    factor: f64,
) -> Result<Computed, Problem> {
    let x = x.for_arithmetic(importer, node)?;
    let mut shape = turned(node, &x.shape, trans_x)?;
    let vector = shape.pop().unwrap_or(1);
    if x.len() != vector {
        return Err(importer.several_rows(node, x.len() / vector.max(1), &x.shape));
    }
    let transposed = transposed && weights.shape.len() > 1;
    // A vector of weights is one column, which the result does not have as a dimension.
    if weights.shape.len() == 1 {
        weights.shape.push(1);
    } else {
        shape.push(sides(node, &weights, transposed)?.1);
        let rank = weights.shape.len() - usize::from(x.shape.len() == 1);
        shape.splice(0..0, std::iter::repeat_n(1, rank.saturating_sub(shape.len())));
    }
    linear::product(importer, node, &x, &Weights { tensor: &weights, transposed, factor }, shape)
}

/// Constant weights on the left by a computed column: the weights' rows are the outputs.
fn column(
    importer: &mut Importer<'_>,
    node: &Node,
    (mut weights, transposed): (Tensor, bool),
    (x, trans_x): (Computed, bool),
    factor: f64,
) -> Result<Computed, Problem> {
    let x = x.for_arithmetic(importer, node)?;
    let mut shape = turned(node, &x.shape, trans_x)?;
    let columns = if shape.len() > 1 { shape.pop() } else { None };
    let vector = shape.pop().unwrap_or(1);
    if x.len() != vector {
        return Err(node
            .problem(format!("multiplies weights by a matrix of shape {:?}", x.shape))
            .help("one sample is one column behind weights on the left, or one row before weights on the right"));
    }
    let transposed = transposed && weights.shape.len() > 1;
    match weights.shape.len() {
        1 => weights.shape.insert(0, 1),
        _ => {
            shape.push(sides(node, &weights, transposed)?.0);
            let batch = (weights.shape.len() - 1).saturating_sub(shape.len());
            shape.splice(0..0, std::iter::repeat_n(1, batch));
        }
    }
    shape.extend(columns);
    linear::product(importer, node, &x, &Weights { tensor: &weights, transposed: !transposed, factor }, shape)
}

/// A shape with its last two dimensions exchanged where asked.
fn turned(node: &Node, shape: &[usize], transposed: bool) -> Result<Vec<usize>, Problem> {
    let mut shape = shape.to_vec();
    match (transposed, shape.len()) {
        (false, _) => {}
        (true, 0 | 1) => return Err(node.problem(format!("transposes a value of shape {shape:?}"))),
        (true, rank) => shape.swap(rank - 2, rank - 1),
    }
    Ok(shape)
}

/// Rows and columns of weights, as the product sees them.
fn sides(node: &Node, weights: &Tensor, transposed: bool) -> Result<(usize, usize), Problem> {
    Weights { tensor: weights, transposed, factor: 1.0 }.size(node)
}
