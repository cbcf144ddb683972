//! What a script costs: its bytes, its instructions, and an estimate of the time that a node takes.

use std::ops::AddAssign;

use crate::bignum::{Program, ValueId};
use crate::script::opcode::Opcode;
use crate::script::{Code, Script};
use crate::target::COST_INSTRUCTION_NS;

/// What a script, or a part of it, costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Bytes of the script.
    pub bytes: usize,
    /// Its instructions.
    pub instructions: usize,
    /// An estimate of what a mempool's clock shows for it, in nanoseconds.
    pub nanoseconds: u64,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        self.bytes += other.bytes;
        self.instructions += other.instructions;
        self.nanoseconds += other.nanoseconds;
    }
}

/// What the script that lays a program out costs.
pub fn of_script(program: &Program, script: &Script) -> Cost {
    let mut cost = Cost::default();
    for instruction in &script.instructions {
        cost += of_instruction(program, &instruction.code, instruction.origin);
    }
    cost
}

/// What an instruction of a guard costs: little, beside a network's. Signatures are not in it.
pub fn of_guard(code: &Code) -> Cost {
    let data = if let Code::Push(data) = code { copy_ns(data.len()) } else { 0 };
    Cost { bytes: code.byte_len(), instructions: 1, nanoseconds: COST_INSTRUCTION_NS + data }
}

/// What an instruction costs that serves an instruction of the program.
pub fn of_instruction(program: &Program, code: &Code, origin: u32) -> Cost {
    let served = program.instructions.get(origin as usize);
    let operands = |opcode| served.filter(|served| served.op.opcode() == Some(opcode)).map(|served| &served.operands);
    let computes = match code {
        Code::Op(opcode) if let Some(operands) = operands(*opcode) => operation_ns(program, *opcode, operands),
        Code::Op(Opcode::PICK | Opcode::ROLL) => 390,
        Code::Op(Opcode::OP_1ADD | Opcode::OP_1SUB | Opcode::NUMEQUALVERIFY) => 340,
        Code::Op(_) => 20,
        Code::Push(data) => copy_ns(data.len()),
    };
    Cost { bytes: code.byte_len(), instructions: 1, nanoseconds: COST_INSTRUCTION_NS + computes }
}

fn copy_ns(bytes: usize) -> u64 {
    bytes as u64 / 16
}

/// What an operation takes beyond the clock's own time. Source: measured on node 1.2.2 (`bsv-script-facts.md`); the
/// figures there, or lines through them.
fn operation_ns(program: &Program, opcode: Opcode, operands: &[ValueId]) -> u64 {
    let size = |index: usize| operands.get(index).map_or(0, |&id| program.values[id].most_bytes());
    let longest = size(0).max(size(1)) as u64;
    match opcode {
        Opcode::MUL => multiplication_ns(size(0), size(1)),
        Opcode::ADD | Opcode::SUB | Opcode::MIN | Opcode::MAX | Opcode::NEGATE => 340 + longest * 33 / 10,
        Opcode::DIV | Opcode::MOD => 400 + longest * 17 / 4,
        Opcode::AND => longest * 2,
        Opcode::SPLIT => 350 + longest / 45,
        Opcode::CAT => 40 + copy_ns(size(1)),
        Opcode::NUM2BIN => 390 + copy_ns(size(0)),
        _ => 20,
    }
}

/// Schoolbook, about a nanosecond for two words; or Karatsuba where both take about as many words, which triples
/// with each doubling (a straight line in between).
fn multiplication_ns(a: usize, b: usize) -> u64 {
    let (a, b) = (a.div_ceil(8).max(1) as u64, b.div_ceil(8).max(1) as u64);
    let overhead = if a.min(b) < 4 { 500 } else { 900 };
    if a.abs_diff(b) > 1 || a < 4 {
        return overhead + a * b;
    }
    let doublings = a.ilog2();
    let power = 1u64 << doublings;
    overhead + 33 * 3u64.pow(doublings) * (2 * a - power) / (10 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of `bsv-script-facts.md`, in nanoseconds, within a third.
    #[test]
    fn products_cost_what_a_node_was_seen_to_take() {
        for (bytes, measured) in [(8, 500), (128, 1_300), (1_000, 9_000), (4_096, 65_000), (10_000, 319_000)] {
            let estimate = multiplication_ns(bytes, bytes);
            assert!(estimate.abs_diff(measured) * 3 <= measured, "{bytes}: {estimate}");
        }
        assert!(multiplication_ns(784, 1).abs_diff(2_400) < 2_000);
    }
}
