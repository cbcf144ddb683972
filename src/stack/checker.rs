//! Proves that a script's bytes compute a bignum program.
//!
//! The script is run on symbols instead of values: an item is a constant, something the unlocking
//! script pushed, or an opcode applied to other symbols, and equal symbols are one. The program is
//! written in the same symbols. The script is right when
//! 1. it leaves the program's result alone on the stack;
//! 2. it verifies what the program checks and nothing else;
//! 3. it computes nothing that the program does not, since that could fail;
//! 4. its pushes and indices are as short as policy wants them.
//!
//! Shares nothing with the scheduler: it reads bytes, and knows of the program only operands and
//! operations. Commutative operands are sorted, and opcodes that are short for two (1ADD,
//! NUMEQUALVERIFY) are read as these.

use std::collections::BTreeMap;

use super::shuffle::Stacks;
use crate::bignum::{Definition, Op, Program};
use crate::script::number;
use crate::script::opcode::Opcode;
use crate::script::push::{self, PUSHDATA1, PUSHDATA2, PUSHDATA4};

/// Index of a symbol.
type Symbol = usize;

/// What a symbol stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    /// A push of the unlocking script, counted from the first.
    Pushed(usize),
    Constant(Vec<u8>),
    /// How many items the unlocking script left.
    Depth,
    /// A result of an opcode, counted from the deepest.
    Applied(Opcode, Vec<Symbol>, usize),
}

/// Every symbol once.
#[derive(Default)]
struct Symbols {
    ids: BTreeMap<Meaning, Symbol>,
    constants: BTreeMap<Symbol, Vec<u8>>,
}

impl Symbols {
    fn get(&mut self, meaning: Meaning) -> Symbol {
        let next = self.ids.len();
        if let Some(&id) = self.ids.get(&meaning) {
            return id;
        }
        if let Meaning::Constant(bytes) = &meaning {
            self.constants.insert(next, bytes.clone());
        }
        self.ids.insert(meaning, next);
        next
    }

    fn constant(&mut self, bytes: &[u8]) -> Symbol {
        self.get(Meaning::Constant(bytes.to_vec()))
    }

    fn apply(&mut self, opcode: Opcode, mut operands: Vec<Symbol>, slot: usize) -> Symbol {
        use Opcode::{ADD, AND, EQUAL, MAX, MIN, MUL, NUMEQUAL, OR, XOR};
        if matches!(opcode, ADD | MUL | MAX | MIN | EQUAL | NUMEQUAL | AND | OR | XOR) {
            operands.sort_unstable();
        }
        self.get(Meaning::Applied(opcode, operands, slot))
    }
}

/// What a computation amounts to: its result, and how often each condition was verified.
#[derive(Debug, Default, PartialEq, Eq)]
struct Effect {
    left: Vec<Symbol>,
    verified: BTreeMap<Symbol, usize>,
}

/// Checks a script against a program.
///
/// # Errors
/// Where the script goes wrong, or what it leaves or verifies that the program does not.
pub fn check(program: &Program, script: &[u8]) -> Result<(), String> {
    let mut symbols = Symbols::default();
    let meant = effect_of_program(program, &mut symbols);
    let known = symbols.ids.len();
    let done = effect_of_script(program.inputs.len(), known, script, &mut symbols)?;
    if done.verified != meant.verified {
        return Err("the script does not verify what the program checks".into());
    }
    if done.left != meant.left {
        return Err(format!("the script leaves {} items, which are not the program's result alone", done.left.len()));
    }
    Ok(())
}

