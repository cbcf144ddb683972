//! The network in floats: every value of a [`Graph`], for reports and for holding integers against.

use super::{Graph, Matrix, Op, Tie};

/// Every node's value for a sample, in the order of [`Graph::nodes`]; a class is a float, too.
///
/// # Panics
/// When the sample has another length than the network's input.
pub fn eval_all(graph: &Graph, sample: &[f64]) -> Vec<Vec<f64>> {
    assert_eq!(sample.len(), graph.input_len(), "one number for each input element");
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let value = match &node.op {
            Op::Input => sample.to_vec(),
            Op::MatMul { x, weights } => matmul(&values[*x], weights),
            Op::Add { x, constant } => values[*x].iter().zip(constant).map(|(x, c)| x + c).collect(),
            Op::Mul { x, constant } => values[*x].iter().zip(constant).map(|(x, c)| x * c).collect(),
            Op::Relu { x } => values[*x].iter().map(|x| x.max(0.0)).collect(),
            Op::Leaky { x, slopes } => {
                let leaky = |(x, slope): (&f64, &f64)| if *x > 0.0 { *x } else { x * slope };
                values[*x].iter().zip(slopes).map(leaky).collect()
            }
            Op::Max { x, constant } => values[*x].iter().zip(constant).map(|(x, c)| x.max(*c)).collect(),
            Op::Min { x, constant } => values[*x].iter().zip(constant).map(|(x, c)| x.min(*c)).collect(),
            Op::Activate { x, function } => values[*x].iter().map(|x| function.at(*x)).collect(),
            Op::Round { x, step } => values[*x].iter().map(|x| (x / step).round_ties_even()).collect(),
            Op::Sum { terms: [x, y] } => values[*x].iter().zip(&values[*y]).map(|(x, y)| x + y).collect(),
            Op::Product { factors: [x, y] } => values[*x].iter().zip(&values[*y]).map(|(x, y)| x * y).collect(),
            Op::Gather { parts, picks } => picks.iter().map(|&(part, index)| values[parts[part]][index]).collect(),
            Op::ArgMax { x, tie } => vec![argmax(&values[*x], *tie) as f64],
            Op::Positive { x } => values[*x].iter().map(|x| f64::from(*x > 0.0)).collect(),
        };
        values.push(value);
    }
    values
}

/// How sure the float model is of its class: by how much the largest score exceeds the second, or how far a logit is from
/// 0. None where the answer is no class.
///
/// # Panics
/// When the sample has another length than the network's input.
pub fn margin(graph: &Graph, sample: &[f64]) -> Option<f64> {
    let mut scores = eval_all(graph, sample).swap_remove(graph.scores()?);
    match graph.nodes.last()?.op {
        Op::ArgMax { .. } => {
            scores.sort_by(|a, b| b.total_cmp(a));
            Some(scores.first()? - scores.get(1)?)
        }
        Op::Positive { .. } => scores.first().map(|logit| logit.abs()),
        _ => None,
    }
}

fn matmul(x: &[f64], weights: &Matrix) -> Vec<f64> {
    let mut sums = vec![0.0; weights.columns];
    for (x, row) in x.iter().zip(weights.elements.chunks(weights.columns)).filter(|(x, _)| **x != 0.0) {
        for (sum, weight) in sums.iter_mut().zip(row) {
            *sum += x * weight;
        }
    }
    sums
}

/// Index of the largest element of some.
pub(super) fn argmax(x: &[f64], tie: Tie) -> usize {
    let better = |a: f64, b: f64| if tie == Tie::Last { a >= b } else { a > b };
    (1..x.len()).fold(0, |best, index| if better(x[index], x[best]) { index } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Inputs, Samples};
    use crate::graph::{Answer, import};
    use crate::input::InputSpec;
    use crate::onnx::Model;
    use crate::onnx::reference::Reference;
    use crate::quant::decimal;
    use std::path::Path;

    /// Largest difference to tract, which computes in f32, relative to the largest score.
    const TOLERANCE: f64 = 1e-4;
    /// Samples of each model that are compared.
    const SAMPLES: usize = 20;

    #[test]
    fn every_model_computes_what_tract_does() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models"));
        let mut models = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "onnx") {
                compare_with_tract(&path);
                models += 1;
            }
        }
        assert!(models >= 5, "{models} models");
    }

    fn compare_with_tract(path: &Path) {
        let mut model = Model::load(path).unwrap();
        let graph = import(&mut model).unwrap();
        let sidecar = std::fs::read(path.with_extension("json")).unwrap();
        let sidecar: serde_json::Value = serde_json::from_slice(&sidecar).unwrap();
        let unit = sidecar["unit"].as_str().map(|unit| decimal::parse_rational(unit).unwrap());
        let samples = Samples::load(&path.with_file_name(sidecar["samples"].as_str().unwrap())).unwrap();
        let inputs =
            Inputs::new(samples, (&graph).into(), &InputSpec::default().resolve(false), unit.as_ref()).unwrap();
        let reference = Reference::new(&model).unwrap();
        let softmax = model.nodes.iter().any(|node| node.op == "Softmax");
        for index in 0..inputs.len().min(SAMPLES) {
            let sample = inputs.get(index).unwrap().floats;
            let values = eval_all(&graph, &sample);
            let expected = reference.run(&sample).unwrap();
            let answer = values.last().unwrap()[0];
            if let Some(class) = graph.class_of(&expected) {
                assert_eq!(answer as usize, class, "{} sample {index}", graph.name);
                assert!(margin(&graph, &sample).unwrap() >= 0.0);
            }
            let scores = &values[graph.scores().unwrap()];
            let ours = match graph.answer {
                Answer::Class => vec![answer],
                Answer::Scores if softmax => softmax_of(scores),
                Answer::Scores | Answer::Value => scores.clone(),
                Answer::Probability => vec![1.0 / (1.0 + (-scores[0]).exp())],
            };
            // Probabilities near 0 are cut off; they are as exact as 1 is.
            let least = if graph.answer == Answer::Probability { 1.0 } else { 0.0 };
            let most = expected.iter().fold(least, |most: f64, value| most.max(value.abs()));
            for (a, b) in ours.iter().zip(&expected) {
                assert!((a - b).abs() <= TOLERANCE * most, "{} sample {index}: {ours:?} {expected:?}", graph.name);
            }
        }
    }

    fn softmax_of(scores: &[f64]) -> Vec<f64> {
        let most = scores.iter().copied().fold(f64::MIN, f64::max);
        let powers: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|power| power / sum).collect()
    }

    #[test]
    fn ties_go_where_onnx_says() {
        let scores = [3.0, 7.0, 7.0, 1.0];
        assert_eq!((argmax(&scores, Tie::First), argmax(&scores, Tie::Last)), (1, 2));
    }
}
