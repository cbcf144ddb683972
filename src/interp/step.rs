//! What a tracer sees: one instruction, about to be executed.

use std::fmt;

use super::item::Item;
use crate::script::opcode::Opcode;

/// One of the two scripts of a spend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScriptKind {
    /// The spender's, which runs first. It may only push, unless the transaction is free to be malleable.
    Unlocking,
    /// The coin's.
    Locking,
}

impl fmt::Display for ScriptKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ScriptKind::Unlocking => "unlocking",
            ScriptKind::Locking => "locking",
        })
    }
}

/// An instruction, for people to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Instruction<'a> {
    /// A push of these bytes; empty for OP_0. The other small integers are opcodes.
    Push(&'a [u8]),
    /// An opcode.
    Opcode(Opcode),
    /// A byte that is no opcode.
    Unknown(u8),
}

/// How many bytes of a push are shown.
const SHOWN: usize = 16;

impl fmt::Display for Instruction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Instruction::Push([]) => f.write_str("0"),
            Instruction::Push(data) => {
                f.write_str("PUSH ")?;
                data.iter().take(SHOWN).try_for_each(|byte| write!(f, "{byte:02x}"))?;
                if data.len() > SHOWN { write!(f, "... ({} bytes)", data.len()) } else { Ok(()) }
            }
            Instruction::Opcode(opcode) => opcode.fmt(f),
            Instruction::Unknown(byte) => write!(f, "UNKNOWN {byte:02x}"),
        }
    }
}

/// One instruction and the state before it. Instructions that a branch skips are not shown, save the
/// conditionals that end it.
pub struct Step<'a> {
    /// Which script it is in.
    pub script: ScriptKind,
    /// Where in the script it begins.
    pub offset: usize,
    /// What it is.
    pub instruction: Instruction<'a>,
    pub(super) main: &'a [Item<'a>],
    pub(super) alt_depth: usize,
}

impl<'a> Step<'a> {
    /// How many items the main stack holds.
    pub fn depth(&self) -> usize {
        self.main.len()
    }

    /// The item `depth` below the top of the main stack.
    pub fn item(&self, depth: usize) -> Option<&'a [u8]> {
        self.main.iter().nth_back(depth).map(Item::bytes)
    }

    /// How many items the alt stack holds.
    pub fn alt_depth(&self) -> usize {
        self.alt_depth
    }
}
