//! Shapes and constant values, as tract infers them for one sample.

use std::sync::Arc;

use tract_onnx::prelude::{InferenceFact, InferenceModel, InferenceModelExt, OutletId};
use tract_onnx::tract_hir::infer::{Factoid, GenericFactoid};

use super::{Model, Source, bounds, fence, tensor};
use crate::error::{Problem, Refusal};

/// Runs tract's shape inference and notes what it found by value name.
pub(super) fn infer(model: &mut Model) -> Result<(), Refusal> {
    bounds::check(model)?;
    let found = fence("shape inference", || {
        let mut inference = inference_model(&model.source, &model.inputs)?;
        // Obstinate: a node that tract cannot infer must not hide the shapes of the others.
        let verdict = inference.analyse(true).map_err(|error| format!("{error:#}"));
        Ok((inference, verdict.err()))
    });
    let (inference, complaint) = found.map_err(|reason| contradiction(model, &reason))?;
    for node in inference.nodes() {
        for (slot, outlet) in node.outputs.iter().enumerate() {
            let Some(label) = inference.outlet_label(OutletId::new(node.id, slot)) else {
                continue;
            };
            if let Some(value) = outlet.fact.value.concretize()
                && !model.constants.contains_key(label)
                && let Ok(constant) = tensor::from_tract(&Arc::clone(&value))
            {
                model.constants.insert(label.to_owned(), constant);
            }
            if let Some(shape) = outlet.fact.shape.as_concrete_finite().ok().flatten() {
                model.shapes.insert(label.to_owned(), shape.to_vec());
            }
        }
    }
    for input in &model.inputs {
        model.shapes.insert(input.name.clone(), input.shape.clone());
    }
    let known = model
        .nodes
        .iter()
        .flat_map(|node| &node.outputs)
        .all(|name| name.is_empty() || model.shapes.contains_key(name) || model.constants.contains_key(name));
    match complaint {
        Some(reason) if !known => Err(contradiction(model, &reason).into()),
        _ => Ok(()),
    }
}

/// What tract complains about, in ONNX's words: the node, what it reads, and why these do not fit.
fn contradiction(model: &Model, complaint: &str) -> Problem {
    let help = "check the model with onnx.checker.check_model(model, full_check=True), or export it again";
    let complaint = complaint.lines().next().unwrap_or(complaint);
    let named = complaint.split('"').nth(1);
    let Some(node) = named.and_then(|name| model.nodes.iter().find(|node| node.name == name)) else {
        return Problem::of_model(format!("the shapes in this graph contradict each other: {complaint}")).help(help);
    };
    let cause = cause(complaint);
    if let Some((one, other)) = mixed_types(cause) {
        return node
            .problem(format!("mixes {one} and {other}"))
            .help(format!("put a Cast in front of it: {} takes operands of one type", node.op));
    }
    let operands: Vec<String> = node.inputs.iter().map(|name| describe(model, name)).collect();
    node.problem(format!("its operands do not fit each other ({}): {cause}", operands.join(", "))).help(help)
}

/// A value and its shape, where it is known.
fn describe(model: &Model, name: &str) -> String {
    match model.constants.get(name).map(|constant| &constant.shape).or(model.shapes.get(name)) {
        Some(shape) => format!("`{name}` {shape:?}"),
        None => format!("`{name}`"),
    }
}

/// The end of a complaint, behind the inference rule that raised it.
fn cause(complaint: &str) -> &str {
    let fact = complaint.rsplit("Infering facts: ").next().unwrap_or(complaint);
    let Some(rule) = fact.strip_prefix("Applying rule ") else { return fact };
    rule.split_once("}: ").or(rule.split_once(": ")).map_or(rule, |(_, cause)| cause)
}

/// The two types that tract could not make one of, by ONNX's names.
fn mixed_types(cause: &str) -> Option<(&'static str, &'static str)> {
    let onnx = |name: &str| {
        Some(match name {
            "Bool" => "bool",
            "U8" => "uint8",
            "U16" => "uint16",
            "U32" => "uint32",
            "U64" => "uint64",
            "I8" => "int8",
            "I16" => "int16",
            "I32" => "int32",
            "I64" => "int64",
            "F16" => "float16",
            "F32" => "float32",
            "F64" => "float64",
            _ => return None,
        })
    };
    let (one, other) = cause.strip_prefix("Impossible to unify ")?.trim_end_matches('.').split_once(" with ")?;
    Some((onnx(one)?, onnx(other)?))
}

/// The graph as tract reads it, its inputs set to one sample.
pub(super) fn inference_model(source: &Source, inputs: &[super::Input]) -> Result<InferenceModel, String> {
    let onnx = tract_onnx::onnx().with_ignore_output_types(true).with_ignore_value_info(true);
    let parsed = onnx.parse(&source.proto, source.folder.to_str()).map_err(|error| format!("{error:#}"))?;
    let mut model = parsed.model;
    for input in inputs {
        let Some(outlet) = parsed.outlets_by_name.get(&input.name) else {
            continue;
        };
        let declared = model.outlet_fact(*outlet).map_err(|error| format!("{error:#}"))?.datum_type;
        let mut fact = InferenceFact::new().with_shape(input.shape.as_slice());
        if let GenericFactoid::Only(kind) = declared {
            fact = fact.with_datum_type(kind);
        }
        model.set_outlet_fact(*outlet, fact).map_err(|error| format!("{error:#}"))?;
    }
    Ok(model)
}
