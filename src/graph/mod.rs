//! A validated network: what a model means, in floats, with nothing of ONNX left but names.
//!
//! Invariants, established by [`import`] and relied on by every later stage:
//! 1. node 0 is the only [`Op::Input`]; every operand has a smaller index than its user;
//! 2. the last node is the answer: an [`Op::ArgMax`] or [`Op::Positive`], which stand nowhere else, where that is a
//!    class; any other op with one element where it is that number itself;
//! 3. constants have one element for each element of the result ([`Op::MatMul`]: rows × columns),
//!    and all are finite; the two operands of an [`Op::Sum`] or an
//!    [`Op::Product`] have as many elements as it, picks lie inside their parts;
//! 4. shapes are gone: a value is a vector of `len` elements in row-major order, for one sample.
//!
//! If a model gets this far, what follows succeeds or says which limit is hit.

mod activation;
mod affine;
mod compose;
mod dense;
mod dims;
mod eval;
mod fold;
mod function;
mod idioms;
mod import;
mod labels;
mod linear;
mod metadata;
mod normalise;
mod operand;
mod ops;
mod quantised;
mod relabel;
mod select;
mod shape;
mod sign;
mod simplify;
mod sklearn;
mod smooth;
mod tail;
mod types;

use std::sync::Arc;

pub use eval::{eval_all, margin};
pub use function::Function;
pub use import::import;
pub use labels::Labels;
pub use ops::{SUPPORTED, Supported};
#[cfg(test)]
pub(crate) use smooth::named;

use crate::onnx::ElementType;
use crate::prediction::Prediction;

/// Index of a node in its graph.
pub type NodeId = usize;

/// A network for one sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// The model's file name.
    pub name: String,
    /// Name of the input in the model.
    pub input_name: String,
    /// Shape of the input for one sample.
    pub input_shape: Vec<usize>,
    /// Element type of the input.
    pub input_element: ElementType,
    /// Nodes, operands first.
    pub nodes: Vec<Node>,
    /// What the model's own output is.
    pub answer: Answer,
    /// What the model calls its classes.
    pub labels: Labels,
    /// What the importer decided that the user may want to know.
    pub notes: Vec<String>,
}

/// What the model's own output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The class, by an ArgMax of the model's.
    Class,
    /// One score a class: the class is the ArgMax that the compiler adds.
    Scores,
    /// The probability of class 1, by a Sigmoid: the class is 1 where it exceeds one half, else 0.
    Probability,
    /// A number, which is the answer itself.
    Value,
}

/// One step of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// How many elements its result has.
    pub len: usize,
    /// Where it comes from.
    pub origin: Origin,
}

/// The ONNX node that a step comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The node's name, as errors and listings show it.
    pub name: String,
    /// Its op type.
    pub op: String,
}

/// What a node computes.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The sample.
    Input,
    /// `result[j] = Σ_i x[i]·weights[i][j]`.
    MatMul {
        /// Operand.
        x: NodeId,
        /// Constant weights.
        weights: Matrix,
    },
    /// `result[j] = x[j] + constant[j]`.
    Add {
        /// Operand.
        x: NodeId,
        /// One addend an element.
        constant: Vec<f64>,
    },
    /// `result[j] = x[j] · constant[j]`.
    Mul {
        /// Operand.
        x: NodeId,
        /// One factor an element.
        constant: Vec<f64>,
    },
    /// `result[j] = max(x[j], 0)`.
    Relu {
        /// Operand.
        x: NodeId,
    },
    /// `result[j] = x[j]` where that is above 0, else `slopes[j] · x[j]`.
    Leaky {
        /// Operand.
        x: NodeId,
        /// One slope an element.
        slopes: Vec<f64>,
    },
    /// `result[j] = max(x[j], constant[j])`.
    Max {
        /// Operand.
        x: NodeId,
        /// One lower bound an element.
        constant: Vec<f64>,
    },
    /// `result[j] = min(x[j], constant[j])`.
    Min {
        /// Operand.
        x: NodeId,
        /// One upper bound an element.
        constant: Vec<f64>,
    },
    /// `result[j] = function(x[j])`, to within the error that a user allows.
    Activate {
        /// Operand.
        x: NodeId,
        /// A function of one number.
        function: Arc<Function>,
    },
    /// `result[j] = x[j] / step`, rounded to the nearest integer, halves to the even one.
    Round {
        /// Operand.
        x: NodeId,
        /// What an integer is a multiple of; positive.
        step: f64,
    },
    /// `result[j] = x[j] + y[j]`.
    Sum {
        /// Both operands.
        terms: [NodeId; 2],
    },
    /// `result[j] = x[j] · y[j]`.
    Product {
        /// Both operands.
        factors: [NodeId; 2],
    },
    /// `result[j]` is an element of a part.
    Gather {
        /// Operands.
        parts: Vec<NodeId>,
        /// Which part, and which of its elements.
        picks: Vec<(usize, usize)>,
    },
    /// The index of the largest element.
    ArgMax {
        /// Operand.
        x: NodeId,
        /// Which index wins a tie.
        tie: Tie,
    },
    /// 1 where the one element is above 0, else 0.
    Positive {
        /// Operand.
        x: NodeId,
    },
}

