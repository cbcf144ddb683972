//! Quantised models: QuantizeLinear and its kin, as exact steps on integers.
//!
//! A quantised value is its integers, zero point included, as ONNX has them: rounded half to even and saturated. Products
//! of constant integers and their scale are exact in 64-bit floats, so that the quantiser finds the integers again, and
//! the scales of two dense layers' worth of integers are never rounded together. onnxruntime's own arithmetic rounds
//! those scales to float32: its answers differ where a sum lies that near to a half.

use super::Op;
use super::activation::{bounded, step};
use super::affine::{Operands, product, sum_of, together};
use super::dense;
use super::dims;
use super::import::{Importer, origin};
use super::linear;
use super::operand::{Computed, Meaning, Operand};
use super::select::concat_values;
use super::smooth::sigmoid;
use crate::error::Problem;
use crate::onnx::{ElementType, Node, Tensor};

/// What sums of products of narrow integers are computed in.
const ACCUMULATOR: ElementType = ElementType::Integer { bits: 32, signed: true };

/// How numbers become integers of few bits.
struct Quantisation {
    /// What a step of one is worth.
    scale: f64,
    /// The integer that stands for zero.
    zero: i64,
    element: ElementType,
}

impl Quantisation {
    /// The scale and the zero point at two operands; one of each for all elements.
    fn at(importer: &Importer<'_>, node: &Node, scale: usize, zero: usize) -> Result<Quantisation, Problem> {
        let scales = constant(importer, node, scale)?.and_then(|tensor| tensor.to_floats()).unwrap_or_default();
        let zeros = constant(importer, node, zero)?;
        let element = match (&zeros, node.int("output_dtype", 0)?) {
            (Some(zeros), _) => zeros.element,
            (None, 0) => ElementType::Uint8,
            (None, code) => i32::try_from(code).ok().and_then(ElementType::from_onnx).unwrap_or(ElementType::Float),
        };
        let zeros = zeros.as_ref().and_then(Tensor::to_ints).unwrap_or(&[0]);
        let (Some(&scale), Some(&zero)) = (one(&scales), one(zeros)) else {
            return Err(node
                .problem("quantises computed values with several scales")
                .help("quantise activations per tensor; only weights may have a scale for each channel"));
        };
        if scale <= 0.0 {
            return Err(node.problem(format!("has the scale {scale}")).help("scales must be positive: quantise again"));
        }
        if limits(element).is_none() {
            return Err(node
                .problem("quantises to a type that is no integer")
                .help("quantise to int8, uint8, int16, uint16, int4 or uint4"));
        }
        Ok(Quantisation { scale, zero, element })
    }

    /// A value's nearest integers, saturated.
    fn of(&self, importer: &mut Importer<'_>, node: &Node, x: &Computed) -> Result<Computed, Problem> {
        let (low, high) = limits(self.element).unwrap_or((0, 0));
        let rounded = importer.push(node, Op::Round { x: x.node, step: self.scale }, x.shape.clone(), ACCUMULATOR)?;
        let bound = |limit: i64| Some(vec![(limit - self.zero) as f64; x.len()]);
        let mut integers = bounded(importer, node, rounded, bound(low), bound(high))?;
        if self.zero != 0 {
            let constant = vec![self.zero as f64; x.len()];
            integers = step(importer, node, &integers, Op::Add { x: integers.node, constant })?;
        }
        Ok(Computed { element: self.element, ..integers })
    }
}

/// The one number that all are.
pub(super) fn one<T: PartialEq>(numbers: &[T]) -> Option<&T> {
    let (first, others) = numbers.split_first()?;
    others.iter().all(|other| other == first).then_some(first)
}

/// The least and the largest integer of a type.
fn limits(element: ElementType) -> Option<(i64, i64)> {
    match element {
        ElementType::Float => None,
        ElementType::Uint8 => Some((0, 255)),
        ElementType::Integer { bits: 33.., .. } => None,
        ElementType::Integer { bits, signed: true } => Some((-(1 << (bits - 1)), (1 << (bits - 1)) - 1)),
        ElementType::Integer { bits, signed: false } => Some((0, (1 << bits) - 1)),
    }
}

