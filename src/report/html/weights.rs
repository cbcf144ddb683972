//! The weights of each dense layer before and after they became integers.

use num_traits::ToPrimitive;
use plotters::prelude::*;

use super::chart::{Area, Drawn, Room, SERIES, draw, plane, power_of_ten};
use super::markup::{details, keyed_figure, paragraph, section, short};
use crate::Compiled;
use crate::graph;
use crate::ir::{Ir, Matrix, Op, ValueId};
use crate::report::limits::grouped;

/// Bins of a histogram.
const BINS: usize = 60;
/// Size of a histogram: two stand side by side.
const SIZE: (u32, u32) = (470, 240);

/// The weights of a dense layer.
struct Weights<'c> {
    label: &'c str,
    before: &'c [f64],
    /// What the integers stand for.
    after: Vec<f64>,
}

pub(super) fn section_of(compiled: &Compiled) -> String {
    let layers = layers(compiled);
    if layers.is_empty() {
        let says = "The network has no dense layer, and so no weights: all its constants are in single elements.";
        return section("weights", "Weights before and after", &paragraph(says));
    }
    let charts: String = layers.iter().map(Weights::figure).collect();
    let rows: Vec<Vec<String>> = layers.iter().map(Weights::cells).collect();
    let says = "The float weights as the network has them once constants are folded into dense layers, and what the \
                contract's integers stand for: integer times scale. Passes may still fold factors into these integers.";
    let head = ["layer", "weights", "from", "to", "mean error", "max error"];
    let table = details("Errors of the weights as a table", &head, &rows);
    section(
        "weights",
        "Weights before and after",
        &format!("{}<div class=\"pair\">{charts}</div>\n{table}", paragraph(says)),
    )
}

/// Dense layers of the network beside those of the integers, which are as many in the same order.
fn layers(compiled: &Compiled) -> Vec<Weights<'_>> {
    let dense = compiled.graph.nodes.iter().filter_map(|node| match &node.op {
        graph::Op::MatMul { weights, .. } => Some(weights.elements.as_slice()),
        _ => None,
    });
    let values = compiled.ir.values.iter();
    let integers = values.filter_map(|value| Some((value.layer, value.op.operand()?, value.op.weights()?)));
    let layer = |(before, (layer, operand, weights)): (_, (usize, ValueId, &std::sync::Arc<Matrix>))| {
        let compiled_layer = &compiled.ir.layers[layer];
        let after = real(weights, &channels(&compiled.ir, operand), &compiled_layer.channels);
        Weights { label: &compiled_layer.label, before, after }
    };
    dense.zip(integers).map(layer).filter(|layer| layer.before.len() == layer.after.len()).collect()
}

/// What integer weights stand for, where their inputs and outputs may have scales of their own.
fn real(weights: &Matrix, inputs: &[f64], outputs: &[f64]) -> Vec<f64> {
    let unit = weights.unit.to_f64().unwrap_or(f64::NAN);
    let scale = |channels: &[f64], index: usize| channels.get(index).copied().unwrap_or(1.0);
    let real = |(index, &weight): (usize, &i64)| {
        let (input, output) = (index / weights.columns, index % weights.columns);
        weight as f64 * unit * scale(outputs, output) / scale(inputs, input)
    };
    weights.elements.iter().enumerate().map(real).collect()
}

/// The scales that the elements of a value have of their own: those of the outputs of the dense layer before it, where
/// nothing took them up between. Empty where all are 1.
fn channels(ir: &Ir, value: ValueId) -> Vec<f64> {
    match &ir.values[value].op {
        Op::MatMul { .. } | Op::SumRows { .. } => ir.layers[ir.values[value].layer].channels.clone(),
        Op::Gather { parts, picks } if parts.len() == 1 => {
            let before = channels(ir, parts[0]);
            picks.iter().filter_map(|&(_, index)| before.get(index).copied()).collect()
        }
        Op::Input | Op::Products { .. } | Op::Round { .. } => Vec::new(),
        op => op.operand().map_or(Vec::new(), |x| channels(ir, x)),
    }
}