fn effect_of_program(program: &Program, symbols: &mut Symbols) -> Effect {
    let mut effect = Effect::default();
    let mut of_value: Vec<Symbol> = vec![0; program.values.len()];
    for (id, value) in program.values.iter().enumerate() {
        of_value[id] = match &value.definition {
            Definition::Input(index) => symbols.get(Meaning::Pushed(*index)),
            Definition::Constant(bytes) => symbols.constant(bytes),
            Definition::Result { .. } => continue,
        };
    }
    for instruction in &program.instructions {
        let operands: Vec<Symbol> = instruction.operands.iter().map(|&id| of_value[id]).collect();
        match instruction.op {
            Op::CheckDepth(items) => {
                let depth = symbols.get(Meaning::Depth);
                verify_equal(symbols, &mut effect, depth, items);
            }
            Op::CheckLength(bytes) => {
                let size = symbols.apply(Opcode::SIZE, operands.clone(), 0);
                verify_equal(symbols, &mut effect, size, bytes);
                of_value[instruction.result] = operands[0];
            }
            Op::Keep | Op::Load | Op::View(_) | Op::Lane => of_value[instruction.result] = operands[0],
            op => {
                let Some(opcode) = op.opcode() else { continue };
                for slot in 0..op.results() {
                    of_value[instruction.result + slot] = symbols.apply(opcode, operands.clone(), slot);
                }
            }
        }
    }
    effect.left = vec![of_value[program.result]];
    effect
}

fn verify_equal(symbols: &mut Symbols, effect: &mut Effect, measured: Symbol, expected: usize) {
    let expected = symbols.constant(&number::encode(&expected.into()));
    let condition = symbols.apply(Opcode::NUMEQUAL, vec![measured, expected], 0);
    *effect.verified.entry(condition).or_default() += 1;
}

fn effect_of_script(pushed: usize, known: usize, script: &[u8], symbols: &mut Symbols) -> Result<Effect, String> {
    let main = (0..pushed).map(|index| symbols.get(Meaning::Pushed(index))).collect();
    let mut run = Run { symbols, known, stacks: Stacks { main, alt: Vec::new() }, pushed, verified: BTreeMap::new() };
    let mut rest = script;
    while !rest.is_empty() {
        let offset = script.len() - rest.len();
        rest = run.step(rest).map_err(|reason| format!("at byte {offset}: {reason}"))?;
    }
    if !run.stacks.alt.is_empty() {
        return Err(format!("the script leaves {} items on the alt stack", run.stacks.alt.len()));
    }
    Ok(Effect { left: run.stacks.main, verified: run.verified })
}

/// A symbolic run.
struct Run<'s> {
    symbols: &'s mut Symbols,
    /// The symbols below this one are the program's.
    known: usize,
    stacks: Stacks<Symbol>,
    pushed: usize,
    verified: BTreeMap<Symbol, usize>,
}