/// Which of several equal largest elements is the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// The lowest index (ONNX's default).
    First,
    /// The highest index (`select_last_index = 1`).
    Last,
}

/// A constant matrix, row-major: one row an input, one column an output.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Inputs.
    pub rows: usize,
    /// Outputs.
    pub columns: usize,
    /// `rows * columns` elements.
    pub elements: Vec<f64>,
}

impl Matrix {
    /// Weights for all of so many elements that others are picked from: those that are not picked weigh nothing.
    pub(crate) fn before_picks(&self, picks: impl Iterator<Item = usize>, rows: usize) -> Matrix {
        let columns = self.columns;
        let mut elements = vec![0.0; rows * columns];
        for (from, to) in picks.enumerate() {
            for column in 0..columns {
                elements[to * columns + column] += self.elements[from * columns + column];
            }
        }
        Matrix { elements, rows, columns }
    }
}

impl Op {
    /// The operands: none of the input, most often one.
    pub(crate) fn operands(&self) -> &[NodeId] {
        match self {
            Op::Input => &[],
            Op::MatMul { x, .. }
            | Op::Add { x, .. }
            | Op::Mul { x, .. }
            | Op::Relu { x }
            | Op::Leaky { x, .. }
            | Op::Max { x, .. }
            | Op::Min { x, .. }
            | Op::Activate { x, .. }
            | Op::Round { x, .. }
            | Op::ArgMax { x, .. }
            | Op::Positive { x } => std::slice::from_ref(x),
            Op::Sum { terms } => terms,
            Op::Product { factors } => factors,
            Op::Gather { parts, .. } => parts,
        }
    }

    /// The same, to be changed.
    pub(crate) fn operands_mut(&mut self) -> &mut [NodeId] {
        match self {
            Op::Input => &mut [],
            Op::MatMul { x, .. }
            | Op::Add { x, .. }
            | Op::Mul { x, .. }
            | Op::Relu { x }
            | Op::Leaky { x, .. }
            | Op::Max { x, .. }
            | Op::Min { x, .. }
            | Op::Activate { x, .. }
            | Op::Round { x, .. }
            | Op::ArgMax { x, .. }
            | Op::Positive { x } => std::slice::from_mut(x),
            Op::Sum { terms } => terms,
            Op::Product { factors } => factors,
            Op::Gather { parts, .. } => parts,
        }
    }

    /// The constants that it computes with.
    pub(crate) fn constants(&self) -> &[f64] {
        match self {
            Op::MatMul { weights, .. } => &weights.elements,
            Op::Add { constant, .. }
            | Op::Mul { constant, .. }
            | Op::Max { constant, .. }
            | Op::Min { constant, .. }
            | Op::Leaky { slopes: constant, .. } => constant,
            Op::Round { step, .. } => std::slice::from_ref(step),
            Op::Input
            | Op::Relu { .. }
            | Op::Activate { .. }
            | Op::Sum { .. }
            | Op::Product { .. }
            | Op::Gather { .. }
            | Op::ArgMax { .. }
            | Op::Positive { .. } => &[],
        }
    }
}

impl Graph {
    /// Folds constants into dense layers; `on_grid` tells weights that are to keep their values.
    pub fn simplify(&mut self, on_grid: impl Fn(&Matrix) -> bool) {
        simplify::simplify(self, on_grid);
    }

    /// How many elements one sample has.
    pub fn input_len(&self) -> usize {
        self.nodes.first().map_or(0, |node| node.len)
    }

    /// The node that decides: the scores or the logit that the class is made of, else the number that is the answer.
    pub fn scores(&self) -> Option<NodeId> {
        match self.nodes.last()?.op {
            Op::ArgMax { x, .. } | Op::Positive { x } => Some(x),
            _ => Some(self.nodes.len() - 1),
        }
    }

    /// How many classes there are; none where the answer is a number.
    pub fn classes(&self) -> usize {
        match self.nodes.last().map(|node| &node.op) {
            Some(Op::ArgMax { x, .. }) => self.nodes[*x].len,
            Some(Op::Positive { .. }) => 2,
            _ => 0,
        }
    }

    /// The class that the float model's own output means; the lowest index wins a tie unless the
    /// model says otherwise. None where the model gives a number.
    pub fn class_of(&self, output: &[f64]) -> Option<usize> {
        match self.prediction_of(output)? {
            Prediction::Class(class) => usize::try_from(class).ok(),
            Prediction::Value(_) => None,
        }
    }

    /// What the float model's own output says.
    pub fn prediction_of(&self, output: &[f64]) -> Option<Prediction> {
        let first = *output.first()?;
        Some(match self.answer {
            Answer::Class => Prediction::Class(self.labels.class_of(first)?),
            Answer::Scores => Prediction::Class(eval::argmax(output, Tie::First) as u64),
            Answer::Probability => Prediction::Class(u64::from(first > 0.5)),
            Answer::Value => Prediction::Value(first),
        })
    }
}
