//! Networks as an importer makes them, out of bytes.

use arbitrary::{Result, Unstructured};
use onnx2script::graph::{Graph, Tie};

use super::choices::{float, floats};
use crate::common::networks::{End, Layer, Step, network};

/// Longest input.
const MOST_INPUTS: usize = 12;
/// Widest layer.
const WIDEST: usize = 12;
/// Most dense layers.
const MOST_LAYERS: usize = 3;
/// Most steps in front of a dense layer, and behind it.
const MOST_STEPS: usize = 3;
/// Elements that a value may have: joining values doubles them.
const MOST_ELEMENTS: usize = 200;

/// A network of some layers; none that joining values made too large to be tried in milliseconds.
pub(crate) fn graph(source: &mut Unstructured<'_>) -> Result<Option<Graph>> {
    let ends = [End::ArgMax(Tie::First), End::Value, End::Positive, End::ArgMax(Tie::Last)];
    let end = *source.choose(&ends)?;
    let inputs = source.int_in_range(1..=MOST_INPUTS)?;
    let count = source.int_in_range(1..=MOST_LAYERS)?;
    let layers = (0..count).map(|_| layer(source)).collect::<Result<Vec<Layer>>>()?;
    let graph = network(inputs, layers, end);
    Ok(graph.nodes.iter().all(|node| node.len <= MOST_ELEMENTS).then_some(graph))
}

fn layer(source: &mut Unstructured<'_>) -> Result<Layer> {
    let columns = source.int_in_range(1..=WIDEST)?;
    // A prime number of weights, repeated: rows of a matrix differ.
    let count = *source.choose(&[1, 2, 7, 13, 31])?;
    Ok(Layer { before: steps(source)?, columns, weights: floats(source, count)?, after: steps(source)? })
}

fn steps(source: &mut Unstructured<'_>) -> Result<Vec<Step>> {
    let count = source.int_in_range(0..=MOST_STEPS)?;
    (0..count).map(|_| step(source)).collect()
}

fn step(source: &mut Unstructured<'_>) -> Result<Step> {
    const CONSTANTS: usize = 3;
    Ok(match source.int_in_range(0..=12u8)? {
        0 => Step::Relu,
        1 => Step::Add(floats(source, CONSTANTS)?),
        2 => Step::Mul(floats(source, CONSTANTS)?),
        3 => Step::MulAll(floats(source, 1)?[0]),
        4 => Step::Leaky(floats(source, CONSTANTS)?),
        5 => Step::Max(floats(source, CONSTANTS)?),
        6 => Step::Min(floats(source, CONSTANTS)?),
        7 => Step::Round(float(source).map(|step| if step.is_normal() { step.abs() } else { 1.0 })?),
        8 => Step::Sigmoid,
        9 => Step::Gather,
        10 => Step::Residual,
        11 => Step::Gate,
        _ => Step::Concat,
    })
}