/// An operand that a static quantisation knows; `None` where it is left out.
fn constant(importer: &Importer<'_>, node: &Node, index: usize) -> Result<Option<Tensor>, Problem> {
    if node.input(index).is_none() {
        return Ok(None);
    }
    match importer.operand(node, index)? {
        Operand::Constant(tensor) => Ok(Some(tensor)),
        Operand::Computed(_) => Err(node.problem("has a scale or a zero point that is computed from the sample").help(
            "quantise statically, with calibration data (onnxruntime.quantization.quantize_static): a contract's scales \
             are fixed",
        )),
    }
}

/// QuantizeLinear. What only has an order keeps it, but for ties.
pub(super) fn quantize_linear(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    let to = Quantisation::at(importer, node, 1, 2)?;
    if keeps_order(importer, node, &x) {
        return Ok(Operand::Computed(Computed { element: to.element, ..x }));
    }
    let x = x.for_arithmetic(importer, node)?;
    to.of(importer, node, &x).map(Operand::Computed)
}

/// Whether only the order of a value is left to be quantised, or only that of its result is looked at: at the end of a
/// classifier, rounded probabilities decide as others do, but for ties.
fn keeps_order(importer: &Importer<'_>, node: &Node, x: &Computed) -> bool {
    match x.meaning {
        Meaning::Value => false,
        Meaning::Logit(_) => node.outputs.first().is_some_and(|name| importer.ends_the_model(name)),
        _ => true,
    }
}

/// DequantizeLinear.
pub(super) fn dequantize_linear(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    dequantised(importer, node, [0, 1, 2])
}

/// The real numbers that integers stand for; operands: integers, scale and zero point.
fn dequantised(importer: &mut Importer<'_>, node: &Node, [x, scale, zero]: [usize; 3]) -> Result<Operand, Problem> {
    let scales = constant(importer, node, scale)?.ok_or_else(|| node.problem("has no scale"))?;
    let zeros = constant(importer, node, zero)?;
    let x = match importer.operand(node, x)? {
        Operand::Constant(tensor) => {
            let reals = reals(node, &tensor, &scales, zeros.as_ref());
            return reals.map(Operand::Constant).map_err(|reason| node.problem(reason).help(CHECK));
        }
        Operand::Computed(x) if x.meaning != Meaning::Value => {
            return Ok(Operand::Computed(Computed { element: ElementType::Float, ..x }));
        }
        Operand::Computed(x) => x,
    };
    let spread =
        |tensor: &Tensor| along_axis(node, tensor, &x.shape).map_err(|reason| node.problem(reason).help(CHECK));
    let scales = spread(&scales)?;
    let zeros = zeros.as_ref().map(spread).transpose()?.unwrap_or_default();
    let mut reals = Computed { element: ElementType::Float, ..x };
    if zeros.iter().any(|zero| *zero != 0.0) {
        let constant = zeros.iter().map(|zero| -zero).collect();
        reals = step(importer, node, &reals, Op::Add { x: reals.node, constant })?;
    }
    step(importer, node, &reals, Op::Mul { x: reals.node, constant: scales }).map(Operand::Computed)
}

const CHECK: &str = "check the model: a scale has one element, one for each channel, or one for each block";

/// Constant integers as the real numbers they stand for.
///
/// # Errors
/// Why scales or zero points do not fit.
pub(super) fn reals(node: &Node, x: &Tensor, scales: &Tensor, zeros: Option<&Tensor>) -> Result<Tensor, String> {
    let integers = x.to_floats().ok_or("holds integers beyond 2^53")?;
    let scales = along_axis(node, scales, &x.shape)?;
    let zeros = zeros.map(|zeros| along_axis(node, zeros, &x.shape)).transpose()?;
    let zero = |index: usize| zeros.as_ref().map_or(0.0, |zeros| zeros[index]);
    let reals = integers.iter().zip(&scales).enumerate().map(|(index, (q, scale))| (q - zero(index)) * scale).collect();
    Ok(Tensor::floats(x.shape.clone(), reals))
}

