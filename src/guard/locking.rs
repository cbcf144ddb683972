//! The locking script: the network's code between the guard's.

use std::ops::Range;

use bitcoin::hashes::{Hash, sha256};

use super::{Guard, Item, Method, Part};
use crate::codegen::Contract;
use crate::script::opcode::Opcode;
use crate::script::{Code, Script, code};

/// A locking script in three pieces.
#[derive(Debug, Clone)]
pub struct Locking<'c> {
    /// The guard's code in front.
    pub before: Vec<Part>,
    /// The network's code.
    pub network: &'c Script,
    /// The guard's code behind.
    pub after: Vec<Part>,
}

impl<'c> Locking<'c> {
    pub(crate) fn new(guard: &Guard, contract: Contract, network: &'c Script) -> Self {
        Locking { before: guard.before(contract), network, after: guard.after() }
    }

    /// The script's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.byte_len());
        self.before.iter().for_each(|part| part.append(&mut bytes));
        bytes.extend(self.network.to_bytes());
        self.after.iter().for_each(|part| part.append(&mut bytes));
        bytes
    }

    /// How many bytes it takes.
    pub fn byte_len(&self) -> usize {
        self.network_bytes().end + len(&self.after)
    }

    /// How many of them are the guard's.
    pub fn guard_bytes(&self) -> usize {
        len(&self.before) + len(&self.after)
    }

    /// Where the network's code lies.
    pub fn network_bytes(&self) -> Range<usize> {
        let start = len(&self.before);
        start..start + self.network.byte_len()
    }

    /// How many instructions it has.
    pub fn instructions(&self) -> usize {
        self.network.instructions.len() + self.guard_instructions()
    }

    /// How many of them are the guard's.
    pub fn guard_instructions(&self) -> usize {
        self.before.iter().chain(&self.after).map(|part| part.code.len()).sum()
    }

    /// SHA-256 of the script's bytes, in hex.
    pub fn sha256(&self) -> String {
        sha256::Hash::hash(&self.to_bytes()).to_string()
    }

    /// The script as text, as [`Script::to_asm`] has it.
    pub fn to_asm(&self) -> String {
        let words = |parts: &[Part]| parts.iter().map(|part| code::to_asm(&part.code)).collect::<Vec<_>>();
        let network = self.network.to_asm();
        [words(&self.before), vec![network], words(&self.after)].concat().join(" ")
    }
}

impl Guard {
    /// The bytes in front of a network's code, and those behind it.
    pub(crate) fn bytes(&self, contract: Contract) -> [Vec<u8>; 2] {
        [self.before(contract), self.after()].map(|parts| {
            let mut bytes = Vec::with_capacity(len(&parts));
            parts.iter().for_each(|part| part.append(&mut bytes));
            bytes
        })
    }

    /// Where the script begins that a method's signatures hash, around a network whose code ends at `network_end`.
    pub(crate) fn script_code(&self, method: &Method, network_end: usize) -> usize {
        if !method.pushes.contains(&Item::Preimage) {
            return 0;
        }
        let separator = |part: &&Part| part.code.contains(&Code::Op(Opcode::CODESEPARATOR));
        let after = self.after();
        let in_front = after.iter().take_while(|part| !separator(part)).map(Part::byte_len).sum::<usize>();
        network_end + in_front + after.iter().find(separator).map_or(0, Part::byte_len)
    }
}

fn len(parts: &[Part]) -> usize {
    parts.iter().map(Part::byte_len).sum()
}

impl Part {
    /// How many bytes it takes.
    pub fn byte_len(&self) -> usize {
        self.code.iter().map(Code::byte_len).sum()
    }

    fn append(&self, bytes: &mut Vec<u8>) {
        self.code.iter().for_each(|code| code.append(bytes));
    }
}
