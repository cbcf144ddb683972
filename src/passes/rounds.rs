//! `fold-rounds`: roundings of few values that only add a constant are that sum. Keeps every bit.
//!
//! A quantised model rounds its input to multiples of 1/255, say, though bytes are such multiples already.

use num_bigint::BigInt;
use num_traits::{One, ToPrimitive};

use super::rewrite::Rewriter;
use crate::ir::{Interval, Ir, Op, Value, ValueId, round_quotient};

/// Most values of an element that are looked at, one by one.
const MOST_VALUES: u32 = 1 << 16;

/// Folds roundings.
pub(super) fn fold(ir: &Ir) -> Ir {
    Rewriter::run(ir, |rewriter: &mut Rewriter, value: &Value, x: ValueId| {
        let Op::Round { factors, divisor, scale, .. } = &value.op else { return None };
        let operand = rewriter.builder.value(x);
        let constant: Vec<BigInt> = operand
            .intervals
            .iter()
            .zip(factors)
            .map(|(interval, factor)| addend(interval, factor, divisor))
            .collect::<Option<_>>()?;
        let (unit, ones) = (scale / &operand.scale, vec![BigInt::one(); constant.len()]);
        let relabelled = rewriter.push(Op::Mul { x, constant: ones, unit }, value);
        Some(rewriter.push(Op::Add { x: relabelled, constant }, value))
    })
}

/// What a rounding adds to every value of an interval, if it does.
fn addend(interval: &Interval, factor: &BigInt, divisor: &BigInt) -> Option<BigInt> {
    let round = |v: &BigInt| round_quotient(&(v * factor), divisor);
    let addend = round(&interval.low) - &interval.low;
    let count = (&interval.high - &interval.low).to_u32().filter(|count| *count < MOST_VALUES)?;
    (0..=count)
        .all(|at| {
            let v = &interval.low + at;
            round(&v) == &v + &addend
        })
        .then_some(addend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_adds_one_number_to_all_is_a_sum() {
        let addend = |low: i64, high: i64, factor: i64, divisor: i64| {
            addend(&Interval::new(low, high), &factor.into(), &divisor.into()).and_then(|addend| addend.to_i64())
        };
        assert_eq!(addend(0, 255, 16_777_217, 16_777_216), Some(0));
        assert_eq!(addend(600, 855, 999_999, 1_000_000), Some(0));
        assert_eq!(addend(500, 855, 99_901, 100_000), None);
        assert_eq!(addend(600, 855, 999, 1000), Some(-1));
        assert_eq!(addend(0, 100_000, 1, 1), None);
    }
}
