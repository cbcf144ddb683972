//! What the rules say of an unlocking script, by its bytes: written from none of the interpreter's code.

use onnx2script::script::code;
use onnx2script::target::{Era, Rules, Target};

use super::common::{Expected, Lock};

/// An unlocking script.
#[derive(Debug, Clone)]
pub(crate) struct Attack {
    /// What it tries.
    pub(crate) kind: &'static str,
    pub(crate) unlocking: Vec<u8>,
    /// What it leaves where opcodes may run, if it gets to its end.
    leaves: Option<Vec<Vec<u8>>>,
    /// Whether it is pushes alone.
    pub(crate) push_only: bool,
    /// Whether every push is the shortest.
    shortest: bool,
}

/// Who judges a spend: a node's rules, and the version of the transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge {
    pub(crate) target: Target,
    pub(crate) version: u8,
}

impl Judge {
    /// Since Chronicle, versions above 1 may unlock with opcodes and pushes as they like.
    fn is_lenient(self) -> bool {
        self.target.era == Era::Chronicle && self.version > 1
    }
}

impl Attack {
    /// Whatever bytes; `leaves` says what their opcodes leave, where some are no pushes.
    pub(crate) fn new(kind: &'static str, unlocking: Vec<u8>, leaves: Option<Vec<Vec<u8>>>) -> Attack {
        let read = read(&unlocking);
        let leaves = if read.push_only { read.items } else { leaves };
        Attack { kind, leaves, push_only: read.push_only, shortest: read.shortest, unlocking }
    }

    pub(crate) fn pushing(kind: &'static str, items: &[Vec<u8>]) -> Attack {
        Attack::new(kind, code::pushes(items).into_bytes(), None)
    }

    /// What the contract makes of what is on the stack when it begins.
    pub(crate) fn expected(&self, lock: &Lock) -> Expected {
        self.leaves.as_ref().map_or(Expected::Fails, |items| lock.expected(items))
    }

    /// What is on the stack when the contract begins.
    pub(crate) fn items(&self) -> Option<&[Vec<u8>]> {
        self.leaves.as_deref()
    }

    /// Whether a node must let the contract's code see what the script leaves.
    pub(crate) fn may_run(&self, lock: &Lock, judge: Judge) -> bool {
        let most = judge.target.max_script_bytes();
        let fits = self.unlocking.len() <= most && lock.bytes.len() <= most;
        let tidy = judge.target.rules == Rules::Consensus || self.shortest;
        fits && (judge.is_lenient() || self.push_only && tidy)
    }
}

/// A script as pushes.
struct Read {
    push_only: bool,
    shortest: bool,
    /// What they push; `None` where one of them cannot be executed.
    items: Option<Vec<Vec<u8>>>,
}

/// Reads an unlocking script as `CScript::IsPushOnly` and `CheckMinimalPush` do: no opcode above OP_16, no push beyond
/// the end; OP_RESERVED is counted among the pushes, and fails when it is executed.
fn read(script: &[u8]) -> Read {
    let mut read = Read { push_only: true, shortest: true, items: Some(vec![]) };
    let mut rest = script;
    while let Some((&opcode, behind)) = rest.split_first() {
        let width = match opcode {
            0x01..=0x4b => 0,
            0x4c => 1,
            0x4d => 2,
            0x4e => 4,
            0x00 | 0x4f | 0x51..=0x60 => {
                let item = match opcode {
                    0x00 => vec![],
                    0x4f => vec![0x81],
                    _ => vec![opcode - 0x50],
                };
                read.items.iter_mut().for_each(|items| items.push(item.clone()));
                rest = behind;
                continue;
            }
            0x50 => {
                read.items = None;
                rest = behind;
                continue;
            }
            _ => return Read { push_only: false, ..read },
        };
        let Some((length, behind)) = behind.split_at_checked(width) else { return Read { push_only: false, ..read } };
        let told = length.iter().rev().fold(0, |told, &byte| told << 8 | usize::from(byte));
        let length = if width == 0 { usize::from(opcode) } else { told };
        let Some((item, behind)) = behind.split_at_checked(length) else { return Read { push_only: false, ..read } };
        let shortest = match item {
            [] | [0x81] | [1..=16] => false,
            item => width == [0x4b, 0xff, 0xffff].iter().position(|&most| item.len() <= most).map_or(4, |at| at),
        };
        read.shortest &= shortest;
        read.items.iter_mut().for_each(|items| items.push(item.to_vec()));
        rest = behind;
    }
    read
}
