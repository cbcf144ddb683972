//! The integer tensor IR: what a contract computes, exactly.
//!
//! A program is a list of values, each a vector of integers with a *scale* (an integer `v` stands for
//! the number `v · scale`) and an *interval* for each element that holds for every input the contract
//! can be given. The definition of the answer is [`eval`]; all later stages must reproduce it bit for bit.
//!
//! Invariants, checked by [`verify`]:
//! 1. value 0 is the only [`Op::Input`], and operands have smaller indices than their users;
//! 2. the last value is the answer and has one element: an [`Op::ArgMax`] or [`Op::Positive`], which stand nowhere else,
//!    gives a class; any other op gives the model's number, in steps of its scale;
//! 3. the number of elements, the scale and the intervals of a value are what its op and its operands make them;
//! 4. constants have as many elements as the value they belong to, matrices as many rows as their operand has elements;
//! 5. divisors are at least 2, factors of roundings at least 1, and bends of curves lie in order;
//! 6. each value belongs to a layer of the table;
//! 7. what is added to each other or joined has one scale, and added or multiplied vectors have one length.

pub mod builder;
mod curve;
mod eval;
pub mod interval;
mod print;
mod storage;
mod verify;

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive};

pub use builder::Builder;
pub use curve::{Bend, Curve};
pub use eval::{eval, eval_all, round_quotient};
pub use interval::Interval;
pub use print::{describe_scale, print};
pub use storage::Storage;
pub use verify::verify;

pub use crate::graph::Tie;
use crate::input::InputFormat;
use crate::prediction::Prediction;

/// Index of a value.
pub type ValueId = usize;

/// Index of a layer.
pub type LayerId = usize;

/// A network in integers.
#[derive(Debug, Clone, PartialEq)]
pub struct Ir {
    /// The model's file name.
    pub name: String,
    /// How the unlocking script gives the input.
    pub input: InputFormat,
    /// Layers, in the order of the network.
    pub layers: Vec<Layer>,
    /// Values, operands first.
    pub values: Vec<Value>,
}

/// A part of the network that a person would call a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// `input`, `dense 1`, ..., `argmax` or `threshold`.
    pub label: String,
    /// The ONNX nodes that it comes from.
    pub onnx_nodes: Vec<String>,
    /// Where outputs have scales of their own (folded into the next layer's weights): element `j` of the
    /// layer's values stands for `v · scale · channels[j]`. Empty where all are 1. Reports only: no
    /// later stage computes with it.
    pub channels: Vec<f64>,
    /// How the weights are stored; `None` where there are none.
    pub storage: Option<Storage>,
    /// Smooth functions in it, and what stands for them. Reports only.
    pub approximations: Vec<String>,
}

/// A vector of integers.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// What it is.
    pub op: Op,
    /// What a step of one is worth in the model's numbers.
    pub scale: BigRational,
    /// Bounds of each element.
    pub intervals: Vec<Interval>,
    /// The layer it belongs to.
    pub layer: LayerId,
}

