//! `--explain`: where the bytes and instructions go, layer by layer.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::idioms;
use super::limits::{self, grouped};
use super::walk::walk;
use crate::Compiled;
use crate::ir::{Layer, describe_scale};
use crate::script::Code;

/// Kinds of opcodes, in the order of the table's columns.
const KINDS: [&str; 5] = ["push", "stack", "arithm.", "bytes", "check"];

/// What a layer takes.
#[derive(Debug, Default, Clone)]
pub(super) struct Share {
    pub(super) bytes: usize,
    pub(super) instructions: usize,
    by_kind: [usize; KINDS.len()],
    /// Most items on both stacks.
    pub(super) deepest: usize,
    /// Most memory that both stacks can take.
    pub(super) stack_bytes: u64,
    by_opcode: BTreeMap<String, usize>,
}

/// The report for a compiled contract; `fee_rate` in satoshis per 1000 bytes.
pub fn explain(compiled: &Compiled, fee_rate: u64) -> String {
    let shares = shares(compiled);
    let needs = limits::needs(compiled);
    let mut text = format!(
        "{}: contract {}, {} rules of the {} era\n{}input: {} elements, {}\n{}\n",
        compiled.ir.name,
        compiled.contract,
        compiled.target.rules,
        compiled.target.era,
        payee(compiled),
        compiled.ir.values[0].len(),
        compiled.ir.input.describe(),
        answer(compiled),
    );
    text += &layer_table(compiled, &shares);
    text += &storage(compiled);
    text += &approximations(compiled);
    text += &idioms::layer_table(compiled);
    text += &idioms::idiom_table(compiled);
    text += "\nopcodes by layer\n";
    for (layer, share) in &shares {
        let _ = writeln!(text, "  {layer:<10} {}", opcodes(share));
    }
    text += "\nlimits\n";
    text += &limits::table(&needs);
    text += &fees(&needs, fee_rate);
    text
}

/// Who may spend, where that is not anyone.
fn payee(compiled: &Compiled) -> String {
    if compiled.guard.is_none() { String::new() } else { format!("pays: {}\n", compiled.guard.describe()) }
}

/// What the contract's number is worth, where it has no classes.
fn answer(compiled: &Compiled) -> String {
    let scale = compiled.optimised.answer_scale();
    scale.map_or(String::new(), |scale| format!("answer: a number, in steps of {}\n", describe_scale(scale)))
}

/// Shares by layer, in the order of the network; the contract's own code first.
pub(super) fn shares(compiled: &Compiled) -> Vec<(String, Share)> {
    let program = &compiled.program;
    let layers = compiled.ir.layers.iter().map(|layer| layer.label.clone());
    let mut shares: Vec<(String, Share)> =
        std::iter::once("contract".to_owned()).chain(layers).map(|label| (label, Share::default())).collect();
    let places: BTreeMap<String, usize> =
        shares.iter().enumerate().map(|(index, (label, _))| (label.clone(), index)).collect();
    let of_origin: Vec<usize> =
        program.origins.iter().map(|origin| places.get(&*origin.layer).copied().unwrap_or(0)).collect();
    walk(program, &compiled.script, |step| {
        let origin = program.instructions[step.instruction.origin as usize].origin;
        let share = &mut shares[of_origin[origin as usize]].1;
        share.count(&step.instruction.code);
        share.deepest = share.deepest.max(step.stacks.main.len() + step.stacks.alt.len());
        share.stack_bytes = share.stack_bytes.max(step.stack_bytes);
    });
    if !compiled.guard.is_none() {
        shares.insert(0, ("guard".to_owned(), guard_share(compiled)));
    }
    shares
}

/// What the guard takes.
fn guard_share(compiled: &Compiled) -> Share {
    let locking = compiled.locking();
    let mut share = Share::default();
    locking.before.iter().chain(&locking.after).flat_map(|part| &part.code).for_each(|code| share.count(code));
    share
}

impl Share {
    fn count(&mut self, code: &Code) {
        self.bytes += code.byte_len();
        self.instructions += 1;
        self.by_kind[kind(code)] += 1;
        let name = match code {
            Code::Push(_) => "push".to_owned(),
            Code::Op(opcode) => opcode.to_string(),
        };
        *self.by_opcode.entry(name).or_default() += 1;
    }
}

