//! The float model, run by tract: what the contract is compared with.

use std::sync::Arc;

use tract_onnx::prelude::{
    DatumType, InferenceModelExt, IntoRunnable, IntoTValue, Tensor as TractTensor, TypedRunnableModel, tvec,
};

use super::{Model, shapes, tensor};
use crate::error::{Problem, Refusal};
use crate::fence::fence;

/// A float model ready to run.
pub struct Reference {
    plan: Arc<TypedRunnableModel>,
    shape: Vec<usize>,
    kind: DatumType,
}

impl Reference {
    /// Prepares a model for tract.
    ///
    /// # Errors
    /// A [`Refusal`] when tract cannot run it; the contract does not depend on that.
    pub fn new(model: &Model) -> Result<Reference, Refusal> {
        // Tract 0.23 leaves out the factor alpha of the negative half.
        if model.nodes.iter().any(|node| node.op == "Celu") {
            return Err(unrunnable("it computes Celu wrongly".into()).into());
        }
        let built = fence("preparing the float model", || {
            let inference = shapes::inference_model(&model.source, &model.inputs)?;
            let typed = inference.into_optimized().map_err(|error| format!("{error:#}"))?;
            let fact = typed.input_fact(0).map_err(|error| format!("{error:#}"))?;
            let kind = fact.datum_type;
            Ok((kind, typed.into_runnable().map_err(|error| format!("{error:#}"))?))
        });
        let (kind, plan) = built.map_err(unrunnable)?;
        let shape = model.inputs.first().map(|input| input.shape.clone()).unwrap_or_default();
        Ok(Reference { plan, shape, kind })
    }

    /// The model's first output for one sample, flat; an integer output (a class) as floats.
    ///
    /// # Errors
    /// A [`Refusal`] when the sample has another length, or tract fails on it.
    pub fn run(&self, sample: &[f64]) -> Result<Vec<f64>, Refusal> {
        let outputs = fence("running the float model", || {
            let singles: Vec<f32> = sample.iter().map(|&value| value as f32).collect();
            let doubles = TractTensor::from_shape(&self.shape, sample).map_err(|error| format!("{error:#}"))?;
            let input = match self.kind {
                DatumType::F64 => doubles,
                // Through f32, as every other framework is fed.
                _ => TractTensor::from_shape(&self.shape, &singles)
                    .and_then(|tensor| tensor.cast_to_dt(self.kind).map(|cast| cast.into_owned()))
                    .map_err(|error| format!("{error:#}"))?,
            };
            let outputs = self.plan.run(tvec!(input.into_tvalue())).map_err(|error| format!("{error:#}"))?;
            tensor::from_tract(&outputs[0])
        });
        let output = outputs.map_err(unrunnable)?;
        output.to_floats().ok_or_else(|| unrunnable("its output is too large for a float".into()).into())
    }
}

fn unrunnable(reason: String) -> Problem {
    Problem::of_model(format!("tract cannot run the float model: {}", reason.lines().next().unwrap_or_default()))
}
