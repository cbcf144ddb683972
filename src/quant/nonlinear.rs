//! Lowering of what is no dense layer: bounds, curves, roundings, sums of two values, and picked elements.

use std::sync::Arc;

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::choice::{self, Rescale, Weights};
use super::{Lowered, Lowering, decimal, in_steps, pieces, with_channels_taken_off};
use crate::error::{Problem, Refusal};
use crate::graph::{self, Function, Origin};
use crate::ir::{Bend, Curve, Op, ValueId};

/// Operands of smooth functions are rounded to steps of this share of the error.
const OPERAND_SHARE: u32 = 8;
/// Slopes that are multiples of two to the minus this, or coarser, are exact.
const DYADIC_SLOPES: u32 = 6;
/// Slopes beside integer weights are multiples of two to the minus this: far finer than such weights.
const INT_SLOPES: u32 = 12;
/// Beside integer weights, values of fewer bits than this keep more digits behind slopes.
const INT_BITS: u64 = 16;
/// Scales are brought together exactly where the factors have no more bits than this, else to within a part in so many.
const ALIGNMENT_BITS: u64 = 24;

impl Lowering<'_> {
    /// Bounds in steps of a value's scale, which is made finer where they would lose by it.
    pub(super) fn bounds(
        &mut self,
        x: usize,
        constant: &[f64],
        origin: &Origin,
        op: impl Fn(ValueId, Vec<BigInt>) -> Op,
    ) -> Result<Lowered, Refusal> {
        let Lowered { value, channels } = self.lowered[x].clone();
        let constant = with_channels_taken_off(constant, &channels);
        let value = self.refine(x, value, &constant);
        let constant = in_steps(&constant, &self.builder.value(value).scale, origin)?;
        Ok(Lowered { value: self.push(op(value, constant)), channels })
    }

    /// Slopes of their own below zero. One slope is a line and a bend at zero, whatever an output's own scale is.
    pub(super) fn leaky(&mut self, x: usize, slopes: &[f64]) -> Result<Lowered, Refusal> {
        let Lowered { value: x, channels } = self.lowered[x].clone();
        let one = self.slope_steps(slopes);
        let unit = BigRational::new(BigInt::one(), one.clone());
        let curve = |&slope: &f64| {
            let below = decimal::steps(slope, &unit).unwrap_or_default();
            let change = &one - &below;
            let bends = if change.is_zero() { vec![] } else { vec![Bend { at: BigInt::zero(), change }] };
            Curve { slope: below, offset: BigInt::zero(), bends }
        };
        let mut curves: Vec<Curve> = slopes.iter().map(curve).collect();
        curves.dedup();
        if curves.len() != 1 {
            curves = slopes.iter().map(curve).collect();
        }
        let bent = self.push(Op::Piecewise { x, curves: Arc::new(curves), unit });
        let divisor = self.divisor_of_slopes(x, one);
        let value = match self.options.rescale {
            Rescale::Product | Rescale::Sum if !divisor.is_one() => self.push(Op::Rescale { x: bent, divisor }),
            _ => bent,
        };
        Ok(Lowered { value, channels })
    }

    /// What values times slopes are divided by: `one`, which makes their scale the operand's again, or less where that
    /// is coarse and small slopes would leave nothing.
    fn divisor_of_slopes(&self, x: ValueId, one: BigInt) -> BigInt {
        let operand = self.builder.value(x);
        let finest = match self.choice() {
            Weights::Fixed { unit } => unit,
            Weights::Int { .. } => {
                let bits = operand.hull().magnitude().bits();
                &operand.scale / (BigInt::one() << INT_BITS.saturating_sub(bits))
            }
        };
        let coarser = (&operand.scale / finest).floor().to_integer();
        if coarser < BigInt::from(2) { one } else { (one / coarser).max(BigInt::one()) }
    }

    /// How many steps of a slope make 1: as few as keep simple slopes exact, else as fine as weights are.
    fn slope_steps(&self, slopes: &[f64]) -> BigInt {
        let exact = |bits: &u32| {
            let steps = f64::from(1u32 << bits);
            slopes.iter().all(|slope| (slope * steps).fract() == 0.0)
        };
        match (0..=DYADIC_SLOPES).find(exact) {
            Some(bits) => BigInt::one() << bits,
            None => match self.choice() {
                Weights::Fixed { unit } => decimal::nearest_divisor(&unit.recip()),
                Weights::Int { .. } => BigInt::one() << INT_SLOPES,
            },
        }
    }

    /// A smooth function as straight pieces. Its operand first loses the digits that cannot matter.
    pub(super) fn activate(&mut self, x: usize, function: &Function, origin: &Origin) -> Result<Lowered, Refusal> {
        let rounds = self.graph.nodes.iter().any(|node| matches!(node.op, graph::Op::Round { .. }));
        let by_default = if rounds || self.graph.classes() == 0 { choice::FINE_ERROR } else { choice::CLASS_ERROR };
        let error = self.options.activation_error.unwrap_or(by_default);
        let mut x = self.lowered[x].value;
        let step = decimal::exact(error).unwrap_or_else(|| decimal::power_of_ten(-3)) / BigInt::from(OPERAND_SHARE);
        let divisor = (step / &self.builder.value(x).scale).to_integer();
        if self.options.rescale != Rescale::None && divisor > BigInt::one() {
            x = self.push(Op::Rescale { x, divisor });
        }
        let operand = self.builder.value(x);
        let (curve, unit) = pieces::fit(function, &operand.hull(), &operand.scale, error).map_err(|reason| {
            Problem::of_node(&origin.name, &origin.op, format!("the function {function} {reason}"))
                .help("allow a larger error (--activation-error), give a narrower --input, or use another activation")
        })?;
        let pieces = curve.bends.len() + 1;
        self.builder.describe_approximation(format!("{function} as {pieces} straight pieces, off by at most {error}"));
        let value = self.push(Op::Piecewise { x, curves: Arc::new(vec![curve]), unit });
        Ok(Lowered { value, ..Lowered::default() })
    }

    /// The nearest multiples of a step, as integers; outputs' own scales end here.
    pub(super) fn round(&mut self, x: usize, step: f64, origin: &Origin) -> Result<Lowered, Refusal> {
        let Lowered { value: x, channels } = self.lowered[x].clone();
        let (scale, len) = (self.builder.value(x).scale.clone(), self.builder.value(x).len());
        let ratio = |channel: f64| Some(&scale * decimal::exact(channel)? / decimal::exact(step)?);
        let channel = |j: usize| channels.get(j).copied().unwrap_or(1.0);
        let ratios: Option<Vec<BigRational>> = (0..len).map(|j| ratio(channel(j))).collect();
        let usable = ratios.filter(|ratios| ratios.iter().all(Signed::is_positive));
        let ratios = usable.ok_or_else(|| {
            Problem::of_node(&origin.name, &origin.op, "has a scale that is not positive")
                .help("check the scales of the model")
        })?;
        let divisor = ratios.iter().fold(BigInt::one(), |divisor, ratio| divisor.lcm(ratio.denom()));
        if divisor.is_one() {
            let constant = ratios.iter().map(BigRational::to_integer).collect();
            let unit = BigRational::one() / scale;
            return Ok(Lowered { value: self.push(Op::Mul { x, constant, unit }), ..Lowered::default() });
        }
        let factors = ratios.iter().map(|ratio| (ratio * &divisor).to_integer()).collect();
        let value = self.push(Op::Round { x, factors, divisor, scale: BigRational::one() });
        Ok(Lowered { value, ..Lowered::default() })
    }

    /// The sum of two values.
    pub(super) fn sum(&mut self, terms: [usize; 2]) -> Result<Lowered, Refusal> {
        let aligned = self.aligned(&terms);
        let value = self.push(Op::Sum { terms: [aligned[0], aligned[1]] });
        Ok(Lowered { value, ..Lowered::default() })
    }

    /// The product of two values, brought back to the scale of fixed-point numbers.
    pub(super) fn product(&mut self, factors: [usize; 2]) -> Lowered {
        let product = self.push(Op::Product { factors: factors.map(|node| self.lowered[node].value) });
        let value = match (self.options.rescale, self.choice()) {
            (Rescale::Product | Rescale::Sum, Weights::Fixed { unit }) => self.rescale(product, &unit),
            _ => product,
        };
        Lowered { value, ..Lowered::default() }
    }

    /// Elements of one value, or of several brought to one scale.
    pub(super) fn gather(&mut self, parts: &[usize], picks: &[(usize, usize)]) -> Result<Lowered, Refusal> {
        let value =
            |this: &mut Self, parts: Vec<ValueId>| this.push(Op::Gather { parts, picks: Arc::new(picks.to_vec()) });
        if let &[x] = parts {
            let Lowered { value: x, channels } = self.lowered[x].clone();
            let channels = match channels.is_empty() {
                true => channels,
                false => picks.iter().map(|&(_, index)| channels[index]).collect(),
            };
            return Ok(Lowered { value: value(self, vec![x]), channels });
        }
        let parts = self.aligned(parts);
        Ok(Lowered { value: value(self, parts), ..Lowered::default() })
    }

    /// Values at one scale: the finest of theirs, or a finer one where all are multiples of it.
    fn aligned(&mut self, nodes: &[usize]) -> Vec<ValueId> {
        let values: Vec<ValueId> = nodes.iter().map(|&node| self.lowered[node].value).collect();
        let scales: Vec<BigRational> = values.iter().map(|&value| self.builder.value(value).scale.clone()).collect();
        let common = scales.iter().skip(1).fold(scales[0].clone(), |common, scale| divisor_of_both(&common, scale));
        let short = scales.iter().all(|scale| (scale / &common).numer().bits() <= ALIGNMENT_BITS);
        let finest = scales.iter().min().cloned().unwrap_or_else(BigRational::one);
        let target = if short { common } else { finest };
        values.iter().map(|&value| self.at_scale(value, &target)).collect()
    }

    /// A value at a scale that is no coarser than its own; to within a part in 2^24 where it is no multiple of that.
    fn at_scale(&mut self, x: ValueId, target: &BigRational) -> ValueId {
        let value = self.builder.value(x);
        let (len, ratio) = (value.len(), &value.scale / target);
        if ratio.is_one() {
            return x;
        }
        if ratio.is_integer() && ratio.numer().bits() <= ALIGNMENT_BITS {
            let unit = ratio.recip();
            return self.push(Op::Mul { x, constant: vec![ratio.to_integer(); len], unit });
        }
        let size = ratio.to_f64().map_or(0, |ratio| ratio.log2().ceil() as i64);
        let shift = u64::try_from(ALIGNMENT_BITS as i64 - size).unwrap_or(0);
        let divisor = BigInt::one() << shift;
        let factor = decimal::round(&(&ratio * &divisor));
        // The factor stands for the ratio, which it is not quite.
        let unit = target / (&value.scale * BigRational::from(divisor.clone()));
        let product = self.push(Op::Mul { x, constant: vec![factor; len], unit });
        if divisor.is_one() { product } else { self.push(Op::Rescale { x: product, divisor }) }
    }
}

/// The largest number that both are multiples of.
fn divisor_of_both(a: &BigRational, b: &BigRational) -> BigRational {
    let denominator = a.denom().lcm(b.denom());
    let numerator = (a * &denominator).to_integer().gcd(&(b * &denominator).to_integer());
    BigRational::new(numerator, denominator)
}
