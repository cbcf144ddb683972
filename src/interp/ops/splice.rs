//! Opcodes on byte strings: joining, cutting, and changing their length as numbers.

use crate::interp::error::ScriptError;
use crate::interp::item::Item;
use crate::interp::number::{NumberRules, small_item};
use crate::interp::stack::Stack;

type Result = std::result::Result<(), ScriptError>;

/// Longest string NUM2BIN makes.
const NUM2BIN_MAX: i64 = i32::MAX as i64;

/// CAT. The node takes off the second operand first and then pays for its bytes alone.
pub(in crate::interp) fn cat(stack: &mut Stack<'_>) -> Result {
    stack.need(2)?;
    let tail = stack.pop()?;
    stack.charge(tail.len() as u64)?;
    let head = stack.peek_mut(0)?;
    if head.len() == 0 {
        *head = tail;
    } else if tail.len() != 0 {
        head.append(tail.bytes());
    }
    Ok(())
}

/// SPLIT.
pub(in crate::interp) fn split(stack: &mut Stack<'_>, rules: &NumberRules) -> Result {
    stack.need(2)?;
    let data = stack.peek(1)?;
    let position = rules.read(stack.peek(0)?)?.saturate();
    let at = match usize::try_from(position) {
        Ok(at) if at <= data.len() => at,
        _ => return Err(ScriptError::InvalidSplitRange),
    };
    let (left, right) = (data.slice(0..at), data.slice(at..data.len()));
    // With the operands gone, the buffer may be ours alone again: later edits are then in place.
    stack.replace(2, left)?;
    stack.push(right)
}

/// SIZE.
pub(in crate::interp) fn size(stack: &mut Stack<'_>) -> Result {
    let len = stack.peek(0)?.len() as i128;
    stack.push(small_item(len))
}

/// NUM2BIN: the value that an encoding of any length stands for, in exactly so many bytes.
pub(in crate::interp) fn num2bin(stack: &mut Stack<'_>, rules: &NumberRules) -> Result {
    stack.need(2)?;
    let size = match rules.read(stack.peek(0)?)?.saturate() {
        size @ 0..=NUM2BIN_MAX => size as usize,
        _ => return Err(ScriptError::PushSize),
    };
    stack.pop()?;
    minimise_top(stack)?;
    let len = stack.peek(0)?.len();
    if len > size {
        return Err(ScriptError::ImpossibleEncoding);
    }
    if len == size {
        return Ok(());
    }
    stack.charge((size - len) as u64)?;
    let item = stack.peek_mut(0)?;
    let negative = item.bytes().last().is_some_and(|top| top & 0x80 != 0);
    if negative {
        item.edit(flip_sign);
    }
    item.append_zeros(size - len);
    if negative {
        item.edit(flip_sign);
    }
    Ok(())
}

/// BIN2NUM: the minimal encoding of the same value. The result must be short enough to compute with.
pub(in crate::interp) fn bin2num(stack: &mut Stack<'_>, rules: &NumberRules) -> Result {
    stack.need(1)?;
    minimise_top(stack)?;
    if stack.peek(0)?.len() > rules.max_len {
        return Err(ScriptError::InvalidNumberRange);
    }
    Ok(())
}

/// Changes the sign bit, which is in the last byte.
fn flip_sign(bytes: &mut [u8]) {
    if let Some(top) = bytes.last_mut() {
        *top ^= 0x80;
    }
}

/// Replaces the top by the minimal encoding of its value.
fn minimise_top(stack: &mut Stack<'_>) -> Result {
    let before = stack.peek(0)?.len();
    let item = stack.peek_mut(0)?;
    minimise(item);
    if item.len() == before {
        return Ok(());
    }
    stack.reweigh_top(before)
}

/// Cuts off the zeros between a magnitude and its sign.
fn minimise(item: &mut Item<'_>) {
    let bytes = item.bytes();
    let Some((&top, below)) = bytes.split_last() else {
        return;
    };
    if top & 0x7f != 0 {
        return;
    }
    let Some(last) = below.iter().rposition(|&byte| byte != 0) else {
        *item = Item::EMPTY;
        return;
    };
    // The sign needs a byte of its own where the magnitude fills its last one.
    let own_byte = below[last] & 0x80 != 0;
    let len = last + 1 + usize::from(own_byte);
    if len == bytes.len() {
        return;
    }
    *item = item.slice(0..len);
    if top & 0x80 != 0 {
        item.edit(flip_sign);
    }
}

