//! From an ONNX model to a [`Graph`]: checks all ops, infers shapes, then imports node by node.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::{self, Fold, Room};
use super::operand::{Computed, Meaning, Operand};
use super::{Answer, Graph, Labels, Node, NodeId, Op, Origin, Tie, idioms, metadata, ops, types};
use crate::error::{Problem, Refusal};
use crate::onnx::{self, ElementType, Model, Tensor, bounds};

/// Most elements that all computed values may have together: each takes kilobytes of memory while it is compiled.
const MOST_ELEMENTS: usize = 1 << 19;

/// Imports a model.
///
/// # Errors
/// A [`Refusal`] with everything that is wrong: with the file, then the unsupported nodes, then what does not fit, in
/// the graph's order.
pub fn import(model: &mut Model) -> Result<Graph, Refusal> {
    let mut problems = model.choose_output(None).err().map_or(vec![], |refusal| refusal.problems);
    problems.extend(check_inputs(model));
    let unsupported = unsupported(model);
    let closing = (!unsupported.is_empty()).then(|| ops::LISTED.to_owned());
    if !problems.is_empty() {
        problems.extend(unsupported);
        return Err(Refusal { problems, closing });
    }
    // Tract is not given what nobody knows the bounds of.
    if unsupported.is_empty() {
        model.infer();
    }
    let mut importer = Importer::new(model);
    let misfits: Vec<Problem> = model.nodes.iter().filter_map(|node| importer.node(node).err()).collect();
    problems.extend(unsupported);
    problems.extend(misfits);
    if problems.is_empty() { importer.finish() } else { Err(Refusal { problems, closing }) }
}

/// One input.
fn check_inputs(model: &Model) -> Option<Problem> {
    match model.inputs.as_slice() {
        [_] => None,
        [] => {
            let problem = Problem::of_model("the model has no input: there is nothing to classify");
            Some(problem.help("export the network with its input; every one of its values is a constant"))
        }
        several => {
            let list: Vec<&str> = several.iter().map(|input| input.name.as_str()).collect();
            let problem = Problem::of_model(format!("the model has {} inputs: `{}`", several.len(), list.join("`, `")));
            Some(problem.help(
                "export with one input. Where some of them are weights (a tf.function over outer constants, Keras's \
                 Normalization), freeze them into the graph before exporting",
            ))
        }
    }
}

/// The nodes whose op has no importer.
fn unsupported(model: &Model) -> Vec<Problem> {
    let unknown = model.nodes.iter().filter(|node| ops::find(&node.op).is_none());
    unknown.map(|node| node.problem("this op is not supported").help(ops::remedy(&node.op))).collect()
}

/// The graph made so far, and what each ONNX name stands for in it.
pub(super) struct Importer<'m> {
    model: &'m Model,
    nodes: Vec<Node>,
    operands: BTreeMap<String, Operand>,
    /// Results of nodes that could not be imported: whoever reads them is not to blame.
    failed: BTreeSet<String>,
    /// How large folded constants may still become.
    room: Room,
    /// The labels that name the model's scores, where they are named.
    score_labels: Labels,
}

impl<'m> Importer<'m> {
    fn new(model: &'m Model) -> Self {
        let input = &model.inputs[0];
        let len = input.shape.iter().product();
        let origin = Origin { name: input.name.clone(), op: "Input".into() };
        let mut operands = BTreeMap::new();
        let value = Computed { node: 0, shape: input.shape.clone(), element: input.element, meaning: Meaning::Value };
        operands.insert(input.name.clone(), Operand::Computed(value));
        let nodes = vec![Node { op: Op::Input, len, origin }];
        let (room, score_labels) = (Room::new(bounds::most_elements(model)), Labels::Indices);
        Importer { model, nodes, operands, failed: BTreeSet::new(), room, score_labels }
    }

