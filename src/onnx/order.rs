//! The order of computation: every value made once and before it is read; nothing else kept.

use std::collections::BTreeMap;

use super::decode::made_twice;
use super::{Model, Node};
use crate::error::{Problem, Problems, Refusal};

/// Most nodes that a network may have: far more than a script can hold, and few enough that no stage
/// recurses or multiplies scales without end.
const MOST_NODES: usize = 2000;

/// Most operands that its nodes may have together.
const MOST_OPERANDS: usize = 8000;

/// Brings the nodes into an order of computation and drops those that no output needs.
pub(super) fn sort_and_prune(model: &mut Model) -> Result<(), Refusal> {
    if model.outputs.is_empty() || model.outputs.iter().any(String::is_empty) {
        return Err(Problem::of_model("the graph has no output").help("export the model again").into());
    }
    let makers = makers(model)?;
    let mut visit = Visit { model, makers: &makers, state: vec![State::New; model.nodes.len()], order: Vec::new() };
    let mut problems = Problems::default();
    for output in &model.outputs {
        if let Err(problem) = visit.value(output, None) {
            problems.push(problem);
        }
    }
    problems.into_result()?;
    let order = visit.order;
    let operands: usize = order.iter().map(|&index| model.nodes[index].inputs.len()).sum();
    if order.len() > MOST_NODES || operands > MOST_OPERANDS {
        let reason = format!(
            "the network has {} nodes with {operands} operands; at most {MOST_NODES} with {MOST_OPERANDS} are read",
            order.len()
        );
        let help = "use a smaller network, or simplify the model first, e.g. with onnxsim";
        return Err(Problem::of_model(reason).help(help).into());
    }
    let mut nodes: Vec<Option<Node>> = model.nodes.drain(..).map(Some).collect();
    model.nodes = order.into_iter().filter_map(|index| nodes[index].take()).collect();
    Ok(())
}

/// Which node makes each value.
fn makers(model: &Model) -> Result<BTreeMap<String, usize>, Refusal> {
    let mut makers = BTreeMap::new();
    let mut problems = Problems::default();
    for (index, node) in model.nodes.iter().enumerate() {
        for output in node.outputs.iter().filter(|name| !name.is_empty()) {
            let taken = model.is_given(output);
            if makers.insert(output.clone(), index).is_some() || taken {
                problems.push(made_twice(node, output));
            }
        }
    }
    problems.into_result()?;
    Ok(makers)
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// A depth-first walk with its own stack: a chain of a million nodes is no stack overflow.
struct Visit<'a> {
    model: &'a Model,
    makers: &'a BTreeMap<String, usize>,
    state: Vec<State>,
    order: Vec<usize>,
}

impl Visit<'_> {
    fn value(&mut self, name: &str, reader: Option<&Node>) -> Result<(), Problem> {
        let Some(root) = self.maker(name, reader)? else {
            return Ok(());
        };
        let mut path = vec![(root, 0usize)];
        while let Some(&mut (index, ref mut next)) = path.last_mut() {
            let node = &self.model.nodes[index];
            if self.state[index] == State::Done {
                path.pop();
                continue;
            }
            self.state[index] = State::Open;
            let Some(operand) = node.inputs.get(*next) else {
                self.state[index] = State::Done;
                self.order.push(index);
                path.pop();
                continue;
            };
            *next += 1;
            if operand.is_empty() {
                continue;
            }
            if let Some(maker) = self.maker(operand, Some(node))? {
                match self.state[maker] {
                    State::New => path.push((maker, 0)),
                    State::Open => {
                        return Err(node
                            .problem("is part of a cycle: it needs its own result")
                            .help("export the model again: nodes can only read what others have made before"));
                    }
                    State::Done => {}
                }
            }
        }
        Ok(())
    }

    /// The node that makes a value; `None` for inputs and constants.
    fn maker(&self, name: &str, reader: Option<&Node>) -> Result<Option<usize>, Problem> {
        if self.model.is_given(name) {
            return Ok(None);
        }
        match (self.makers.get(name), reader) {
            (Some(&index), _) => Ok(Some(index)),
            (None, Some(node)) => Err(node
                .problem(format!("reads `{name}`, which nothing makes"))
                .help("export the model again; the file lacks a node or an initializer")),
            (None, None) => Err(Problem::of_model(format!("output `{name}` is made by no node"))
                .help("export the model again; the file lacks a node")),
        }
    }
}
