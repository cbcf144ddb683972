//! From floats to integers: the last place where floats are seen.
//!
//! What this stage promises:
//! 1. scales are exact rationals: an integer `v` at scale `s` stands for `v · s` and nothing else;
//! 2. every division that the contract will make is an explicit [`Rescale`](crate::ir::Op::Rescale);
//! 3. a multiplication by one positive number for all elements is a change of scale, and costs nothing;
//! 4. weights that lie on a grid are stored on it, whatever was chosen for the layer;
//! 5. fixed-point numbers are the exact value rounded to the nearest integer, halves to even.
//!
//! Outputs of a layer may have scales of their own: then the next layer's weights are multiplied by
//! them before they are quantised, which bounds, bends at zero and sums with constants allow, and ArgMax, smooth functions
//! and sums of two values do not.

pub mod calibrate;
pub mod choice;
pub mod decimal;
mod diffusion;
mod gptq;
pub mod grid;
mod intk;
mod layer;
mod nonlinear;
mod pieces;

use std::borrow::Cow;
use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

pub use choice::{Granularity, Options, Rescale, Weights, WeightsSpec};

use crate::error::{Problem, Refusal};
use crate::graph::{self, Graph, Matrix};
use crate::input::InputFormat;
use crate::ir::{Builder, Ir, Layer, LayerId, Op, ValueId};
use calibrate::{Moments, float_rows, integer_rows};
use diffusion::Assumed;
use grid::Grid;

/// Lowers a network to integers.
///
/// # Errors
/// A [`Refusal`] when a weight does not fit the scale, or choices contradict each other.
pub fn quantise(graph: &Graph, input: InputFormat, options: &Options) -> Result<Ir, Refusal> {
    let layer = Layer {
        label: "input".into(),
        onnx_nodes: vec![graph.input_name.clone()],
        channels: vec![],
        storage: None,
        approximations: vec![],
    };
    let grids = graph.nodes.iter().map(|node| match &node.op {
        graph::Op::MatMul { weights, .. } => grid::find(weights),
        _ => None,
    });
    let mut lowering = Lowering {
        graph,
        options,
        grids: grids.collect(),
        builder: Builder::new(graph.name.clone(), input, graph.input_len(), layer),
        layer: 0,
        dense: 0,
        lowered: Vec::new(),
    };
    for (index, node) in graph.nodes.iter().enumerate() {
        let lowered = lowering.node(index, node)?;
        check_scale(&lowering.builder.value(lowered.value).scale, &node.origin)?;
        lowering.lowered.push(lowered);
    }
    Ok(lowering.builder.finish())
}

/// Exact scales grow with every factor: refuses a chain of them before its fractions take all time.
fn check_scale(scale: &BigRational, origin: &graph::Origin) -> Result<(), Problem> {
    const MOST_BITS: u64 = 1 << 14;
    if scale.numer().bits().max(scale.denom().bits()) <= MOST_BITS {
        return Ok(());
    }
    Err(Problem::of_node(&origin.name, &origin.op, "its exact scale has become a fraction of thousands of digits")
        .help("join the constant factors in front of it, or rescale: --rescale sum"))
}

/// A graph node in integers.
#[derive(Debug, Clone, Default)]
struct Lowered {
    value: ValueId,
    /// Scales of the elements beyond the value's; empty where all are 1.
    channels: Vec<f64>,
}

/// What takes up the scales that outputs have of their own, and leaves none.
enum Taker<'a> {
    /// The next dense layer, in its weights: a row for each output, also where not all of them are picked.
    Dense(Cow<'a, Matrix>),
    /// A rounding, in its factors.
    Round,
}

/// The IR made so far.
struct Lowering<'a> {
    graph: &'a Graph,
    options: &'a Options,
    /// The grid of each node's weights.
    grids: Vec<Option<Grid>>,
    builder: Builder,
    layer: LayerId,
    /// Dense layers so far.
    dense: usize,
    /// The value of each graph node.
    lowered: Vec<Lowered>,
}

