//! The network's picture: a box for each layer, from the input to the answer.

use std::collections::BTreeSet;

use super::markup::{escape, section, shortened};
use crate::Compiled;
use crate::ir::{Ir, LayerId, Value};
use crate::report::idioms;
use crate::report::limits::grouped;

/// ONNX nodes that a box names; the others are counted.
const MOST_NODES: usize = 4;
/// Longest name of a node, in characters.
const LONGEST: usize = 40;

pub(super) fn section_of(compiled: &Compiled) -> String {
    let widest = compiled.ir.values.iter().map(Value::len).max().unwrap_or(1);
    let used = (0..compiled.ir.layers.len()).filter(|&layer| elements(&compiled.ir, layer).is_some());
    let boxes: String = used.map(|layer| layer_box(compiled, layer, widest)).collect();
    let says = "Layers in the order in which the script computes them. A shape's sides are its layer's input and output: the \
                more elements, the taller.";
    section("network", "The network", &format!("<p>{says}</p>\n<ol class=\"network\">\n{boxes}</ol>\n"))
}

fn layer_box(compiled: &Compiled, layer: LayerId, widest: usize) -> String {
    let ir = &compiled.ir;
    let label = &ir.layers[layer].label;
    let (inputs, outputs) = elements(ir, layer).unwrap_or((0, 0));
    let mut lines =
        vec![format!("<strong>{}</strong>", escape(label)), shape(compiled, layer, inputs, outputs, widest)];
    lines.push(format!("<span class=\"size\">{}</span>", size(compiled, layer, inputs, outputs)));
    lines.extend(ops(compiled, layer).map(|ops| format!("<span>{}</span>", escape(&ops))));
    lines.extend(weights(compiled, layer).iter().map(|weights| format!("<span>{}</span>", escape(weights))));
    for approximation in &ir.layers[layer].approximations {
        lines.push(format!("<span>{}</span>", escape(approximation)));
    }
    lines.extend(sources(ir, layer).map(|sources| format!("<span>joins in {}</span>", escape(&sources))));
    lines.push(nodes(&ir.layers[layer].onnx_nodes));
    format!("<li>{}</li>\n", lines.join("\n"))
}

/// Elements of what a layer takes, all of it together, and of its last value; none where nothing is computed in it.
fn elements(ir: &Ir, layer: LayerId) -> Option<(usize, usize)> {
    let outputs = ir.values.iter().rfind(|value| value.layer == layer)?.len();
    let taken: usize = taken(ir, layer).iter().map(|&value| ir.values[value].len()).sum();
    Some((if taken == 0 { outputs } else { taken }, outputs))
}

/// The values of other layers that a layer takes.
fn taken(ir: &Ir, layer: LayerId) -> BTreeSet<usize> {
    let own = ir.values.iter().filter(|value| value.layer == layer);
    own.flat_map(|value| value.op.operands()).copied().filter(|&operand| ir.values[operand].layer != layer).collect()
}

/// The layers that a layer takes beside the one before it, or joins with its own numbers: branches of the network.
fn sources(ir: &Ir, layer: LayerId) -> Option<String> {
    let own = ir.values.iter().filter(|value| value.layer == layer);
    let branches = own.flat_map(|value| {
        let several = value.op.operands().len() > 1;
        let sources = value.op.operands().iter().map(|&operand| ir.values[operand].layer);
        sources.filter(move |&source| source != layer && (several || source + 1 != layer))
    });
    let sources: BTreeSet<LayerId> = branches.collect();
    let names: Vec<&str> = sources.iter().map(|&source| ir.layers[source].label.as_str()).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

fn size(compiled: &Compiled, layer: LayerId, inputs: usize, outputs: usize) -> String {
    let dims = |dims: &[usize]| dims.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
    let last = compiled.ir.values.last().is_some_and(|answer| answer.layer == layer);
    match (layer, last && compiled.ir.classes() > 0) {
        (0, _) => format!("shape {}", dims(&compiled.graph.input_shape)),
        (_, true) => format!("{} → class", grouped(inputs as u64)),
        _ => format!("{} → {}", grouped(inputs as u64), grouped(outputs as u64)),
    }
}

/// The ONNX ops that a layer comes from.
fn ops(compiled: &Compiled, layer: LayerId) -> Option<String> {
    let named = &compiled.ir.layers[layer].onnx_nodes;
    let nodes = compiled.graph.nodes.iter().filter(|node| named.contains(&node.origin.name));
    let mut ops: Vec<&str> = nodes.map(|node| node.origin.op.as_str()).collect();
    ops.dedup();
    (!ops.is_empty()).then(|| ops.join(", "))
}

/// How many weights there are, in how many bits, and how they are stored.
fn weights(compiled: &Compiled, layer: LayerId) -> Vec<String> {
    let Some(emitted) = compiled.layers.iter().find(|emitted| emitted.layer == layer) else { return Vec::new() };
    let count = format!("{} weights of {} bits", grouped(emitted.weights as u64), emitted.bits);
    let storage = compiled.ir.layers[layer].storage.as_ref().map(ToString::to_string);
    [Some(count), storage, Some(idioms::describe(emitted))].into_iter().flatten().collect()
}

fn nodes(names: &[String]) -> String {
    let shown = names.iter().take(MOST_NODES).map(|name| format!("<code>{}</code>", escape(&shortened(name, LONGEST))));
    let mut shown: Vec<String> = shown.collect();
    if names.len() > MOST_NODES {
        shown.push(format!("{} more", names.len() - MOST_NODES));
    }
    format!("<span class=\"nodes\">ONNX: {}</span>", shown.join(", "))
}

/// A trapezoid between a layer's input and its output, their sizes on a logarithmic scale.
fn shape(compiled: &Compiled, layer: LayerId, inputs: usize, outputs: usize, widest: usize) -> String {
    let tall = |elements: usize| 5.0 + 27.0 * (elements.max(1) as f64).ln() / (widest.max(2) as f64).ln();
    let (left, right) = (tall(inputs.min(widest)), tall(outputs));
    let says = format!("{}: {inputs} to {outputs} elements", compiled.ir.layers[layer].label);
    format!(
        "<svg viewBox=\"0 0 160 70\" role=\"img\" aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\">\
         <polygon points=\"4,{:.1} 156,{:.1} 156,{:.1} 4,{:.1}\"/></svg>",
        escape(&says),
        35.0 - left,
        35.0 - right,
        35.0 + right,
        35.0 + left
    )
}