/// SUBSTR (Chronicle): `length` bytes from `begin`, which must be within the string.
pub(in crate::interp) fn substr(stack: &mut Stack<'_>, rules: &NumberRules) -> Result {
    stack.need(3)?;
    let length = read_wrapping(stack.peek(0)?, rules)?;
    let begin = read_wrapping(stack.peek(1)?, rules)?;
    let data = stack.peek(2)?;
    let size = data.len() as i64;
    if begin < 0 || begin >= size || length < 0 || length > size - begin {
        return Err(ScriptError::InvalidNumberRange);
    }
    let begin = begin as usize;
    let part = data.slice(begin..begin + length as usize);
    drop_sizes_and_cut(stack, 2, part)
}

/// Which end of a string LEFT and RIGHT keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::interp) enum End {
    Left,
    Right,
}

/// LEFT and RIGHT (Chronicle): the first or the last bytes.
pub(in crate::interp) fn end(stack: &mut Stack<'_>, rules: &NumberRules, end: End) -> Result {
    stack.need(2)?;
    let length = read_wrapping(stack.peek(0)?, rules)?;
    let data = stack.peek(1)?;
    let size = data.len();
    let length = match usize::try_from(length) {
        Ok(length) if length <= size => length,
        _ => return Err(ScriptError::InvalidNumberRange),
    };
    let range = if end == End::Left { 0..length } else { size - length..size };
    let part = data.slice(range);
    drop_sizes_and_cut(stack, 1, part)
}

/// Drops `count` sizes and puts a part of the string below in its place. The node forgets to take
/// the bytes cut off from the stack's weight.
fn drop_sizes_and_cut<'s>(stack: &mut Stack<'s>, count: usize, part: Item<'s>) -> Result {
    for _ in 0..count {
        stack.pop()?;
    }
    stack.set_top_keeping_weight(part)
}

/// A size as SUBSTR, LEFT and RIGHT read it, into 64 bits.
///
/// For nine bytes and more the node's loop shifts byte `i` by `8 * i` bits, modulo 64 on the machines
/// it is built for, drops the last byte with its sign, and lets the rest pile up.
/// Source: node 1.2.2 `script/int_serialization.h`, `deserialize`.
fn read_wrapping(item: &Item<'_>, rules: &NumberRules) -> std::result::Result<i64, ScriptError> {
    let number = rules.read(item)?;
    match item.bytes() {
        bytes @ [_, _, _, _, _, _, _, _, ..] if bytes.len() > 8 => {
            let kept = &bytes[..bytes.len() - 1];
            Ok(kept.iter().enumerate().fold(0u64, |sum, (i, &byte)| sum | u64::from(byte) << (8 * (i % 8))) as i64)
        }
        _ => Ok(number.saturate()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::number;
    use proptest::prelude::*;

    #[test]
    fn long_sizes_pile_up_by_eight_bytes() {
        let rules = NumberRules { max_len: 10_000, minimal: false };
        for (bytes, size) in [
            (vec![5, 0, 0, 0, 0, 0, 0, 0x80], -5),
            (vec![5, 0, 0, 0, 0, 0, 0, 0, 0x80], 5),
            (vec![4, 0, 0, 0, 0, 0, 0, 0, 0x80, 0], 0x84),
            (vec![0xff; 9], -1),
        ] {
            assert_eq!(read_wrapping(&Item::owned(bytes.clone()), &rules), Ok(size), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn minimising_keeps_the_value(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(0), Just(0x80)], 0..60)) {
            for mut item in [Item::owned(bytes.clone()), Item::pushed(&bytes, 0..bytes.len())] {
                minimise(&mut item);
                prop_assert_eq!(item.bytes(), &number::encode(&number::decode(&bytes))[..]);
            }
        }
    }
}
