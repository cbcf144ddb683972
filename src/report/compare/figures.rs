//! The figures of a comparison: what each sample adds, what they come to, and the table.

use std::fmt::{self, Write};

use serde::Serialize;

use super::Stage;

/// The numbers from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// The least.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

/// What a sample adds to the figures of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    pub(super) elements: usize,
    pub(super) largest: f64,
    pub(super) errors: f64,
    pub(super) noise: f64,
    pub(super) signal: f64,
    pub(super) float: Range,
    pub(super) integer: Range,
}

/// The figures of a layer over all samples.
#[derive(Debug, Clone, Serialize)]
pub struct LayerReport {
    /// `dense 1`, ...; `scores` where the network has no dense layer.
    pub layer: String,
    /// Elements of its result.
    pub outputs: usize,
    /// Largest error of an element.
    pub max_error: f64,
    /// Mean error, without its sign.
    pub mean_error: f64,
    /// Signal to quantisation noise, in dB; none where nothing is lost, or there is no signal.
    pub sqnr_db: Option<f64>,
    /// What was seen in the float network.
    pub float_range: Range,
    /// What was seen in the contract, in the model's numbers.
    pub integer_range: Range,
    /// What is proved for every input, in the model's numbers.
    pub proved_range: Range,
    /// How much wider the proved range is than what was seen in the contract, in bits; none where one number was.
    pub headroom_bits: Option<f64>,
    /// Where the integers were read.
    pub stage: Stage,
}

impl Tally {
    pub(super) fn new(floats: &[f64], reals: &[f64]) -> Self {
        let errors = || floats.iter().zip(reals).map(|(float, real)| (float - real).abs());
        Tally {
            elements: floats.len(),
            largest: errors().fold(0.0, f64::max),
            errors: errors().sum(),
            noise: errors().map(|error| error * error).sum(),
            signal: floats.iter().map(|float| float * float).sum(),
            float: Range::of(floats.iter().copied()),
            integer: Range::of(reals.iter().copied()),
        }
    }

    pub(super) fn merge(self, other: Tally) -> Tally {
        Tally {
            elements: self.elements + other.elements,
            largest: self.largest.max(other.largest),
            errors: self.errors + other.errors,
            noise: self.noise + other.noise,
            signal: self.signal + other.signal,
            float: self.float.union(other.float),
            integer: self.integer.union(other.integer),
        }
    }
}

impl Range {
    pub(super) fn of(numbers: impl Iterator<Item = f64>) -> Range {
        let nothing = Range { low: f64::INFINITY, high: f64::NEG_INFINITY };
        numbers.fold(nothing, |range, number| range.union(Range { low: number, high: number }))
    }

    fn union(self, other: Range) -> Range {
        Range { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    pub(super) fn width(self) -> f64 {
        self.high - self.low
    }
}

/// The figures as a table.
pub fn table(layers: &[LayerReport]) -> String {
    let mut text = format!(
        "{:<10} {:>7} {:>10} {:>10} {:>8}  {:<23} {:<23} {:<23} {:>9}\n",
        "layer",
        "outputs",
        "max error",
        "mean error",
        "SQNR",
        "float range",
        "integer range",
        "proved range",
        "head-room"
    );
    for layer in layers {
        let in_unit = |value: Option<f64>, unit: &str| value.map_or("-".into(), |value| format!("{value:.1} {unit}"));
        let folded = if layer.stage == Stage::Unoptimised { "*" } else { "" };
        let _ = writeln!(
            text,
            "{:<10} {:>7} {:>10.2e} {:>10.2e} {:>8}  {:<23} {:<23} {:<23} {:>9}",
            format!("{}{folded}", layer.layer),
            layer.outputs,
            layer.max_error,
            layer.mean_error,
            in_unit(layer.sqnr_db, "dB"),
            layer.float_range.to_string(),
            layer.integer_range.to_string(),
            layer.proved_range.to_string(),
            in_unit(layer.headroom_bits, "bits"),
        );
    }
    if layers.iter().any(|layer| layer.stage == Stage::Unoptimised) {
        text += "* read before the passes, which fold the end of this layer into the next one's weights\n";
    }
    text
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}]", short(self.low), short(self.high))
    }
}

/// Four digits, more or less.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        magnitude if (0.01..10_000.0).contains(&magnitude) => format!("{value:.2}"),
        _ => format!("{value:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_short() {
        assert_eq!([0.0, -1.5, 123_456.0, 0.001].map(short), ["0", "-1.50", "1.23e5", "1.00e-3"]);
    }
}
