//! Numbers as the opcodes read and write them.
//!
//! A number of 16 bytes or fewer is an `i128`, whose magnitude leaves the top bit free for the sign,
//! so that no encoding of it exceeds 16 bytes; only results may. A longer one stays bytes until an
//! operation needs its value ([`super::big`]). Both follow one set of rules on reading: length limit
//! first, then minimal encoding.
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/script_num.cpp`.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::big;
use super::error::ScriptError;
use super::item::Item;
use super::limbs::Limbs;
use super::spending::Context;
use crate::script::number;

/// What numbers a script may read and write.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberRules {
    /// Longest encoding of operands and of results.
    pub(super) max_len: usize,
    /// Whether operands must be minimally encoded.
    pub(super) minimal: bool,
}

/// A number that was read from a stack item.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number<'a> {
    /// Encoded in 16 bytes or fewer.
    Small(i128),
    /// Any other, as its encoding.
    Big(&'a [u8]),
}

use Number::{Big, Small};

impl NumberRules {
    pub(super) fn new(context: &Context<'_>) -> Self {
        NumberRules { max_len: context.target.max_number_bytes(), minimal: context.is_tidy() }
    }

    /// Reads an item as a number.
    #[inline(always)]
    pub(super) fn read<'a>(&self, item: &'a Item<'_>) -> Result<Number<'a>, ScriptError> {
        match item.as_word() {
            Some((word, len)) if len <= self.max_len => {
                let value = decode_word(word, len);
                if self.minimal && len != encoded_len(value) {
                    return Err(ScriptError::ScriptnumMinencode);
                }
                Ok(Small(value))
            }
            _ => self.read_bytes(item.bytes()),
        }
    }

    /// Reads a string of any length as a number.
    fn read_bytes<'a>(&self, bytes: &'a [u8]) -> Result<Number<'a>, ScriptError> {
        if bytes.len() > self.max_len {
            return Err(ScriptError::ScriptnumOverflow);
        }
        if self.minimal && !number::is_minimal(bytes) {
            return Err(ScriptError::ScriptnumMinencode);
        }
        Ok(Big(bytes))
    }

    /// Writes a result, if it is short enough.
    pub(super) fn write(&self, value: &BigInt) -> Result<Item<'static>, ScriptError> {
        self.write_encoded(big::encode(value))
    }

    /// Writes a result that is minimally encoded already.
    pub(super) fn write_encoded(&self, bytes: Vec<u8>) -> Result<Item<'static>, ScriptError> {
        if bytes.len() > self.max_len {
            return Err(ScriptError::ScriptnumOverflow);
        }
        Ok(Item::owned(bytes))
    }
}

impl Number<'_> {
    pub(super) fn to_big(self) -> BigInt {
        match self {
            Small(value) => BigInt::from(value),
            Big(bytes) => big::decode(bytes),
        }
    }

    pub(super) fn to_limbs(self) -> Limbs {
        match self {
            Small(value) => Limbs::decode(small_item(value).bytes()),
            Big(bytes) => Limbs::decode(bytes),
        }
    }

    #[inline]
    pub(super) fn is_zero(self) -> bool {
        match self {
            Small(value) => value == 0,
            Big(bytes) => match bytes.split_last() {
                Some((top, rest)) => top & 0x7f == 0 && rest.iter().all(|&byte| byte == 0),
                None => true,
            },
        }
    }

    /// The value, or the nearest an `i64` can hold: enough for whatever counts bytes, bits or items.
    #[inline]
    pub(super) fn saturate(self) -> i64 {
        let saturated = |negative| if negative { i64::MIN } else { i64::MAX };
        match self {
            Small(value) => i64::try_from(value).unwrap_or_else(|_| saturated(value < 0)),
            Big(_) => {
                let value = self.to_big();
                value.to_i64().unwrap_or_else(|| saturated(value.sign() == num_bigint::Sign::Minus))
            }
        }
    }

    #[inline]
    pub(super) fn compare(self, other: Number<'_>) -> Ordering {
        match (self, other) {
            (Small(a), Small(b)) => a.cmp(&b),
            _ => self.to_limbs().compare(&other.to_limbs()),
        }
    }
}

/// The value of a word whose bytes past `len` are zero.
#[inline]
fn decode_word(word: u128, len: usize) -> i128 {
    // Most numbers are short, and words of 64 bits shift in one machine instruction.
    if len <= 8 {
        let word = word as u64;
        let sign = (1u64 << 63).checked_shr(64 - 8 * len as u32).unwrap_or(0);
        let magnitude = (word & !sign) as i64;
        return i128::from(if word & sign != 0 { -magnitude } else { magnitude });
    }
    let sign = 1u128 << (8 * len - 1);
    let magnitude = (word & !sign) as i128;
    if word & sign != 0 { -magnitude } else { magnitude }
}

/// How many bytes the minimal encoding of a value takes: one bit more than its magnitude.
#[inline]
fn encoded_len(value: i128) -> usize {
    encoded_len_of_bits(128 - value.unsigned_abs().leading_zeros())
}

/// How many bytes a magnitude of so many bits takes, with its sign.
#[inline]
fn encoded_len_of_bits(bits: u32) -> usize {
    if bits == 0 { 0 } else { bits as usize / 8 + 1 }
}

/// The minimal encoding of a value.
#[inline(always)]
pub(super) fn small_item(value: i128) -> Item<'static> {
    if let Ok(short) = i64::try_from(value)
        && short != i64::MIN
    {
        let magnitude = short.unsigned_abs();
        let len = encoded_len_of_bits(64 - magnitude.leading_zeros());
        let sign = if short < 0 { 0x80u64 << (8 * (len - 1)) } else { 0 };
        return Item::word(u128::from(magnitude | sign), len);
    }
    let len = encoded_len(value);
    if len > 16 {
        return Item::owned(big::encode(&BigInt::from(value)));
    }
    let sign = if value < 0 { 1u128 << (8 * len - 1) } else { 0 };
    Item::word(value.unsigned_abs() | sign, len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANY: NumberRules = NumberRules { max_len: 10_000, minimal: false };
    const MINIMAL: NumberRules = NumberRules { max_len: 10_000, minimal: true };

    #[test]
    fn extremes_of_the_word() {
        for value in [i128::MIN, i128::MIN + 1, i128::MAX, -1, 0, 1, 0x7f, 0x80, -0x80] {
            let expected = number::encode(&BigInt::from(value));
            assert_eq!(small_item(value).bytes(), expected, "{value}");
        }
    }

    #[test]
    fn the_length_limit_comes_before_minimal_encoding() {
        for (len, error) in [
            (9_999, ScriptError::ScriptnumMinencode),
            (10_000, ScriptError::ScriptnumMinencode),
            (10_001, ScriptError::ScriptnumOverflow),
        ] {
            assert_eq!(MINIMAL.read(&Item::owned(vec![0; len])).err(), Some(error), "{len}");
            assert_eq!(ANY.read(&Item::owned(vec![0; len])).is_ok(), len <= 10_000);
        }
        // A limit shorter than a word holds too.
        let tight = NumberRules { max_len: 4, minimal: true };
        assert_eq!(tight.read(&Item::owned(vec![1; 5])).err(), Some(ScriptError::ScriptnumOverflow));
        assert!(tight.read(&Item::owned(vec![1; 4])).is_ok());
    }

    #[test]
    fn results_are_held_to_the_limit() {
        let longest = (BigInt::from(1) << (8 * 10_000 - 1)) - 1;
        assert_eq!(ANY.write(&longest).unwrap().len(), 10_000);
        assert_eq!(ANY.write(&(&longest + 1)).err(), Some(ScriptError::ScriptnumOverflow));
        assert_eq!(ANY.write(&-&longest).unwrap().len(), 10_000);
    }

    proptest! {
        #[test]
        fn reading_agrees_with_the_reference(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(0x80)], 0..20)) {
            let item = Item::owned(bytes.clone());
            let expected = number::decode(&bytes);
            let read = ANY.read(&item).unwrap();
            prop_assert_eq!(read.to_big(), expected.clone());
            prop_assert_eq!(read.is_zero(), expected == BigInt::ZERO);
            prop_assert_eq!(BigInt::from(read.saturate()), expected.clamp(i64::MIN.into(), i64::MAX.into()));
            prop_assert_eq!(MINIMAL.read(&item).is_ok(), number::is_minimal(&bytes));
        }
    }
}
