//! The integers of a contract against the float model, layer by layer.
//!
//! A layer is a dense layer and what follows it up to the next; the last one ends in the scores, before
//! ArgMax, in the logit, or in the number that is the answer. Its integers are read as the numbers they stand for: `v · scale · channel`.

mod figures;

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde::Serialize;

use crate::Compiled;
use crate::data::Input;
use crate::graph::{self, Graph, NodeId};
use crate::ir::{self, Ir, Op, Value, ValueId};

pub use figures::{LayerReport, Range, Tally, table};

/// What a comparison needs to know of a contract.
#[derive(Debug, Clone)]
pub struct Comparison<'c> {
    compiled: &'c Compiled,
    layers: Vec<Layer>,
}

/// A layer, as the float network has it and as the integer one does.
#[derive(Debug, Clone)]
struct Layer {
    label: String,
    node: NodeId,
    value: ValueId,
    stage: Stage,
    /// What a step of one is worth, element by element.
    steps: Vec<f64>,
    /// The numbers between which all elements are proved to lie.
    proved: Range,
}

/// Which of the integer networks a layer is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Behind the passes, as the contract computes it.
    Optimised,
    /// Before the passes, where these fold the end of the layer into the next one's weights. The numbers are the same
    /// up to a rounding.
    Unoptimised,
}

impl<'c> Comparison<'c> {
    /// Finds the layers of a contract.
    pub fn new(compiled: &'c Compiled) -> Self {
        let layers = ends(&compiled.graph).into_iter().filter_map(|(label, node)| layer(compiled, label, node));
        Comparison { compiled, layers: layers.collect() }
    }

    /// What a sample adds to each layer.
    pub fn sample(&self, input: &Input) -> Vec<Tally> {
        let floats = graph::eval_all(&self.compiled.graph, &input.floats);
        let optimised = ir::eval_all(&self.compiled.optimised, &input.integers);
        let unoptimised = match self.layers.iter().any(|layer| layer.stage == Stage::Unoptimised) {
            true => ir::eval_all(&self.compiled.ir, &input.integers),
            false => Vec::new(),
        };
        let tally = |layer: &Layer| {
            let values = if layer.stage == Stage::Optimised { &optimised } else { &unoptimised };
            Tally::new(&floats[layer.node], &layer.read(&values[layer.value]))
        };
        self.layers.iter().map(tally).collect()
    }

    /// What decides a sample, ArgMax's operand or the like: in the float network, and what the contract's integers stand
    /// for. None where the two do not have as many elements.
    pub fn scores(&self, input: &Input) -> Option<(Vec<f64>, Vec<f64>)> {
        let scores = self.compiled.graph.scores()?;
        let layer = self.layers.iter().find(|layer| layer.node == scores)?;
        let floats = graph::eval_all(&self.compiled.graph, &input.floats).swap_remove(scores);
        let integers = ir::eval_all(&self.compiled.optimised, &input.integers);
        Some((floats, layer.read(&integers[layer.value])))
    }

    /// The figures over all samples; their order does not depend on who ran first.
    pub fn report(&self, samples: &[Vec<Tally>]) -> Vec<LayerReport> {
        let of_layer = |(index, layer): (usize, &Layer)| {
            let tallies = samples.iter().filter_map(|sample| sample.get(index).copied());
            Some(layer.report(&tallies.reduce(Tally::merge)?))
        };
        self.layers.iter().enumerate().filter_map(of_layer).collect()
    }
}

/// The last node of each layer.
fn ends(graph: &Graph) -> Vec<(String, NodeId)> {
    let starts: Vec<NodeId> =
        (0..graph.nodes.len()).filter(|&node| matches!(graph.nodes[node].op, graph::Op::MatMul { .. })).collect();
    let label = |index: usize| format!("dense {}", index + 1);
    let mut ends: Vec<(String, NodeId)> =
        starts.iter().skip(1).enumerate().map(|(index, next)| (label(index), next - 1)).collect();
    let last = if starts.is_empty() { "scores".to_owned() } else { label(starts.len() - 1) };
    ends.extend(graph.scores().map(|scores| (last, scores)));
    ends
}

