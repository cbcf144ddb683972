//! How each layer was emitted, what that costs beyond its weights, and what each idiom takes of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::limits::grouped;
use crate::Compiled;
use crate::bignum::Origin;
use crate::codegen::{Emitted, Form, Products};
use crate::cost::{self, Cost};

/// What the instructions of one idiom in one layer cost.
pub(super) struct Idiom {
    pub(super) layer: Arc<str>,
    pub(super) step: Arc<str>,
    pub(super) cost: Cost,
}

/// Each dense layer: how it was emitted, what its code takes, and how much of that is not the weights' own bits.
pub(super) fn layer_table(compiled: &Compiled) -> String {
    let idioms = idioms(compiled);
    let mut text = format!(
        "\n{:<12} {:>4} {:>13} {:>11} {:>9} {:>20}\n",
        "code, bytes", "bits", "weights alone", "in all", "a weight", "overhead"
    );
    for emitted in &compiled.layers {
        let label = &compiled.ir.layers[emitted.layer].label;
        let of_layer = idioms.iter().filter(|idiom| *idiom.layer == **label);
        text += &layer_row(label, emitted, of_layer.map(|idiom| idiom.cost.bytes).sum());
        let _ = writeln!(text, "    {}", describe(emitted));
    }
    if let Some(reason) = &compiled.unpacked {
        let _ = writeln!(text, "  nothing is packed: {reason}");
    }
    text
}

fn layer_row(label: &str, emitted: &Emitted, bytes: usize) -> String {
    let own = emitted.own_bytes();
    let sign = if bytes < own { "-" } else { "" };
    let overhead = format!("{sign}{}", grouped(bytes.abs_diff(own) as u64));
    let percent = 100.0 * (bytes as f64 - own as f64) / own.max(1) as f64;
    let a_weight = bytes as f64 / emitted.weights.max(1) as f64;
    let (own, bytes) = (grouped(own as u64), grouped(bytes as u64));
    format!("  {label:<10} {:>4} {own:>13} {bytes:>11} {a_weight:>9.3} {overhead:>10} {percent:>8.1}%\n", emitted.bits)
}

/// How a layer was emitted, in words.
pub(super) fn describe(emitted: &Emitted) -> String {
    let Products { bits, lane_bits, parts, row_bytes, rows, chunks, by_parts } = match emitted.form {
        Form::Unrolled => return "unrolled: a push and a few instructions for every weight".into(),
        Form::Rows { lane_bits } => {
            return format!("packed in rows: lanes of {lane_bits} bits, a product for every input");
        }
        Form::Products(products) => products,
    };
    let order = match (parts, chunks, by_parts) {
        (1, _, _) | (_, 1, _) => "",
        (_, _, true) => ", part by part",
        (_, _, false) => ", chunk by chunk",
    };
    let (parts, chunks) = (counted(parts, "part"), counted(chunks, "chunk"));
    let rows = counted(rows, "row");
    format!(
        "packed: {bits} bits a weight, lanes of {lane_bits}, {parts} a row; {chunks} of {rows} of {row_bytes} bytes{order}"
    )
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What each idiom takes, layer by layer.
pub(super) fn idiom_table(compiled: &Compiled) -> String {
    let mut text = format!("\n{:<48} {:>9} {:>13} {:>9}\n", "idioms", "bytes", "instructions", "time, µs");
    let mut layer = "";
    for Idiom { layer: of, step, cost } in &idioms(compiled) {
        let label = if **of == *layer { "" } else { of };
        let (bytes, instructions) = (grouped(cost.bytes as u64), grouped(cost.instructions as u64));
        let time = grouped(cost.nanoseconds.div_ceil(1000));
        let _ = writeln!(text, "  {label:<10} {step:<35} {bytes:>9} {instructions:>13} {time:>9}");
        layer = of;
    }
    text
}

/// What the pieces of the guard cost.
fn of_guard(compiled: &Compiled) -> Vec<Idiom> {
    let locking = compiled.locking();
    let mut idioms: Vec<Idiom> = Vec::new();
    for part in locking.before.iter().chain(&locking.after) {
        if idioms.last().is_none_or(|last| *last.step != *part.step) {
            idioms.push(Idiom { layer: Arc::from("guard"), step: Arc::from(part.step), cost: Cost::default() });
        }
        let Some(idiom) = idioms.last_mut() else { continue };
        part.code.iter().for_each(|code| idiom.cost += cost::of_guard(code));
    }
    idioms
}

/// What each idiom of each layer costs: layers in the order of the network, behind the contract's own code.
pub(super) fn idioms(compiled: &Compiled) -> Vec<Idiom> {
    let program = &compiled.program;
    let mut idioms: Vec<Idiom> = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    // Idioms that come in turns have an origin for each time.
    let mut of_origin = Vec::new();
    for Origin { layer, step, .. } in &program.origins {
        let place = *places.entry((layer, step)).or_insert(idioms.len());
        if place == idioms.len() {
            idioms.push(Idiom { layer: Arc::clone(layer), step: Arc::clone(step), cost: Cost::default() });
        }
        of_origin.push(place);
    }
    for instruction in &compiled.script.instructions {
        let origin = program.instructions[instruction.origin as usize].origin as usize;
        idioms[of_origin[origin]].cost += cost::of_instruction(program, &instruction.code, instruction.origin);
    }
    idioms.retain(|idiom| idiom.cost.instructions > 0);
    idioms.extend(of_guard(compiled));
    idioms.sort_by_key(|idiom| compiled.ir.layers.iter().position(|layer| *layer.label == *idiom.layer));
    idioms
}
