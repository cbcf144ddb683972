//! A contract against the limits of nodes.

use num_bigint::BigInt;

use super::walk::walk;
use crate::Compiled;
use crate::bignum::Kind;
use crate::codegen::{Emitted, Form};
use crate::cost;
use crate::ir::Ir;
use crate::script::push;
use crate::target::{self, Era, Rules, SCRIPT_BYTES_POLICY, STACK_BYTES_POLICY, Target, VALIDATION_MS_POLICY};

/// What a contract needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Bytes of the locking script.
    pub script_bytes: usize,
    /// Bytes of the weights alone, in the fewest bits that hold them.
    pub weight_bytes: usize,
    /// Whether some layer is packed.
    pub packed: bool,
    /// Bytes of an unlocking script that makes a claim, but for the transaction that holds a commitment.
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
    pub help: String,
}

/// Measures a contract; upper bounds for every input.
pub fn needs(compiled: &Compiled) -> Needs {
    let numbers = compiled.program.values.iter().filter_map(|value| match &value.kind {
        Kind::Number(interval) => Some(interval.encoded_len()),
        _ => None,
    });
    let (mut stack_items, mut stack_bytes) = (0, 0);
    walk(&compiled.program, &compiled.script, |step| {
        stack_items = stack_items.max(step.stacks.main.len() + step.stacks.alt.len());
        stack_bytes = stack_bytes.max(step.stack_bytes);
    });
    let locking = compiled.locking();
    let input = compiled.ir.input.byte_len(compiled.ir.values[0].len());
    let unlocking = compiled.contract.unlocking_items(&longest_claim(&compiled.optimised), vec![0; input]);
    Needs {
        script_bytes: locking.byte_len(),
        weight_bytes: compiled.layers.iter().map(Emitted::own_bytes).sum(),
        packed: compiled.layers.iter().any(|layer| layer.form != Form::Unrolled),
        unlocking_bytes: unlocking.iter().map(|item| push::encoded_len(item)).sum::<usize>()
            + compiled.guard.unlocking_bytes(),
        instructions: locking.instructions(),
        number_bytes: numbers.max().unwrap_or(0),
        stack_items,
        stack_bytes,
        mempool_us: cost::of_script(&compiled.program, &compiled.script).nanoseconds / 1000,
    }
}

/// A claim that takes as many bytes as any.
fn longest_claim(ir: &Ir) -> BigInt {
    match ir.answer_scale() {
        Some(_) => ir.values[ir.output()].hull().magnitude(),
        None => ir.classes().into(),
    }
}

/// Which limits a contract breaks under the rules it was compiled for.
pub fn excesses(needs: &Needs, target: &Target) -> Vec<Excess> {
    let mut excesses = Vec::new();
    let mut check = |what: &str, have: u64, most: u64, unit: &str, help: &str| {
        if have > most {
            let rules = target.rules;
            let what =
                format!("{what} {} {unit}, more than the {} that {rules} rules allow", grouped(have), grouped(most));
            excesses.push(Excess { what, help: help.to_owned() });
        }
    };
    let smaller = smaller(needs, target);
    check("the locking script takes", needs.script_bytes as u64, target.max_script_bytes() as u64, "bytes", &smaller);
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
        let faster = "a mempool runs a script twice under this clock: use --optimize speed, a smaller network or --rules \
                      consensus";
        check("validation takes about", needs.mempool_us / 1000, VALIDATION_MS_POLICY / 2, "ms", faster);
    }
    excesses
}

/// What makes a locking script shorter: packed code is hardly longer than the weights, unrolled code many times that.
fn smaller(needs: &Needs, target: &Target) -> String {
    let fewer_bits = "store weights in fewer bits (--weights), or have it mined under --rules consensus";
    if needs.weight_bytes > target.max_script_bytes() {
        return format!("its weights alone take {} bytes: {fewer_bits}", grouped(needs.weight_bytes as u64));
    }
    match needs.packed {
        true => fewer_bits.to_owned(),
        false => format!("let layers be packed (without --codegen unrolled and --rescale product), {fewer_bits}"),
    }
}

