//! What an ONNX value name stands for while a graph is being imported.

use super::{NodeId, Origin};
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
    /// Only their order is right: a Softmax was dropped here.
    Order(Origin),
    /// Logits, of which a Sigmoid was dropped here: their order is right, and which are above the threshold.
    Logit(Origin),
    /// The class: nothing can be computed from it.
    Class(Origin),
}

impl Computed {
    /// The value, where a further computation may use it.
    pub(super) fn for_computing(self, user: &Node) -> Result<Computed, Problem> {
        match &self.meaning {
            Meaning::Value => Ok(self),
            Meaning::Order(softmax) => Err(user
                .problem(format!("computes with the result of `{}` ({})", softmax.name, softmax.op))
                .help(
                    "a Softmax can only be the last step, or stand before an ArgMax, where it does not change the class; \
                     export the network without it",
                )),
            Meaning::Logit(sigmoid) => Err(user
                .problem(format!("computes with the result of `{}` ({})", sigmoid.name, sigmoid.op))
                .help(
                    "a Sigmoid can only be the last step, where it decides between two classes, or stand before an ArgMax; \
                     use ReLU as the activation of hidden layers",
                )),
            Meaning::Class(argmax) => Err(user
                .problem(format!("computes with the class that `{}` ({}) gives", argmax.name, argmax.op))
                .help("the class can only be the model's output; export the network up to its ArgMax")),
        }
    }

    /// The value, where sums and products with it are those of real numbers.
    pub(super) fn for_arithmetic(self, user: &Node) -> Result<Computed, Problem> {
        let value = self.for_computing(user)?;
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

    /// How many elements it has.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }
}
