//! Normalisation by constants: a product and a sum.

use super::Op;
use super::import::Importer;
use super::operand::{Computed, Operand};
use crate::error::Problem;
use crate::onnx::{Node, Tensor};

/// BatchNormalization as in inference: by the mean and the variance of the training data.
pub(super) fn batch(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    // Before opset 14 training showed in the outputs that were wanted.
    if node.int("training_mode", 0)? != 0 || node.outputs.iter().skip(1).any(|name| !name.is_empty()) {
        return Err(node
            .problem("is in training mode")
            .help("export the model for inference (torch: model.eval(); Keras: training=False)"));
    }
    if node.int("spatial", 1)? == 0 {
        return Err(node
            .problem("has statistics for each element (spatial = 0)")
            .help("export with a newer operator set"));
    }
    let x = importer.computed(node, 0)?.for_arithmetic(importer, node)?;
    let epsilon = node.float("epsilon", 1e-5)?;
    let channels = match x.shape.as_slice() {
        [_, channels, ..] => *channels,
        shape => return Err(node.problem(format!("normalises channels of a value of shape {shape:?}"))),
    };
    let statistics = |index: usize| per_channel(importer.constant(node, index)?, node, index, channels);
    let (scale, bias, mean, variance) = (statistics(1)?, statistics(2)?, statistics(3)?, statistics(4)?);
    let factors: Vec<f64> =
        scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
    let shifts = bias.iter().zip(&mean).zip(&factors).map(|((bias, mean), factor)| bias - mean * factor);
    let shifts: Vec<f64> = shifts.collect();
    let inner = x.shape[2..].iter().product();
    scaled(importer, node, &x, each(&factors, inner, x.len()), each(&shifts, inner, x.len())).map(Operand::Computed)
}

fn per_channel(constant: Option<Tensor>, node: &Node, index: usize, channels: usize) -> Result<Vec<f64>, Problem> {
    let values = constant.and_then(|tensor| tensor.to_floats()).filter(|values| values.len() == channels);
    values.ok_or_else(|| node.problem(format!("operand {index} has not one number for each of {channels} channels")))
}

/// One number for each element, of one for each channel of `inner` elements.
fn each(channels: &[f64], inner: usize, len: usize) -> Vec<f64> {
    (0..len).map(|element| channels[element / inner % channels.len()]).collect()
}

/// `x · factors + shifts`.
pub(super) fn scaled(
    importer: &mut Importer<'_>,
    node: &Node,
    x: &Computed,
    factors: Vec<f64>,
    shifts: Vec<f64>,
) -> Result<Computed, Problem> {
    let product = importer.push(node, Op::Mul { x: x.node, constant: factors }, x.shape.clone(), x.element)?;
    importer.push(node, Op::Add { x: product.node, constant: shifts }, product.shape, product.element)
}
