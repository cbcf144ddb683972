//! Opcodes on bits: logic of equal lengths, and shifts of a string as one big-endian bit field.

use crate::interp::error::ScriptError;
use crate::interp::item::Item;
use crate::interp::number::NumberRules;
use crate::interp::stack::Stack;

type Result = std::result::Result<(), ScriptError>;

/// AND, OR and XOR.
pub(in crate::interp) fn logic(stack: &mut Stack<'_>, combine: impl Fn(u8, u8) -> u8) -> Result {
    stack.need(2)?;
    if stack.peek(0)?.len() != stack.peek(1)?.len() {
        return Err(ScriptError::InvalidOperandSize);
    }
    // All three commute: write over whichever operand is nobody else's.
    if !stack.peek_mut(1)?.is_unique() && stack.peek_mut(0)?.is_unique() {
        stack.swap(0, 1)?;
    }
    let second = stack.pop()?;
    stack.peek_mut(0)?.edit(|bytes| {
        for (byte, &other) in bytes.iter_mut().zip(second.bytes()) {
            *byte = combine(*byte, other);
        }
    });
    Ok(())
}

/// INVERT.
pub(in crate::interp) fn invert(stack: &mut Stack<'_>) -> Result {
    stack.peek_mut(0)?.edit(|bytes| bytes.iter_mut().for_each(|byte| *byte = !*byte));
    Ok(())
}

/// EQUAL.
pub(in crate::interp) fn equal(stack: &mut Stack<'_>) -> Result {
    stack.need(2)?;
    let equal = stack.peek(0)?.bytes() == stack.peek(1)?.bytes();
    stack.replace(2, Item::bool(equal))
}

/// LSHIFT and RSHIFT, by way of [`left`] or [`right`].
pub(in crate::interp) fn shift(stack: &mut Stack<'_>, rules: &NumberRules, by: fn(&[u8], usize) -> Vec<u8>) -> Result {
    stack.need(2)?;
    let count = rules.read(stack.peek(0)?)?.saturate();
    let Ok(count) = usize::try_from(count) else {
        return Err(ScriptError::InvalidNumberRange);
    };
    let shifted = Item::owned(by(stack.peek(1)?.bytes(), count));
    stack.replace(2, shifted)
}

/// Moves every bit `count` places towards the first byte; zeros follow.
pub(in crate::interp) fn left(bytes: &[u8], count: usize) -> Vec<u8> {
    let kept = &bytes[(count / 8).min(bytes.len())..];
    let bits = count % 8;
    let mut shifted = Vec::with_capacity(bytes.len());
    match (bits, kept.split_last()) {
        (0, _) | (_, None) => shifted.extend_from_slice(kept),
        (_, Some((last, rest))) => {
            shifted.extend(rest.iter().zip(&kept[1..]).map(|(high, low)| high << bits | low >> (8 - bits)));
            shifted.push(last << bits);
        }
    }
    shifted.resize(bytes.len(), 0);
    shifted
}

/// Moves every bit `count` places towards the last byte; zeros come in front.
pub(in crate::interp) fn right(bytes: &[u8], count: usize) -> Vec<u8> {
    let zeros = (count / 8).min(bytes.len());
    let kept = &bytes[..bytes.len() - zeros];
    let bits = count % 8;
    let mut shifted = Vec::with_capacity(bytes.len());
    shifted.resize(zeros, 0);
    match (bits, kept.split_first()) {
        (0, _) | (_, None) => shifted.extend_from_slice(kept),
        (_, Some((first, rest))) => {
            shifted.push(first >> bits);
            shifted.extend(kept.iter().zip(rest).map(|(high, low)| high << (8 - bits) | low >> bits));
        }
    }
    shifted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bit(bytes: &[u8], index: Option<usize>) -> bool {
        index.and_then(|index| bytes.get(index / 8).map(|byte| byte >> (7 - index % 8) & 1 == 1)).unwrap_or(false)
    }

    #[test]
    fn shifts_are_big_endian() {
        assert_eq!(left(&[0x01, 0x80], 1), [0x03, 0x00]);
        assert_eq!(right(&[0x01, 0x80], 1), [0x00, 0xc0]);
        assert_eq!(right(&[7, 0, 0], 8), [0, 7, 0]);
        assert_eq!(left(&[], 3), [0u8; 0]);
    }

    proptest! {
        #[test]
        fn shifts_agree_with_a_loop_over_bits(bytes in prop::collection::vec(any::<u8>(), 0..40), count in 0usize..400) {
            let (l, r) = (left(&bytes, count), right(&bytes, count));
            prop_assert_eq!((l.len(), r.len()), (bytes.len(), bytes.len()));
            for index in 0..8 * bytes.len() {
                prop_assert_eq!(bit(&l, Some(index)), bit(&bytes, index.checked_add(count)));
                prop_assert_eq!(bit(&r, Some(index)), bit(&bytes, index.checked_sub(count)));
            }
        }
    }
}
