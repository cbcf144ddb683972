//! Shortens neighbouring instructions; each rule leaves both stacks as they were without it.

use crate::script::opcode::Opcode;
use crate::script::{Code, Instruction, Script};

/// Applies all rules until none fits.
pub(super) fn shorten(script: Script) -> Script {
    let mut shortened: Vec<Instruction> = Vec::with_capacity(script.instructions.len());
    for instruction in script.instructions {
        shortened.push(instruction);
        while shorten_end(&mut shortened) {}
    }
    Script { instructions: shortened }
}

/// Applies one rule to the last two instructions, if one fits.
fn shorten_end(code: &mut Vec<Instruction>) -> bool {
    let [.., before, last] = code.as_slice() else {
        return false;
    };
    let replacement = match (&before.code, &last.code) {
        (Code::Op(before), Code::Op(last)) => opcode_pair(*before, *last),
        (Code::Push(data), Code::Op(last)) => push_and_opcode(data, *last),
        _ => None,
    };
    let Some(replacement) = replacement else { return false };
    let origin = last.origin;
    code.truncate(code.len() - 2);
    code.extend(replacement.map(|opcode| Instruction { code: Code::Op(opcode), origin }));
    true
}

/// What two opcodes can be replaced by: `None` nothing, `Some(None)` nothing at all.
#[allow(clippy::option_option)]
fn opcode_pair(before: Opcode, last: Opcode) -> Option<Option<Opcode>> {
    use Opcode::{
        ADD, DROP, DUP, EQUAL, EQUALVERIFY, FROMALTSTACK, MAX, MIN, MUL, NIP, NUMEQUAL, NUMEQUALVERIFY, OP_2DROP,
        OP_2DUP, OVER, SWAP, TOALTSTACK, TUCK, VERIFY,
    };
    Some(match (before, last) {
        (SWAP, SWAP) | (DUP, DROP) | (TOALTSTACK, FROMALTSTACK) | (FROMALTSTACK, TOALTSTACK) => None,
        (SWAP, ADD | MUL | MIN | MAX | EQUAL | NUMEQUAL) => Some(last),
        (SWAP, OVER) => Some(TUCK),
        (SWAP, DROP) => Some(NIP),
        (DUP, SWAP) => Some(DUP),
        (OVER, OVER) => Some(OP_2DUP),
        (DROP, DROP) => Some(OP_2DROP),
        (EQUAL, VERIFY) => Some(EQUALVERIFY),
        (NUMEQUAL, VERIFY) => Some(NUMEQUALVERIFY),
        _ => return None,
    })
}

#[allow(clippy::option_option)]
fn push_and_opcode(data: &[u8], last: Opcode) -> Option<Option<Opcode>> {
    Some(match (data, last) {
        ([1], Opcode::ADD) => Some(Opcode::OP_1ADD),
        ([1], Opcode::SUB) => Some(Opcode::OP_1SUB),
        ([], Opcode::ROLL) | (_, Opcode::DROP) => None,
        ([1], Opcode::ROLL) => Some(Opcode::SWAP),
        ([2], Opcode::ROLL) => Some(Opcode::ROT),
        ([], Opcode::PICK) => Some(Opcode::DUP),
        ([1], Opcode::PICK) => Some(Opcode::OVER),
        _ => return None,
    })
}
