//! From an ONNX model to a [`Graph`]: checks all ops, infers shapes, then imports node by node.

use std::collections::BTreeMap;

use super::operand::{Computed, Meaning, Operand};
use super::{Answer, Graph, Node, NodeId, Op, Origin, Tie, ops};
use crate::error::{Problem, Problems, Refusal};
use crate::onnx::{self, ElementType, Model};

/// Imports a model.
///
/// # Errors
/// A [`Refusal`] with every unsupported node, or the first thing that does not fit.
pub fn import(model: &mut Model) -> Result<Graph, Refusal> {
    check_interface(model)?;
    check_ops(model)?;
    model.infer_shapes()?;
    let mut importer = Importer::new(model);
    for node in &model.nodes {
        importer.node(node)?;
    }
    importer.finish()
}

/// One input, one output.
fn check_interface(model: &Model) -> Result<(), Refusal> {
    let names = |names: Vec<&str>| names.join("`, `");
    match model.inputs.as_slice() {
        [_] => {}
        [] => {
            return Err(Problem::of_model("the model has no input: there is nothing to classify")
                .help("export the network with its input; every one of its values is a constant")
                .into());
        }
        several => {
            let list = names(several.iter().map(|input| input.name.as_str()).collect());
            return Err(Problem::of_model(format!("the model has {} inputs: `{list}`", several.len()))
                .help(
                    "export with one input. Where some of them are weights (a tf.function over outer constants, Keras's \
                     Normalization), freeze them into the graph before exporting",
                )
                .into());
        }
    }
    match model.outputs.as_slice() {
        [_] => Ok(()),
        several => {
            let list = names(several.iter().map(String::as_str).collect());
            Err(Problem::of_model(format!("the model has {} outputs: `{list}`", several.len()))
                .help("export with the class, the scores or the number as the only output")
                .into())
        }
    }
}

/// Every op has an importer; all that have none are reported at once.
fn check_ops(model: &Model) -> Result<(), Refusal> {
    let mut problems = Problems::default();
    for node in &model.nodes {
        if ops::find(&node.op).is_none() {
            problems.push(node.problem("this op is not supported").help(ops::remedy(&node.op)));
        }
    }
    problems.into_result().map_err(|refusal| Refusal { closing: Some(ops::supported_names()), ..refusal })
}

/// The graph made so far, and what each ONNX name stands for in it.
pub(super) struct Importer<'m> {
    model: &'m Model,
    nodes: Vec<Node>,
    operands: BTreeMap<String, Operand>,
}

impl<'m> Importer<'m> {
    fn new(model: &'m Model) -> Self {
        let input = &model.inputs[0];
        let len = input.shape.iter().product();
        let origin = Origin { name: input.name.clone(), op: "Input".into() };
        let mut operands = BTreeMap::new();
        let value = Computed { node: 0, shape: input.shape.clone(), element: input.element, meaning: Meaning::Value };
        operands.insert(input.name.clone(), Operand::Computed(value));
        Importer { model, nodes: vec![Node { op: Op::Input, len, origin }], operands }
    }

    fn node(&mut self, node: &onnx::Node) -> Result<(), Refusal> {
        let Some(output) = node.outputs.first().filter(|name| !name.is_empty()) else {
            return Err(node.problem("has no result").into());
        };
        let operand = match self.model.constants.get(output) {
            Some(folded) => Operand::Constant(folded.clone()),
            None => {
                let Some(supported) = ops::find(&node.op) else {
                    return Err(node.problem("this op is not supported").into());
                };
                let operand = (supported.import)(self, node)?;
                self.check_shape(node, output, &operand)?;
                operand
            }
        };
        self.operands.insert(output.clone(), operand);
        Ok(())
    }

    /// What was imported must have the shape that tract infers: two readings of ONNX, one answer.
    fn check_shape(&self, node: &onnx::Node, output: &str, operand: &Operand) -> Result<(), Problem> {
        let (Operand::Computed(value), Some(inferred)) = (operand, self.model.shapes.get(output)) else {
            return Ok(());
        };
        if value.shape == *inferred {
            return Ok(());
        }
        Err(node
            .problem(format!("gives shape {:?} by its definition, {inferred:?} by inference", value.shape))
            .help("check the model with onnx.checker.check_model(model, full_check=True)"))
    }

