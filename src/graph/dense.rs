//! Dense layers: MatMul and Gemm by constant weights.

use super::import::Importer;
use super::operand::{Computed, Operand};
use super::{Matrix, Op};
use crate::error::Problem;
use crate::onnx::{Node, Tensor};

/// MatMul: a single row by a constant matrix.
pub(super) fn matmul(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let (x, weights) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    let (x, weights) = row_and_weights(node, x, weights)?;
    let [rows, columns] = weights.shape[..] else {
        return Err(not_a_matrix(node, &weights));
    };
    let mut shape = x.shape.clone();
    let vector = shape.pop().unwrap_or(1);
    if x.len() != vector {
        return Err(importer.several_rows(node, x.len() / vector.max(1), &x.shape));
    }
    shape.push(columns);
    let weights = matrix(node, &weights, rows, columns, false, 1.0)?;
    dense(importer, node, x, weights, shape)
}

/// Gemm: `alpha · A' · B' + beta · C`.
pub(super) fn gemm(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let (alpha, beta) = (node.float("alpha", 1.0)?, node.float("beta", 1.0)?);
    let (trans_a, trans_b) = (node.int("transA", 0)? != 0, node.int("transB", 0)? != 0);
    let (x, weights) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    let (x, weights) = row_and_weights(node, x, weights)?;
    let rows_of_a = match x.shape[..] {
        [rows, columns] => {
            if trans_a {
                columns
            } else {
                rows
            }
        }
        _ => return Err(node.problem(format!("its first operand has shape {:?}, not a matrix", x.shape))),
    };
    if rows_of_a != 1 {
        return Err(importer.several_rows(node, rows_of_a, &x.shape));
    }
    let [rows, columns] = weights.shape[..] else {
        return Err(not_a_matrix(node, &weights));
    };
    let (rows, columns) = if trans_b { (columns, rows) } else { (rows, columns) };
    let weights = matrix(node, &weights, rows, columns, trans_b, alpha)?;
    let product = dense(importer, node, x, weights, vec![1, columns])?;
    match (product, node.input(2)) {
        (Operand::Computed(product), Some(_)) => bias(importer, node, product, beta),
        (product, _) => Ok(product),
    }
}

fn bias(importer: &mut Importer<'_>, node: &Node, product: Computed, beta: f64) -> Result<Operand, Problem> {
    let Operand::Constant(bias) = importer.operand(node, 2)? else {
        return Err(node.problem("its third operand is computed").help("the bias must be a constant"));
    };
    let misfit = || {
        node.problem(format!("a bias of shape {:?} does not fit {} outputs", bias.shape, product.len()))
            .help("check the shapes of the model: the bias has one element for each output, or one for all")
    };
    let constant: Vec<f64> = bias.broadcast_to(&product.shape).ok_or_else(misfit)?;
    let constant = constant.iter().map(|value| value * beta).collect();
    let shape = product.shape.clone();
    importer.push(node, Op::Add { x: product.node, constant }, shape, product.element).map(Operand::Computed)
}

fn row_and_weights(node: &Node, x: Operand, weights: Operand) -> Result<(Computed, Tensor), Problem> {
    match (x, weights) {
        (Operand::Computed(x), Operand::Constant(weights)) => Ok((x.for_arithmetic(node)?, weights)),
        (Operand::Constant(_), Operand::Computed(_)) => Err(node
            .problem("multiplies a constant by a computed value from the right")
            .help("write the layer as x @ W, with the weights on the right")),
        (Operand::Computed(_), Operand::Computed(_)) => Err(node
            .problem("multiplies two computed values")
            .help("the weights must be constants: freeze the model before exporting it")),
        (Operand::Constant(_), Operand::Constant(_)) => {
            Err(node.problem("takes two constants, but could not be folded").help("simplify the model with onnxsim"))
        }
    }
}

fn not_a_matrix(node: &Node, weights: &Tensor) -> Problem {
    node.problem(format!("its weights have shape {:?}, not a matrix", weights.shape))
        .help("use a weight matrix of shape [inputs, outputs]")
}

/// The weights as rows × columns, times `alpha` (exact: two f32 factors fit an f64).
fn matrix(
    node: &Node,
    weights: &Tensor,
    rows: usize,
    columns: usize,
    transposed: bool,
    alpha: f64,
) -> Result<Matrix, Problem> {
    let values = weights.to_floats().ok_or_else(|| node.problem("has integer weights beyond 2^53"))?;
    let at = |row: usize, column: usize| match transposed {
        true => values[column * rows + row] * alpha,
        false => values[row * columns + column] * alpha,
    };
    let elements =
        (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))).map(|(r, c)| at(r, c)).collect();
    Ok(Matrix { rows, columns, elements })
}

fn dense(
    importer: &mut Importer<'_>,
    node: &Node,
    x: Computed,
    weights: Matrix,
    shape: Vec<usize>,
) -> Result<Operand, Problem> {
    if x.len() != weights.rows {
        return Err(node.problem(format!("multiplies {} values by weights for {}", x.len(), weights.rows)).help(
            "check the shapes of the model: the value must be flattened to as many elements as the weights have rows",
        ));
    }
    if weights.columns == 0 || weights.rows == 0 {
        return Err(node.problem("has weights without elements"));
    }
    importer.push(node, Op::MatMul { x: x.node, weights }, shape, x.element).map(Operand::Computed)
}
