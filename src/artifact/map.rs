//! Which bytes of a locking script come from where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Compiled;
use crate::bignum::Origin;
use crate::guard::Part;

/// A run of instructions that come from one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset of the byte behind its last one.
    pub end: usize,
    /// How many instructions it has.
    pub instructions: usize,
    /// The layer: `dense 1`; `contract` for checks around the network, `guard` for who may spend.
    pub layer: String,
    /// What it does there.
    pub step: String,
    /// The ONNX node, where there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub onnx_node: String,
}

/// The layer of what stands around the network.
pub(super) const GUARD: &str = "guard";

/// The source map of a contract's locking script.
pub(super) fn of(compiled: &Compiled) -> Vec<Range> {
    let locking = compiled.locking();
    let mut ranges = Vec::new();
    locking.before.iter().for_each(|part| push_part(&mut ranges, part));
    push_network(&mut ranges, compiled);
    locking.after.iter().for_each(|part| push_part(&mut ranges, part));
    ranges
}

fn end(ranges: &[Range]) -> usize {
    ranges.last().map_or(0, |last| last.end)
}

fn push_part(ranges: &mut Vec<Range>, part: &Part) {
    let start = end(ranges);
    ranges.push(Range {
        start,
        end: start + part.byte_len(),
        instructions: part.code.len(),
        layer: GUARD.into(),
        step: part.step.into(),
        onnx_node: String::new(),
    });
}

fn push_network(ranges: &mut Vec<Range>, compiled: &Compiled) {
    let program = &compiled.program;
    let mut last = None;
    for instruction in &compiled.script.instructions {
        let origin = program.instructions[instruction.origin as usize].origin;
        if last != Some(origin) {
            last = Some(origin);
            let start = end(ranges);
            let Origin { layer, step, onnx_node } = &program.origins[origin as usize];
            let (layer, step, onnx_node) = (layer.to_string(), step.to_string(), onnx_node.to_string());
            ranges.push(Range { start, end: start, instructions: 0, layer, step, onnx_node });
        }
        if let Some(range) = ranges.last_mut() {
            range.end += instruction.code.byte_len();
            range.instructions += 1;
        }
    }
}