impl Run<'_> {
    /// Runs one instruction; gives the bytes behind it.
    fn step<'b>(&mut self, script: &'b [u8]) -> Result<&'b [u8], String> {
        let (&first, rest) = script.split_first().ok_or("no instruction")?;
        if let Some((length, data)) = push_length(first, rest)? {
            let (data, behind) = data.split_at_checked(length).ok_or("a push beyond the end")?;
            if rest.len() + 1 - behind.len() != push::encoded_len(data) {
                return Err("a push that could be shorter".into());
            }
            let symbol = self.symbols.constant(data);
            self.stacks.main.push(symbol);
            return Ok(behind);
        }
        let opcode = Opcode::from_byte(first).ok_or_else(|| format!("unknown opcode {first:#04x}"))?;
        match small_number(opcode) {
            Some(value) => {
                let symbol = self.symbols.constant(&number::encode(&value.into()));
                self.stacks.main.push(symbol);
            }
            None => self.opcode(opcode)?,
        }
        Ok(rest)
    }

    fn pop_index(&mut self) -> Result<usize, String> {
        let symbol = self.stacks.pop()?;
        let shortest = self.symbols.constants.get(&symbol).filter(|bytes| number::is_minimal(bytes));
        let bytes = shortest.ok_or("an index that is not a constant in its shortest form")?;
        usize::try_from(number::decode(bytes)).map_err(|_| "a negative index".to_owned())
    }

    fn opcode(&mut self, opcode: Opcode) -> Result<(), String> {
        use Opcode as O;
        if self.stacks.shuffle(opcode)? {
            return Ok(());
        }
        match opcode {
            O::PICK => self.pop_index().and_then(|depth| self.stacks.copy(depth)),
            O::ROLL => self.pop_index().and_then(|depth| self.stacks.raise(depth)),
            O::DEPTH => self.depth(),
            O::SIZE => self.stacks.copy(0).and_then(|()| self.apply(O::SIZE, 1, 1)),
            O::VERIFY => self.stacks.pop().map(|condition| *self.verified.entry(condition).or_default() += 1),
            O::EQUALVERIFY => self.apply(O::EQUAL, 2, 1).and_then(|()| self.opcode(O::VERIFY)),
            O::NUMEQUALVERIFY => self.apply(O::NUMEQUAL, 2, 1).and_then(|()| self.opcode(O::VERIFY)),
            O::OP_1ADD => self.with_constant(&[1], O::ADD),
            O::OP_1SUB => self.with_constant(&[1], O::SUB),
            O::NEGATE | O::BIN2NUM => self.apply(opcode, 1, 1),
            O::SPLIT => self.apply(opcode, 2, 2),
            O::ADD
            | O::SUB
            | O::MUL
            | O::DIV
            | O::MOD
            | O::MIN
            | O::MAX
            | O::CAT
            | O::EQUAL
            | O::NUMEQUAL
            | O::AND
            | O::NUM2BIN => self.apply(opcode, 2, 1),
            O::GREATERTHAN => self.apply(opcode, 2, 1),
            _ => Err(format!("{opcode}, which no compiled script has")),
        }
    }

    /// DEPTH says what the unlocking script left as long as nothing else has been done.
    fn depth(&mut self) -> Result<(), String> {
        let untouched = self.stacks.main.len() == self.pushed && self.stacks.alt.is_empty();
        if !untouched {
            return Err("DEPTH behind the entry".into());
        }
        let depth = self.symbols.get(Meaning::Depth);
        self.stacks.main.push(depth);
        Ok(())
    }

    fn with_constant(&mut self, constant: &[u8], opcode: Opcode) -> Result<(), String> {
        let constant = self.symbols.constant(constant);
        self.stacks.main.push(constant);
        self.apply(opcode, 2, 1)
    }

    fn apply(&mut self, opcode: Opcode, arity: usize, results: usize) -> Result<(), String> {
        let from = self.stacks.main.len().checked_sub(arity).ok_or("an operand that is not there")?;
        let operands = self.stacks.main.split_off(from);
        for slot in 0..results {
            let symbol = self.symbols.apply(opcode, operands.clone(), slot);
            if symbol >= self.known {
                return Err(format!("{opcode} of what the program does not apply it to"));
            }
            self.stacks.main.push(symbol);
        }
        Ok(())
    }
}

/// The length of a push's data, and the bytes behind the length; `None` for other opcodes.
fn push_length(first: u8, rest: &[u8]) -> Result<Option<(usize, &[u8])>, String> {
    let width = match first {
        1..=0x4b => return Ok(Some((usize::from(first), rest))),
        PUSHDATA1 => 1,
        PUSHDATA2 => 2,
        PUSHDATA4 => 4,
        _ => return Ok(None),
    };
    let (length, data) = rest.split_at_checked(width).ok_or("a push without its length")?;
    let length = length.iter().rev().fold(0usize, |length, &byte| length << 8 | usize::from(byte));
    Ok(Some((length, data)))
}

fn small_number(opcode: Opcode) -> Option<i64> {
    match opcode.byte() {
        0 => Some(0),
        0x4f => Some(-1),
        byte @ 0x51..=0x60 => Some(i64::from(byte) - 0x50),
        _ => None,
    }
}