    /// The operand at `index`, which must be there.
    pub(super) fn operand(&self, node: &onnx::Node, index: usize) -> Result<Operand, Problem> {
        let name = node.input(index).ok_or_else(|| node.problem(format!("lacks operand {index}")))?;
        if let Some(constant) = self.model.constants.get(name) {
            return Ok(Operand::Constant(constant.clone()));
        }
        // A second result, such as Dropout's mask, has no entry.
        let missing = || node.problem(format!("reads `{name}`, a result that is not supported"));
        self.operands.get(name).cloned().ok_or_else(missing)
    }

    /// The operand at `index`, which must depend on the sample.
    pub(super) fn computed(&self, node: &onnx::Node, index: usize) -> Result<Computed, Problem> {
        match self.operand(node, index)? {
            Operand::Computed(value) => Ok(value),
            Operand::Constant(_) => Err(node
                .problem(format!("operand {index} is a constant, so its result is one, but it could not be folded"))
                .help("simplify the model first, e.g. with onnxsim")),
        }
    }

    /// The shape that inference found for the node's first result.
    pub(super) fn inferred_shape(&self, node: &onnx::Node) -> Result<Vec<usize>, Problem> {
        let name = node.outputs.first().map(String::as_str).unwrap_or_default();
        self.model.shapes.get(name).cloned().ok_or_else(|| {
            node.problem("the shape of its result cannot be known before the model runs")
                .help("export with fixed shapes (only the batch may be symbolic), or simplify the model with onnxsim")
        })
    }

    /// A dense layer on several rows: on several samples, where the input's own batch says so.
    pub(super) fn several_rows(&self, node: &onnx::Node, rows: usize, shape: &[usize]) -> Problem {
        let input = &self.model.inputs[0];
        let reason = format!("multiplies {rows} rows at once (shape {shape:?})");
        if input.shape.first() == Some(&rows) {
            node.problem(format!("{reason}: input `{}` has a batch of {rows}", input.name))
                .help("export with batch 1 or a symbolic batch: one sample is one row")
        } else {
            node.problem(reason).help("flatten the value first: one sample is one row")
        }
    }

    /// How many classes the ArgMax imported so far tells apart; at least 1.
    pub(super) fn classes(&self) -> usize {
        let classes = self.nodes.iter().rev().find_map(|node| match node.op {
            Op::ArgMax { x, .. } => Some(self.nodes[x].len),
            _ => None,
        });
        classes.unwrap_or(1).max(1)
    }

    /// What a node imported so far computes.
    pub(super) fn op(&self, id: NodeId) -> &Op {
        &self.nodes[id].op
    }

    /// Notes a result of a node other than its first.
    pub(super) fn set_result(&mut self, name: &str, operand: Operand) {
        self.operands.insert(name.to_owned(), operand);
    }

    /// ONNX's operator set version.
    pub(super) fn opset(&self) -> i64 {
        self.model.opset
    }

    /// Adds a step that comes from `node`; its result has `shape` and elements of a type.
    pub(super) fn push(
        &mut self,
        node: &onnx::Node,
        op: Op,
        shape: Vec<usize>,
        element: ElementType,
    ) -> Result<Computed, Problem> {
        if !op.constants().iter().all(|value| value.is_finite()) {
            return Err(node
                .problem("has a constant that leaves the range of floats once its factors are multiplied in")
                .help("check alpha, beta and the constants of the model"));
        }
        let len = shape.iter().product();
        self.nodes.push(Node { op, len, origin: origin(node) });
        Ok(Computed { node: self.nodes.len() - 1, shape, element, meaning: Meaning::Value })
    }

