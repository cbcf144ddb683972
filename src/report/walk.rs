//! Goes through a finished script with both stacks at hand: names of values, and the most bytes each
//! can have.

use crate::bignum::{Op, Program, ValueId};
use crate::script::opcode::Opcode;
use crate::script::{Code, Instruction, Script};
use crate::stack::shuffle::Stacks;
use crate::target::STACK_ELEMENT_OVERHEAD;

/// An item of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// A value of the program.
    Value(ValueId),
    /// A push that only serves the next opcode: an index, a length.
    Index(usize),
    /// What DEPTH or SIZE gave.
    Measured,
}

/// An instruction, and the stacks behind it.
pub(super) struct Step<'a> {
    /// Where it starts in the script.
    pub(super) offset: usize,
    /// The instruction.
    pub(super) instruction: &'a Instruction,
    /// Both stacks after it.
    pub(super) stacks: &'a Stacks<Item>,
    /// Most memory that both stacks can take after it, 32 bytes an item included.
    pub(super) stack_bytes: u64,
    /// What it made, where it computes.
    pub(super) made: &'a [ValueId],
}

/// How far down an opcode other than PICK and ROLL can change the main stack (2ROT).
const REACH: usize = 6;

/// Visits each instruction of a script that lays `program` out.
pub(super) fn walk(program: &Program, script: &Script, mut visit: impl FnMut(&Step<'_>)) {
    let sizes: Vec<u64> =
        program.values.iter().map(|value| value.most_bytes() as u64 + STACK_ELEMENT_OVERHEAD).collect();
    let mut stacks = Stacks { main: program.inputs.iter().map(|&id| Item::Value(id)).collect(), alt: Vec::new() };
    let mut stack_bytes = memory(&stacks.main, &sizes);
    let mut offset = 0;
    for instruction in &script.instructions {
        // Only the top changes, but for ROLL, which moves an item up and takes its index away.
        let (main, alt) = (stacks.main.len().saturating_sub(REACH), stacks.alt.len().saturating_sub(1));
        let before = memory(&stacks.main[main..], &sizes) + memory(&stacks.alt[alt..], &sizes);
        let index = stacks.main.last().map_or(0, |top| memory(&[*top], &sizes));
        let made = step(program, instruction, &mut stacks).unwrap_or_default();
        stack_bytes = match instruction.code {
            Code::Op(Opcode::ROLL) => stack_bytes - index,
            _ => stack_bytes - before + memory(&stacks.main[main..], &sizes) + memory(&stacks.alt[alt..], &sizes),
        };
        visit(&Step { offset, instruction, stacks: &stacks, stack_bytes, made: &made });
        offset += instruction.code.byte_len();
    }
    debug_assert_eq!(stack_bytes, memory(&stacks.main, &sizes) + memory(&stacks.alt, &sizes));
}

fn memory(items: &[Item], sizes: &[u64]) -> u64 {
    let size = |item: &Item| match item {
        Item::Value(id) => sizes[*id],
        Item::Index(_) | Item::Measured => 4 + STACK_ELEMENT_OVERHEAD,
    };
    items.iter().map(size).sum()
}

/// Performs one instruction. The checker has proved that it finds what it needs.
fn step(program: &Program, instruction: &Instruction, stacks: &mut Stacks<Item>) -> Result<Vec<ValueId>, String> {
    let origin = &program.instructions[instruction.origin as usize];
    let opcode = match &instruction.code {
        Code::Push(data) => {
            let constant = origin.operands.iter().find(|&&id| program.constant(id) == Some(data));
            if origin.op == Op::Load {
                stacks.main.push(Item::Value(origin.result));
                return Ok(vec![origin.result]);
            }
            let index = instruction.code.as_index().map_or(Item::Measured, Item::Index);
            stacks.main.push(constant.map_or(index, |&id| Item::Value(id)));
            return Ok(vec![]);
        }
        Code::Op(opcode) => *opcode,
    };
    if stacks.shuffle(opcode)? {
        return Ok(vec![]);
    }
    match (opcode, origin.op) {
        (Opcode::PICK | Opcode::ROLL, _) => {
            let depth = as_index(program, stacks.pop()?);
            if opcode == Opcode::PICK { stacks.copy(depth)? } else { stacks.raise(depth)? }
        }
        (Opcode::DEPTH | Opcode::SIZE, _) => stacks.main.push(Item::Measured),
        (Opcode::NUMEQUALVERIFY, check) => {
            stacks.pop().and_then(|_| stacks.pop())?;
            if let Op::CheckLength(_) = check {
                stacks.pop()?;
                stacks.main.push(Item::Value(origin.result));
                return Ok(vec![origin.result]);
            }
        }
        (opcode, op) => {
            // 1ADD and 1SUB hold their second operand.
            let short = matches!(opcode, Opcode::OP_1ADD | Opcode::OP_1SUB);
            (0..op.arity() - usize::from(short)).try_for_each(|_| stacks.pop().map(drop))?;
            let made: Vec<ValueId> = (origin.result..).take(op.results()).collect();
            stacks.main.extend(made.iter().map(|&id| Item::Value(id)));
            return Ok(made);
        }
    }
    Ok(vec![])
}

/// An index may happen to be a constant of the instruction, too.
fn as_index(program: &Program, item: Item) -> usize {
    match item {
        Item::Index(index) => index,
        Item::Value(id) => {
            program.constant(id).and_then(|bytes| Code::Push(bytes.to_vec()).as_index()).unwrap_or_default()
        }
        Item::Measured => 0,
    }
}

impl Item {
    /// What a listing calls it.
    pub(super) fn name(self, program: &Program) -> String {
        match self {
            Item::Value(id) => program.values[id].name.to_string(),
            Item::Index(index) => index.to_string(),
            Item::Measured => "size".into(),
        }
    }
}