    /// Imports a node; where that fails, its results are marked, and so are all that come of them.
    fn node(&mut self, node: &onnx::Node) -> Result<(), Problem> {
        let blameless = node.inputs.iter().any(|name| self.failed.contains(name)) || ops::find(&node.op).is_none();
        let outcome = if blameless { Ok(None) } else { self.first_result(node).map(Some) };
        match outcome {
            Ok(Some(operand)) => {
                self.also(node, 0, operand);
                Ok(())
            }
            other => {
                self.failed.extend(node.outputs.iter().filter(|name| !name.is_empty()).cloned());
                other.map(|_| ())
            }
        }
    }

    /// What a node's first result is: folded where all operands are constants.
    fn first_result(&mut self, node: &onnx::Node) -> Result<Operand, Problem> {
        let Some(output) = node.outputs.first().filter(|_| node.outputs.iter().any(|name| !name.is_empty())) else {
            return Err(node.problem("has no result"));
        };
        types::check(self, node)?;
        let inferred = self.model.inferred.constants.get(output);
        if let Some(operands) = self.constants(node) {
            let fold = Fold { node, opset: self.model.opset, operands: &operands, room: &mut self.room };
            match (fold::fold(fold), inferred) {
                (Some(folded), _) => {
                    return folded.map(Operand::Constant).map_err(|reason| {
                        node.problem(reason)
                            .help("check the shapes of the model, or simplify it first, e.g. with onnxsim")
                    });
                }
                (None, Some(folded)) => return Ok(Operand::Constant(folded.clone())),
                (None, None) => {}
            }
        }
        let imported = match idioms::recognise(self, node) {
            Some(operand) => operand,
            None => ops::find(&node.op).map_or_else(
                || Err(node.problem("this op is not supported")),
                |supported| (supported.import)(self, node),
            ),
        };
        match (imported, inferred) {
            (Ok(operand), _) => self.check_shape(node, output, &operand).map(|()| operand),
            (Err(_), Some(folded)) => Ok(Operand::Constant(folded.clone())),
            (Err(problem), None) => Err(problem),
        }
    }

    /// All operands of a node, where they are constants.
    fn constants(&self, node: &onnx::Node) -> Option<Vec<Option<Tensor>>> {
        let constant = |name: &String| match (name.is_empty(), self.lookup(name)) {
            (true, _) => Some(None),
            (false, Some(Operand::Constant(tensor))) => Some(Some(tensor)),
            _ => None,
        };
        node.inputs.iter().map(constant).collect()
    }

    /// What a name stands for.
    fn lookup(&self, name: &str) -> Option<Operand> {
        let constant = self.model.constants.get(name).map(|constant| Operand::Constant(constant.clone()));
        constant.or_else(|| self.operands.get(name).cloned())
    }

    /// The type of an operand's elements, where it is there.
    pub(super) fn element(&self, name: &str) -> Option<ElementType> {
        let constant = self.model.constants.get(name).map(|constant| constant.element);
        constant.or_else(|| match self.operands.get(name)? {
            Operand::Constant(constant) => Some(constant.element),
            Operand::Computed(value) => Some(value.element),
        })
    }

    /// Says what the result at `index` is, where the node has it; [`ops::Import`] returns the first.
    pub(super) fn also(&mut self, node: &onnx::Node, index: usize, operand: Operand) {
        if let Some(output) = node.outputs.get(index).filter(|name| !name.is_empty()) {
            self.operands.insert(output.clone(), operand);
        }
    }

    /// Imports a node of one operand that the file does not have as such, only its operand.
    pub(super) fn import_behind(
        &mut self,
        operand: Operand,
        mut node: onnx::Node,
        import: ops::Import,
    ) -> Result<Operand, Problem> {
        // A name that nothing has.
        let mut name = format!("{} ({})", node.name, node.op);
        while self.operands.contains_key(&name) || self.model.constants.contains_key(&name) {
            name.push('\'');
        }
        self.operands.insert(name.clone(), operand);
        node.inputs = vec![name.clone()];
        let result = import(self, &node);
        self.operands.remove(&name);
        result
    }

