//! From floats to integers: the last place where floats are seen.
//!
//! Every float is read as the rational it is, divided by its unit exactly and rounded to the nearest
//! integer, halves to even. What this stage promises:
//! 1. scales are exact rationals: an integer `v` at scale `s` stands for `v · s` and nothing else;
//! 2. every division that the contract will make is an explicit [`Rescale`](crate::ir::Op::Rescale);
//! 3. a multiplication by one positive number for all elements is a change of scale, and costs nothing.

pub mod decimal;
mod weights;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

use crate::error::{Problem, Refusal};
use crate::graph::{self, Graph};
use crate::input::InputFormat;
use crate::ir::{Builder, Ir, Layer, LayerId, Op, ValueId};

/// How weights become integers.
#[derive(Debug, Clone, PartialEq)]
pub enum Weights {
    /// Multiples of one unit for the whole network, as in the article.
    Fixed {
        /// What a step of one is worth; positive.
        unit: BigRational,
    },
}

/// Where the division by the weights' scale happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rescale {
    /// After every single product, as in the article.
    Product,
    /// Once, after the dot product.
    #[default]
    Sum,
    /// Never: scales multiply through the layers, and nothing is rounded.
    None,
}

/// The choices of this stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// How weights become integers.
    pub weights: Weights,
    /// Where rescaling happens.
    pub rescale: Rescale,
}

impl Default for Weights {
    fn default() -> Self {
        Weights::Fixed { unit: decimal::power_of_ten(-8) }
    }
}

impl FromStr for Weights {
    type Err = String;

    /// Reads `fixed:SCALE`, the scale being how many steps make one: `fixed:1e8`.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some(scale) = text.strip_prefix("fixed:") else {
            return Err("give fixed:SCALE, as in fixed:1e8".into());
        };
        let scale = decimal::parse_rational(scale)?;
        if !scale.is_positive() {
            return Err("the scale must be positive".into());
        }
        Ok(Weights::Fixed { unit: scale.recip() })
    }
}

impl FromStr for Rescale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "product" => Ok(Rescale::Product),
            "sum" => Ok(Rescale::Sum),
            "none" => Ok(Rescale::None),
            _ => Err("give product, sum or none".into()),
        }
    }
}

impl fmt::Display for Rescale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rescale::Product => "product",
            Rescale::Sum => "sum",
            Rescale::None => "none",
        })
    }
}

/// Lowers a network to integers.
///
/// # Errors
/// A [`Refusal`] when a weight does not fit the scale.
pub fn quantise(graph: &Graph, input: InputFormat, options: &Options) -> Result<Ir, Refusal> {
    let layer = Layer { label: "input".into(), onnx_nodes: vec![graph.input_name.clone()], channels: vec![] };
    let builder = Builder::new(graph.name.clone(), input, graph.input_len(), layer);
    let mut lowering = Lowering { options, builder, layer: 0, dense: 0, lowered: Vec::new() };
    for node in &graph.nodes {
        let value = lowering.node(node)?;
        lowering.lowered.push(value);
    }
    Ok(lowering.builder.finish())
}

/// The IR made so far.
struct Lowering<'a> {
    options: &'a Options,
    builder: Builder,
    layer: LayerId,
    /// Dense layers so far.
    dense: usize,
    /// The value of each graph node.
    lowered: Vec<ValueId>,
}