impl Weights<'_> {
    fn errors(&self) -> (f64, f64) {
        let errors = || self.before.iter().zip(&self.after).map(|(before, after)| (before - after).abs());
        (errors().sum::<f64>() / self.before.len().max(1) as f64, errors().fold(0.0, f64::max))
    }

    /// The least and the largest of all.
    fn range(&self) -> (f64, f64) {
        let all = self.before.iter().chain(&self.after).copied().filter(|value| value.is_finite());
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    }

    /// The histogram's: wide enough to be told from nothing beside the numbers themselves.
    fn axis(&self) -> (f64, f64) {
        let (low, high) = self.range();
        if !low.is_finite() {
            return (0.0, 1.0);
        }
        let least = 1e-6 * low.abs().max(high.abs()).max(f64::MIN_POSITIVE);
        (low, low + (high - low).max(least))
    }

    fn cells(&self) -> Vec<String> {
        let ((low, high), (mean, most)) = (self.range(), self.errors());
        let numbers = [low, high, mean, most].map(short);
        [vec![self.label.to_owned(), grouped(self.before.len() as u64)], numbers.to_vec()].concat()
    }

    fn figure(&self) -> String {
        let (mean, most) = self.errors();
        let says = format!("{}: mean error {}, max error {}.", self.label, short(mean), short(most));
        let chart = draw(SIZE.0, SIZE.1, |area| self.paint(area));
        keyed_figure(&says, &chart, &["before (float)", "after (integer × scale)"])
    }

    fn paint(&self, area: &Area<'_>) -> Drawn {
        let (low, high) = self.axis();
        let unit = power_of_ten(low.abs().max(high.abs()));
        let (before, after) = (histogram(self.before, low, high), histogram(&self.after, low, high));
        let most = before.iter().chain(&after).copied().max().unwrap_or(0).max(1);
        let edge = |bin: usize| (low + (high - low) * bin as f64 / BINS as f64) / unit;
        let mut chart = plane(area, Room { top: 8, left: 54 }, (edge(0)..edge(BINS), unit), 0.0..most as f64 * 1.05)?;
        let bar = |(bin, &count): (usize, &usize)| {
            Rectangle::new([(edge(bin), 0.0), (edge(bin + 1), count as f64)], SERIES[0].mix(0.55).filled())
        };
        chart.draw_series(before.iter().enumerate().filter(|(_, count)| **count > 0).map(bar))?;
        let line = outline(&after).into_iter().map(|(bin, count)| (edge(bin), count as f64));
        chart.draw_series([PathElement::new(line.collect::<Vec<_>>(), SERIES[1].stroke_width(2))])?;
        Ok(())
    }
}

/// Counts in bins of equal width.
fn histogram(values: &[f64], low: f64, high: f64) -> Vec<usize> {
    let mut counts = vec![0; BINS];
    for value in values.iter().filter(|value| value.is_finite()) {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        counts[((share * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    counts
}

/// The line around bars: edges, and counts between them.
fn outline(counts: &[usize]) -> Vec<(usize, usize)> {
    let tops = counts.iter().enumerate().flat_map(|(bin, &count)| [(bin, count), (bin + 1, count)]);
    [(0, 0)].into_iter().chain(tops).chain([(counts.len(), 0)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::Model;
    use crate::quant::Weights as Choice;
    use crate::{Options, compile};

    /// Scales of outputs are taken up by the next layer's weights: without them the second layer's would be far off.
    #[test]
    fn integers_stand_for_the_weights_they_came_from() {
        for name in ["digits_64_32_10", "zoo/torch_mlp_bn", "zoo/mnist_act_leaky", "zoo/mnist_residual"] {
            let mut options = Options { input: "u8".parse().unwrap(), ..Options::default() };
            options.quant.weights = vec![Choice::Int { bits: 12 }];
            let compiled =
                compile(&mut Model::load(format!("models/{name}.onnx").as_ref()).unwrap(), &options).unwrap();
            let layers = layers(&compiled);
            assert_eq!(layers.len(), compiled.layers.len(), "{name}");
            for layer in &layers {
                let (low, high) = layer.range();
                let (mean, _) = layer.errors();
                assert!(mean < (high - low) / 1000.0, "{name} {}: {mean} of {low}..{high}", layer.label);
            }
        }
    }

    #[test]
    fn every_weight_is_counted_once() {
        let counts = histogram(&[-1.0, 0.0, 1.0, 1.0, f64::NAN], -1.0, 1.0);
        assert_eq!((counts[0], counts[BINS / 2], counts[BINS - 1]), (1, 1, 2));
        assert_eq!(histogram(&[3.0], 3.0, 3.0)[BINS / 2], 1);
        assert_eq!(outline(&[2, 1]), [(0, 0), (0, 2), (1, 2), (1, 1), (2, 1), (2, 0)]);
    }
}
