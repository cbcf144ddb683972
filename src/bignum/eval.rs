//! Runs a program on what an unlocking script pushes, without any stack.

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::{Definition, Op, Program, ValueId};
use crate::script::number;

/// Why a program refuses what the unlocking script pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// Too few or too many items.
    #[error("the unlocking script leaves another number of items")]
    Depth,
    /// An item of another length.
    #[error("the input has another length")]
    Length,
    /// An operand outside what an opcode takes: no verified program does this.
    #[error("an operand outside its opcode's range")]
    Range,
}

/// The item that the program leaves, as its bytes.
///
/// # Errors
/// [`EvalError`] when one of the program's checks fails.
pub fn eval(program: &Program, pushes: &[Vec<u8>]) -> Result<Vec<u8>, EvalError> {
    let mut items = items(program, pushes)?;
    Ok(std::mem::take(&mut items[program.result]))
}

/// Every value's item; `None` of those that nothing makes.
///
/// # Errors
/// [`EvalError`] when one of the program's checks fails.
pub fn eval_all(program: &Program, pushes: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, EvalError> {
    let mut made = vec![false; program.values.len()];
    for instruction in &program.instructions {
        made[instruction.result..][..instruction.op.results()].fill(true);
    }
    let is_made = |id: usize| made[id] || !matches!(program.values[id].definition, Definition::Result { .. });
    let items = items(program, pushes)?.into_iter().enumerate();
    Ok(items.map(|(id, item)| is_made(id).then_some(item)).collect())
}

fn items(program: &Program, pushes: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, EvalError> {
    if pushes.len() < program.inputs.len() {
        return Err(EvalError::Depth);
    }
    // The inputs are the topmost pushes; more below them is what CheckDepth refuses.
    let topmost = &pushes[pushes.len() - program.inputs.len()..];
    let mut items: Vec<Vec<u8>> = program
        .values
        .iter()
        .map(|value| match &value.definition {
            Definition::Input(index) => topmost[*index].clone(),
            Definition::Constant(bytes) => bytes.clone(),
            Definition::Result { .. } => Vec::new(),
        })
        .collect();
    for instruction in &program.instructions {
        let results = step(instruction.op, &instruction.operands, &items, pushes.len())?;
        for (slot, result) in results.into_iter().enumerate() {
            items[instruction.result + slot] = result;
        }
    }
    Ok(items)
}

/// The results of one operation.
pub(super) fn step(op: Op, operands: &[ValueId], items: &[Vec<u8>], depth: usize) -> Result<Vec<Vec<u8>>, EvalError> {
    let bytes = |index: usize| &items[operands[index]];
    let number = |index: usize| number::decode(bytes(index));
    let one = |value: BigInt| Ok(vec![number::encode(&value)]);
    match op {
        Op::CheckDepth(expected) if depth == expected => Ok(vec![]),
        Op::CheckDepth(_) => Err(EvalError::Depth),
        Op::CheckLength(expected) if bytes(0).len() == expected => Ok(vec![bytes(0).clone()]),
        Op::CheckLength(_) => Err(EvalError::Length),
        Op::Keep | Op::Load | Op::View(_) | Op::Lane => Ok(vec![bytes(0).clone()]),
        Op::Add => one(number(0) + number(1)),
        Op::Sub => one(number(0) - number(1)),
        Op::Mul => one(number(0) * number(1)),
        Op::Div => number(0).checked_div(&number(1)).map(|value| vec![number::encode(&value)]).ok_or(EvalError::Range),
        Op::Mod => match number(1) {
            divisor if divisor == BigInt::ZERO => Err(EvalError::Range),
            divisor => one(number(0) % divisor),
        },
        Op::Negate => one(-number(0)),
        Op::Min => one(number(0).min(number(1))),
        Op::Max => one(number(0).max(number(1))),
        Op::Split => {
            let position =
                number(1).to_usize().filter(|&position| position <= bytes(0).len()).ok_or(EvalError::Range)?;
            let (head, tail) = bytes(0).split_at(position);
            Ok(vec![head.to_vec(), tail.to_vec()])
        }
        Op::Cat => Ok(vec![[bytes(0).as_slice(), bytes(1)].concat()]),
        Op::BinToNum => one(number(0)),
        Op::NumToBin => {
            let width = number(1).to_usize().ok_or(EvalError::Range)?;
            number::encode_fixed(&number(0), width).map(|bytes| vec![bytes]).ok_or(EvalError::Range)
        }
        Op::And if bytes(0).len() == bytes(1).len() => {
            Ok(vec![bytes(0).iter().zip(bytes(1)).map(|(a, b)| a & b).collect()])
        }
        Op::And => Err(EvalError::Range),
        Op::Equal => one(BigInt::from(bytes(0) == bytes(1))),
        Op::GreaterThan => one(BigInt::from(number(0) > number(1))),
    }
}
