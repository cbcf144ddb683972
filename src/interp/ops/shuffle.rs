//! Opcodes that move, copy and drop whole items.

use crate::interp::error::ScriptError;
use crate::interp::number::{NumberRules, small_item};
use crate::interp::stack::Stack;

type Result = std::result::Result<(), ScriptError>;

/// Drops the top `count` items.
#[inline]
pub(in crate::interp) fn drop(stack: &mut Stack<'_>, count: usize) -> Result {
    stack.need(count)?;
    for _ in 0..count {
        stack.pop()?;
    }
    Ok(())
}

/// Copies `count` items, the last of which is `depth` below the top: DUP, OVER, 2DUP, 3DUP, 2OVER.
#[inline]
pub(in crate::interp) fn copy(stack: &mut Stack<'_>, count: usize, depth: usize) -> Result {
    stack.need(depth + count)?;
    for _ in 0..count {
        // Each copy buries the next item to copy by one, and that item is one nearer.
        stack.pick(depth + count - 1)?;
    }
    Ok(())
}

/// Moves the items that are `depth` below the top to the top, `count` times: ROT, 2ROT, 2SWAP.
#[inline]
pub(in crate::interp) fn rotate(stack: &mut Stack<'_>, count: usize, depth: usize) -> Result {
    stack.need(depth + 1)?;
    for _ in 0..count {
        stack.roll(depth)?;
    }
    Ok(())
}

/// Drops the second item.
#[inline]
pub(in crate::interp) fn nip(stack: &mut Stack<'_>) -> Result {
    stack.swap(0, 1)?;
    stack.pop()?;
    Ok(())
}

/// Copies the top if it is true.
pub(in crate::interp) fn ifdup(stack: &mut Stack<'_>) -> Result {
    if stack.peek(0)?.is_true() {
        stack.pick(0)?;
    }
    Ok(())
}

/// Pushes the number of items.
pub(in crate::interp) fn depth(stack: &mut Stack<'_>) -> Result {
    let depth = stack.len() as i128;
    stack.push(small_item(depth))
}

/// PICK.
#[inline]
pub(in crate::interp) fn pick(stack: &mut Stack<'_>, rules: &NumberRules) -> Result {
    let depth = pop_depth(stack, rules)?;
    stack.pick(depth)
}

/// ROLL. The node takes the item off and pushes it again, which weighs nothing more.
#[inline]
pub(in crate::interp) fn roll(stack: &mut Stack<'_>, rules: &NumberRules) -> Result {
    let depth = pop_depth(stack, rules)?;
    stack.roll(depth)
}

/// Takes off the depth that PICK and ROLL read; it must lie within the rest of the stack.
#[inline]
fn pop_depth(stack: &mut Stack<'_>, rules: &NumberRules) -> std::result::Result<usize, ScriptError> {
    stack.need(2)?;
    let depth = rules.read(stack.peek(0)?)?.saturate();
    stack.pop()?;
    match usize::try_from(depth) {
        Ok(depth) if depth < stack.len() => Ok(depth),
        _ => Err(ScriptError::InvalidStackOperation),
    }
}
