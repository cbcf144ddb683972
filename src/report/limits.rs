//! A contract against the limits of nodes.

use num_bigint::BigInt;

use super::walk::walk;
use crate::Compiled;
use crate::bignum::Kind;
use crate::ir::Ir;
use crate::script::opcode::Opcode;
use crate::script::{Code, push};
use crate::target::{
    self, COST_ARITHMETIC_NS, COST_INSTRUCTION_NS, Era, Rules, SCRIPT_BYTES_POLICY, STACK_BYTES_POLICY, Target,
    VALIDATION_MS_POLICY,
};

/// What a contract needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Bytes of the locking script.
    pub script_bytes: usize,
    /// Bytes of an unlocking script.
    pub unlocking_bytes: usize,
    /// Instructions of the locking script.
    pub instructions: usize,
    /// Longest number, in bytes.
    pub number_bytes: usize,
    /// Most items on both stacks.
    pub stack_items: usize,
    /// Most memory for both stacks, 32 bytes an item included.
    pub stack_bytes: u64,
    /// Estimate of the time a mempool's clock shows for one run, in microseconds.
    pub mempool_us: u64,
}

/// Something that a node with default settings would not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// Which limit, and by how much.
    pub what: String,
    /// What would help.
    pub help: &'static str,
}

/// Measures a contract; upper bounds for every input.
pub fn needs(compiled: &Compiled) -> Needs {
    let numbers = compiled.program.values.iter().filter_map(|value| match &value.kind {
        Kind::Number(interval) => Some(interval.encoded_len()),
        _ => None,
    });
    let (mut stack_items, mut stack_bytes, mut nanoseconds) = (0, 0, 0);
    walk(&compiled.program, &compiled.script, |step| {
        stack_items = stack_items.max(step.stacks.main.len() + step.stacks.alt.len());
        stack_bytes = stack_bytes.max(step.stack_bytes);
        nanoseconds += COST_INSTRUCTION_NS;
        if let Code::Op(opcode) = step.instruction.code {
            nanoseconds += if is_arithmetic(opcode) { COST_ARITHMETIC_NS } else { 0 };
        }
    });
    let input = compiled.ir.input.byte_len(compiled.ir.values[0].len());
    let unlocking = compiled.contract.unlocking_items(&longest_claim(&compiled.optimised), vec![0; input]);
    Needs {
        script_bytes: compiled.script.byte_len(),
        unlocking_bytes: unlocking.iter().map(|item| push::encoded_len(item)).sum(),
        instructions: compiled.script.instructions.len(),
        number_bytes: numbers.max().unwrap_or(0),
        stack_items,
        stack_bytes,
        mempool_us: nanoseconds / 1000,
    }
}

/// A claim that takes as many bytes as any.
fn longest_claim(ir: &Ir) -> BigInt {
    match ir.answer_scale() {
        Some(_) => ir.values[ir.output()].hull().magnitude(),
        None => ir.classes().into(),
    }
}

fn is_arithmetic(opcode: Opcode) -> bool {
    matches!(opcode.byte(), 0x8b..=0xa5)
}

/// Which limits a contract breaks under the rules it was compiled for.
pub fn excesses(needs: &Needs, target: &Target) -> Vec<Excess> {
    let mut excesses = Vec::new();
    let mut check = |what: &str, have: u64, most: u64, unit: &str, help: &'static str| {
        if have > most {
            let rules = target.rules;
            let what =
                format!("{what} {} {unit}, more than the {} that {rules} rules allow", grouped(have), grouped(most));
            excesses.push(Excess { what, help });
        }
    };
    let smaller = "store weights in fewer digits, as in --weights fixed:1e6, or have it mined under --rules consensus";
    check("the locking script takes", needs.script_bytes as u64, target.max_script_bytes() as u64, "bytes", smaller);
    let inputs = "a narrower input, as in --input u8, makes it shorter";
    check(
        "the unlocking script takes",
        needs.unlocking_bytes as u64,
        target.max_script_bytes() as u64,
        "bytes",
        inputs,
    );
    let numbers = "give a coarser scale (--weights) or a narrower --input";
    check("numbers take up to", needs.number_bytes as u64, target.max_number_bytes() as u64, "bytes", numbers);
    if let Some(most) = target.max_stack_bytes() {
        check("the stacks take up to", needs.stack_bytes, most, "bytes", "give a narrower --input");
    }
    if target.rules == Rules::Policy {
        let faster = "a mempool runs a script twice under this clock: use a smaller network or --rules consensus";
        check("validation takes about", needs.mempool_us / 1000, VALIDATION_MS_POLICY / 2, "ms", faster);
    }
    excesses
}

/// The table of needs against limits.
pub fn table(needs: &Needs) -> String {
    let consensus = Target { era: Era::Genesis, rules: Rules::Consensus };
    let row = |what: &str, need: String, policy: String, consensus: String| {
        format!("  {what:<24} {need:>14} {policy:>14} {consensus:>14}\n")
    };
    let bytes = |value: usize| grouped(value as u64);
    [
        row("", "this contract".into(), "default policy".into(), "consensus".into()),
        row(
            "locking script, bytes",
            bytes(needs.script_bytes),
            bytes(SCRIPT_BYTES_POLICY),
            bytes(target::SCRIPT_BYTES_CONSENSUS),
        ),
        row(
            "unlocking script, bytes",
            bytes(needs.unlocking_bytes),
            bytes(SCRIPT_BYTES_POLICY),
            bytes(target::SCRIPT_BYTES_CONSENSUS),
        ),
        row(
            "longest number, bytes",
            bytes(needs.number_bytes),
            bytes(target::NUMBER_BYTES_POLICY),
            bytes(consensus.max_number_bytes()),
        ),
        row("stack memory, bytes", grouped(needs.stack_bytes), grouped(STACK_BYTES_POLICY), "operator's".into()),
        row("stack items", bytes(needs.stack_items), "-".into(), "-".into()),
        row("instructions", bytes(needs.instructions), "-".into(), "-".into()),
        row(
            "time, ms (estimate)",
            format!("{:.1}", needs.mempool_us as f64 / 1000.0),
            (VALIDATION_MS_POLICY / 2).to_string(),
            "-".into(),
        ),
    ]
    .concat()
}

/// A number with its digits in groups of three.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(super::grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