/// A need, and what nodes allow of it.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) need: String,
    /// What default policy allows; `-` where it sets no limit.
    pub(super) policy: String,
    pub(super) consensus: String,
    /// How much of what default policy allows is needed.
    pub(super) share: Option<f64>,
}

impl Row {
    fn bytes(what: &'static str, need: usize, policy: usize, consensus: usize) -> Row {
        let consensus = grouped(consensus as u64);
        Row::new(what, grouped(need as u64), grouped(policy as u64), consensus, need as f64 / policy as f64)
    }

    fn new(what: &'static str, need: String, policy: String, consensus: impl Into<String>, share: f64) -> Row {
        Row { what, need, policy, consensus: consensus.into(), share: Some(share) }
    }

    fn unlimited(what: &'static str, need: usize) -> Row {
        Row { what, need: grouped(need as u64), policy: "-".into(), consensus: "-".into(), share: None }
    }
}

/// Needs against limits, row by row.
pub(super) fn rows(needs: &Needs) -> Vec<Row> {
    let consensus = Target { era: Era::Genesis, rules: Rules::Consensus };
    let (script, number) = (target::SCRIPT_BYTES_CONSENSUS, consensus.max_number_bytes());
    let memory = needs.stack_bytes as f64 / STACK_BYTES_POLICY as f64;
    let (milliseconds, most) = (needs.mempool_us as f64 / 1000.0, VALIDATION_MS_POLICY / 2);
    let time = milliseconds / most as f64;
    vec![
        Row::bytes("locking script, bytes", needs.script_bytes, SCRIPT_BYTES_POLICY, script),
        Row::bytes("unlocking script, bytes", needs.unlocking_bytes, SCRIPT_BYTES_POLICY, script),
        Row::bytes("longest number, bytes", needs.number_bytes, target::NUMBER_BYTES_POLICY, number),
        Row::new("stack memory, bytes", grouped(needs.stack_bytes), grouped(STACK_BYTES_POLICY), "operator's", memory),
        Row::unlimited("stack items", needs.stack_items),
        Row::unlimited("instructions", needs.instructions),
        Row::new("time, ms (estimate)", format!("{milliseconds:.1}"), most.to_string(), "-", time),
    ]
}

/// The table of needs against limits.
pub fn table(needs: &Needs) -> String {
    let line = |what: &str, need: &str, policy: &str, consensus: &str| {
        format!("  {what:<24} {need:>14} {policy:>14} {consensus:>14}\n")
    };
    let head = line("", "this contract", "default policy", "consensus");
    let lines = rows(needs).into_iter().map(|row| line(row.what, &row.need, &row.policy, &row.consensus));
    std::iter::once(head).chain(lines).collect()
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
    use super::*;

    /// The advice for a script of so many bytes, whose weights alone take so many.
    fn advice(script_bytes: usize, weight_bytes: usize, packed: bool) -> String {
        let needs = Needs {
            script_bytes,
            weight_bytes,
            packed,
            unlocking_bytes: 1000,
            instructions: 1000,
            number_bytes: 1000,
            stack_items: 10,
            stack_bytes: 1000,
            mempool_us: 1000,
        };
        let excesses = excesses(&needs, &Target::default());
        excesses.into_iter().map(|excess| excess.help).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn advice_for_long_scripts_fits_how_they_came_to_be_long() {
        assert_eq!(advice(500_000, 490_000, true), "");
        assert!(advice(520_000, 490_000, true).starts_with("store weights in fewer bits"));
        assert!(advice(520_000, 90_000, false).starts_with("let layers be packed"));
        for packed in [true, false] {
            assert!(advice(9_000_000, 1_234_567, packed).starts_with("its weights alone take 1,234,567 bytes"));
        }
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
