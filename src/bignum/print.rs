//! Programs as text, one instruction a line.

use std::fmt::Write;

use super::{Definition, Instruction, Program, ValueId};

/// Prints a program.
pub fn print(program: &Program) -> String {
    let names: Vec<String> = program.inputs.iter().map(|&id| format!("v{id} {}", program.values[id].name)).collect();
    let mut text = format!("program ({})\n", names.join(", "));
    let mut origin = u32::MAX;
    for instruction in &program.instructions {
        if instruction.origin != origin {
            origin = instruction.origin;
            if let Some(origin) = program.origins.get(origin as usize) {
                let _ = writeln!(text, "\n; {}: {}", origin.layer, origin.step);
            }
        }
        let _ = writeln!(text, "  {}", line(program, instruction));
    }
    let _ = writeln!(text, "\nleave {}", operand(program, program.result));
    text
}

fn line(program: &Program, instruction: &Instruction) -> String {
    let results: Vec<String> = (instruction.result..)
        .take(instruction.op.results())
        .map(|id| format!("v{id} {}", program.values[id].name))
        .collect();
    let operands: Vec<String> = instruction.operands.iter().map(|&id| operand(program, id)).collect();
    let kinds: Vec<String> =
        (instruction.result..).take(instruction.op.results()).map(|id| program.values[id].kind.describe()).collect();
    let operation = format!("{} {}", instruction.op, operands.join(", "));
    let operation = operation.trim_end();
    match results.is_empty() {
        true => operation.to_owned(),
        false => format!("{} = {operation} : {}", results.join(", "), kinds.join(", ")),
    }
}

fn operand(program: &Program, id: ValueId) -> String {
    match &program.values[id].definition {
        Definition::Constant(_) => program.values[id].name.to_string(),
        _ => format!("v{id}"),
    }
}
