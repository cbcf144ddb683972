//! Elementwise steps of several instructions: roundings and piecewise linear curves.

use std::sync::Arc;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Zero};

use super::packed::{Emit, LaneCurve, Units};
use super::unrolled::Unrolled;
use crate::bignum::{Name, Op, ValueId as NumberId};
use crate::ir::{self, Curve, Interval, ValueId};

impl Unrolled<'_> {
    /// `x·factor / divisor` rounded to the nearest integer, halves to the even one.
    ///
    /// Division truncates, so that it rounds down once its dividend is never negative: `x·factor` and half a divisor,
    /// and as many whole divisors as it takes. A half that is to be rounded down then leaves no remainder, and an odd
    /// quotient: such dividends are one smaller.
    pub(super) fn round(
        &mut self,
        value: ValueId,
        index: usize,
        x: ValueId,
        factor: &BigInt,
        divisor: &BigInt,
    ) -> NumberId {
        let known = self.ir.values[x].intervals[index].scale(factor);
        let mut number = self.number(x, index);
        self.enter(value);
        if !factor.is_one() {
            number = self.one(value, index, Op::Mul, number, Some(factor));
        }
        let (half, pair) = (divisor / 2u8, divisor * 2u8);
        // Whole pairs of divisors: they leave even quotients even.
        let pairs = (-(&known.low + &half)).max(BigInt::zero()).div_ceil(&pair);
        number = self.one(value, index, Op::Add, number, Some(&(&half + &pairs * &pair)));
        if has_halves(&known, divisor) {
            let rest = self.one(value, index, Op::Mod, number, Some(&pair));
            let half_to_odd = self.one(value, index, Op::Equal, rest, Some(divisor));
            let name = Name::whole(&Arc::from("dividend"));
            number = self.builder.one(Op::Sub, &[number, half_to_odd], name);
        }
        number = self.one(value, index, Op::Div, number, Some(divisor));
        match pairs.is_zero() {
            true => number,
            false => self.one(value, index, Op::Sub, number, Some(&(pairs * 2u8))),
        }
    }

    /// All elements of a curve that is the same for all, where lanes are shorter: as units.
    pub(super) fn lane_curve(&mut self, value: ValueId) -> Option<Units> {
        let ir = self.ir;
        let ir::Op::Piecewise { x, curves, .. } = &ir.values[value].op else { return None };
        let ([curve], true) = (curves.as_slice(), self.packs) else { return None };
        let from = ir.values[*x].hull();
        let lanes = LaneCurve::new(curve, from.clone(), ir.values[value].len())?;
        let numbers: Vec<NumberId> = (0..ir.values[value].len()).map(|index| self.number(*x, index)).collect();
        let within = |number: &NumberId| {
            self.builder.interval(*number).is_none_or(|known| from.low <= known.low && known.high <= from.high)
        };
        // What the program proves of a number may be less than what the IR knows.
        let proved = numbers.iter().all(within);
        proved.then(|| lanes.units(&mut Emit::new(self.builder, ir, value), &numbers))
    }

    /// Makes all elements of a value by a curve in lanes, if that is to be.
    pub(super) fn takes_lane_curve(&mut self, value: ValueId) -> bool {
        let Some(units) = self.lane_curve(value) else { return false };
        let numbers = units.into_numbers(&mut Emit::new(self.builder, self.ir, value));
        numbers.into_iter().for_each(|(element, number)| self.take(value, element, number));
        true
    }

    /// A curve's value: a line, and a hinge for each bend that lies within reach. Each hinge is the one before it, less
    /// the distance between them: numbers stay short.
    pub(super) fn curve(&mut self, value: ValueId, index: usize, x: ValueId, curve: &Curve) -> NumberId {
        let curve = curve.within(&self.ir.values[x].intervals[index]);
        let number = self.number(x, index);
        self.enter(value);
        let mut sum = match (curve.slope.is_zero(), curve.slope.is_one()) {
            (true, _) => None,
            (_, true) => Some(number),
            _ => Some(self.one(value, index, Op::Mul, number, Some(&curve.slope))),
        };
        let (mut hinge, mut at) = (number, BigInt::zero());
        for bend in &curve.bends {
            if bend.at != at {
                hinge = self.one(value, index, Op::Sub, hinge, Some(&(&bend.at - &at)));
                at = bend.at.clone();
            }
            hinge = self.one(value, index, Op::Max, hinge, Some(&BigInt::zero()));
            let term = match bend.change.is_one() {
                true => hinge,
                false => self.one(value, index, Op::Mul, hinge, Some(&bend.change)),
            };
            let name = Name::whole(&Arc::from("sum of hinges"));
            sum = Some(sum.map_or(term, |sum| self.builder.one(Op::Add, &[sum, term], name)));
        }
        let sum = sum.unwrap_or_else(|| self.builder.number(&BigInt::zero()));
        let sum = match curve.offset.is_zero() {
            true => sum,
            false => self.one(value, index, Op::Add, sum, Some(&curve.offset)),
        };
        self.proved(value, index, sum)
    }

    /// A number whose bounds the program proves as the IR knows them: it does not see that hinges depend on each other.
    fn proved(&mut self, value: ValueId, index: usize, number: NumberId) -> NumberId {
        let Interval { low, high } = self.ir.values[value].intervals[index].clone();
        let Some(known) = self.builder.interval(number).cloned() else { return number };
        let above = if known.low < low { self.one(value, index, Op::Max, number, Some(&low)) } else { number };
        if known.high > high { self.one(value, index, Op::Min, above, Some(&high)) } else { above }
    }
}

/// Whether a multiple of half a divisor that is no multiple of the divisor lies in an interval.
fn has_halves(known: &Interval, divisor: &BigInt) -> bool {
    let half = divisor / 2u8;
    // Odd multiples of the half: the first one that is not below the interval.
    let first = (&known.low - &half).div_ceil(divisor) * divisor + &half;
    divisor.is_even() && first <= known.high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_seen_where_they_are() {
        let seen = |low: i64, high: i64, divisor: i64| has_halves(&Interval::new(low, high), &divisor.into());
        assert!(seen(0, 5, 10) && seen(-5, 0, 10) && seen(-16, -14, 10) && seen(14, 16, 10));
        assert!(!seen(0, 4, 10) && !seen(-4, 4, 10) && !seen(6, 14, 10) && !seen(-100, 100, 9));
    }
}
