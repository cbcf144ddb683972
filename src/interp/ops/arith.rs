//! Arithmetic: on words where the operands fit, on big integers where not.

use std::cmp::Ordering;

use num_bigint::BigInt;

use crate::interp::error::ScriptError;
use crate::interp::item::Item;
use crate::interp::number::Number::{self, Small};
use crate::interp::number::{NumberRules, small_item};
use crate::interp::stack::Stack;

type Result<T = ()> = std::result::Result<T, ScriptError>;

/// The result of an operation on numbers, as the stack will hold it.
type Computed = Result<Item<'static>>;

/// Replaces the top by a function of the number it is.
#[inline]
pub(in crate::interp) fn unary(
    stack: &mut Stack<'_>,
    rules: &NumberRules,
    op: impl FnOnce(&NumberRules, Number<'_>) -> Computed,
) -> Result {
    let result = op(rules, rules.read(stack.peek(0)?)?)?;
    stack.replace(1, result)
}

/// Replaces the top two items by a function of the numbers they are; the deeper one comes first.
#[inline]
pub(in crate::interp) fn binary(
    stack: &mut Stack<'_>,
    rules: &NumberRules,
    op: impl FnOnce(&NumberRules, Number<'_>, Number<'_>) -> Computed,
) -> Result {
    stack.need(2)?;
    let first = rules.read(stack.peek(1)?)?;
    let second = rules.read(stack.peek(0)?)?;
    let result = op(rules, first, second)?;
    stack.replace(2, result)
}

/// Replaces the top two items by a comparison of the numbers they are.
#[inline]
pub(in crate::interp) fn compare(
    stack: &mut Stack<'_>,
    rules: &NumberRules,
    test: impl FnOnce(Ordering) -> bool,
) -> Result {
    binary(stack, rules, |_, a, b| Ok(Item::bool(test(a.compare(b)))))
}

/// WITHIN: whether a number is at least the second operand and less than the third.
pub(in crate::interp) fn within(stack: &mut Stack<'_>, rules: &NumberRules) -> Result {
    stack.need(3)?;
    let value = rules.read(stack.peek(2)?)?;
    let least = rules.read(stack.peek(1)?)?;
    let end = rules.read(stack.peek(0)?)?;
    let within = value.compare(least).is_ge() && value.compare(end).is_lt();
    stack.replace(3, Item::bool(within))
}

#[inline(always)]
pub(in crate::interp) fn add(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    if let (Small(a), Small(b)) = (a, b)
        && let Some(sum) = a.checked_add(b)
    {
        return Ok(small_item(sum));
    }
    add_big(rules, a, b)
}

#[inline(never)]
fn add_big(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    rules.write_encoded(a.to_limbs().add(b.to_limbs()).encode())
}

#[inline(always)]
pub(in crate::interp) fn sub(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    if let (Small(a), Small(b)) = (a, b)
        && let Some(difference) = a.checked_sub(b)
    {
        return Ok(small_item(difference));
    }
    sub_big(rules, a, b)
}

#[inline(never)]
fn sub_big(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    rules.write_encoded(a.to_limbs().add(b.to_limbs().negate()).encode())
}

#[inline(always)]
pub(in crate::interp) fn mul(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    if let (Small(a), Small(b)) = (a, b) {
        // Words of half the width multiply without a check, in one machine instruction.
        if let (Ok(a), Ok(b)) = (i64::try_from(a), i64::try_from(b)) {
            return Ok(small_item(i128::from(a) * i128::from(b)));
        }
        if let Some(product) = a.checked_mul(b) {
            return Ok(small_item(product));
        }
    }
    mul_big(rules, a, b)
}

#[inline(never)]
fn mul_big(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    if let (Small(factor), long) | (long, Small(factor)) = (a, b)
        && let Ok(factor) = i64::try_from(factor)
    {
        return rules.write_encoded(long.to_limbs().mul_limb(factor).encode());
    }
    let (a, b) = (a.to_limbs(), b.to_limbs());
    let bits = [a.bits(), b.bits()];
    if bits.contains(&0) {
        return Ok(Item::EMPTY);
    }
    // Two magnitudes of m and n bits make one of m + n - 1 at least: no need to multiply to know.
    if (bits[0] + bits[1] - 1) / 8 >= rules.max_len as u64 {
        return Err(ScriptError::ScriptnumOverflow);
    }
    rules.write_encoded(a.mul(&b).encode())
}

#[inline]
pub(in crate::interp) fn div(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    if b.is_zero() {
        return Err(ScriptError::DivByZero);
    }
    if let (Small(a), Small(b)) = (a, b) {
        return Ok(small_item(a / b));
    }
    let divisor = b.to_limbs();
    // What packed code divides by; a shift is linear in the length.
    if let Some(exponent) = divisor.exponent() {
        let quotient = a.to_limbs().div_power(exponent);
        let quotient = if divisor.is_negative() { quotient.negate() } else { quotient };
        return rules.write_encoded(quotient.encode());
    }
    rules.write(&(a.to_big() / b.to_big()))
}

#[inline]
pub(in crate::interp) fn rem(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    if b.is_zero() {
        return Err(ScriptError::ModByZero);
    }
    if let (Small(a), Small(b)) = (a, b) {
        return Ok(small_item(a % b));
    }
    if let Some(exponent) = b.to_limbs().exponent() {
        return rules.write_encoded(a.to_limbs().rem_power(exponent).encode());
    }
    rules.write(&(a.to_big() % b.to_big()))
}

/// MIN, encoded minimally even where the operand was not.
pub(in crate::interp) fn min(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    identity(rules, if a.compare(b).is_lt() { a } else { b })
}

/// MAX, likewise.
pub(in crate::interp) fn max(rules: &NumberRules, a: Number<'_>, b: Number<'_>) -> Computed {
    identity(rules, if a.compare(b).is_gt() { a } else { b })
}

pub(in crate::interp) fn negate(rules: &NumberRules, a: Number<'_>) -> Computed {
    match a {
        Small(value) => Ok(small_item(-value)),
        _ => rules.write_encoded(a.to_limbs().negate().encode()),
    }
}

pub(in crate::interp) fn abs(rules: &NumberRules, a: Number<'_>) -> Computed {
    if a.compare(Small(0)).is_lt() { negate(rules, a) } else { identity(rules, a) }
}

fn identity(rules: &NumberRules, a: Number<'_>) -> Computed {
    match a {
        Small(value) => Ok(small_item(value)),
        _ => rules.write_encoded(a.to_limbs().encode()),
    }
}

/// LSHIFTNUM (Chronicle): multiplies by a power of two.
pub(in crate::interp) fn shift_up(stack: &mut Stack<'_>, rules: &NumberRules) -> Result {
    let (value, count) = read_shift(stack, rules)?;
    let len = crate::script::number::encoded_len(&value) as u64;
    // The node bounds the length before it shifts, and so even that of a zero.
    if len.saturating_add(count / 8) > rules.max_len as u64 {
        return Err(ScriptError::ScriptnumOverflow);
    }
    let shifted = rules.write(&(value << count))?;
    stack.replace(2, shifted)
}

/// RSHIFTNUM (Chronicle): divides by a power of two, towards zero.
pub(in crate::interp) fn shift_down(stack: &mut Stack<'_>, rules: &NumberRules) -> Result {
    let (value, count) = read_shift(stack, rules)?;
    if count > i32::MAX as u64 {
        return Err(ScriptError::BigInt);
    }
    // Shifting the magnitude, since `>>` of a `BigInt` rounds down.
    let shifted = BigInt::from_biguint(value.sign(), value.magnitude() >> count);
    let shifted = rules.write(&shifted)?;
    stack.replace(2, shifted)
}

/// The operands of a numeric shift. The count is read and judged first.
fn read_shift(stack: &Stack<'_>, rules: &NumberRules) -> Result<(BigInt, u64)> {
    stack.need(2)?;
    let count = rules.read(stack.peek(0)?)?.saturate();
    let count = u64::try_from(count).map_err(|_| ScriptError::InvalidNumberRange)?;
    Ok((rules.read(stack.peek(1)?)?.to_big(), count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::number;
    use proptest::prelude::*;

    const RULES: NumberRules = NumberRules { max_len: 40, minimal: false };

    /// Encodings of lengths around those where the path changes, many of them not minimal.
    fn operand() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![3 => any::<u8>(), 1 => Just(0u8), 1 => Just(0x80), 1 => Just(0xff)];
        prop_oneof![0usize..4, 6usize..11, 14usize..19]
            .prop_flat_map(move |len| prop::collection::vec(byte.clone(), len))
    }

    fn outcome(computed: Computed) -> std::result::Result<Vec<u8>, ScriptError> {
        computed.map(|item| item.bytes().to_vec())
    }

    fn expect(value: BigInt) -> std::result::Result<Vec<u8>, ScriptError> {
        let bytes = number::encode(&value);
        if bytes.len() > RULES.max_len { Err(ScriptError::ScriptnumOverflow) } else { Ok(bytes) }
    }

    #[test]
    fn division_truncates_and_the_remainder_follows_the_dividend() {
        for (a, b, quotient, remainder) in [(-7, 2, -3, -1), (7, -2, -3, 1), (-7, -2, 3, -1)] {
            for scale in [0u32, 200] {
                let scaled = |n: i64| Item::owned(number::encode(&(BigInt::from(n) << scale)));
                let (a, b) = (scaled(a), scaled(b));
                let (a, b) = (RULES.read(&a).unwrap(), RULES.read(&b).unwrap());
                assert_eq!(outcome(div(&RULES, a, b)), expect(quotient.into()));
                assert_eq!(outcome(rem(&RULES, a, b)), expect(BigInt::from(remainder) << scale));
            }
        }
    }

    #[test]
    fn products_over_the_limit_fail_and_those_at_it_do_not() {
        let longest = |bits: u32| Item::owned(number::encode(&((BigInt::from(1) << bits) - 1)));
        for (bits, error) in [(319, None), (320, Some(ScriptError::ScriptnumOverflow))] {
            let (a, b) = (longest(bits - 8), Item::owned(vec![0, 1]));
            let product = mul(&RULES, RULES.read(&a).unwrap(), RULES.read(&b).unwrap());
            assert_eq!(product.err(), error, "{bits} bits");
        }
        let (a, zero) = (longest(319), Item::owned(vec![0; 40]));
        assert_eq!(outcome(mul(&RULES, RULES.read(&a).unwrap(), RULES.read(&zero).unwrap())), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn every_path_agrees_with_big_integers(a in operand(), b in operand()) {
            let (x, y) = (number::decode(&a), number::decode(&b));
            let (a, b) = (Item::owned(a), Item::owned(b));
            let (a, b) = (RULES.read(&a).unwrap(), RULES.read(&b).unwrap());
            prop_assert_eq!(a.compare(b), x.cmp(&y));
            prop_assert_eq!(outcome(add(&RULES, a, b)), expect(&x + &y));
            prop_assert_eq!(outcome(sub(&RULES, a, b)), expect(&x - &y));
            prop_assert_eq!(outcome(mul(&RULES, a, b)), expect(&x * &y));
            prop_assert_eq!(outcome(min(&RULES, a, b)), expect(x.clone().min(y.clone())));
            prop_assert_eq!(outcome(max(&RULES, a, b)), expect(x.clone().max(y.clone())));
            prop_assert_eq!(outcome(negate(&RULES, a)), expect(-&x));
            prop_assert_eq!(outcome(abs(&RULES, a)), expect(x.magnitude().clone().into()));
            if y == BigInt::ZERO {
                prop_assert_eq!(outcome(div(&RULES, a, b)), Err(ScriptError::DivByZero));
                prop_assert_eq!(outcome(rem(&RULES, a, b)), Err(ScriptError::ModByZero));
            } else {
                prop_assert_eq!(outcome(div(&RULES, a, b)), expect(&x / &y));
                prop_assert_eq!(outcome(rem(&RULES, a, b)), expect(&x % &y));
            }
        }
    }
}