/// Integer operations on vectors.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The sample, one integer an element.
    Input,
    /// `result[j] = Σ_i x[i]·w[i][j]`.
    MatMul {
        /// Operand.
        x: ValueId,
        /// Constant weights.
        weights: Arc<Matrix>,
    },
    /// Every single product: `result[i·columns + j] = x[i]·w[i][j]`.
    Products {
        /// Operand.
        x: ValueId,
        /// Constant weights.
        weights: Arc<Matrix>,
    },
    /// `result[j] = Σ_i x[i·columns + j]`.
    SumRows {
        /// Operand.
        x: ValueId,
        /// Length of a row.
        columns: usize,
    },
    /// `result[j] = x[j] + constant[j]`.
    Add {
        /// Operand.
        x: ValueId,
        /// Addends, at the operand's scale.
        constant: Vec<BigInt>,
    },
    /// `result[j] = x[j]·constant[j]`, at the operand's scale times `unit`.
    Mul {
        /// Operand.
        x: ValueId,
        /// Integer factors.
        constant: Vec<BigInt>,
        /// What a step of one in a factor is worth.
        unit: BigRational,
    },
    /// `result[j] = x[j] / divisor`, truncated toward zero.
    Rescale {
        /// Operand.
        x: ValueId,
        /// At least 2.
        divisor: BigInt,
    },
    /// `result[j] = x[j]·factors[j] / divisor`, rounded to the nearest integer, halves to the even one.
    Round {
        /// Operand.
        x: ValueId,
        /// At least 1.
        factors: Vec<BigInt>,
        /// At least 2.
        divisor: BigInt,
        /// What a step of one in the result is worth.
        scale: BigRational,
    },
    /// `result[j] = max(x[j], 0)`.
    Relu {
        /// Operand.
        x: ValueId,
    },
    /// `result[j] = max(x[j], constant[j])`.
    Max {
        /// Operand.
        x: ValueId,
        /// Lower bounds, at the operand's scale.
        constant: Vec<BigInt>,
    },
    /// `result[j] = min(x[j], constant[j])`.
    Min {
        /// Operand.
        x: ValueId,
        /// Upper bounds, at the operand's scale.
        constant: Vec<BigInt>,
    },
    /// `result[j] = curve(x[j])`, at the operand's scale times `unit`.
    Piecewise {
        /// Operand.
        x: ValueId,
        /// One curve for all elements, or one for each.
        curves: Arc<Vec<Curve>>,
        /// What a step of one in a slope is worth.
        unit: BigRational,
    },
    /// `result[j] = x[j] + y[j]`.
    Sum {
        /// Both operands.
        terms: [ValueId; 2],
    },
    /// `result[j] = x[j] · y[j]`, at the product of their scales.
    Product {
        /// Both operands.
        factors: [ValueId; 2],
    },
    /// `result[j]` is an element of a part.
    Gather {
        /// Operands.
        parts: Vec<ValueId>,
        /// Which part, and which of its elements.
        picks: Arc<Vec<(usize, usize)>>,
    },
    /// The index of the largest element.
    ArgMax {
        /// Operand.
        x: ValueId,
        /// Which index wins a tie.
        tie: Tie,
    },
    /// 1 where the one element is above 0, else 0.
    Positive {
        /// Operand, of one element.
        x: ValueId,
    },
}

/// Integer weights, row-major: one row an input, one column an output.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Inputs.
    pub rows: usize,
    /// Outputs.
    pub columns: usize,
    /// `rows · columns` weights.
    pub elements: Vec<i64>,
    /// What a step of one is worth in the model's numbers.
    pub unit: BigRational,
}

impl Op {
    /// The operands: none of the input, most often one.
    pub fn operands(&self) -> &[ValueId] {
        match self {
            Op::Input => &[],
            Op::MatMul { x, .. }
            | Op::Products { x, .. }
            | Op::SumRows { x, .. }
            | Op::Add { x, .. }
            | Op::Mul { x, .. }
            | Op::Rescale { x, .. }
            | Op::Round { x, .. }
            | Op::Relu { x }
            | Op::Max { x, .. }
            | Op::Min { x, .. }
            | Op::Piecewise { x, .. }
            | Op::ArgMax { x, .. }
            | Op::Positive { x } => std::slice::from_ref(x),
            Op::Sum { terms } => terms,
            Op::Product { factors } => factors,
            Op::Gather { parts, .. } => parts,
        }
    }

    fn operands_mut(&mut self) -> &mut [ValueId] {
        match self {
            Op::Input => &mut [],
            Op::MatMul { x, .. }
            | Op::Products { x, .. }
            | Op::SumRows { x, .. }
            | Op::Add { x, .. }
            | Op::Mul { x, .. }
            | Op::Rescale { x, .. }
            | Op::Round { x, .. }
            | Op::Relu { x }
            | Op::Max { x, .. }
            | Op::Min { x, .. }
            | Op::Piecewise { x, .. }
            | Op::ArgMax { x, .. }
            | Op::Positive { x } => std::slice::from_mut(x),
            Op::Sum { terms } => terms,
            Op::Product { factors } => factors,
            Op::Gather { parts, .. } => parts,
        }
    }

