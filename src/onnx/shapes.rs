//! Shapes and constant values, as tract infers them for one sample.

use std::collections::BTreeMap;
use std::path::Path;

use tract_onnx::prelude::{InferenceFact, InferenceModel, InferenceModelExt, OutletId};
use tract_onnx::tract_hir::infer::{Factoid, GenericFactoid};

use super::{Model, Source, Tensor, bounds, tensor};
use crate::fence::fence;

/// What tract found out about values, by name.
#[derive(Debug, Clone, Default)]
pub struct Inferred {
    /// Shapes for one sample.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Results of nodes that compute with constants only.
    pub constants: BTreeMap<String, Tensor>,
}

/// Runs tract's shape inference, where what it may fold is bounded.
pub(super) fn infer(model: &Model) -> Inferred {
    let mut inferred = Inferred::default();
    let found = fence("shape inference", || {
        bounds::check(model)?;
        let mut inference = inference_model(&model.source, &model.inputs)?;
        // Obstinate: a node that tract cannot infer must not hide the shapes of the others.
        let _ = inference.analyse(true);
        Ok(inference)
    });
    let Ok(inference) = found else { return inferred };
    for node in inference.nodes() {
        for (slot, outlet) in node.outputs.iter().enumerate() {
            let Some(label) = inference.outlet_label(OutletId::new(node.id, slot)) else {
                continue;
            };
            if let Some(value) = outlet.fact.value.concretize()
                && !model.constants.contains_key(label)
                && let Ok(constant) = tensor::from_tract(&value)
            {
                inferred.constants.insert(label.to_owned(), constant);
            }
            if let Some(shape) = outlet.fact.shape.as_concrete_finite().ok().flatten() {
                inferred.shapes.insert(label.to_owned(), shape.to_vec());
            }
        }
    }
    inferred
}

/// The graph as tract reads it, its inputs set to one sample.
pub(super) fn inference_model(source: &Source, inputs: &[super::Input]) -> Result<InferenceModel, String> {
    let onnx = tract_onnx::onnx().with_ignore_output_types(true).with_ignore_value_info(true);
    let parsed = onnx
        .parse(&source.proto, source.folder.as_deref().and_then(Path::to_str))
        .map_err(|error| format!("{error:#}"))?;
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
