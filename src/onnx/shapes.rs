//! Shapes and constant values, as tract infers them for one sample.

use std::sync::Arc;

use tract_onnx::prelude::{InferenceFact, InferenceModel, InferenceModelExt, OutletId};
use tract_onnx::tract_hir::infer::{Factoid, GenericFactoid};

use super::{Model, Source, fence, tensor};
use crate::error::{Problem, Refusal};

/// Runs tract's shape inference and notes what it found by value name.
pub(super) fn infer(model: &mut Model) -> Result<(), Refusal> {
    let found = fence("shape inference", || {
        let mut inference = inference_model(&model.source, &model.inputs)?;
        // Obstinate: a node that tract cannot infer must not hide the shapes of the others.
        let verdict = inference.analyse(true).map_err(|error| format!("{error:#}"));
        Ok((inference, verdict.err()))
    });
    let (inference, complaint) = found.map_err(|reason| contradiction(&reason))?;
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
        Some(reason) if !known => Err(contradiction(&reason).into()),
        _ => Ok(()),
    }
}

fn contradiction(reason: &str) -> Problem {
    let reason = reason.lines().next().unwrap_or(reason);
    Problem::of_model(format!("the shapes in this graph contradict each other: {reason}"))
        .help("check the model with onnx.checker.check_model(model, full_check=True), or export it again")
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
