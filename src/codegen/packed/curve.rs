//! A curve of many elements at once: each in a lane, and every hinge in a few instructions for all of them.
//!
//! With `u` the elements less their least value, lanes hold `u - bend + 2^(stride - 1)`, whose top bit says on which side
//! of a bend an element lies; what is below the bend becomes zero, as a ReLU does it. The hinges' weighted sum is
//! brought between its bounds by two more of these: the proof of lanes does not see that hinges depend on each other.

use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use super::emit::{Emit, power};
use super::units::Units;
use crate::bignum::{Op, ValueId};
use crate::ir::{Curve, Interval};

/// Widest lane, in bits: what the proofs of lanes can follow.
const WIDEST_LANE: usize = 118;
/// Script bytes of a hinge for all elements at once, of a hinge for one, and of an element's way into a lane and out.
const HINGE_BYTES: (usize, usize, usize) = (48, 12, 21);

/// A curve over elements of one interval, and its lanes.
pub(in crate::codegen) struct LaneCurve {
    curve: Curve,
    /// What an element can be.
    from: Interval,
    /// What its value can be.
    to: Interval,
    /// Bytes a lane.
    width: usize,
}

impl LaneCurve {
    /// The lanes of a curve over `count` elements; `None` where hinges one by one are no longer, or lanes too wide.
    pub(in crate::codegen) fn new(curve: &Curve, from: Interval, count: usize) -> Option<LaneCurve> {
        if curve.bends.len() < Curve::MANY_BENDS {
            return None;
        }
        let (to, curve) = (curve.over(&from), curve.within(&from));
        let (for_all, for_one, in_and_out) = HINGE_BYTES;
        let bends = curve.bends.len();
        if for_all * (bends + 2) + in_and_out * count >= for_one * (bends + 1) * count {
            return None;
        }
        let range = &from.high - &from.low;
        let mut bounds = Interval::point(curve.at(&from.low) - &to.low);
        bounds = bounds.add(&Interval::new(0, &curve.slope * &range));
        for bend in &curve.bends {
            bounds = bounds.add(&Interval::new(0, &bend.change * (&from.high - &bend.at)));
        }
        // A sign beside the widest magnitude.
        let bits = bounds.magnitude().max(range).bits() as usize + 1;
        let width = bits.div_ceil(8);
        (8 * width <= WIDEST_LANE).then_some(LaneCurve { curve, from, to, width })
    }

    /// The units of the curve's values.
    ///
    /// # Panics
    /// When there are no numbers.
    pub(in crate::codegen) fn units(&self, emit: &mut Emit<'_>, numbers: &[ValueId]) -> Units {
        // As many lanes at once as make a number, whose sign takes another byte.
        let at_once = (emit.builder.number_bytes().saturating_sub(1) / self.width).clamp(1, numbers.len());
        let strings = numbers.len().div_ceil(at_once);
        let mut string: Option<ValueId> = None;
        for piece in numbers.chunks(numbers.len().div_ceil(strings)) {
            let values = self.values(emit, piece);
            string = Some(string.map_or(values, |string| emit.one(Op::Cat, &[string, values], "units")));
        }
        let string = string.expect("a curve of some elements");
        Units::of_lanes(string, self.width, numbers.len(), -&self.to.low)
    }

    /// The values for some numbers, in lanes.
    fn values(&self, emit: &mut Emit<'_>, numbers: &[ValueId]) -> ValueId {
        let mut lanes = Lanes::new(emit, self.width, numbers.len());
        emit.idiom("pack");
        let packed = numbers.iter().map(|&number| {
            let above = if self.from.low.is_zero() {
                number
            } else {
                emit.with(Op::Sub, number, self.from.low.clone(), "above least")
            };
            emit.with(Op::NumToBin, above, self.width, "lane")
        });
        let packed: Vec<ValueId> = packed.collect();
        let string = packed.into_iter().reduce(|string, lane| emit.one(Op::Cat, &[string, lane], "lanes"));
        let string = string.expect("a curve of some elements");
        let above = lanes.number(emit, string);
        emit.idiom("curve");
        let least = self.curve.at(&self.from.low) - &self.to.low;
        let mut sum = lanes.with_all(emit, None, &least);
        if !self.curve.slope.is_zero() {
            let line = emit.with(Op::Mul, above, self.curve.slope.clone(), "line");
            sum = Some(lanes.sum(emit, sum, line));
        }
        for bend in &self.curve.bends {
            let hinge = lanes.above(emit, above, &(&bend.at - &self.from.low));
            let term = emit.with(Op::Mul, hinge, bend.change.clone(), "hinge");
            sum = Some(lanes.sum(emit, sum, term));
        }
        let sum = sum.unwrap_or(above);
        let not_below = lanes.above(emit, sum, &BigInt::zero());
        let most = &self.to.high - &self.to.low;
        let all = lanes.with_all(emit, None, &most).unwrap_or(not_below);
        let room = emit.one(Op::Sub, &[all, not_below], "room");
        let room = lanes.above(emit, room, &BigInt::zero());
        let values = emit.one(Op::Sub, &[all, room], "values");
        let string = emit.with(Op::NumToBin, values, lanes.bytes(), "values");
        emit.one(Op::View(self.width), &[string], "units")
    }
}

