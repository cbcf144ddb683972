//! The annotated listing: every instruction with its offset, what it makes and what lies on the stack,
//! under headings that name the layer, the step and the ONNX nodes.

use std::fmt::Write;

use bitcoin::hashes::{Hash, sha256};

use super::walk::{Item, Step, walk};
use crate::Compiled;
use crate::bignum::{Origin, Program};
use crate::script::Code;
use crate::stack::shuffle::Stacks;

/// Items of the main stack that a line shows.
const SHOWN: usize = 5;

/// Pushes longer than this are shown by length and hash.
const WHOLE_PUSH: usize = 20;

/// The listing of a compiled contract.
pub fn listing(compiled: &Compiled) -> String {
    let program = &compiled.program;
    let mut text = format!(
        "; {}: {} bytes, {} instructions, sha256 {}\n; contract {}; unlocking script pushes: {}\n; input: {} elements, {}\n",
        compiled.ir.name,
        compiled.script.byte_len(),
        compiled.script.instructions.len(),
        compiled.script.sha256(),
        compiled.contract,
        compiled.contract.pushes().join(", then "),
        compiled.ir.values[0].len(),
        compiled.ir.input.describe(),
    );
    let mut heading: Option<&Origin> = None;
    walk(program, &compiled.script, |step| {
        let origin = &program.origins[program.instructions[step.instruction.origin as usize].origin as usize];
        if heading != Some(origin) {
            heading = Some(origin);
            write_heading(&mut text, origin);
        }
        write_line(&mut text, program, step);
    });
    text
}

fn write_heading(text: &mut String, origin: &Origin) {
    let nodes = if origin.onnx_node.is_empty() { String::new() } else { format!("   <- {}", origin.onnx_node) };
    let _ = writeln!(text, "\n; {}: {}{nodes}", origin.layer, origin.step);
}

fn write_line(text: &mut String, program: &Program, step: &Step<'_>) {
    let made: Vec<String> = step.made.iter().map(|&id| program.values[id].name.to_string()).collect();
    let made = if made.is_empty() { String::new() } else { format!("= {}", made.join(", ")) };
    let stack = describe_stacks(program, step.stacks);
    let _ = writeln!(text, "{:>8}  {:<24} {made:<20} | {stack}", step.offset, describe_code(&step.instruction.code));
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
