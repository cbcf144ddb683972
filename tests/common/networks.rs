//! Networks made for a test, as an importer would make them.

use std::sync::Arc;

use onnx2script::graph::{Answer, Function, Graph, Matrix, Node, Op, Origin, Tie};
use onnx2script::onnx::ElementType;
use onnx2script::quant::Weights;

/// An elementwise step; of the constants, as many as the value has elements.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Add(Vec<f64>),
    Mul(Vec<f64>),
    /// One factor for all elements: a change of scale.
    MulAll(f64),
    Relu,
    /// Slopes below zero.
    Leaky(Vec<f64>),
    Max(Vec<f64>),
    Min(Vec<f64>),
    /// Multiples of a step, as integers.
    Round(f64),
    Sigmoid,
    /// Elements turned round, the first one twice.
    Gather,
    /// A sum with the nearest value in front that has as many elements.
    Residual,
    /// A product with the nearest value in front that has as many elements.
    Gate,
    /// Joined with the value in front.
    Concat,
}

/// A dense layer and what stands around it.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) before: Vec<Step>,
    pub(crate) columns: usize,
    pub(crate) weights: Vec<f64>,
    pub(crate) after: Vec<Step>,
}

/// What a network ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    ArgMax(Tie),
    Positive,
    /// The number of the last layer itself.
    Value,
}

/// The graph of these layers, named as an importer would.
pub(crate) fn network(inputs: usize, mut layers: Vec<Layer>, end: End) -> Graph {
    if let (Some(last), End::Positive | End::Value) = (layers.last_mut(), end) {
        last.columns = 1;
    }
    let mut graph = Graph {
        name: "random.onnx".into(),
        input_name: "input".into(),
        input_shape: vec![1, inputs],
        input_element: ElementType::Float,
        nodes: Vec::new(),
        answer: if end == End::Value { Answer::Value } else { Answer::Class },
        labels: onnx2script::graph::Labels::Indices,
        notes: Vec::new(),
    };
    push(&mut graph, "Input", inputs, |_| Op::Input);
    for layer in &layers {
        layer.before.iter().for_each(|step| push_step(&mut graph, step));
        let rows = graph.nodes.last().map_or(0, |node| node.len);
        let elements = (0..rows * layer.columns).map(|at| layer.weights[at % layer.weights.len()]).collect();
        let weights = Matrix { rows, columns: layer.columns, elements };
        push(&mut graph, "MatMul", layer.columns, |x| Op::MatMul { x, weights });
        layer.after.iter().for_each(|step| push_step(&mut graph, step));
    }
    let joined = graph.nodes.last().is_some_and(|node| node.len != 1);
    if joined && !matches!(end, End::ArgMax(_)) {
        push(&mut graph, "Slice", 1, |x| Op::Gather { parts: vec![x], picks: vec![(0, 0)] });
    }
    match end {
        End::ArgMax(tie) => push(&mut graph, "ArgMax", 1, |x| Op::ArgMax { x, tie }),
        End::Positive => push(&mut graph, "Sigmoid", 1, |x| Op::Positive { x }),
        End::Value => {}
    }
    graph
}

/// The nearest value in front of the last that has as many elements.
fn nearest_like_last(graph: &Graph) -> usize {
    let last = graph.nodes.len() - 1;
    (0..last).rev().find(|&node| graph.nodes[node].len == graph.nodes[last].len).unwrap_or(last)
}

/// As many constants as are needed.
fn spread(constants: &[f64], len: usize) -> Vec<f64> {
    constants.iter().copied().cycle().take(len).collect()
}

fn push_step(graph: &mut Graph, step: &Step) {
    let len = graph.nodes.last().map_or(0, |node| node.len);
    match step {
        Step::Add(constants) => push(graph, "Add", len, |x| Op::Add { x, constant: spread(constants, len) }),
        Step::Mul(constants) => push(graph, "Mul", len, |x| Op::Mul { x, constant: spread(constants, len) }),
        Step::MulAll(factor) => push(graph, "Mul", len, |x| Op::Mul { x, constant: vec![*factor; len] }),
        Step::Relu => push(graph, "Relu", len, |x| Op::Relu { x }),
        Step::Leaky(slopes) => push(graph, "PRelu", len, |x| Op::Leaky { x, slopes: spread(slopes, len) }),
        Step::Max(bounds) => push(graph, "Max", len, |x| Op::Max { x, constant: spread(bounds, len) }),
        Step::Min(bounds) => push(graph, "Min", len, |x| Op::Min { x, constant: spread(bounds, len) }),
        Step::Round(step) => push(graph, "QuantizeLinear", len, |x| Op::Round { x, step: *step }),
        Step::Sigmoid => {
            let function = Arc::new(Function::sigmoid());
            push(graph, "Sigmoid", len, |x| Op::Activate { x, function });
        }
        Step::Gather => {
            let picks = (0..len).rev().map(|index| (0, index * (index % 2))).collect();
            push(graph, "Gather", len, |x| Op::Gather { parts: vec![x], picks });
        }
        Step::Residual => {
            let like = nearest_like_last(graph);
            push(graph, "Add", len, |x| Op::Sum { terms: [x, like] });
        }
        Step::Gate => {
            let like = nearest_like_last(graph);
            push(graph, "Mul", len, |x| Op::Product { factors: [x, like] });
        }
        Step::Concat => {
            let before = graph.nodes.len().saturating_sub(2);
            let both = (0..len).map(|index| (0, index)).chain((0..graph.nodes[before].len).map(|index| (1, index)));
            let picks: Vec<(usize, usize)> = both.collect();
            push(graph, "Concat", picks.len(), |x| Op::Gather { parts: vec![x, before], picks });
        }
    }
}

fn push(graph: &mut Graph, op: &str, len: usize, make: impl FnOnce(usize) -> Op) {
    let id = graph.nodes.len();
    graph.nodes.push(Node {
        op: make(id.saturating_sub(1)),
        len,
        origin: Origin { name: format!("node_{id}"), op: op.to_owned() },
    });
}

/// One choice of weights a dense layer.
pub(crate) fn weights_of_layers(text: &str) -> Vec<Weights> {
    text.split(',').map(|choice| choice.parse().unwrap()).collect()
}