    /// The operand of an op that has just one.
    pub fn operand(&self) -> Option<ValueId> {
        match self.operands() {
            &[x] => Some(x),
            _ => None,
        }
    }

    /// The same op on other operands.
    #[must_use]
    pub fn with_operands(&self, moved: impl Fn(ValueId) -> ValueId) -> Op {
        let mut op = self.clone();
        op.operands_mut().iter_mut().for_each(|operand| *operand = moved(*operand));
        op
    }
}

impl Value {
    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.intervals.len()
    }

    /// Whether it has no elements; verified values have some.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// The smallest interval around all elements.
    pub fn hull(&self) -> Interval {
        hull(&self.intervals)
    }
}

fn hull(intervals: &[Interval]) -> Interval {
    let first = intervals.first().cloned().unwrap_or(Interval::new(0, 0));
    intervals.iter().fold(first, |hull, interval| hull.union(interval))
}

impl Matrix {
    /// The weight from input `row` to output `column`.
    pub fn at(&self, row: usize, column: usize) -> i64 {
        self.elements[row * self.columns + column]
    }

    /// The weights of one input.
    pub fn row(&self, row: usize) -> &[i64] {
        &self.elements[row * self.columns..][..self.columns]
    }
}

impl Ir {
    /// The value that the answer is.
    pub fn output(&self) -> ValueId {
        self.values.len().saturating_sub(1)
    }

    /// How many weights there are in all layers.
    pub fn weights(&self) -> usize {
        self.values.iter().map(|value| value.op.weights().map_or(0, |weights| weights.elements.len())).sum()
    }

    /// The value that decides: the scores or the logit that the class is made of, else the number that is the answer.
    pub fn scores(&self) -> ValueId {
        match self.values[self.output()].op {
            Op::ArgMax { x, .. } | Op::Positive { x } => x,
            _ => self.output(),
        }
    }

    /// How many classes there are; none where the answer is a number.
    pub fn classes(&self) -> usize {
        match self.values[self.output()].op {
            Op::ArgMax { x, .. } => self.values[x].len(),
            Op::Positive { .. } => 2,
            _ => 0,
        }
    }

    /// What a step of one in the answer is worth, where that is a number and no class.
    pub fn answer_scale(&self) -> Option<&BigRational> {
        (self.classes() == 0).then(|| &self.values[self.output()].scale)
    }

    /// What an answer says in the model's terms; nothing where it is no class.
    pub fn prediction(&self, answer: &BigInt) -> Option<Prediction> {
        match self.answer_scale() {
            Some(scale) => (scale * answer).to_f64().map(Prediction::Value),
            None => answer.to_u64().map(Prediction::Class),
        }
    }

    /// The answer, where the intervals prove that every input has the same one.
    pub fn constant_answer(&self) -> Option<BigInt> {
        let output = &self.values[self.output()];
        match &output.op {
            Op::ArgMax { x, tie } => constant_argmax(&self.values[*x].intervals, *tie).map(BigInt::from),
            Op::Positive { x } => match &self.values[*x].intervals[0] {
                logit if logit.low.is_positive() => Some(BigInt::one()),
                logit if !logit.high.is_positive() => Some(BigInt::ZERO),
                _ => None,
            },
            _ => output.intervals[0].as_point().cloned(),
        }
    }

    /// How often each value is used.
    pub fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.values.len()];
        for &operand in self.values.iter().flat_map(|value| value.op.operands()) {
            uses[operand] += 1;
        }
        uses
    }
}

/// The index that wins whatever the scores are within their intervals.
fn constant_argmax(scores: &[Interval], tie: Tie) -> Option<usize> {
    let beats = |i: usize, j: usize| match scores[i].low.cmp(&scores[j].high) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => (i < j) == (tie == Tie::First),
        std::cmp::Ordering::Less => false,
    };
    (0..scores.len()).find(|&i| (0..scores.len()).all(|j| i == j || beats(i, j)))
}

impl Op {
    /// The weights, where it is a dense layer's op.
    pub fn weights(&self) -> Option<&Arc<Matrix>> {
        match self {
            Op::MatMul { weights, .. } | Op::Products { weights, .. } => Some(weights),
            _ => None,
        }
    }
}