    /// Names the model's scores, should they be its answer.
    pub(super) fn name_scores(&mut self, labels: Labels) {
        self.score_labels = labels;
    }

    /// The strings at operand `index`, where it holds strings.
    pub(super) fn strings(&self, node: &onnx::Node, index: usize) -> Option<&[String]> {
        self.model.strings.get(node.input(index)?).map(Vec::as_slice)
    }

    /// What is left of the memory for folded constants.
    pub(super) fn room(&mut self) -> &mut Room {
        &mut self.room
    }

    /// What was imported must have the shape that tract infers: two readings of ONNX, one answer.
    fn check_shape(&self, node: &onnx::Node, output: &str, operand: &Operand) -> Result<(), Problem> {
        let (Operand::Computed(value), Some(inferred)) = (operand, self.model.inferred.shapes.get(output)) else {
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
        let name = node.input(index).ok_or_else(|| {
            node.problem(format!("lacks operand {index}")).help("export the model again: the file lacks a part")
        })?;
        if self.model.strings.contains_key(name) {
            return Err(node
                .problem(format!("computes with `{name}`, which holds strings"))
                .help("strings can only be the labels of classes, at the end of the model"));
        }
        // Some results of some ops are not computed, such as Dropout's mask.
        let missing = || {
            node.problem(format!("reads `{name}`, a result that is not supported"))
                .help("change the model or its export so that it is not needed")
        };
        self.lookup(name).ok_or_else(missing)
    }

    /// The operand at `index`, where it is a constant or left out.
    pub(super) fn constant(&self, node: &onnx::Node, index: usize) -> Result<Option<Tensor>, Problem> {
        if node.input(index).is_none() {
            return Ok(None);
        }
        match self.operand(node, index)? {
            Operand::Constant(tensor) => Ok(Some(tensor)),
            Operand::Computed(_) => Err(node
                .problem(format!("operand {index} is computed from the sample"))
                .help("it must be a constant: freeze the model before exporting it")),
        }
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

    /// How many classes a class is one of; at least 1.
    pub(super) fn classes(&self, class: &Computed) -> usize {
        match self.nodes[class.node].op {
            Op::ArgMax { x, .. } => self.nodes[x].len.max(1),
            Op::Positive { .. } => 2,
            _ => 1,
        }
    }

    /// What a node imported so far computes.
    pub(super) fn op(&self, id: NodeId) -> &Op {
        &self.nodes[id].op
    }

    /// Whether a value is the model's answer, or becomes it by steps that change no number.
    pub(super) fn ends_the_model(&self, name: &str) -> bool {
        if self.model.outputs.iter().any(|output| output == name) {
            return true;
        }
        let readers: Vec<&onnx::Node> =
            self.model.nodes.iter().filter(|node| node.inputs.iter().any(|input| input == name)).collect();
        let passes = |node: &onnx::Node| {
            let op = node.op.rsplit('.').next().unwrap_or_default();
            matches!(
                op,
                "DequantizeLinear"
                    | "QuantizeLinear"
                    | "Identity"
                    | "Cast"
                    | "Reshape"
                    | "Squeeze"
                    | "Unsqueeze"
                    | "Flatten"
            ) && node.outputs.first().is_some_and(|output| self.ends_the_model(output))
        };
        !readers.is_empty() && readers.into_iter().all(passes)
    }

    /// Whether a node is another one times -1.
    pub(super) fn is_negative(&self, negative: NodeId, node: NodeId) -> bool {
        match &self.nodes[negative].op {
            Op::Mul { x, constant } => *x == node && constant.iter().all(|factor| factor.total_cmp(&-1.0).is_eq()),
            _ => false,
        }
    }

    /// ONNX's operator set version.
    pub(super) fn opset(&self) -> i64 {
        self.model.opset
    }

    /// Whether there is room for a value of so many elements, and for the weights that make it.
    pub(super) fn check_room(&mut self, node: &onnx::Node, elements: usize, weights: usize) -> Result<(), Problem> {
        let held = self.nodes.iter().map(|node| node.len).fold(elements, usize::saturating_add);
        let too_much = if held > MOST_ELEMENTS {
            format!("the values up to here have {held} elements together, at most {MOST_ELEMENTS} are compiled")
        } else if self.room.take(&[weights]).is_err() {
            format!("uses {weights} weights: with those before, more than any script can use")
        } else {
            return Ok(());
        };
        Err(node
            .problem(too_much)
            .help("shrink the network: every element, and every weight, takes bytes of the script"))
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
        let weights = if let Op::MatMul { weights, .. } = &op { weights.elements.len() } else { 0 };
        self.check_room(node, shape.iter().product(), weights)?;
        Ok(self.push_from(origin(node), op, shape, element))
    }

    /// Adds a step that comes from elsewhere, and whose constants are finite.
    pub(super) fn push_from(&mut self, origin: Origin, op: Op, shape: Vec<usize>, element: ElementType) -> Computed {
        let len = shape.iter().product();
        self.nodes.push(Node { op, len, origin });
        Computed { node: self.nodes.len() - 1, shape, element, meaning: Meaning::Value }
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
        let mut notes = self.model.notes.clone();
        let answer = self.answer(output, &value, &mut notes)?;
        let labels = match (&value.meaning, answer) {
            (Meaning::Label(_, labels), _) => labels.clone(),
            (_, Answer::Scores) => self.score_labels.clone(),
            _ => Labels::Indices,
        }
        .simplified();
        let labels = match labels {
            Labels::Indices => self.named_in_metadata(&value, answer, &mut notes),
            labels => labels,
        };
        notes.extend(labels.note());
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
            labels,
            notes,
        })
    }

