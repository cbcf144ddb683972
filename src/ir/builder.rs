//! Makes values whose length, scale and intervals follow from their op.

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};

use super::{Curve, Interval, Ir, Layer, LayerId, Matrix, Op, Storage, Value, ValueId, hull, round_quotient};
use crate::input::InputFormat;

/// Builds an [`Ir`] value by value.
#[derive(Debug)]
pub struct Builder {
    ir: Ir,
}

impl Builder {
    /// Starts a network of `len` inputs; value 0 is the input, in layer 0.
    pub fn new(name: String, input: InputFormat, len: usize, layer: Layer) -> Self {
        let intervals = vec![input.interval(); len];
        let value = Value { op: Op::Input, scale: input.scale.clone(), intervals, layer: 0 };
        Builder { ir: Ir { name, input, layers: vec![layer], values: vec![value] } }
    }

    /// Starts a rewrite of `ir`: the same input and layers, no other value yet.
    pub fn like(ir: &Ir) -> Self {
        let mut builder = Builder { ir: Ir { values: Vec::new(), ..ir.clone() } };
        builder.ir.values.push(ir.values[0].clone());
        builder
    }

    /// Adds a layer.
    pub fn layer(&mut self, layer: Layer) -> LayerId {
        self.ir.layers.push(layer);
        self.ir.layers.len() - 1
    }

    /// Notes that the newest layer comes from one more ONNX node.
    pub fn onnx_node(&mut self, name: &str) {
        if let Some(layer) = self.ir.layers.last_mut()
            && !layer.onnx_nodes.iter().any(|known| known == name)
        {
            layer.onnx_nodes.push(name.to_owned());
        }
    }

    /// Adds a value.
    pub fn push(&mut self, op: Op, layer: LayerId) -> ValueId {
        let (scale, intervals) = consequences(&op, &self.ir.values, &self.ir.input);
        self.ir.values.push(Value { op, scale, intervals, layer });
        self.ir.values.len() - 1
    }

    /// A value made so far.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.ir.values[id]
    }

    /// Says how the newest layer's weights are stored and its outputs are to be read.
    pub fn describe_layer(&mut self, storage: Storage, channels: Vec<f64>) {
        if let Some(layer) = self.ir.layers.last_mut() {
            (layer.storage, layer.channels) = (Some(storage), channels);
        }
    }

    /// Says what stands for a smooth function in the newest layer.
    pub fn describe_approximation(&mut self, approximation: String) {
        if let Some(layer) = self.ir.layers.last_mut() {
            layer.approximations.push(approximation);
        }
    }

    /// Makes a value the last one: what was made behind it goes.
    pub fn end_at(&mut self, id: ValueId) {
        self.ir.values.truncate(id + 1);
    }

    /// The network made so far.
    pub fn ir(&self) -> &Ir {
        &self.ir
    }

    /// The finished network.
    pub fn finish(self) -> Ir {
        self.ir
    }
}

/// The scale and the intervals that an op gives its result.
pub(super) fn consequences(op: &Op, values: &[Value], input: &InputFormat) -> (BigRational, Vec<Interval>) {
    let Some(&operand) = op.operands().first() else {
        let len = values.first().map_or(0, Value::len);
        return (input.scale.clone(), vec![input.interval(); len]);
    };
    let Value { scale, intervals: of, .. } = &values[operand];
    let kept = || scale.clone();
    match op {
        Op::Input => (kept(), of.clone()),
        Op::MatMul { weights, .. } => (scale * &weights.unit, matmul(of, weights)),
        Op::Products { weights, .. } => (scale * &weights.unit, products(of, weights)),
        Op::SumRows { columns, .. } => (kept(), sum_rows(of, *columns)),
        Op::Add { constant, .. } => (kept(), zip(of, constant, Interval::shift)),
        Op::Mul { constant, unit, .. } => (scale * unit, zip(of, constant, Interval::scale)),
        Op::Rescale { divisor, .. } => {
            (scale * BigRational::from(divisor.clone()), of.iter().map(|interval| interval.div(divisor)).collect())
        }
        Op::Round { factors, divisor, scale, .. } => {
            let round = |interval: &Interval, factor: &BigInt| {
                let end = |end: &BigInt| round_quotient(&(end * factor), divisor);
                Interval::new(end(&interval.low), end(&interval.high))
            };
            (scale.clone(), zip(of, factors, round))
        }
        Op::Relu { .. } => {
            let zero = Interval::point(BigInt::zero());
            (kept(), of.iter().map(|interval| interval.max(&zero)).collect())
        }
        Op::Max { constant, .. } => (kept(), zip(of, constant, |of, c| of.max(&Interval::point(c.clone())))),
        Op::Min { constant, .. } => (kept(), zip(of, constant, |of, c| of.min(&Interval::point(c.clone())))),
        Op::Piecewise { curves, unit, .. } => (scale * unit, piecewise(of, curves)),
        Op::Sum { terms: [_, y] } => (kept(), of.iter().zip(&values[*y].intervals).map(|(x, y)| x.add(y)).collect()),
        Op::Product { factors: [_, y] } => {
            let Value { scale: other, intervals: with, .. } = &values[*y];
            (scale * other, of.iter().zip(with).map(|(x, y)| x.mul(y)).collect())
        }
        Op::Gather { parts, picks } => {
            let pick = |&(part, index): &(usize, usize)| values[parts[part]].intervals[index].clone();
            (kept(), picks.iter().map(pick).collect())
        }
        Op::ArgMax { .. } => (BigRational::one(), vec![Interval::new(0, of.len().saturating_sub(1))]),
        Op::Positive { .. } => (BigRational::one(), vec![Interval::new(0, 1)]),
    }
}

fn zip(of: &[Interval], constant: &[BigInt], apply: impl Fn(&Interval, &BigInt) -> Interval) -> Vec<Interval> {
    of.iter().zip(constant).map(|(interval, constant)| apply(interval, constant)).collect()
}

fn matmul(of: &[Interval], weights: &Arc<Matrix>) -> Vec<Interval> {
    let mut sums = vec![Interval::new(0, 0); weights.columns];
    for (row, interval) in of.iter().enumerate() {
        for (sum, &weight) in sums.iter_mut().zip(weights.row(row)) {
            let (below, above) =
                if weight < 0 { (&interval.high, &interval.low) } else { (&interval.low, &interval.high) };
            sum.low += below * weight;
            sum.high += above * weight;
        }
    }
    sums
}

/// One curve of many bends is taken by all elements at once (in lanes), which are bounded alike then.
fn piecewise(of: &[Interval], curves: &[Curve]) -> Vec<Interval> {
    match curves {
        [curve] if curve.bends.len() >= Curve::MANY_BENDS => vec![curve.over(&hull(of)); of.len()],
        _ => of.iter().enumerate().map(|(j, of)| curves[j % curves.len().max(1)].over(of)).collect(),
    }
}

fn products(of: &[Interval], weights: &Arc<Matrix>) -> Vec<Interval> {
    let row_products = |(row, interval): (usize, &Interval)| {
        weights.row(row).iter().map(|&w| interval.scale(&w.into())).collect::<Vec<_>>()
    };
    of.iter().enumerate().flat_map(row_products).collect()
}

fn sum_rows(of: &[Interval], columns: usize) -> Vec<Interval> {
    let mut sums = vec![Interval::new(0, 0); columns];
    for row in of.chunks(columns.max(1)) {
        for (sum, interval) in sums.iter_mut().zip(row) {
            *sum = sum.add(interval);
        }
    }
    sums
}