impl Lowering<'_> {
    fn node(&mut self, node: &graph::Node) -> Result<ValueId, Refusal> {
        match &node.op {
            graph::Op::MatMul { .. } => {
                self.dense += 1;
                self.start_layer(format!("dense {}", self.dense));
            }
            graph::Op::ArgMax { .. } => self.start_layer("argmax".into()),
            _ => {}
        }
        self.builder.onnx_node(&node.origin.name);
        match &node.op {
            graph::Op::Input => Ok(self.input_offset()),
            graph::Op::MatMul { x, weights } => self.matmul(self.lowered[*x], weights, &node.origin),
            graph::Op::Add { x, constant } => Ok(self.add(self.lowered[*x], constant)),
            graph::Op::Mul { x, constant } => self.mul(self.lowered[*x], constant, &node.origin),
            graph::Op::Relu { x } => Ok(self.push(Op::Relu { x: self.lowered[*x] })),
            graph::Op::ArgMax { x, tie } => Ok(self.push(Op::ArgMax { x: self.lowered[*x], tie: *tie })),
        }
    }

    fn start_layer(&mut self, label: String) {
        self.layer = self.builder.layer(Layer { label, onnx_nodes: vec![], channels: vec![] });
    }

    fn push(&mut self, op: Op) -> ValueId {
        self.builder.push(op, self.layer)
    }

    /// The input is worth `v·scale + offset`: brings both under one, finer scale.
    fn input_offset(&mut self) -> ValueId {
        let scale = self.builder.value(0).scale.clone();
        let offset = match &self.builder.input().offset {
            offset if offset.is_zero() => return 0,
            offset => offset / &scale,
        };
        let len = self.builder.value(0).len();
        let mut x = 0;
        if !offset.is_integer() {
            let unit = BigRational::new(BigInt::one(), offset.denom().clone());
            x = self.push(Op::Mul { x, constant: vec![offset.denom().clone(); len], unit });
        }
        self.push(Op::Add { x, constant: vec![offset.numer().clone(); len] })
    }

    fn matmul(&mut self, x: ValueId, weights: &graph::Matrix, origin: &graph::Origin) -> Result<ValueId, Refusal> {
        let weights = Arc::new(weights::quantise(weights, &self.options.weights, origin)?);
        let columns = weights.columns;
        Ok(match self.options.rescale {
            Rescale::Product => {
                let products = self.push(Op::Products { x, weights });
                let rescaled = self.rescale(products);
                self.push(Op::SumRows { x: rescaled, columns })
            }
            Rescale::Sum => {
                let sums = self.push(Op::MatMul { x, weights });
                self.rescale(sums)
            }
            Rescale::None => self.push(Op::MatMul { x, weights }),
        })
    }

    /// Divides by the integer that brings the scale nearest to the weights' unit, if that is 2 or more.
    fn rescale(&mut self, x: ValueId) -> ValueId {
        let Weights::Fixed { unit } = &self.options.weights;
        let divisor = decimal::nearest_divisor(&(unit / &self.builder.value(x).scale));
        if divisor.is_one() { x } else { self.push(Op::Rescale { x, divisor }) }
    }

    fn add(&mut self, x: ValueId, constant: &[f64]) -> ValueId {
        let scale = self.builder.value(x).scale.clone();
        // The importer lets only finite constants pass.
        let constant = constant.iter().map(|&value| decimal::steps(value, &scale).unwrap_or_default()).collect();
        self.push(Op::Add { x, constant })
    }

    fn mul(&mut self, x: ValueId, constant: &[f64], origin: &graph::Origin) -> Result<ValueId, Refusal> {
        let first = constant.first().copied().unwrap_or(1.0);
        let uniform = constant.iter().all(|value| value.to_bits() == first.to_bits());
        if let (true, Some(factor)) = (uniform, decimal::exact(first).filter(|factor| !factor.is_zero())) {
            let sign = if factor.is_negative() { -BigInt::one() } else { BigInt::one() };
            return Ok(self.push(Op::Mul { x, constant: vec![sign; constant.len()], unit: factor.abs() }));
        }
        let Weights::Fixed { unit } = &self.options.weights;
        let steps = constant.iter().map(|&value| decimal::steps(value, unit)).collect::<Option<Vec<_>>>();
        let steps =
            steps.ok_or_else(|| Problem::of_node(&origin.name, &origin.op, "holds a factor that is not finite"))?;
        let product = self.push(Op::Mul { x, constant: steps, unit: unit.clone() });
        Ok(match self.options.rescale {
            Rescale::None => product,
            Rescale::Product | Rescale::Sum => self.rescale(product),
        })
    }
}
