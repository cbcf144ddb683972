//! `--weights auto`: the fewest bits for each layer that keep the float model's answer often enough, or
//! the best agreement that fits a size.
//!
//! Samples are split: even ones choose the rounding of weights, odd ones judge the result, so that a
//! choice is never judged by what it was fitted to. The search is greedy and deterministic: it takes a bit
//! from one layer after another, the layer first that saves most.

use std::sync::Arc;

use crate::error::{Problem, Refusal};
use crate::float_model::FloatModel;
use crate::graph::Op;
use crate::onnx::Model;
use crate::prediction::{Agreement, Prediction};
use crate::quant::Weights;
use crate::quant::calibrate::Calibration;
use crate::quant::choice::MOST_BITS;
use crate::{Compiled, Options, compile, ir};

/// Bits that a search starts from: more than that loses nothing that samples show.
const START_BITS: u32 = 10;

/// What a search is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// At least this share of samples get the float model's answer.
    Agreement(f64),
    /// At most this many script bytes.
    Bytes(usize),
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The contract.
    pub compiled: Compiled,
    /// The choice for each dense layer.
    pub weights: Vec<Weights>,
    /// The share of judging samples on which contract and float model agree.
    pub agreement: f64,
    /// How many samples the roundings were chosen by.
    pub fitted: usize,
    /// How many others they were judged by.
    pub judged: usize,
}

/// Searches the bits of each layer; numbers agree within a `tolerance` (see [`Agreement::new`]). `trying` hears of every
/// choice before it is compiled and judged.
///
/// # Errors
/// A [`Refusal`] when the model cannot be compiled, there are too few samples, or no choice reaches the goal.
pub fn search(
    model: &Model,
    options: &Options,
    samples: &Calibration,
    goal: Goal,
    tolerance: f64,
    trying: &dyn Fn(&[Weights]),
) -> Result<Found, Refusal> {
    let (fit, judge) = split(samples)?;
    let agrees = Agreement::new(&[], tolerance);
    let mut search = Search { model, options: options.clone(), wanted: Vec::new(), agrees, judge, trying };
    search.options.quant.calibration = Some(Arc::new(fit));
    search.options.quant.weights = vec![Weights::Int { bits: START_BITS }];
    let graph = search.compile(&[START_BITS])?.graph;
    search.wanted = search.float_predictions(&graph)?;
    search.agrees = Agreement::new(&search.wanted, tolerance);
    let sizes: Vec<usize> = graph
        .nodes
        .iter()
        .filter_map(|node| match &node.op {
            Op::MatMul { weights, .. } => Some(weights.elements.len()),
            _ => None,
        })
        .collect();
    let best = match goal {
        Goal::Agreement(least) => search.fewest_bits(&sizes, least)?,
        Goal::Bytes(most) => search.best_within(&sizes, most)?,
    };
    let fitted = search.options.quant.calibration.as_ref().map_or(0, |fit| fit.floats.len());
    let weights = best.bits.iter().map(|&bits| Weights::Int { bits }).collect();
    let judged = search.judge.floats.len();
    Ok(Found { compiled: best.compiled, weights, agreement: best.agreement, fitted, judged })
}

/// Even samples to fit, odd ones to judge.
fn split(samples: &Calibration) -> Result<(Calibration, Calibration), Refusal> {
    let every_second = |from: usize| Calibration {
        floats: samples.floats.iter().skip(from).step_by(2).cloned().collect(),
        integers: samples.integers.iter().skip(from).step_by(2).cloned().collect(),
    };
    if samples.floats.len() < 2 {
        let problem = Problem::of_model("--weights auto needs at least two calibration samples");
        return Err(problem.help("give some hundred, half of them fit and half of them judge").into());
    }
    Ok((every_second(0), every_second(1)))
}

struct Search<'a> {
    model: &'a Model,
    options: Options,
    /// The float model's answer for each judging sample.
    wanted: Vec<Prediction>,
    agrees: Agreement,
    judge: Calibration,
    /// Hears of every choice.
    trying: &'a dyn Fn(&[Weights]),
}

struct Candidate {
    bits: Vec<u32>,
    agreement: f64,
    compiled: Compiled,
}

