//! `--calibrate`: samples for rounding weights and choosing bits, and a watch that they are not the
//! samples that the result is tested with.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use num_bigint::BigInt;
use onnx2script::auto::{Found, Goal};
use onnx2script::data::{DataSpec, Inputs, Wanted};
use onnx2script::onnx::Model;
use onnx2script::quant::Weights;
use onnx2script::quant::calibrate::Calibration;
use onnx2script::{Options, graph};

use super::args::Choices;
use super::samples;

/// So many samples are used; more teach little and take long.
const MOST_SAMPLES: usize = 2000;
/// What `--weights auto` asks for by itself.
const MIN_AGREEMENT: f64 = 0.995;
/// A small data set may hold the same sample twice; more than this share is the same data.
const MOST_SHARED: f64 = 0.05;

/// The calibration samples, if some were given: evenly spread over the file where it holds many.
pub(crate) fn load(model: &Model, options: &Options, choices: &Choices) -> anyhow::Result<Option<Calibration>> {
    let Some(data) = &choices.calibrate else { return Ok(None) };
    let graph = graph::import(&mut model.clone())?;
    let format = options.input.resolve(graph.input_element.is_integer());
    let wanted = Wanted::from(&graph);
    let samples = samples::read(data, wanted, false)?;
    let inputs = Inputs::new(samples, wanted, &format, choices.calibrate_unit.as_ref())
        .with_context(|| format!("`{data}` does not fit"))?;
    let count = inputs.len().min(MOST_SAMPLES);
    let mut calibration = Calibration { floats: Vec::new(), integers: Vec::new() };
    for index in (0..count).map(|index| index * inputs.len() / count) {
        let input = inputs.get(index).with_context(|| format!("`{data}`"))?;
        calibration.floats.push(input.floats);
        calibration.integers.push(input.integers);
    }
    Ok(Some(calibration))
}

/// What `--weights auto` is to reach.
pub(crate) fn goal(choices: &Choices) -> Goal {
    match choices.max_bytes {
        Some(bytes) => Goal::Bytes(bytes),
        None => Goal::Agreement(choices.min_agreement.unwrap_or(MIN_AGREEMENT)),
    }
}

/// What was found, and by which samples.
pub(crate) fn describe(found: &Found, data: &DataSpec) -> String {
    format!(
        "--weights {}: {:.2} % agreement on {} samples of `{data}` that judged, rounded by {} others of it",
        in_words(&found.weights),
        100.0 * found.agreement,
        found.judged,
        found.fitted
    )
}

/// Choices of weights as the command line has them.
pub(crate) fn in_words(weights: &[Weights]) -> String {
    weights.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The inputs that weights were fitted to.
#[derive(Debug, Default)]
pub(crate) struct Fitted(BTreeSet<Vec<BigInt>>);

impl Fitted {
    pub(crate) fn to(calibration: Option<&Calibration>) -> Self {
        Fitted(calibration.map(|samples| samples.integers.iter().cloned().collect()).unwrap_or_default())
    }

    /// Refuses to test with the samples that weights were fitted to.
    pub(crate) fn refuse_as_test(&self, inputs: &Inputs, count: usize, data: &DataSpec) -> anyhow::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut shared = 0usize;
        for index in 0..count {
            shared += usize::from(self.0.contains(&inputs.get(index)?.integers));
        }
        if shared as f64 > MOST_SHARED * count as f64 {
            bail!(
                "{shared} of the {count} samples of `{data}` are calibration samples as well, and would flatter the \
                 result\n  help: give others, as in --calibrate FILE@0..1000 --data FILE@1000.."
            );
        }
        Ok(())
    }
}