impl Lowering<'_> {
    fn node(&mut self, index: usize, node: &graph::Node) -> Result<Lowered, Refusal> {
        match &node.op {
            graph::Op::MatMul { .. } => {
                self.dense += 1;
                self.start_layer(format!("dense {}", self.dense));
            }
            graph::Op::ArgMax { .. } => self.start_layer("argmax".into()),
            graph::Op::Positive { .. } => self.start_layer("threshold".into()),
            _ => {}
        }
        self.builder.onnx_node(&node.origin.name);
        match &node.op {
            graph::Op::Input => Ok(Lowered { value: self.input_offset(), channels: vec![] }),
            graph::Op::MatMul { x, weights } => self.matmul(index, *x, weights, &node.origin),
            graph::Op::Add { x, constant } => self.add(index, *x, constant, &node.origin),
            graph::Op::Mul { x, constant } => self.mul(*x, constant, &node.origin),
            graph::Op::Relu { x } => {
                let x = self.lowered[*x].clone();
                Ok(Lowered { value: self.push(Op::Relu { x: x.value }), ..x })
            }
            graph::Op::Leaky { x, slopes } => self.leaky(*x, slopes),
            graph::Op::Max { x, constant } => {
                self.bounds(*x, constant, &node.origin, |x, constant| Op::Max { x, constant })
            }
            graph::Op::Min { x, constant } => {
                self.bounds(*x, constant, &node.origin, |x, constant| Op::Min { x, constant })
            }
            graph::Op::Activate { x, function } => self.activate(*x, function, &node.origin),
            graph::Op::Round { x, step } => self.round(*x, *step, &node.origin),
            graph::Op::Sum { terms } => self.sum(*terms),
            graph::Op::Product { factors } => Ok(self.product(*factors)),
            graph::Op::Gather { parts, picks } => self.gather(parts, picks),
            graph::Op::ArgMax { x, tie } => {
                let value = self.push(Op::ArgMax { x: self.lowered[*x].value, tie: *tie });
                Ok(Lowered { value, ..Lowered::default() })
            }
            graph::Op::Positive { x } => {
                let value = self.push(Op::Positive { x: self.lowered[*x].value });
                Ok(Lowered { value, ..Lowered::default() })
            }
        }
    }

    fn start_layer(&mut self, label: String) {
        let layer = Layer { label, onnx_nodes: vec![], channels: vec![], storage: None, approximations: vec![] };
        self.layer = self.builder.layer(layer);
    }

    fn push(&mut self, op: Op) -> ValueId {
        self.builder.push(op, self.layer)
    }

    /// What was chosen for the newest dense layer; for the first one, in front of it.
    fn choice(&self) -> Weights {
        self.options.weights_of(self.dense.saturating_sub(1))
    }

    /// The input is worth `v·scale + offset`: brings both under one, finer scale.
    fn input_offset(&mut self) -> ValueId {
        let scale = self.builder.value(0).scale.clone();
        let offset = match &self.builder.ir().input.offset {
            offset if offset.is_zero() => return 0,
            offset => offset / &scale,
        };
        let len = self.builder.value(0).len();
        let mut x = 0;
        if !offset.is_integer() {
            let unit = BigRational::new(BigInt::one(), offset.denom().clone());
            x = self.push(Op::Mul { x, constant: vec![offset.denom().clone(); len], unit });
        }
        self.push(Op::Add { x, constant: vec![offset.numer().clone(); len] })
    }

    fn matmul(&mut self, index: usize, x: usize, weights: &Matrix, origin: &graph::Origin) -> Result<Lowered, Refusal> {
        let Lowered { value: x, channels } = self.lowered[x].clone();
        let layer = match self.grids[index].as_ref().filter(|_| channels.is_empty()) {
            Some(grid) if grid.steps.len() == 1 || self.taker(index).is_some() => layer::on_grid(weights, grid),
            _ => None,
        };
        let layer = match layer {
            Some(layer) => layer,
            None => self.quantise_layer(index, x, &with_channels(weights, &channels), origin)?,
        };
        self.builder.describe_layer(layer.storage, layer.channels.clone());
        let (weights, columns) = (Arc::new(layer.weights), weights.columns);
        let value = match (self.options.rescale, &layer.target) {
            (Rescale::Product, Some(unit)) => {
                let products = self.push(Op::Products { x, weights });
                let rescaled = self.rescale(products, unit);
                self.push(Op::SumRows { x: rescaled, columns })
            }
            (Rescale::Sum, Some(unit)) => {
                let sums = self.push(Op::MatMul { x, weights });
                self.rescale(sums, unit)
            }
            (Rescale::None, _) | (_, None) => self.push(Op::MatMul { x, weights }),
        };
        Ok(Lowered { value, channels: layer.channels })
    }

    fn quantise_layer(
        &self,
        index: usize,
        x: ValueId,
        weights: &Matrix,
        origin: &graph::Origin,
    ) -> Result<layer::Layer, Problem> {
        let choice = self.choice();
        let calibration = self.options.calibration.as_ref().filter(|_| matches!(choice, Weights::Int { .. }));
        let moments = calibration.map(|samples| Moments::of(&integer_rows(samples, self.builder.ir(), x)));
        let next_bits = match self.options.weights_of(self.dense) {
            Weights::Int { bits } => bits,
            Weights::Fixed { .. } => choice::MOST_BITS,
        };
        let next = match self.taker(index) {
            Some(Taker::Dense(weights)) => Some(weights),
            _ => None,
        };
        let next = next.as_deref();
        let value = self.builder.value(x);
        let whole = value.hull().magnitude().to_f64().filter(|whole| *whole > 0.0).unwrap_or(1.0);
        let assumed = value.intervals.iter().map(|interval| Assumed::uniform(interval, whole)).collect();
        let context = layer::Context {
            options: self.options,
            choice,
            next,
            next_bits,
            assumed,
            moments: moments.as_ref(),
            origin,
        };
        layer::quantise(weights, &context)
    }

    /// What takes up the scales that a dense layer's outputs may have of their own.
    fn taker(&self, index: usize) -> Option<Taker<'_>> {
        let mut value = index;
        // The picks on the way, each with how many elements it is from.
        let mut picked = Vec::new();
        loop {
            let mut users = self.graph.nodes.iter().enumerate().skip(value + 1);
            let mut users = users.by_ref().filter(|(_, node)| node.op.operands().contains(&value));
            let (user, node) = users.next()?;
            if users.next().is_some() {
                return None;
            }
            match &node.op {
                graph::Op::MatMul { weights, .. } => {
                    let behind = |weights: Cow<'_, Matrix>, (picks, rows): &(&[(usize, usize)], usize)| {
                        Cow::Owned(weights.before_picks(picks.iter().map(|&(_, index)| index), *rows))
                    };
                    let weights = || picked.iter().rev().fold(Cow::Borrowed(weights), behind);
                    return self.grids[user].is_none().then(|| Taker::Dense(weights()));
                }
                graph::Op::Round { .. } => return Some(Taker::Round),
                graph::Op::Add { .. }
                | graph::Op::Mul { .. }
                | graph::Op::Relu { .. }
                | graph::Op::Leaky { .. }
                | graph::Op::Max { .. }
                | graph::Op::Min { .. } => value = user,
                graph::Op::Gather { parts, picks } if parts.len() == 1 => {
                    picked.push((picks.as_slice(), self.graph.nodes[value].len));
                    value = user;
                }
                _ => return None,
            }
        }
    }

    /// Divides by the integer that brings the scale nearest to `unit`, if that is 2 or more.
    fn rescale(&mut self, x: ValueId, unit: &BigRational) -> ValueId {
        let divisor = decimal::nearest_divisor(&(unit / &self.builder.value(x).scale));
        if divisor.is_one() { x } else { self.push(Op::Rescale { x, divisor }) }
    }

    fn add(&mut self, index: usize, x: usize, constant: &[f64], origin: &graph::Origin) -> Result<Lowered, Refusal> {
        let Lowered { value, channels } = self.lowered[x].clone();
        let constant = with_channels_taken_off(&self.corrected(index, x, constant), &channels);
        let value = self.refine(x, value, &constant);
        let constant = in_steps(&constant, &self.builder.value(value).scale, origin)?;
        Ok(Lowered { value: self.push(Op::Add { x: value, constant }), channels })
    }

    /// The bias that makes up for what calibrated weights lose on average.
    fn corrected(&self, index: usize, x: usize, constant: &[f64]) -> Vec<f64> {
        let rounded = matches!(self.graph.nodes[x].op, graph::Op::MatMul { .. })
            && matches!(self.choice(), Weights::Int { .. })
            && self.grids[x].is_none();
        let Some(samples) = self.options.calibration.as_ref().filter(|_| rounded) else { return constant.to_vec() };
        let Lowered { value, channels } = &self.lowered[x];
        let scale = self.builder.value(*value).scale.to_f64().unwrap_or(1.0);
        let wanted = mean(&float_rows(samples, self.graph, index));
        let got = mean(&integer_rows(samples, self.builder.ir(), *value));
        let real = |j: usize| got[j] * scale * channels.get(j).copied().unwrap_or(1.0);
        (0..constant.len()).map(|j| wanted[j] - real(j)).collect()
    }

    /// Brings a value to a finer scale where its own would lose more than a hundredth of a step of the
    /// constants: bytes, whose steps are large, and the sums of weights on a grid, which has few levels.
    /// No finer than fixed-point numbers are; and weights that lost more themselves are not worth it.
    fn refine(&mut self, x: usize, value: ValueId, constant: &[f64]) -> ValueId {
        const FINER: u32 = 256;
        let scale = self.builder.value(value).scale.clone();
        let size = scale.to_f64().unwrap_or(1.0);
        let coarse = constant.iter().any(|c| (c / size - (c / size).round()).abs() > 0.01);
        let dense = matches!(self.graph.nodes[x].op, graph::Op::MatMul { .. });
        let choice = self.choice();
        let unit = match &choice {
            Weights::Fixed { unit } => unit.clone(),
            Weights::Int { .. } => decimal::power_of_ten(-8),
        };
        let ratio = (scale / unit).ceil().to_integer();
        let factor = match (&self.grids[x], choice) {
            (Some(_), _) => ratio.min(FINER.into()),
            (None, Weights::Int { .. }) if dense => return value,
            (None, _) => ratio,
        };
        // Rescaling hits a unit to within a factor of two.
        if !coarse || factor <= BigInt::from(2) {
            return value;
        }
        let unit = BigRational::new(BigInt::one(), factor.clone());
        let constant = vec![factor; self.builder.value(value).len()];
        self.push(Op::Mul { x: value, constant, unit })
    }

    fn mul(&mut self, x: usize, constant: &[f64], origin: &graph::Origin) -> Result<Lowered, Refusal> {
        let Lowered { value: x, channels } = self.lowered[x].clone();
        let first = constant.first().copied().unwrap_or(1.0);
        let uniform = constant.iter().all(|value| value.to_bits() == first.to_bits());
        if let (true, Some(factor)) = (uniform, decimal::exact(first).filter(|factor| !factor.is_zero())) {
            let sign = if factor.is_negative() { -BigInt::one() } else { BigInt::one() };
            let value = self.push(Op::Mul { x, constant: vec![sign; constant.len()], unit: factor.abs() });
            return Ok(Lowered { value, channels });
        }
        let unit = decimal::power_of_ten(-8);
        let steps = constant.iter().map(|&value| decimal::steps(value, &unit)).collect::<Option<Vec<_>>>();
        let not_finite = || Problem::of_node(&origin.name, &origin.op, "holds a factor that is not finite");
        let product = self.push(Op::Mul { x, constant: steps.ok_or_else(not_finite)?, unit: unit.clone() });
        let value = match self.options.rescale {
            Rescale::None => product,
            Rescale::Product | Rescale::Sum => self.rescale(product, &unit),
        };
        Ok(Lowered { value, channels })
    }
}