impl Search<'_> {
    fn compile(&self, bits: &[u32]) -> Result<Compiled, Refusal> {
        let mut options = self.options.clone();
        options.quant.weights = bits.iter().map(|&bits| Weights::Int { bits }).collect();
        (self.trying)(&options.quant.weights);
        compile(&mut self.model.clone(), &options)
    }

    fn float_predictions(&self, graph: &crate::graph::Graph) -> Result<Vec<Prediction>, Refusal> {
        let first = self.judge.floats.first().map_or(&[][..], Vec::as_slice);
        let float_model = FloatModel::new(self.model, graph, first);
        let prediction = |sample: &Vec<f64>| {
            float_model
                .prediction(sample)
                .ok_or_else(|| Problem::of_model("the float model gives no answer for a sample").into())
        };
        self.judge.floats.iter().map(prediction).collect()
    }

    fn candidate(&self, bits: Vec<u32>) -> Result<Candidate, Refusal> {
        let compiled = self.compile(&bits)?;
        let ir = &compiled.optimised;
        let got: Vec<_> = self.judge.integers.iter().map(|input| ir.prediction(&ir::eval(ir, input))).collect();
        let agreement = self.agrees.share(&got, &self.wanted);
        Ok(Candidate { bits, agreement, compiled })
    }

    /// Takes bits away while the agreement holds.
    fn fewest_bits(&self, sizes: &[usize], least: f64) -> Result<Candidate, Refusal> {
        let mut best = self.candidate(vec![START_BITS; sizes.len()])?;
        if best.agreement < least {
            best = self.candidate(vec![MOST_BITS; sizes.len()])?;
        }
        if best.agreement < least {
            let reached = format!("{:.2} % at {MOST_BITS} bits", 100.0 * best.agreement);
            return Err(unreachable_goal(&format!("an agreement of {:.2} %", 100.0 * least), &reached));
        }
        let mut fixed = vec![false; sizes.len()];
        while let Some(layer) = next_layer(sizes, &fixed, &best.bits) {
            let candidate = self.candidate(one_less(&best.bits, layer))?;
            if candidate.agreement >= least { best = candidate } else { fixed[layer] = true }
        }
        Ok(best)
    }

    /// Takes the bit whose loss costs least agreement for its bytes, until the script fits.
    fn best_within(&self, sizes: &[usize], most: usize) -> Result<Candidate, Refusal> {
        let mut best = self.candidate(vec![START_BITS; sizes.len()])?;
        while best.compiled.script.byte_len() > most {
            let bytes = best.compiled.script.byte_len();
            let layers = (0..sizes.len()).filter(|&layer| best.bits[layer] > 1);
            let candidates = layers.map(|layer| self.candidate(one_less(&best.bits, layer)));
            let candidates = candidates.collect::<Result<Vec<_>, _>>()?;
            let worth = |candidate: &Candidate| {
                let saved = bytes.saturating_sub(candidate.compiled.script.byte_len()).max(1) as f64;
                (best.agreement - candidate.agreement).max(0.0) / saved
            };
            let next = candidates.into_iter().reduce(|a, b| if worth(&b) < worth(&a) { b } else { a });
            best =
                next.ok_or_else(|| unreachable_goal(&format!("{most} bytes"), &format!("{bytes} bytes at 1 bit")))?;
        }
        Ok(best)
    }
}

/// The largest layer that may still lose a bit; what saves most is tried first.
fn next_layer(sizes: &[usize], fixed: &[bool], bits: &[u32]) -> Option<usize> {
    (0..sizes.len()).filter(|&layer| !fixed[layer] && bits[layer] > 1).max_by_key(|&layer| (sizes[layer], layer))
}

fn one_less(bits: &[u32], layer: usize) -> Vec<u32> {
    let mut bits = bits.to_vec();
    bits[layer] -= 1;
    bits
}

fn unreachable_goal(goal: &str, reached: &str) -> Refusal {
    Problem::of_model(format!("--weights auto cannot reach {goal}: the best was {reached}"))
        .help("ask for less (--min-agreement, --max-bytes; of numbers --tolerance), or give --weights fixed:1e8")
        .into()
}
