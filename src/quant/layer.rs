//! The weights of one dense layer as integers.

use num_rational::BigRational;
use num_traits::{One, ToPrimitive};

use super::calibrate::Moments;
use super::choice::{Granularity, Options, Weights};
use super::diffusion::{self, Assumed};
use super::grid::Grid;
use super::{decimal, gptq, intk};
use crate::error::Problem;
use crate::graph::{Matrix, Origin};
use crate::ir::{self, Storage};

/// A layer's weights, and how its outputs are to be read.
pub(super) struct Layer {
    /// Integer weights.
    pub(super) weights: ir::Matrix,
    /// Scales of the outputs beyond the weights' unit; empty where all are 1.
    pub(super) channels: Vec<f64>,
    /// How they are stored.
    pub(super) storage: Storage,
    /// Whether the sums are to be rescaled to the unit of fixed-point numbers.
    pub(super) target: Option<BigRational>,
}

/// What a layer's quantisation may depend on.
pub(super) struct Context<'a> {
    pub(super) options: &'a Options,
    pub(super) choice: Weights,
    /// The next layer, where it can take up a scale for each output.
    pub(super) next: Option<&'a Matrix>,
    /// The bits of the next layer's weights; many where they are fixed-point numbers.
    pub(super) next_bits: u32,
    /// What is assumed of the layer's inputs where there are no samples.
    pub(super) assumed: Vec<Assumed>,
    /// Second moments of the layer's input, where there are samples.
    pub(super) moments: Option<&'a Moments>,
    pub(super) origin: &'a Origin,
}

/// Stores weights that lie on a grid as they are.
pub(super) fn on_grid(weights: &Matrix, grid: &Grid) -> Option<Layer> {
    let storage = Storage::Grid { levels: grid.levels(), bits: grid.bits(), by_output: grid.steps.len() != 1 };
    let matrix = |unit: BigRational| ir::Matrix {
        rows: weights.rows,
        columns: weights.columns,
        elements: grid.elements.clone(),
        unit,
    };
    match grid.steps.as_slice() {
        [step] => Some(Layer { weights: matrix(decimal::exact(*step)?), channels: vec![], storage, target: None }),
        steps => Some(Layer { weights: matrix(BigRational::one()), channels: steps.to_vec(), storage, target: None }),
    }
}

/// Quantises the weights of one layer as chosen.
pub(super) fn quantise(weights: &Matrix, context: &Context<'_>) -> Result<Layer, Problem> {
    match &context.choice {
        Weights::Fixed { unit } => fixed(weights, unit, context.origin),
        Weights::Int { bits } => int(weights, *bits, context),
    }
}

fn fixed(weights: &Matrix, unit: &BigRational, origin: &Origin) -> Result<Layer, Problem> {
    let integer = |&weight: &f64| {
        let steps = decimal::steps(weight, unit).and_then(|steps| steps.to_i64());
        // The most negative integer has no counterpart; leave it out so that weights can be negated.
        steps.filter(|&steps| steps != i64::MIN).ok_or_else(|| {
            Problem::of_node(
                &origin.name,
                &origin.op,
                format!(
                    "its weight {weight:.4e} (scales of the layer before taken in) does not fit 63 bits at this scale"
                ),
            )
            .help("give a coarser scale, as in --weights fixed:1e6")
        })
    };
    let elements = weights.elements.iter().map(integer).collect::<Result<Vec<i64>, Problem>>()?;
    let vanished = elements.iter().zip(&weights.elements).filter(|(q, w)| **q == 0 && w.abs() > 0.0).count();
    let storage = Storage::Fixed { unit: unit.clone(), vanished };
    let weights = ir::Matrix { rows: weights.rows, columns: weights.columns, elements, unit: unit.clone() };
    Ok(Layer { weights, channels: vec![], storage, target: Some(unit.clone()) })
}

fn int(weights: &Matrix, bits: u32, context: &Context<'_>) -> Result<Layer, Problem> {
    let next = context.next.filter(|_| context.options.granularity == Granularity::Channel);
    let importance = context.moments.map(Moments::diagonal);
    let mut steps = intk::choose(weights, bits, next.is_some(), context.options.zero_points, importance.as_deref());
    if let Some(next) = next {
        steps = intk::balance(weights, steps, &intk::Next { weights: next, bits: context.next_bits });
    }
    let elements = match context.moments {
        Some(moments) => gptq::round(weights, &steps, moments),
        None => diffusion::round(weights, &steps, &context.assumed),
    };
    let scales: Vec<f64> = steps.iter().map(|step| step.size).collect();
    let (unit, channels) = match scales.as_slice() {
        [size] => (decimal::exact(*size), vec![]),
        _ => (Some(BigRational::one()), scales.clone()),
    };
    let no_scale = || {
        Problem::of_node(&context.origin.name, &context.origin.op, "its weights have no finite scale")
            .help("the weights are too large or too unequal for integers of few bits: give --weights fixed:1e8, or --granularity tensor")
    };
    let storage = Storage::Int {
        bits,
        by_output: scales.len() != 1,
        zero_points: context.options.zero_points,
        calibrated: context.moments.is_some(),
    };
    let weights =
        ir::Matrix { rows: weights.rows, columns: weights.columns, elements, unit: unit.ok_or_else(no_scale)? };
    Ok(Layer { weights, channels, storage, target: None })
}
