//! Checks the invariants listed in the module's documentation.

use num_bigint::{BigInt, Sign};

use super::{Definition, Instruction, Kind, Op, Program, Value, transfer};
use crate::script::number;
use crate::target::Target;

/// Checks a program for a target.
///
/// # Errors
/// What broke, and where: a number beyond the target's limit when the network is too large for it,
/// else a defect of the code generator.
pub fn verify(program: &Program, target: &Target) -> Result<(), String> {
    let mut defined = vec![false; program.values.len()];
    for (id, value) in program.values.iter().enumerate() {
        defined[id] = !matches!(value.definition, Definition::Result { .. });
        verify_given(value).map_err(|reason| format!("%{id}: {reason}"))?;
    }
    verify_entry(program)?;
    for (index, instruction) in program.instructions.iter().enumerate() {
        verify_instruction(program, index, instruction, &defined, target)
            .map_err(|reason| format!("instruction {index} ({}): {reason}", instruction.op))?;
        defined[instruction.result..][..instruction.op.results()].fill(true);
    }
    if !defined.get(program.result).is_some_and(|defined| *defined) {
        return Err("invariant 1: the result is never made".into());
    }
    Ok(())
}

/// What an input or a constant is said to be; results are judged by their instruction.
fn verify_given(value: &Value) -> Result<(), String> {
    let as_said = match (&value.definition, &value.kind) {
        (Definition::Input(_), kind) => *kind == Kind::Untrusted,
        (Definition::Constant(bytes), Kind::Number(interval)) => {
            interval.as_point().is_some_and(|number| number::encode(number) == *bytes)
        }
        (Definition::Constant(bytes), Kind::Bytes { len, most }) => {
            let value = BigInt::from_bytes_le(Sign::Plus, bytes);
            bytes.len() == *len && most.as_ref().is_none_or(|most| value <= *most)
        }
        (Definition::Constant(_), Kind::Untrusted | Kind::Rest { .. }) => false,
        (Definition::Result { .. }, _) => true,
    };
    if as_said { Ok(()) } else { Err("invariant 2: an input or a constant that is not what it is said to be".into()) }
}

/// The number of items is checked.
fn verify_entry(program: &Program) -> Result<(), String> {
    let items = |instruction: &&Instruction| matches!(instruction.op, Op::CheckDepth(_));
    let checks: Vec<Op> = program.instructions.iter().filter(items).map(|instruction| instruction.op).collect();
    match checks == [Op::CheckDepth(program.below + program.inputs.len())] {
        true => Ok(()),
        false => Err("invariant 7: the number of items that the unlocking script left is not checked".into()),
    }
}

fn verify_instruction(
    program: &Program,
    index: usize,
    instruction: &Instruction,
    defined: &[bool],
    target: &Target,
) -> Result<(), String> {
    let Instruction { op, operands, result, .. } = instruction;
    if operands.len() != op.arity() || operands.iter().any(|&id| !defined[id]) {
        return Err("invariant 1: operands that are missing or come later".into());
    }
    let given = || operands.iter().map(|&id| &program.values[id].kind);
    let untrusted = given().any(|kind| *kind == Kind::Untrusted);
    if untrusted && !matches!(op, Op::CheckLength(_) | Op::Equal) {
        return Err("invariant 6: computes with what the unlocking script pushed, unchecked".into());
    }
    let kinds = transfer::results(program, *op, operands)?;
    for (slot, (kind, detail)) in kinds.iter().enumerate() {
        let value = &program.values[result + slot];
        if value.definition != (Definition::Result { instruction: index, slot })
            || value.kind != *kind
            || value.detail != *detail
        {
            return Err(format!("invariant 2: result {slot} is not what follows from the operands"));
        }
    }
    let numbers = given().chain(kinds.iter().map(|(kind, _)| kind));
    let longest = numbers.filter_map(|kind| match kind {
        Kind::Number(interval) => Some(interval.encoded_len()),
        _ => None,
    });
    match longest.max() {
        Some(len) if len > target.max_number_bytes() => Err(format!(
            "invariant 4: numbers of up to {len} bytes, but {} rules allow {}",
            target.rules,
            target.max_number_bytes()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Builder, Name};
    use super::*;
    use crate::ir::Interval;

    /// `input` checked, read as a number, plus 5.
    fn program() -> Program {
        let name = || Name::whole(&Arc::from("value"));
        let mut builder = Builder::new(&["input"]);
        builder.check_depth(0);
        let input = builder.inputs()[0];
        let bytes = builder.one(Op::CheckLength(2), &[input], name());
        let number = builder.one(Op::BinToNum, &[bytes], name());
        let five = builder.number(&5.into());
        let sum = builder.one(Op::Add, &[number, five], name());
        builder.finish(sum).unwrap()
    }

    fn complaint(change: impl FnOnce(&mut Program)) -> String {
        let mut program = program();
        verify(&program, &Target::default()).unwrap();
        change(&mut program);
        verify(&program, &Target::default()).unwrap_err()
    }

    fn constant(program: &mut Program) -> &mut Value {
        program.values.iter_mut().find(|value| matches!(value.definition, Definition::Constant(_))).unwrap()
    }

    #[test]
    fn what_a_program_takes_for_granted_is_checked() {
        let wrong_bytes = complaint(|program| constant(program).definition = Definition::Constant(vec![6]));
        assert!(wrong_bytes.contains("invariant 2"), "{wrong_bytes}");
        let not_minimal = complaint(|program| constant(program).definition = Definition::Constant(vec![5, 0]));
        assert!(not_minimal.contains("invariant 2"), "{not_minimal}");
        let trusted = complaint(|program| program.values[0].kind = Kind::Number(Interval::new(0, 1)));
        assert!(trusted.contains("invariant 2"), "{trusted}");
        let another = complaint(|program| program.instructions[0].op = Op::CheckDepth(2));
        assert!(another.contains("invariant 7"), "{another}");
    }
}
