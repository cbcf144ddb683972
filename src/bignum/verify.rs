//! Checks the invariants listed in the module's documentation.

use super::{Definition, Instruction, Kind, Op, Program, transfer};
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
    }
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
    let known: Vec<_> = operands.iter().map(|&id| (&program.values[id].kind, program.constant(id))).collect();
    let untrusted = known.iter().any(|(kind, _)| **kind == Kind::Untrusted);
    if untrusted && !matches!(op, Op::CheckLength(_) | Op::Equal) {
        return Err("invariant 6: computes with what the unlocking script pushed, unchecked".into());
    }
    let kinds = transfer::results(*op, &known)?;
    for (slot, kind) in kinds.iter().enumerate() {
        let value = &program.values[result + slot];
        if value.definition != (Definition::Result { instruction: index, slot }) || value.kind != *kind {
            return Err(format!("invariant 2: result {slot} is not what follows from the operands"));
        }
    }
    let numbers = known.iter().map(|(kind, _)| *kind).chain(&kinds);
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
