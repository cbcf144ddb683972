//! A script as a list of instructions that remember where they come from.

use std::fmt;

use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::DisplayHex;

use super::number;
use super::opcode::Opcode;
use super::push;

/// One instruction of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// Puts bytes on the stack, by the shortest push there is.
    Push(Vec<u8>),
    /// Any other opcode.
    Op(Opcode),
}

/// An instruction, and the instruction of the bignum program that it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// What it is.
    pub code: Code,
    /// Index into the bignum program's instructions.
    pub origin: u32,
}

/// A script before it is bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// Its instructions.
    pub instructions: Vec<Instruction>,
}

impl Code {
    /// A push of a number.
    pub fn number(value: usize) -> Code {
        Code::Push(number::encode(&value.into()))
    }

    /// How many bytes it takes in a script.
    pub fn byte_len(&self) -> usize {
        match self {
            Code::Push(data) => push::encoded_len(data),
            Code::Op(_) => 1,
        }
    }

    /// The number that a push stands for, where it is short enough to be an index.
    pub fn as_index(&self) -> Option<usize> {
        match self {
            Code::Push(data) if data.len() <= 4 => usize::try_from(number::decode(data)).ok(),
            _ => None,
        }
    }

    /// The one opcode that it is, also where that pushes a small number.
    fn opcode(&self) -> Option<Opcode> {
        match self {
            Code::Op(opcode) => Some(*opcode),
            Code::Push(data) => push::small(data),
        }
    }

    pub(crate) fn append(&self, bytes: &mut Vec<u8>) {
        match self {
            Code::Push(data) => push::append(bytes, data),
            Code::Op(opcode) => bytes.push(opcode.byte()),
        }
    }
}

impl Script {
    /// The script's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.byte_len());
        for instruction in &self.instructions {
            instruction.code.append(&mut bytes);
        }
        bytes
    }

    /// The script as rust-bitcoin knows it.
    pub fn to_script_buf(&self) -> ScriptBuf {
        ScriptBuf::from_bytes(self.to_bytes())
    }

    /// How many bytes it takes.
    pub fn byte_len(&self) -> usize {
        self.instructions.iter().map(|instruction| instruction.code.byte_len()).sum()
    }

    /// The script as text, a space between instructions: opcodes as `OP_ADD`, pushes as plain hex.
    pub fn to_asm(&self) -> String {
        to_asm(self.instructions.iter().map(|instruction| &instruction.code))
    }

    /// SHA-256 of the script's bytes, in hex.
    pub fn sha256(&self) -> String {
        sha256::Hash::hash(&self.to_bytes()).to_string()
    }
}

/// Opcodes by name, pushes as hex in angle brackets: `11` pushes eleven, `<11>` the byte 0x11.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.opcode()) {
            (_, Some(opcode)) => opcode.fmt(f),
            (Code::Push(data), None) => write!(f, "<{}>", data.to_lower_hex_string()),
            (Code::Op(opcode), None) => opcode.fmt(f),
        }
    }
}

/// Instructions as text, a space between them: opcodes as `OP_ADD`, pushes as plain hex.
pub(crate) fn to_asm<'a>(codes: impl IntoIterator<Item = &'a Code>) -> String {
    let word = |code: &Code| match code.opcode() {
        Some(opcode) => format!("OP_{opcode}"),
        None => code.to_string().trim_matches(['<', '>']).to_owned(),
    };
    codes.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

/// An unlocking script that pushes the given items, first item first.
pub fn pushes(items: &[Vec<u8>]) -> ScriptBuf {
    let mut bytes = Vec::new();
    for item in items {
        push::append(&mut bytes, item);
    }
    ScriptBuf::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_byte_of_the_same_digits_are_told_apart() {
        let codes = [Code::number(11), Code::number(17), Code::Op(Opcode::ADD), Code::Op(Opcode::OP_1ADD)];
        let instructions = codes.map(|code| Instruction { code, origin: 0 }).to_vec();
        let script = Script { instructions };
        assert_eq!(script.to_asm(), "OP_11 11 OP_ADD OP_1ADD");
        let words: Vec<String> = script.instructions.iter().map(|instruction| instruction.code.to_string()).collect();
        assert_eq!(words, ["11", "<11>", "ADD", "1ADD"]);
    }
}
