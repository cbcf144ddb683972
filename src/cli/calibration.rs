//! `--calibrate`: samples for rounding weights and choosing bits.

use anyhow::ensure;
use num_traits::ToPrimitive;
use onnx2script::Options;
use onnx2script::auto::{Found, Goal};
use onnx2script::data::Samples;
use onnx2script::onnx::{ElementType, Model};
use onnx2script::quant::calibrate::Calibration;

use super::args::Choices;

/// So many samples are used; more teach little and take long.
const MOST_SAMPLES: usize = 2000;
/// What `--weights auto` asks for by itself.
const MIN_AGREEMENT: f64 = 0.995;

/// The calibration samples, if some were given: evenly spread over the file where it holds many.
pub(crate) fn load(model: &Model, options: &Options, choices: &Choices) -> anyhow::Result<Option<Calibration>> {
    let (Some(path), Some(input)) = (&choices.calibrate, model.inputs.first()) else { return Ok(None) };
    let takes_bytes = input.element == ElementType::Uint8;
    let format = options.input.resolve(takes_bytes);
    let samples = Samples::load(path)?;
    let expected = input.shape.iter().product::<usize>();
    ensure!(
        samples.sample_len == expected,
        "`{}` holds samples of {} numbers, but the model takes {expected}",
        path.display(),
        samples.sample_len
    );
    let meaning = samples.meaning(choices.calibrate_unit.as_ref(), &format, takes_bytes);
    let count = samples.len().min(MOST_SAMPLES);
    let mut calibration = Calibration { floats: Vec::new(), integers: Vec::new() };
    for index in (0..count).map(|index| index * samples.len() / count) {
        let values = samples.values(index, &meaning)?;
        calibration.floats.push(values.iter().map(|value| value.to_f64().unwrap_or(0.0)).collect());
        calibration.integers.push(format.quantise(&values)?);
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
pub(crate) fn describe(found: &Found) -> String {
    let weights: Vec<String> = found.weights.iter().map(ToString::to_string).collect();
    format!(
        "--weights {}: {:.2} % agreement on {} calibration samples that judged, rounded by {} others",
        weights.join(","),
        100.0 * found.agreement,
        found.judged,
        found.fitted
    )
}