/// Index into [`KINDS`].
fn kind(code: &Code) -> usize {
    match code {
        Code::Push(_) => 0,
        Code::Op(opcode) => match opcode.byte() {
            0x6b..=0x7d => 1,
            0x8b..=0x97 | 0xa0 | 0xa3 | 0xa4 => 2,
            0x7e..=0x86 | 0x98 | 0x99 => 3,
            _ => 4,
        },
    }
}

/// How each layer's weights are stored.
fn storage(compiled: &Compiled) -> String {
    let line = |layer: &Layer| Some(format!("  {:<10} {}\n", layer.label, layer.storage.as_ref()?));
    let lines: String = compiled.ir.layers.iter().filter_map(line).collect();
    format!("\nweights\n{lines}")
}

/// What stands for each smooth function.
fn approximations(compiled: &Compiled) -> String {
    let of_layer = |layer: &Layer| {
        let line = |approximation: &String| format!("  {:<10} {approximation}\n", layer.label);
        layer.approximations.iter().map(line).collect::<String>()
    };
    let lines: String = compiled.ir.layers.iter().map(of_layer).collect();
    if lines.is_empty() { lines } else { format!("\nactivations\n{lines}") }
}

fn layer_table(compiled: &Compiled, shares: &[(String, Share)]) -> String {
    let locking = compiled.locking();
    let total = locking.byte_len().max(1);
    let mut text = format!("{:<10} {:>9} {:>10} {:>7}", "layer", "weights", "bytes", "share");
    KINDS.iter().for_each(|kind| text += &format!(" {kind:>8}"));
    text += &format!(" {:>8}  ONNX nodes\n", "deepest");
    for (label, share) in shares {
        let layer = compiled.ir.layers.iter().position(|layer| layer.label == *label);
        let weights = layer.map_or(0, |layer| weights_of(compiled, layer));
        let nodes = layer.map(|layer| compiled.ir.layers[layer].onnx_nodes.join(", ")).unwrap_or_default();
        let percent = 100.0 * share.bytes as f64 / total as f64;
        text +=
            &format!("{label:<10} {:>9} {:>10} {percent:>6.1}%", grouped(weights as u64), grouped(share.bytes as u64));
        share.by_kind.iter().for_each(|&count| text += &format!(" {:>8}", grouped(count as u64)));
        text += &format!(" {:>8}  {nodes}\n", share.deepest);
    }
    let sum = |index: usize| shares.iter().map(|(_, share)| share.by_kind[index]).sum::<usize>();
    text += &format!(
        "{:<10} {:>9} {:>10} {:>6.1}%",
        "total",
        grouped(compiled.ir.weights() as u64),
        grouped(total as u64),
        100.0
    );
    (0..KINDS.len()).for_each(|index| text += &format!(" {:>8}", grouped(sum(index) as u64)));
    let deepest = shares.iter().map(|(_, share)| share.deepest).max().unwrap_or(0);
    text + &format!(" {deepest:>8}\n")
}

pub(super) fn weights_of(compiled: &Compiled, layer: usize) -> usize {
    let values = compiled.ir.values.iter().filter(|value| value.layer == layer);
    values.filter_map(|value| value.op.weights()).map(|weights| weights.elements.len()).sum()
}

/// The opcodes of a layer, the most frequent first.
fn opcodes(share: &Share) -> String {
    let mut counts: Vec<(&String, &usize)> = share.by_opcode.iter().collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), (*name).clone()));
    counts.iter().map(|(name, count)| format!("{name} {}", grouped(**count as u64))).collect::<Vec<_>>().join(", ")
}

/// What locking and spending cost, the scripts alone.
fn fees(needs: &limits::Needs, rate: u64) -> String {
    let fee = |bytes: usize| (bytes as u64 * rate).div_ceil(1000);
    format!(
        "\nfee at {rate} sat per 1000 bytes: {} sat to lock, {} sat to unlock (scripts alone)\n",
        grouped(fee(needs.script_bytes)),
        grouped(fee(needs.unlocking_bytes))
    )
}