    fn finish(mut self) -> Result<Graph, Refusal> {
        let output = &self.model.outputs[0];
        let value = match self.operands.get(output) {
            Some(Operand::Computed(value)) => value.clone(),
            _ => {
                return Err(Problem::of_model(format!("output `{output}` does not depend on the input"))
                    .help("check that the right output was exported")
                    .into());
            }
        };
        let mut notes = Vec::new();
        let answer = self.answer(output, &value, &mut notes)?;
        let last = match answer {
            Answer::Class | Answer::Value => value.node,
            Answer::Scores | Answer::Probability => self.nodes.len() - 1,
        };
        let input = &self.model.inputs[0];
        Ok(Graph {
            name: self.model.file_name.clone(),
            input_name: input.name.clone(),
            input_shape: input.shape.clone(),
            input_element: input.element,
            nodes: path_to(self.nodes, last),
            answer,
            notes,
        })
    }

    /// What the model's output is; adds the step that makes a class of it where the model has none itself.
    fn answer(&mut self, output: &str, value: &Computed, notes: &mut Vec<String>) -> Result<Answer, Problem> {
        match (&value.meaning, self.nodes[value.node].len) {
            (Meaning::Class(_), _) => Ok(Answer::Class),
            (Meaning::Value, 1) => {
                notes.push("the model ends in one number, which is the answer; there are no classes".into());
                Ok(Answer::Value)
            }
            (Meaning::Logit(sigmoid), 1) => {
                self.add_threshold(value.node, sigmoid.clone(), notes);
                Ok(Answer::Probability)
            }
            (Meaning::Order(softmax), 1) => Err(Problem::of_node(
                &softmax.name,
                &softmax.op,
                "is over a single output, and gives 1 whatever that is",
            )
            .help("let one output end in a Sigmoid, or export two outputs, one a class")),
            (Meaning::Logit(sigmoid), several) => {
                let reason = format!("ends the model in {several} outputs, each of them a yes or no of its own");
                Err(Problem::of_node(&sigmoid.name, &sigmoid.op, reason).help(
                    "a contract has one answer: export one of the outputs, or put an ArgMax behind them if the largest \
                     is the class",
                ))
            }
            (Meaning::Order(_) | Meaning::Value, several) => {
                self.add_argmax(output, value, several, notes);
                Ok(Answer::Scores)
            }
        }
    }

    /// Class 1 where the logit is above 0, which is where its Sigmoid exceeds one half.
    fn add_threshold(&mut self, logit: NodeId, sigmoid: Origin, notes: &mut Vec<String>) {
        notes.push(format!(
            "`{}` ({}) is dropped: the class is 1 where it would exceed one half, which is where its operand is above \
             0, else 0",
            sigmoid.name, sigmoid.op
        ));
        self.nodes.push(Node { op: Op::Positive { x: logit }, len: 1, origin: sigmoid });
    }

    /// The class is the ArgMax of the outputs where the model ends in several.
    fn add_argmax(&mut self, output: &str, value: &Computed, scores: usize, notes: &mut Vec<String>) {
        if let Meaning::Order(softmax) = &value.meaning {
            notes.push(format!("`{}` ({}) is dropped: it does not change the class", softmax.name, softmax.op));
        }
        notes.push(format!(
            "the model ends in {scores} scores: the class is the index of the largest (the lowest of equals)"
        ));
        let origin = Origin { name: output.to_owned(), op: "output".into() };
        self.nodes.push(Node { op: Op::ArgMax { x: value.node, tie: Tie::First }, len: 1, origin });
    }
}

/// The nodes that a node is computed from, and itself as the last. Others come from operands that an op
/// has but does not look at, or looks at the shape of only.
fn path_to(nodes: Vec<Node>, last: usize) -> Vec<Node> {
    let mut needed = vec![false; nodes.len()];
    needed[last] = true;
    for id in (0..=last).rev() {
        if needed[id] {
            nodes[id].op.operands().iter().for_each(|&operand| needed[operand] = true);
        }
    }
    let mut moved = vec![0; nodes.len()];
    let mut path: Vec<Node> = Vec::new();
    for (id, mut node) in nodes.into_iter().enumerate().filter(|(id, _)| needed[*id]) {
        moved[id] = path.len();
        node.op.operands_mut().iter_mut().for_each(|operand| *operand = moved[*operand]);
        path.push(node);
    }
    path
}

/// Where a step comes from.
pub(super) fn origin(node: &onnx::Node) -> Origin {
    Origin { name: node.name.clone(), op: node.op.clone() }
}
