//! Which of a model's outputs the contract is about.

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;

use super::{ElementType, Model, order};
use crate::error::{Problem, Refusal};

impl Model {
    /// Keeps one output only, and the nodes that it needs: the named one, else the only one, else the only one that is a
    /// class label (scikit-learn's models give the label and the probabilities). A note says what was chosen.
    ///
    /// # Errors
    /// A [`Refusal`] that names the outputs, where there is none of that name or no choice.
    pub fn choose_output(&mut self, wanted: Option<&str>) -> Result<(), Refusal> {
        let chosen = match wanted {
            Some(name) if self.outputs.iter().any(|output| output == name) => name.to_owned(),
            Some(name) => {
                return Err(Problem::of_model(format!("the model has no output `{name}`"))
                    .help(format!("give one of its outputs with --model-output: `{}`", self.outputs.join("`, `")))
                    .into());
            }
            None => match self.outputs.as_slice() {
                [_] | [] => return Ok(()),
                several => label(several, &self.source.proto).cloned().ok_or_else(|| several_outputs(several))?,
            },
        };
        if self.outputs.len() > 1 {
            let others: Vec<&str> = self.outputs.iter().map(String::as_str).filter(|name| *name != chosen).collect();
            let hint = if wanted.is_none() { " (--model-output NAME chooses another)" } else { "" };
            self.notes.push(format!("the contract is about output `{chosen}`, not `{}`{hint}", others.join("`, `")));
        }
        self.outputs = vec![chosen];
        order::sort_and_prune(self)?;
        self.trim_source();
        Ok(())
    }
}

/// The only output that is declared as integers or strings: a class.
fn label<'a>(outputs: &'a [String], proto: &pb::ModelProto) -> Option<&'a String> {
    let mut labels = outputs.iter().filter(|name| is_label(name, proto));
    labels.next().filter(|_| labels.next().is_none())
}

fn is_label(output: &str, proto: &pb::ModelProto) -> bool {
    let declared = proto.graph.iter().flat_map(|graph| &graph.output).find(|info| info.name == output);
    let kind = declared.and_then(|info| info.r#type.as_ref()).and_then(|kind| kind.value.as_ref());
    match kind {
        Some(pb::type_proto::Value::TensorType(tensor)) => {
            tensor.elem_type == DataType::String as i32
                || ElementType::from_onnx(tensor.elem_type).is_some_and(ElementType::is_integer)
        }
        _ => false,
    }
}

fn several_outputs(outputs: &[String]) -> Refusal {
    Problem::of_model(format!("the model has {} outputs: `{}`", outputs.len(), outputs.join("`, `")))
        .help("choose the class, the scores or the number with --model-output NAME")
        .into()
}
