//! What each opcode does to the stacks, by family.
//!
//! Every function checks in the node's order (enough items, then operands from the deepest or as
//! noted, then the result), since the first failure names the error.
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/interpreter.cpp`, `EvalScript`.

pub(super) mod arith;
pub(super) mod bitwise;
pub(super) mod crypto;
mod encoding;
pub(super) mod shuffle;
pub(super) mod signature;
pub(super) mod splice;

use super::error::ScriptError;
use super::stack::Stack;

/// Drops a true top; fails with `error`, leaving it, on a false one.
#[inline]
pub(super) fn verify(stack: &mut Stack<'_>, error: ScriptError) -> Result<(), ScriptError> {
    if !stack.peek(0)?.is_true() {
        return Err(error);
    }
    stack.pop()?;
    Ok(())
}
