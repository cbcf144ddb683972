//! Guards' code, written as scripts are.

use super::Part;
use crate::script::Code;
use crate::script::opcode::Opcode;

/// One opcode, or a push.
pub(super) trait Word {
    fn code(self) -> Code;
}

impl Word for Opcode {
    fn code(self) -> Code {
        Code::Op(self)
    }
}

/// A number.
impl Word for usize {
    fn code(self) -> Code {
        Code::number(self)
    }
}

/// Bytes.
impl Word for &[u8] {
    fn code(self) -> Code {
        Code::Push(self.to_vec())
    }
}

/// A list of opcodes, numbers and byte strings.
macro_rules! code {
    ($($word:expr),* $(,)?) => { vec![$($crate::guard::assembly::Word::code($word)),*] };
}
pub(super) use code;

pub(super) fn part(step: &'static str, code: Vec<Code>) -> Part {
    Part { step, code }
}
