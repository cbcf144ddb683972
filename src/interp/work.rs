//! Work: a bound on how long a stranger's script keeps the interpreter busy. Not the node's, which asks its clock; this
//! is counted from the lengths of operands, ahead of each opcode, so that a script ends alike on every machine.
//!
//! A unit is about a nanosecond, or less. Counts are rough, and above what opcodes take where they are wrong; no opcode
//! begins whose count exceeds what is left.

use super::error::ScriptError;
use super::number::NumberRules;
use super::stack::{STACK_BYTES_OPERATOR, Stack};
use crate::script::opcode::Opcode;

/// What is left of a budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work(u64);

/// Any opcode.
const OPCODE: u64 = 10;
/// Bytes that are copied, added or compared in a unit.
const BYTES: u64 = 4;
/// Units that hashing a byte takes.
const HASHED: u64 = 4;
/// Pairs of 8-byte words that are multiplied in a unit.
const PAIRS: u64 = 4;
/// How many times as long as a sum takes a quotient by a short divisor.
const DIVIDED: u64 = 8;
/// From so many words on, products take less than all pairs do.
const SUBQUADRATIC: u64 = 2000;

impl Work {
    pub(super) fn new(units: u64) -> Self {
        Work(units)
    }

    /// Takes off what an opcode is going to take.
    pub(super) fn charge(&mut self, opcode: Opcode, stack: &Stack<'_>, rules: &NumberRules) -> Result<(), ScriptError> {
        self.0 = self.0.checked_sub(units(opcode, stack, rules)).ok_or(ScriptError::WorkLimit)?;
        Ok(())
    }
}

fn units(opcode: Opcode, stack: &Stack<'_>, rules: &NumberRules) -> u64 {
    use Opcode::*;
    let len = |depth: usize| stack.peek(depth).map_or(0, |item| item.len() as u64);
    // A number on top that says how long something is to become.
    let size = || {
        let number = stack.peek(0).ok().and_then(|item| rules.read(item).ok());
        number.map_or(0, |number| number.saturate().clamp(0, STACK_BYTES_OPERATOR as i64) as u64)
    };
    let operands = (len(0) + len(1) + len(2)) / BYTES;
    OPCODE
        + match opcode {
            DROP | OP_2DROP | DUP | OP_2DUP | OP_3DUP | OVER | OP_2OVER | SWAP | OP_2SWAP | ROT | OP_2ROT | TUCK
            | NIP | PICK | DEPTH | SIZE | TOALTSTACK | FROMALTSTACK => 0,
            ROLL => stack.len() as u64,
            MUL => operands + product(len(1) / 8, len(0) / 8),
            DIV | MOD => DIVIDED * operands + product(len(0) / 8, (len(1) / 8).saturating_sub(len(0) / 8)),
            NUM2BIN => (size() + len(1)) / BYTES,
            LSHIFTNUM => (size() / 8 + len(1)) / BYTES,
            RIPEMD160 | SHA1 | SHA256 | HASH160 | HASH256 => HASHED * len(0),
            _ => operands,
        }
}

/// A product of numbers of so many words.
fn product(a: u64, b: u64) -> u64 {
    let pairs = a.saturating_mul(b);
    pairs / PAIRS / (a.min(b) / SUBQUADRATIC).max(1).isqrt()
}