/// A scale or a zero point for each element: one for all, one for each position along an axis, or one for each block
/// of them.
fn along_axis(node: &Node, tensor: &Tensor, shape: &[usize]) -> Result<Vec<f64>, String> {
    let values = tensor.to_floats().ok_or("holds integers beyond 2^53")?;
    let count: usize = shape.iter().product();
    if let &[value] = values.as_slice() {
        return Ok(vec![value; count]);
    }
    // In operator sets without an axis, and in onnxruntime's own ops, matrices have a scale for each column.
    let transposed = node.int("transB", 0).map_err(|problem| problem.reason)? != 0;
    let default = match node.op.contains("MatMul") || node.op.contains("Gemm") {
        true if transposed => 0,
        true => -1,
        false => 1,
    };
    let axis = node.int("axis", default).map_err(|problem| problem.reason)?;
    // A vector has one axis, whatever is said of it.
    let axis = if shape.len() == 1 { 0 } else { dims::axis(axis, shape.len())? };
    let misfit = || format!("has scales of shape {:?} for integers of shape {shape:?}", tensor.shape);
    let &dim = shape.get(axis).ok_or_else(misfit)?;
    let inner: usize = shape[axis + 1..].iter().product();
    let block = node.int("block_size", 0).map_err(|problem| problem.reason)?;
    if let Some(block) = usize::try_from(block).ok().filter(|&block| block > 0) {
        let blocks = dim.div_ceil(block);
        let outer: usize = shape[..axis].iter().product();
        if values.len() != outer * blocks * inner {
            return Err(misfit());
        }
        let at = |index: usize| (index / (dim * inner) * blocks + index / inner % dim / block) * inner + index % inner;
        return Ok((0..count).map(|index| values[at(index)]).collect());
    }
    if values.len() != dim {
        return Err(misfit());
    }
    Ok((0..count).map(|index| values[index / inner % dim]).collect())
}

/// QLinearMatMul: integers by integers, the result quantised again.
pub(super) fn qlinear_matmul(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let a = dequantised(importer, node, [0, 1, 2])?;
    let b = dequantised(importer, node, [3, 4, 5])?;
    let to = Quantisation::at(importer, node, 6, 7)?;
    let product = dense::multiply(importer, node, a, b, 1.0)?;
    to.of(importer, node, &product).map(Operand::Computed)
}

/// QGemm of onnxruntime: the bias has the scale of the products; without an output scale, the result is real.
pub(super) fn qgemm(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let a = dequantised(importer, node, [0, 1, 2])?;
    let b = dequantised(importer, node, [3, 4, 5])?;
    let alpha = node.float("alpha", 1.0)?;
    let bias = match constant(importer, node, 6)? {
        Some(bias) => Some(bias_of_products(importer, node, &bias, alpha)?),
        None => None,
    };
    let product = dense::multiply(importer, node, a, b, alpha)?;
    let sums = match bias {
        Some(bias) => linear::bias(importer, node, product, &bias, 1.0)?,
        None => product,
    };
    if node.input(7).is_none() {
        return Ok(Operand::Computed(sums));
    }
    let to = Quantisation::at(importer, node, 7, 8)?;
    to.of(importer, node, &sums).map(Operand::Computed)
}

/// A bias of integers in steps of the two scales' product.
fn bias_of_products(importer: &Importer<'_>, node: &Node, bias: &Tensor, alpha: f64) -> Result<Tensor, Problem> {
    let floats = |index: usize| -> Result<Vec<f64>, Problem> {
        let tensor = constant(importer, node, index)?.ok_or_else(|| node.problem("has no scale"))?;
        tensor.to_floats().ok_or_else(|| node.problem("has no scale"))
    };
    let (a, b, integers) = (floats(1)?, floats(4)?, bias.to_floats().unwrap_or_default());
    let (Some(&a), false) = (one(&a), b.is_empty()) else {
        return Err(node.problem("quantises computed values with several scales").help(CHECK));
    };
    let reals = integers.iter().enumerate().map(|(index, q)| q * alpha * a * b[index % b.len()]).collect();
    Ok(Tensor::floats(bias.shape.clone(), reals))
}

/// MatMulInteger: sums of products of integers, less their zero points.
pub(super) fn matmul_integer(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let a = less_zero(importer, node, 0, 2, false)?;
    let b = less_zero(importer, node, 1, 3, true)?;
    let product = dense::multiply(importer, node, a, b, 1.0)?;
    Ok(Operand::Computed(Computed { element: ACCUMULATOR, ..product }))
}

