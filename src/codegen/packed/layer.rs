//! A dense layer from units to lanes, as its plan says.

use num_bigint::BigInt;
use num_traits::One;

use super::argmax;
use super::emit::{Emit, power};
use super::geometry::{Geometry, Spread, row_bytes};
use super::lanes::{Cut, Lanes};
use super::product::Products;
use super::stages::Stage;
use super::units::{Chunks, Units};
use super::weights::Digits;
use crate::ir::{Interval, Ir, Tie};

/// What a cost model chooses for a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::codegen) struct Tuning {
    /// Bits a weight.
    pub(in crate::codegen) bits: usize,
    /// Parts of a row: lanes are so many weights wide.
    pub(in crate::codegen) parts: usize,
    /// Chunks of rows.
    pub(in crate::codegen) chunks: usize,
    /// Part by part, over all chunks; else chunk by chunk, all parts.
    pub(in crate::codegen) by_parts: bool,
    /// Chunks of inputs as long as those of weights: a node multiplies such numbers by Karatsuba's method.
    pub(in crate::codegen) even: bool,
}

/// What lanes are to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::codegen) enum Purpose {
    /// The sums, for a ReLU.
    Relu,
    /// The sums, for their own sake.
    Sums,
    /// The sums, to find the class.
    Class(Tie),
}

/// A layer's lanes before they are emitted: what each holds for a sum.
pub(in crate::codegen) struct Content {
    pub(super) negated: bool,
    pub(super) factor: BigInt,
    pub(super) constants: Vec<BigInt>,
    /// What is added to each sum, before `factor`.
    pub(super) shift: BigInt,
    /// Whether the sign of each sum is looked at.
    signed: bool,
    /// Fewest bits that a lane needs.
    pub(in crate::codegen) bits: usize,
}

impl Content {
    /// What lanes hold for a purpose; `biased` are the bounds of the biased sums.
    pub(in crate::codegen) fn new(stage: &Stage<'_>, biased: &[Interval], purpose: Purpose) -> Content {
        let outputs = biased.len();
        let negated = matches!(purpose, Purpose::Class(tie) if argmax::is_negated(tie));
        let sign = |value: &BigInt| if negated { -value } else { value.clone() };
        let hull = biased.iter().skip(1).fold(biased[0].clone(), |hull, interval| hull.union(interval));
        let (low, high) = if negated { (-hull.high, -hull.low) } else { (hull.low, hull.high) };
        let (factor, bits) = match purpose {
            // The sign bit says whether a sum is negative.
            Purpose::Relu => (BigInt::one(), low.magnitude().bits().max(high.magnitude().bits()) as usize + 1),
            Purpose::Sums => (BigInt::one(), (&high - low.clone().min(BigInt::ZERO)).bits() as usize + 1),
            Purpose::Class(_) => {
                let factor = BigInt::from(outputs);
                let span: BigInt = (&high - &low + 1) * &factor;
                (factor, span.bits() as usize + 1)
            }
        };
        let shift = match purpose {
            // Set once the width of a lane is known.
            Purpose::Relu => BigInt::ZERO,
            Purpose::Sums => (-low).max(BigInt::ZERO),
            Purpose::Class(_) => -low,
        };
        let tag = |output: usize| if let Purpose::Class(_) = purpose { output } else { 0 };
        let constant = |(output, bias): (usize, &BigInt)| (sign(bias) + &shift) * &factor + tag(output);
        let constants = stage.bias.iter().enumerate().map(constant).collect();
        Content { negated, factor, constants, shift, bits, signed: purpose == Purpose::Relu }
    }

    /// Settles what depends on the width of lanes: where they are looked at by their sign, zero is half of it.
    pub(super) fn for_stride(&mut self, stride: usize) {
        if self.signed {
            self.shift = power(stride - 1);
            self.constants.iter_mut().for_each(|constant| *constant += &self.shift);
        }
    }

    /// What is left to be done to the lanes, and by how much they are too large.
    pub(super) fn hand_over(self, emit: &mut Emit<'_>, lanes: Lanes, purpose: Purpose) -> (Lanes, BigInt) {
        match purpose {
            Purpose::Relu => (lanes.relu(emit), BigInt::ZERO),
            _ => (lanes, self.shift),
        }
    }
}

/// Bytes a row for units of the kind given.
pub(super) fn row(stage: &Stage<'_>, bits: usize, units: &Units, parts: usize) -> usize {
    row_bytes(stage.weights.columns, bits, parts, units.unit)
}

/// The layout of a layer for units of the kind given.
pub(super) fn geometry(stage: &Stage<'_>, units: &Units, tuning: Tuning) -> Geometry {
    let (bits, row) = (tuning.bits, row(stage, tuning.bits, units, tuning.parts));
    let spread = Spread::new(units.order.len(), units.unit, row, units.extra > 0);
    let rows = spread.slots.div_ceil(tuning.chunks);
    Geometry { bits, parts: tuning.parts, lanes: stage.weights.columns.div_ceil(tuning.parts), row, rows, spread }
}

/// Emits the products of a layer; its lanes hold the sums as `purpose` wants them.
pub(super) fn lanes(
    emit: &mut Emit<'_>,
    ir: &Ir,
    stage: &Stage<'_>,
    units: &Units,
    tuning: Tuning,
    purpose: Purpose,
) -> (Lanes, BigInt) {
    let mut content = Content::new(stage, &ir.values[stage.biased].intervals, purpose);
    let digits = Digits::new(stage.weights, content.negated).widened(tuning.bits);
    let geometry = geometry(stage, units, tuning);
    content.for_stride(geometry.stride());
    // Units hold more than elements: their sums less what that makes.
    for (output, constant) in content.constants.iter_mut().enumerate() {
        let sum: i128 = (0..stage.weights.rows).map(|input| i128::from(digits.weight(input, output))).sum();
        *constant -= BigInt::from(sum) * &units.shift * &content.factor;
    }
    let (mut chunks, rows) = Chunks::new(emit, units, &geometry, tuning.even);
    let mut cut = Cut::new(&geometry, content.factor.clone(), content.constants.clone());
    let mut products = Products { emit, geometry: &geometry, digits: &digits };
    let next = |emit: &mut Emit<'_>| chunks.next(emit);
    let finish = |emit: &mut Emit<'_>, part: usize, sum| cut.part(emit, part, sum);
    match tuning.by_parts {
        true => products.by_parts(&rows, next, finish),
        false => products.by_chunks(&rows, next, finish),
    }
    let lanes = cut.finish(emit);
    content.hand_over(emit, lanes, purpose)
}