/// Weights for inputs that have scales of their own.
fn with_channels(weights: &Matrix, channels: &[f64]) -> Matrix {
    let factor = |index: usize| channels.get(index / weights.columns).copied().unwrap_or(1.0);
    let elements = weights.elements.iter().enumerate().map(|(index, weight)| weight * factor(index)).collect();
    Matrix { elements, ..*weights }
}

/// Constants in the steps of outputs that have scales of their own.
fn with_channels_taken_off(constant: &[f64], channels: &[f64]) -> Vec<f64> {
    constant.iter().enumerate().map(|(j, value)| value / channels.get(j).copied().unwrap_or(1.0)).collect()
}

/// Constants as integers. The importer lets only finite ones pass, but outputs' own scales may be taken off since.
fn in_steps(constant: &[f64], scale: &BigRational, origin: &graph::Origin) -> Result<Vec<BigInt>, Problem> {
    let steps = constant.iter().map(|&value| decimal::steps(value, scale)).collect::<Option<_>>();
    steps.ok_or_else(|| {
        Problem::of_node(&origin.name, &origin.op, "its constants are too large for the scales of the layer before")
            .help("its weights are too small or too unequal: give --granularity tensor")
    })
}

fn mean(rows: &[Vec<f64>]) -> Vec<f64> {
    let len = rows.first().map_or(0, Vec::len);
    (0..len).map(|j| rows.iter().map(|row| row[j]).sum::<f64>() / rows.len() as f64).collect()
}
