//! The float model that a contract is compared with: the model as tract runs it, else the network as this
//! compiler reads it.

use crate::graph::{self, Answer, Graph};
use crate::onnx::Model;
use crate::onnx::reference::Reference;
use crate::prediction::Prediction;

/// What gives the float model's answers.
pub struct FloatModel<'g> {
    graph: &'g Graph,
    /// None where tract cannot run the model.
    tract: Option<Reference>,
    /// Why the model is not run by tract, for whoever reads what it is compared with.
    pub note: Option<String>,
}

impl<'g> FloatModel<'g> {
    /// The float model of a graph; `sample` is what tract is tried with.
    pub fn new(model: &Model, graph: &'g Graph, sample: &[f64]) -> FloatModel<'g> {
        let tried = Reference::new(model).and_then(|reference| reference.run(sample).map(|_| reference));
        match tried {
            Ok(reference) => FloatModel { graph, tract: Some(reference), note: None },
            Err(refusal) => {
                let note = format!("the float model is this compiler's own reading of the file, in f64: {refusal}");
                FloatModel { graph, tract: None, note: Some(note) }
            }
        }
    }

    /// The float model's answer for a sample; none where it has no sound one.
    pub fn prediction(&self, sample: &[f64]) -> Option<Prediction> {
        match &self.tract {
            Some(reference) => reference.run(sample).ok().and_then(|output| self.graph.prediction_of(&output)),
            None => {
                let answer = *graph::eval_all(self.graph, sample).last()?.first()?;
                Some(match self.graph.answer {
                    Answer::Value => Prediction::Value(answer),
                    Answer::Class | Answer::Scores | Answer::Probability => Prediction::Class(answer as u64),
                })
            }
        }
    }
}