/// What all hinges share.
struct Lanes {
    width: usize,
    count: usize,
    /// A one in each lane.
    ones: ValueId,
    /// The top bit of each lane, and a zero byte.
    tops: ValueId,
    /// Two to the place of that bit.
    top: ValueId,
}

impl Lanes {
    fn new(emit: &mut Emit<'_>, width: usize, count: usize) -> Lanes {
        emit.idiom("curve");
        let mut one = vec![0; width];
        one[0] = 1;
        let ones = emit.repeat_bytes(&one.repeat(count), width * count, "ones");
        let ones = emit.append(ones, &[0], "ones");
        let ones = emit.one(Op::BinToNum, &[ones], "ones");
        let top = emit.builder.number(&power(8 * width - 1));
        let top = emit.one(Op::Load, &[top], "top");
        let tops = emit.one(Op::Mul, &[ones, top], "top bits");
        let tops = emit.with(Op::NumToBin, tops, width * count + 1, "top bits");
        Lanes { width, count, ones, tops, top }
    }

    fn bytes(&self) -> usize {
        self.width * self.count
    }

    /// Lanes as a number.
    fn number(&self, emit: &mut Emit<'_>, string: ValueId) -> ValueId {
        let string = emit.append(string, &[0], "lanes");
        emit.one(Op::BinToNum, &[string], "lanes")
    }

    /// A constant in every lane, beside what is there.
    fn with_all(&self, emit: &mut Emit<'_>, lanes: Option<ValueId>, constant: &BigInt) -> Option<ValueId> {
        if constant.is_zero() {
            return lanes;
        }
        let constant = match constant.is_one() {
            true => self.ones,
            false => emit.with(Op::Mul, self.ones, constant.clone(), "a constant in each"),
        };
        Some(self.sum(emit, lanes, constant))
    }

    fn sum(&self, emit: &mut Emit<'_>, sum: Option<ValueId>, term: ValueId) -> ValueId {
        sum.map_or(term, |sum| emit.one(Op::Add, &[sum, term], "sum of hinges"))
    }

    /// By how much lanes exceed a number; zero where they do not.
    fn above(&mut self, emit: &mut Emit<'_>, lanes: ValueId, bend: &BigInt) -> ValueId {
        let offset = power(8 * self.width - 1) - bend;
        debug_assert!(offset.is_positive());
        let sides = self.with_all(emit, Some(lanes), &offset).unwrap_or(lanes);
        let sides = emit.with(Op::NumToBin, sides, self.bytes() + 1, "sides");
        let tops = emit.one(Op::And, &[sides, self.tops], "signs");
        let tops = emit.one(Op::BinToNum, &[tops], "signs");
        let lowered = emit.one(Op::Div, &[tops, self.top], "signs, lowered");
        let keep = emit.one(Op::Sub, &[tops, lowered], "bits to keep");
        let keep = emit.with(Op::NumToBin, keep, self.bytes() + 1, "bits to keep");
        let kept = emit.one(Op::And, &[sides, keep], "above");
        emit.one(Op::BinToNum, &[kept], "above")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Idiom, natural};
    use super::*;
    use crate::ir::Bend;

    #[test]
    fn every_element_gets_its_own_value() {
        let bend = |at: i64, change: i64| Bend { at: at.into(), change: change.into() };
        let curves = [
            Curve {
                slope: 0.into(),
                offset: (-40).into(),
                bends: vec![bend(20, 7), bend(90, -3), bend(130, 2), bend(200, -6)],
            },
            Curve { slope: 3.into(), offset: 5.into(), bends: vec![bend(10, -7), bend(100, 30), bend(101, -60)] },
            Curve { slope: (-1000).into(), offset: 0.into(), bends: vec![bend(-5, 2000), bend(64, 1), bend(254, -1)] },
        ];
        for (curve, least) in curves.iter().flat_map(|curve| [(curve, 0i64), (curve, -130)]) {
            let count = 24;
            let interval = Interval::new(least, least + 255);
            let lanes = LaneCurve::new(curve, interval.clone(), count).unwrap();
            let mut shift = BigInt::zero();
            let idiom = Idiom::new(count, |emit, input| {
                let mut rest = emit.one(Op::View(1), &[input], "units");
                let mut numbers = vec![];
                for _ in 0..count {
                    let piece;
                    (piece, rest) = emit.split(rest, 1, "unit", "more units");
                    let piece = emit.append(piece, &[0], "unit");
                    let number = emit.one(Op::BinToNum, &[piece], "number");
                    numbers.push(emit.with(Op::Add, number, least, "number"));
                }
                let units = lanes.units(emit, &numbers);
                shift = units.shift.clone();
                vec![units.string]
            });
            idiom.demand(|input, items| {
                let got: Vec<BigInt> = items[0].chunks(lanes.width).map(|unit| natural(unit) - &shift).collect();
                let right: Vec<BigInt> =
                    input.iter().map(|&byte| curve.at(&(i64::from(byte) + least).into())).collect();
                assert_eq!(got, right, "{input:?}");
            });
        }
    }
}
