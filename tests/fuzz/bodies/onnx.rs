//! ONNX bytes to a contract: refused, or what it says of a model that it made of the bytes.

use arbitrary::{Result, Unstructured};
use onnx2script::float_model::FloatModel;
use onnx2script::onnx::Model;
use onnx2script::onnx::reference::Reference;
use onnx2script::report::{explain, inspect, listing};
use onnx2script::{Compiled, Options, compile};

use super::{choices, model, spend};

/// A contract of more bytes is not described.
const MOST_DESCRIBED: usize = 40_000;

/// Whether the bytes were a model that has a contract.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let mut source = Unstructured::new(bytes);
    let Ok(Case { options, inspected, file }) = case(&mut source) else { return false };
    let Ok(mut model) = Model::from_bytes(&file, "fuzz.onnx".into(), None) else { return false };
    if inspected {
        let _ = inspect::inspect(&model, &options).map(|inspection| inspection.to_text());
    }
    match compile(&mut model, &options) {
        Ok(compiled) => {
            describe(&model, &compiled);
            spend::demand(compiled, &mut source)
        }
        Err(refusal) => {
            assert!(!refusal.problems.is_empty() && !refusal.to_string().is_empty());
            false
        }
    }
}

/// What the bytes choose.
struct Case {
    options: Options,
    /// Whether choices are compared, which takes ten times as long as a contract.
    inspected: bool,
    file: Vec<u8>,
}

/// The file is the bytes themselves, or one made from them, and then a few of its bytes changed.
fn case(source: &mut Unstructured<'_>) -> Result<Case> {
    let options = choices::options(source)?;
    let form: u8 = source.arbitrary()?;
    let inspected = form >= 0xf0;
    if form & 1 == 0 {
        let file = std::mem::replace(source, Unstructured::new(&[])).take_rest().to_vec();
        return Ok(Case { options, inspected, file });
    }
    let mut file = model::file(source)?;
    for _ in 0..source.arbitrary::<u8>()?.saturating_sub(250) {
        let at = source.choose_index(file.len())?;
        file[at] = source.arbitrary()?;
    }
    Ok(Case { options, inspected, file })
}

/// What commands print of it, and what the float model makes of a sample.
fn describe(model: &Model, compiled: &Compiled) {
    if compiled.script.byte_len() > MOST_DESCRIBED {
        return;
    }
    let texts = [explain::explain(compiled, 1), listing::listing(compiled)];
    assert!(texts.iter().all(|text| !text.is_empty()));
    let sample = vec![0.5; compiled.graph.input_len()];
    let _ = FloatModel::new(model, &compiled.graph, &sample).prediction(&sample);
    let _ = Reference::new(model).and_then(|reference| reference.run(&sample));
}
