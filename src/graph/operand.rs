//! What an ONNX value name stands for while a graph is being imported.

use super::import::Importer;
use super::{Labels, NodeId, Origin, smooth};
use crate::error::Problem;
use crate::onnx::{ElementType, Node, Tensor};

/// A value of the ONNX graph.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// Known at compile time.
    Constant(Tensor),
    /// Computed from the sample.
    Computed(Computed),
}

/// A value that depends on the sample: a node's result, seen in some shape.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    /// The node whose elements it has, in row-major order.
    pub(super) node: NodeId,
    /// ONNX's shape of it for one sample.
    pub(super) shape: Vec<usize>,
    /// ONNX's element type of it.
    pub(super) element: ElementType,
    /// What is left of the values.
    pub(super) meaning: Meaning,
}

/// What the elements of a computed value can still be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Any computation.
    Value,
    /// Only their order is right: a Softmax, or another op that keeps the order, was dropped here.
    Order(Origin),
    /// Logits, of which a Sigmoid was dropped here: their order is right, and which are above the threshold.
    Logit(Origin),
    /// A logit `x` that stands for one minus its Sigmoid.
    Complement(Origin),
    /// A logit `x` that stands for two probabilities, one minus its Sigmoid and the Sigmoid.
    Pair(Origin),
    /// The class: nothing can be computed from it.
    Class(Origin),
    /// The class, by its label.
    Label(Origin, Labels),
    /// Stands for the largest element, which is not computed.
    Largest(Origin),
    /// Something that is asked about each element, and may have no number.
    Test(Test),
}

/// What may be asked about the elements of a float value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    /// Their bits, as an integer.
    Bits,
    /// Their sign bit alone, where an integer or a float has it.
    SignBit,
    /// Whether the sign bit is set: it is for numbers below zero, and for a negative zero.
    Signed,
    /// Whether they are zero.
    Zero,
    /// Whether they are above, or below, something: a Where may choose by it.
    Compared,
}

impl Test {
    /// In words.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Test::Bits => "the bits of computed numbers",
            Test::SignBit | Test::Signed => "the sign bit of computed numbers",
            Test::Zero => "whether computed numbers are zero",
            Test::Compared => "how computed numbers compare",
        }
    }
}

impl Computed {
    /// The value, where a further computation may use it. A Sigmoid that was dropped so far is computed then.
    pub(super) fn for_computing(self, importer: &mut Importer<'_>, user: &Node) -> Result<Computed, Problem> {
        let problem =
            |origin: &Origin| user.problem(format!("computes with the result of `{}` ({})", origin.name, origin.op));
        match &self.meaning {
            Meaning::Value => Ok(self),
            Meaning::Order(softmax) => Err(problem(softmax).help(format!(
                "{}, which divides by what it computes of the sample, can only be the last step, or stand before an \
                 ArgMax, where it does not change the class; export the network without it",
                softmax.op.rsplit('.').next().unwrap_or_default()
            ))),
            Meaning::Logit(sigmoid) => Ok(smooth::sigmoid(importer, sigmoid.clone(), &self)),
            Meaning::Complement(sigmoid) | Meaning::Pair(sigmoid) => Err(problem(sigmoid).help(
                "one minus a Sigmoid can only stand beside that Sigmoid at the end, as the probability of the other class",
            )),
            Meaning::Class(argmax) | Meaning::Label(argmax, _) => Err(user
                .problem(format!("computes with the class that `{}` ({}) gives", argmax.name, argmax.op))
                .help("the class can only be the model's output; export the network up to its ArgMax")),
            Meaning::Largest(top) => Err(problem(top).help("of TopK only the index of the largest element is computed")),
            Meaning::Test(test) => Err(user
                .problem(format!("computes with {}", test.describe()))
                .help(
                    "of that kind, only a Where that chooses between functions of the same number, and the guard against \
                     negative zeros that Keras puts before an ArgMax are known",
                )),
        }
    }

    /// The value, where sums and products with it are those of real numbers.
    pub(super) fn for_arithmetic(self, importer: &mut Importer<'_>, user: &Node) -> Result<Computed, Problem> {
        let value = self.for_computing(importer, user)?;
        if value.element.computes() {
            return Ok(value);
        }
        Err(user
            .problem("computes with narrow or unsigned integers, which wrap around")
            .help("put a Cast to float32 (or int32) in front of it"))
    }

    /// The same elements in another shape.
    pub(super) fn reshaped(self, shape: Vec<usize>) -> Computed {
        Computed { shape, ..self }
    }

    /// The same elements with less or more that can be done with them.
    pub(super) fn meaning(self, meaning: Meaning) -> Computed {
        Computed { meaning, ..self }
    }

    /// How many elements it has.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }
}
