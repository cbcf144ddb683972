//! Networks made for a test, as an importer would make them.

use onnx2script::graph::{Answer, Graph, Matrix, Node, Op, Origin, Tie};
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
        notes: Vec::new(),
    };
    push(&mut graph, "Input", inputs, |_| Op::Input);
    for layer in &layers {
        layer.before.iter().for_each(|step| push_step(&mut graph, step));
        let rows = graph.nodes.last().map_or(0, |node| node.len);
        let weights = Matrix { rows, columns: layer.columns, elements: layer.weights[..rows * layer.columns].to_vec() };
        push(&mut graph, "MatMul", layer.columns, |x| Op::MatMul { x, weights });
        layer.after.iter().for_each(|step| push_step(&mut graph, step));
    }
    match end {
        End::ArgMax(tie) => push(&mut graph, "ArgMax", 1, |x| Op::ArgMax { x, tie }),
        End::Positive => push(&mut graph, "Sigmoid", 1, |x| Op::Positive { x }),
        End::Value => {}
    }
    graph
}

fn push_step(graph: &mut Graph, step: &Step) {
    let len = graph.nodes.last().map_or(0, |node| node.len);
    match step {
        Step::Add(constants) => push(graph, "Add", len, |x| Op::Add { x, constant: constants[..len].to_vec() }),
        Step::Mul(constants) => push(graph, "Mul", len, |x| Op::Mul { x, constant: constants[..len].to_vec() }),
        Step::MulAll(factor) => push(graph, "Mul", len, |x| Op::Mul { x, constant: vec![*factor; len] }),
        Step::Relu => push(graph, "Relu", len, |x| Op::Relu { x }),
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