/// Integers as they are multiplied: the zero point taken off. The right operand may have one for each column.
fn less_zero(
    importer: &mut Importer<'_>,
    node: &Node,
    x: usize,
    zero: usize,
    by_column: bool,
) -> Result<Operand, Problem> {
    let zeros = constant(importer, node, zero)?.and_then(|zeros| zeros.to_floats()).unwrap_or(vec![0.0]);
    let zero = |index: usize| zeros[index % zeros.len()];
    if !by_column && one(&zeros).is_none() {
        return Err(node.problem("has a zero point for each row").help("quantise activations per tensor"));
    }
    Ok(match importer.operand(node, x)? {
        Operand::Constant(tensor) => {
            let integers = tensor.to_floats().unwrap_or_default();
            let reals = integers.iter().enumerate().map(|(index, q)| q - zero(index)).collect();
            Operand::Constant(Tensor::floats(tensor.shape, reals))
        }
        Operand::Computed(value) => {
            let value = Computed { element: ACCUMULATOR, ..value.for_computing(importer, node)? };
            let constant = (0..value.len()).map(|index| -zero(index)).collect();
            Operand::Computed(step(importer, node, &value, Op::Add { x: value.node, constant })?)
        }
    })
}

/// QLinearAdd of onnxruntime.
pub(super) fn qlinear_add(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let a = dequantised(importer, node, [0, 1, 2])?;
    let b = dequantised(importer, node, [3, 4, 5])?;
    let to = Quantisation::at(importer, node, 6, 7)?;
    let sum = sum_of(importer, node, a, b)?;
    to.of(importer, node, &sum).map(Operand::Computed)
}

/// QLinearSigmoid and QLinearLeakyRelu of onnxruntime.
pub(super) fn qlinear_activation(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let Operand::Computed(x) = dequantised(importer, node, [0, 1, 2])? else {
        return Err(node.problem("takes a constant, but could not be folded"));
    };
    let to = Quantisation::at(importer, node, 3, 4)?;
    if node.op.ends_with("Sigmoid") {
        let logit = Computed { element: to.element, ..x.clone() }.meaning(Meaning::Logit(origin(node)));
        if keeps_order(importer, node, &logit) {
            return Ok(Operand::Computed(logit));
        }
        let y = sigmoid(importer, origin(node), &x);
        return to.of(importer, node, &y).map(Operand::Computed);
    }
    let slopes = vec![node.float("alpha", 0.01)?; x.len()];
    let y = step(importer, node, &x, Op::Leaky { x: x.node, slopes })?;
    to.of(importer, node, &y).map(Operand::Computed)
}

/// QLinearMul of onnxruntime.
pub(super) fn qlinear_mul(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let a = dequantised(importer, node, [0, 1, 2])?;
    let b = dequantised(importer, node, [3, 4, 5])?;
    let to = Quantisation::at(importer, node, 6, 7)?;
    let y = match together(importer, node, a, b)? {
        Operands::Constant { x, constant, .. } => step(importer, node, &x, Op::Mul { x: x.node, constant })?,
        Operands::Computed(x, y) => product(importer, node, &x, &y)?,
    };
    to.of(importer, node, &y).map(Operand::Computed)
}

/// QLinearSoftmax of onnxruntime: keeps the order.
pub(super) fn qlinear_softmax(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    match dequantised(importer, node, [0, 1, 2])? {
        Operand::Computed(x) => {
            let x = x.for_computing(importer, node)?;
            Ok(Operand::Computed(x.meaning(Meaning::Order(origin(node)))))
        }
        Operand::Constant(_) => Err(node.problem("takes a constant, but could not be folded")),
    }
}

/// QLinearConcat of onnxruntime: the result's scale and zero point first, then three operands a part.
pub(super) fn qlinear_concat(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let to = Quantisation::at(importer, node, 0, 1)?;
    let parts = (2..node.inputs.len()).step_by(3);
    let parts: Vec<Operand> =
        parts.map(|at| dequantised(importer, node, [at, at + 1, at + 2])).collect::<Result<_, _>>()?;
    let joined = concat_values(importer, node, parts)?;
    to.of(importer, node, &joined).map(Operand::Computed)
}
