//! Locking scripts that are not what was compiled: every script that one change of one instruction makes.

use std::collections::BTreeSet;

use num_bigint::BigInt;
use onnx2script::script::opcode::Opcode::{self, *};
use onnx2script::script::{Code, number, push};

/// Constants longer than this have some of their bits flipped, not all.
const SHORT_CONSTANT: usize = 4;

/// A changed script.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    /// What was done.
    pub(crate) kind: &'static str,
    /// Index of the first instruction that changed.
    pub(crate) at: usize,
    /// The instructions that changed, as they were and as they are.
    pub(crate) change: String,
    pub(crate) code: Vec<Code>,
}

/// A script's bytes.
pub(crate) fn bytes(code: &[Code]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for code in code {
        match code {
            Code::Push(data) => push::append(&mut bytes, data),
            Code::Op(opcode) => bytes.push(opcode.byte()),
        }
    }
    bytes
}

/// Opcodes that one might write for each other: of the same arity, or of the same use.
const KIN: [&[Opcode]; 16] = [
    &[ADD, SUB, MUL, DIV, MOD],
    &[MIN, MAX],
    &[LESSTHAN, GREATERTHAN, LESSTHANOREQUAL, GREATERTHANOREQUAL],
    &[EQUAL, NUMEQUAL, NUMNOTEQUAL, BOOLAND, BOOLOR],
    &[EQUALVERIFY, NUMEQUALVERIFY, OP_2DROP],
    &[VERIFY, DROP, NOP],
    &[AND, OR, XOR],
    &[OP_1ADD, OP_1SUB, NEGATE, ABS, NOT, NOP],
    &[BIN2NUM, NOP],
    &[NUM2BIN, DROP],
    &[SPLIT, CAT],
    &[SWAP, OVER, TUCK, NIP, NOP],
    &[DUP, OVER, NOP],
    &[ROT, OP_2SWAP, SWAP],
    &[IF, NOTIF],
    &[HASH160, SHA256, HASH256, RIPEMD160],
];
/// One way only: what the check on the left is for is not done.
const INSTEAD: [(Opcode, &[Opcode]); 14] = [
    (EQUAL, &[OP_2DROP, EQUALVERIFY]),
    (NUMEQUAL, &[NUMEQUALVERIFY]),
    (EQUALVERIFY, &[EQUAL]),
    (NUMEQUALVERIFY, &[NUMEQUAL]),
    (TOALTSTACK, &[DUP, DROP]),
    (FROMALTSTACK, &[DUP, DEPTH]),
    (DEPTH, &[SIZE]),
    (SIZE, &[DEPTH, DUP]),
    (OP_2DROP, &[DROP, NIP]),
    (OP_2DUP, &[DUP, OP_3DUP]),
    (CHECKSIG, &[OP_2DROP, CHECKSIGVERIFY]),
    (CHECKSIGVERIFY, &[OP_2DROP, CHECKSIG]),
    (WITHIN, &[OP_2DROP]),
    (CODESEPARATOR, &[NOP]),
];

/// Every mutant of the instructions `from` up to `to` of a script; each once.
pub(crate) fn mutants(code: &[Code], from: usize, to: usize) -> Vec<Mutant> {
    let mut seen = BTreeSet::from([bytes(code)]);
    let mut mutants = Vec::new();
    for at in from..to {
        for (kind, removed, instead) in changes(code, at, to) {
            let (was, is) = (words(&code[at..at + removed]), words(&instead));
            let change = if is.is_empty() { format!("{was} gone") } else { format!("{was} to {is}") };
            let mut code = code.to_vec();
            code.splice(at..at + removed, instead);
            if seen.insert(bytes(&code)) {
                mutants.push(Mutant { kind, at, change, code });
            }
        }
    }
    mutants
}

/// Instructions in words; what a constant is, but for small ones, does not matter.
pub(crate) fn words(code: &[Code]) -> String {
    let word = |code: &Code| match code {
        Code::Push(data) if push::small(data).is_none() => "constant".to_owned(),
        code => code.to_string(),
    };
    code.iter().map(word).collect::<Vec<_>>().join(" ")
}

type Change = (&'static str, usize, Vec<Code>);

fn changes(code: &[Code], at: usize, to: usize) -> Vec<Change> {
    let this = &code[at];
    let mut changes: Vec<Change> = vec![("deleted", 1, vec![]), ("doubled", 1, vec![this.clone(), this.clone()])];
    if let Some(next) = code[..to].get(at + 1) {
        changes.push(("neighbours swapped", 2, vec![next.clone(), this.clone()]));
    }
    match this {
        Code::Op(opcode) => changes.extend(of_opcode(*opcode)),
        Code::Push(data) => {
            let moves = matches!(code[..to].get(at + 1), Some(Code::Op(PICK | ROLL)));
            let kind = if moves { "depth of PICK or ROLL" } else { "constant" };
            changes.extend(of_constant(data).into_iter().map(|data| (kind, 1, vec![Code::Push(data)])));
        }
    }
    // A check at the entry, all of it; what SIZE was of stays.
    if let [Code::Op(DEPTH | SIZE), Code::Push(_), Code::Op(NUMEQUALVERIFY), ..] = &code[at..to] {
        changes.push(("check removed", 3, vec![]));
    }
    changes
}

fn of_opcode(opcode: Opcode) -> Vec<Change> {
    if let PICK | ROLL = opcode {
        let other = if opcode == PICK { ROLL } else { PICK };
        return vec![("PICK for ROLL", 1, vec![Code::Op(other)])];
    }
    let kin = KIN.iter().filter(|kin| kin.contains(&opcode)).flat_map(|kin| kin.iter());
    let instead = INSTEAD.iter().filter(|(of, _)| *of == opcode).flat_map(|(_, instead)| instead.iter());
    let others = kin.chain(instead).filter(|other| **other != opcode);
    others.map(|other| ("kindred opcode", 1, vec![Code::Op(*other)])).collect()
}

/// Constants near a constant, as a number and as bytes.
fn of_constant(data: &[u8]) -> Vec<Vec<u8>> {
    let value = number::decode(data);
    let near = [&value + 1, &value - 1, -&value, &value + 256, BigInt::ZERO];
    let mut constants: Vec<Vec<u8>> = near.iter().map(number::encode).collect();
    let bits = 8 * data.len();
    let step = if data.len() <= SHORT_CONSTANT { 1 } else { bits / (8 * SHORT_CONSTANT) + 1 };
    for bit in (0..bits).step_by(step).chain(bits.checked_sub(1)) {
        let mut flipped = data.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        constants.push(flipped);
    }
    if !data.is_empty() {
        let mut changed = data.to_vec();
        changed[data.len() / 2] = !data[data.len() / 2];
        constants.extend([changed, data[1..].to_vec(), [data, &[0]].concat()]);
    }
    constants
}
