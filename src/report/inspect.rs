//! `inspect`: what is in a model before anything is chosen: nodes, weights, grids, and what each choice
//! of weights would cost.

use std::fmt::Write;

use serde::Serialize;

use super::limits::grouped;
use crate::error::Refusal;
use crate::graph::{Graph, Matrix, Op};
use crate::onnx::Model;
use crate::quant::{Weights, grid};
use crate::{Options, compile};

/// Bars of a histogram, from the emptiest up.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Bins of a histogram.
const BINS: usize = 24;
/// The choices whose cost is told.
const CHOICES: [&str; 7] = ["fixed:1e8", "int8", "int6", "int5", "int4", "int3", "int2"];

/// A model inspected.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// The model's file name.
    pub model: String,
    /// Shape of the input for one sample.
    pub input_shape: Vec<usize>,
    /// How many classes there are; none where the answer is a number.
    pub classes: usize,
    /// Steps of the network.
    pub nodes: Vec<NodeReport>,
    /// Weights and biases in all.
    pub parameters: usize,
    /// What each choice of weights costs.
    pub costs: Vec<Cost>,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct NodeReport {
    /// The ONNX node's name.
    pub name: String,
    /// Its op type.
    pub op: String,
    /// Elements of its result.
    pub outputs: usize,
    /// Its constants, if it has any.
    pub constants: Option<Constants>,
    /// The grid that its weights lie on, in words.
    pub grid: Option<String>,
}

/// What is known of constants.
#[derive(Debug, Clone, Serialize)]
pub struct Constants {
    /// How many there are.
    pub count: usize,
    /// How many of them are zero.
    pub zeros: usize,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// Counts in bins of equal width from the smallest to the largest.
    pub histogram: Vec<usize>,
}

/// What a choice of weights costs.
#[derive(Debug, Clone, Serialize)]
pub struct Cost {
    /// The choice, as `--weights` takes it.
    pub weights: String,
    /// Bytes of the locking script.
    pub script_bytes: usize,
    /// Its instructions.
    pub instructions: usize,
}

/// Inspects a model; costs are of contracts compiled with `options`, the weights apart.
///
/// # Errors
/// A [`Refusal`] when the model cannot be compiled.
pub fn inspect(model: &Model, options: &Options) -> Result<Inspection, Refusal> {
    let graph = crate::graph::import(&mut model.clone())?;
    let nodes: Vec<NodeReport> = graph.nodes.iter().map(|node| node_report(&graph, node)).collect();
    let parameters = nodes.iter().filter_map(|node| node.constants.as_ref()).map(|constants| constants.count).sum();
    let costs = CHOICES.iter().map(|choice| cost(model, options, choice)).collect::<Result<_, _>>()?;
    let (model, input_shape, classes) = (graph.name.clone(), graph.input_shape.clone(), graph.classes());
    Ok(Inspection { model, input_shape, classes, nodes, parameters, costs })
}

fn cost(model: &Model, options: &Options, choice: &str) -> Result<Cost, Refusal> {
    let mut options = options.clone();
    options.quant.weights = choice.parse::<Weights>().into_iter().collect();
    let compiled = compile(&mut model.clone(), &options)?;
    Ok(Cost {
        weights: choice.to_owned(),
        script_bytes: compiled.script.byte_len(),
        instructions: compiled.script.instructions.len(),
    })
}

fn node_report(graph: &Graph, node: &crate::graph::Node) -> NodeReport {
    let constants = match &node.op {
        Op::MatMul { weights, .. } => Some(constants(&weights.elements)),
        Op::Add { constant, .. } | Op::Mul { constant, .. } => Some(constants(constant)),
        _ => None,
    };
    let grid = match &node.op {
        Op::MatMul { weights, .. } => describe_grid(weights),
        _ => None,
    };
    let name = if matches!(node.op, Op::Input) { graph.input_name.clone() } else { node.origin.name.clone() };
    NodeReport { name, op: node.origin.op.clone(), outputs: node.len, constants, grid }
}

fn describe_grid(weights: &Matrix) -> Option<String> {
    let grid = grid::find(weights)?;
    let steps = match grid.steps.as_slice() {
        [step] => format!("step {step}"),
        steps => format!("{} steps, one for each output", steps.len()),
    };
    Some(format!("{} levels, {} bits, {steps}", grid.levels(), grid.bits()))
}

fn constants(values: &[f64]) -> Constants {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut histogram = vec![0; BINS];
    for value in values {
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        histogram[((share * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    let zeros = values.iter().filter(|value| value.abs() == 0.0).count();
    Constants { count: values.len(), zeros, low, high, histogram }
}

impl Inspection {
    /// The inspection as text.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}: input {:?}, {} parameters, {}\n\n{:<44} {:<9} {:>7} {:>9} {:>7} {:>12} {:>12}  histogram\n",
            self.model,
            self.input_shape,
            grouped(self.parameters as u64),
            if self.classes == 0 { "the answer is a number".to_owned() } else { format!("{} classes", self.classes) },
            "node",
            "op",
            "outputs",
            "constants",
            "zeros",
            "from",
            "to"
        );
        for node in &self.nodes {
            let _ = write!(text, "{:<44} {:<9} {:>7}", node.name, node.op, grouped(node.outputs as u64));
            if let Some(constants) = &node.constants {
                let (count, zeros) = (grouped(constants.count as u64), grouped(constants.zeros as u64));
                let bars = bars(&constants.histogram);
                let _ = write!(text, " {count:>9} {zeros:>7} {:>12.6} {:>12.6}  {bars}", constants.low, constants.high);
            }
            text.push('\n');
            if let Some(grid) = &node.grid {
                let _ = writeln!(text, "    on a grid: {grid}; stored in these bits whatever --weights says");
            }
        }
        let _ = writeln!(text, "\n{:<12} {:>12} {:>13}", "--weights", "bytes", "instructions");
        for cost in &self.costs {
            let (bytes, instructions) = (grouped(cost.script_bytes as u64), grouped(cost.instructions as u64));
            let _ = writeln!(text, "{:<12} {bytes:>12} {instructions:>13}", cost.weights);
        }
        text
    }
}

/// A histogram in one line; a bin that holds anything shows.
fn bars(histogram: &[usize]) -> String {
    let most = histogram.iter().copied().max().unwrap_or(0).max(1);
    histogram.iter().map(|&count| BARS[(count * (BARS.len() - 1)).div_ceil(most)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_count_everything_once() {
        let constants = constants(&[-1.0, -0.5, 0.0, 0.0, 3.0]);
        assert_eq!(constants.histogram.iter().sum::<usize>(), 5);
        assert_eq!((constants.zeros, constants.histogram[0], constants.histogram[BINS - 1]), (2, 1, 1));
        assert_eq!(bars(&[0, 1, 8, 100]), " ▁▁█");
        assert_eq!(super::constants(&[2.0, 2.0]).histogram[0], 2);
    }
}