    /// Labels that the metadata give, where the graph gives none.
    fn named_in_metadata(&self, value: &Computed, answer: Answer, notes: &mut Vec<String>) -> Labels {
        let last = match answer {
            Answer::Class => value.node,
            _ => self.nodes.len() - 1,
        };
        let classes = match self.nodes[last].op {
            Op::ArgMax { x, .. } => self.nodes[x].len,
            Op::Positive { .. } => 2,
            _ => 0,
        };
        let (labels, note) = metadata::labels(&self.model.metadata, classes);
        notes.extend(note);
        labels
    }

    /// What the model's output is; adds the step that makes a class of it where the model has none itself.
    fn answer(&mut self, output: &str, value: &Computed, notes: &mut Vec<String>) -> Result<Answer, Problem> {
        match (&value.meaning, self.nodes[value.node].len) {
            (Meaning::Class(_) | Meaning::Label(..), _) => Ok(Answer::Class),
            (Meaning::Test(test), _) => {
                Err(Problem::of_model(format!("output `{output}` is {}, not a number", test.describe()))
                    .help("export the model up to its scores or its class"))
            }
            (Meaning::Largest(top), _) => {
                Err(Problem::of_node(&top.name, &top.op, "ends the model in the largest score, which is no class")
                    .help("let its second result, the index of that, be the model's output"))
            }
            (Meaning::Complement(sigmoid), _) => {
                let reason = "ends the model in the probability that the class is 0";
                Err(Problem::of_node(&sigmoid.name, &sigmoid.op, reason)
                    .help("export the class, or the probability that it is 1"))
            }
            (Meaning::Pair(sigmoid), _) => {
                notes.push(
                    "the model ends in two scores, one for each class: the class is 1 where its score is larger".into(),
                );
                self.nodes.push(Node { op: Op::Positive { x: value.node }, len: 1, origin: sigmoid.clone() });
                Ok(Answer::Scores)
            }
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
