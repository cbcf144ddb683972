//! The annotated listing: every instruction with its offset, what it makes and what lies on the stack,
//! under headings that name the layer, the step and the ONNX nodes.

use std::fmt::Write;

use bitcoin::hashes::{Hash, sha256};

use super::walk::{Item, Step, walk};
use super::{idioms, limits::grouped};
use crate::Compiled;
use crate::bignum::{Origin, Program, ValueId};
use crate::guard;
use crate::script::Code;
use crate::stack::shuffle::Stacks;

/// Items of the main stack that a line shows.
const SHOWN: usize = 5;

/// Least width of the column of what instructions make.
const LEAST_MADE: usize = 20;

/// Pushes longer than this are shown by length and hash, values by name and length.
const WHOLE_PUSH: usize = 11;

/// The listing of a compiled contract.
pub fn listing(compiled: &Compiled) -> String {
    let program = &compiled.program;
    let locking = compiled.locking();
    let mut text = format!(
        "; {}: {} bytes, {} instructions, sha256 {}\n; contract {}; unlocking script pushes: {}\n; input: {} elements, {}\n",
        compiled.ir.name,
        locking.byte_len(),
        locking.instructions(),
        locking.sha256(),
        compiled.contract,
        pushes(compiled),
        compiled.ir.values[0].len(),
        compiled.ir.input.describe(),
    );
    for emitted in &compiled.layers {
        let _ = writeln!(text, "; {} is {}", compiled.ir.layers[emitted.layer].label, idioms::describe(emitted));
    }
    if program.values.iter().any(|value| value.most_bytes() > WHOLE_PUSH) {
        let _ = writeln!(text, "; in brackets: the most bytes that a long value can have");
    }
    let width = made_width(program);
    let start = write_guard(&mut text, &locking.before, 0);
    let mut heading: Option<&Origin> = None;
    walk(program, &compiled.script, |step| {
        let origin = &program.origins[program.instructions[step.instruction.origin as usize].origin as usize];
        if heading != Some(origin) {
            write_heading(&mut text, origin, heading);
            heading = Some(origin);
        }
        write_line(&mut text, program, step, start, width);
    });
    write_guard(&mut text, &locking.after, locking.network_bytes().end);
    text
}

/// What the unlocking script pushes, for each way of spending.
fn pushes(compiled: &Compiled) -> String {
    let methods = compiled.guard.methods(compiled.contract);
    let names = |items: &[guard::Item]| items.iter().map(|item| item.name()).collect::<Vec<_>>().join(", then ");
    match methods.as_slice() {
        [claim] => names(&claim.pushes),
        _ => methods
            .iter()
            .map(|method| format!("to {}: {}", method.name, names(&method.pushes)))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// A guard's code from an offset on; gives where it ends.
fn write_guard(text: &mut String, parts: &[guard::Part], mut offset: usize) -> usize {
    for guard::Part { step, code } in parts {
        let _ = writeln!(text, "\n; guard: {step}");
        for code in code {
            let _ = writeln!(text, "{offset:>8}  {}", describe_code(code));
            offset += code.byte_len();
        }
    }
    offset
}

/// A heading names the ONNX nodes where it is the first one of its layer, or the first one again.
fn write_heading(text: &mut String, origin: &Origin, before: Option<&Origin>) {
    let same_layer = before.is_some_and(|before| before.layer == origin.layer);
    let nodes = if same_layer || origin.onnx_node.is_empty() { "" } else { &format!("   <- {}", origin.onnx_node) };
    let _ = writeln!(text, "\n; {}: {}{nodes}", origin.layer, origin.step);
}

fn write_line(text: &mut String, program: &Program, step: &Step<'_>, start: usize, width: usize) {
    let made = describe_made(program, step.made);
    let stack = describe_stacks(program, step.stacks);
    let code = describe_code(&step.instruction.code);
    let _ = writeln!(text, "{:>8}  {code:<24} {made:<width$} | {stack}", start + step.offset);
}

/// What an instruction makes; of what is long, how many bytes it can have.
fn describe_made(program: &Program, made: &[ValueId]) -> String {
    let describe = |&id: &ValueId| match program.values[id].most_bytes() {
        long if long > WHOLE_PUSH => format!("{} ({})", program.values[id].name, grouped(long as u64)),
        _ => program.values[id].name.to_string(),
    };
    match made {
        [] => String::new(),
        made => format!("= {}", made.iter().map(describe).collect::<Vec<_>>().join(", ")),
    }
}

/// How wide the column of what is made must be.
fn made_width(program: &Program) -> usize {
    let made = program.instructions.iter().map(|instruction| {
        let results: Vec<ValueId> = (instruction.result..).take(instruction.op.results()).collect();
        describe_made(program, &results).chars().count()
    });
    made.max().unwrap_or(0).max(LEAST_MADE)
}

fn describe_code(code: &Code) -> String {
    match code {
        Code::Push(data) if data.len() > WHOLE_PUSH => {
            format!("<{} bytes #{}>", data.len(), &sha256::Hash::hash(data).to_string()[..8])
        }
        code => code.to_string(),
    }
}

/// The top of the main stack, top last, and how much lies below it and on the alt stack.
fn describe_stacks(program: &Program, stacks: &Stacks<Item>) -> String {
    let hidden = stacks.main.len().saturating_sub(SHOWN);
    let mut words: Vec<String> = Vec::new();
    if hidden > 0 {
        words.push(format!("({hidden} more)"));
    }
    words.extend(stacks.main[hidden..].iter().map(|item| item.name(program)));
    if let Some(top) = stacks.alt.last() {
        words.push(format!("/ alt {}: {}", stacks.alt.len(), top.name(program)));
    }
    words.join("  ")
}