fn layer(compiled: &Compiled, label: String, node: NodeId) -> Option<Layer> {
    let (ir, optimised) = (&compiled.ir, &compiled.optimised);
    let (value, stage) = if compiled.graph.scores() == Some(node) {
        (optimised.scores(), Stage::Optimised)
    } else {
        let before = last_value(ir, &label)?;
        // Passes fold sums and products at the end of a layer into the next one, but no ReLU.
        let whole = |after: &ValueId| ends_in_relu(ir, before) && ends_in_relu(optimised, *after);
        match last_value(optimised, &label).filter(whole) {
            Some(after) => (after, Stage::Optimised),
            None => (before, Stage::Unoptimised),
        }
    };
    let network = if stage == Stage::Optimised { optimised } else { ir };
    let steps = steps(network, &network.values[value]);
    let proved = Range::of(proved(&network.values[value], &steps));
    (steps.len() == compiled.graph.nodes[node].len).then_some(Layer { label, node, value, stage, steps, proved })
}

fn last_value(ir: &Ir, label: &str) -> Option<ValueId> {
    let layer = ir.layers.iter().position(|layer| layer.label == label)?;
    ir.values.iter().rposition(|value| value.layer == layer)
}

/// Whether a value is a ReLU's, rescales aside.
fn ends_in_relu(ir: &Ir, value: ValueId) -> bool {
    match ir.values[value].op {
        Op::Rescale { x, .. } => ends_in_relu(ir, x),
        Op::Relu { .. } => true,
        _ => false,
    }
}

/// What a step of one is worth in each element.
fn steps(ir: &Ir, value: &Value) -> Vec<f64> {
    let scale = value.scale.to_f64().unwrap_or(f64::NAN);
    let channels = &ir.layers[value.layer].channels;
    (0..value.len()).map(|element| scale * channels.get(element).copied().unwrap_or(1.0)).collect()
}

/// The bounds of all elements.
fn proved(value: &Value, steps: &[f64]) -> impl Iterator<Item = f64> {
    let bounds = value.intervals.iter().zip(steps);
    bounds.flat_map(|(interval, step)| [to_f64(&interval.low) * step, to_f64(&interval.high) * step])
}

fn to_f64(integer: &BigInt) -> f64 {
    integer.to_f64().unwrap_or(f64::NAN)
}

impl Layer {
    /// The numbers that integers stand for.
    fn read(&self, integers: &[BigInt]) -> Vec<f64> {
        integers.iter().zip(&self.steps).map(|(integer, step)| to_f64(integer) * step).collect()
    }

    fn report(&self, tally: &Tally) -> LayerReport {
        let sqnr_db = 10.0 * (tally.signal / tally.noise).log10();
        let headroom_bits = (self.proved.width() / tally.integer.width()).log2();
        LayerReport {
            layer: self.label.clone(),
            outputs: self.steps.len(),
            max_error: tally.largest,
            mean_error: tally.errors / tally.elements as f64,
            sqnr_db: sqnr_db.is_finite().then_some(sqnr_db),
            float_range: tally.float,
            integer_range: tally.integer,
            proved_range: self.proved,
            headroom_bits: headroom_bits.is_finite().then_some(headroom_bits),
            stage: self.stage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_add_up_to_the_figures() {
        let layer = Layer {
            label: "dense 1".into(),
            node: 0,
            value: 0,
            stage: Stage::Optimised,
            steps: vec![0.5, 0.25],
            proved: Range { low: -8.0, high: 8.0 },
        };
        let reals = layer.read(&[BigInt::from(3), BigInt::from(-4)]);
        let tally = Tally::new(&[2.0, -1.0], &reals).merge(Tally::new(&[0.0, 3.0], &[0.5, 3.0]));
        let report = layer.report(&tally);
        assert_eq!((report.max_error, report.mean_error), (0.5, 0.25));
        assert_eq!(report.float_range, Range { low: -1.0, high: 3.0 });
        assert_eq!(report.integer_range, Range { low: -1.0, high: 3.0 });
        // Signal 4 + 1 + 9 over noise 2 · 0.25, and a width of 16 over one of 4.
        assert!((report.sqnr_db.unwrap() - 10.0 * 28f64.log10()).abs() < 1e-9);
        assert_eq!(report.headroom_bits, Some(2.0));
        let exact = layer.report(&Tally::new(&[1.0, 1.0], &[1.0, 1.0]));
        assert_eq!((exact.sqnr_db, exact.headroom_bits), (None, None));
        assert!(table(&[report, exact]).contains("[-8.00, 8.00]"));
    }
}
