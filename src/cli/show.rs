//! What `run` shows a person on a terminal beyond its table: the sample as a picture, the scores as bars, and what a
//! spend would cost.

use std::io::IsTerminal;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use onnx2script::artifact::Artifact;
use onnx2script::data::Input;
use onnx2script::ir::{self, Ir, Op};
use onnx2script::prediction::Prediction;
use onnx2script::report::limits::{self, Needs, grouped};
use onnx2script::{Compiled, graph};

use super::args::Run;
use super::bars::{self, Score};
use super::color::Palette;
use super::picture;

/// Whether to show more than the table: where a person sees it, or asked for it.
pub(crate) fn is_wanted(args: &Run) -> bool {
    !args.json && !args.plain && (args.show || std::io::stdout().is_terminal())
}

/// The sample and its scores.
pub(crate) fn sample(compiled: &Compiled, input: &Input, palette: Palette) -> String {
    picture(input, &compiled.graph.input_shape, palette) + &bars::draw(&scores(compiled, input), palette) + "\n"
}

/// The sample alone, where it is a picture.
pub(crate) fn picture(input: &Input, shape: &[usize], palette: Palette) -> String {
    picture::draw(&input.floats, shape, palette).map_or(String::new(), |picture| picture + "\n")
}

/// The numbers that decide, in the model's units.
fn scores(compiled: &Compiled, input: &Input) -> Vec<Score> {
    let Compiled { optimised, graph, .. } = compiled;
    let values = ir::eval_all(optimised, &input.integers);
    let floats = graph::eval_all(graph, &input.floats);
    let (of_contract, floats) = (&values[optimised.scores()], graph.scores().map(|node| &floats[node]));
    let scale = &optimised.values[optimised.scores()].scale;
    let number = |value: &BigInt| (scale * BigRational::from(value.clone())).to_f64().unwrap_or(f64::NAN);
    let answer = values.last().and_then(|answer| answer.first()?.to_usize());
    let score = |(index, value): (usize, &BigInt)| Score {
        label: label(compiled, index),
        value: number(value),
        float: floats.and_then(|floats| floats.get(index).copied()).unwrap_or(f64::NAN),
        chosen: is_classified(optimised) && answer == Some(index),
    };
    of_contract.iter().enumerate().map(score).collect()
}

/// Whether there is a score for each class.
fn is_classified(ir: &Ir) -> bool {
    matches!(ir.values[ir.output()].op, Op::ArgMax { .. })
}

/// What a score is of.
fn label(compiled: &Compiled, index: usize) -> String {
    let labels = &compiled.graph.labels;
    let class = Prediction::Class(index as u64);
    match compiled.optimised.values[compiled.optimised.output()].op {
        Op::ArgMax { .. } => labels.text(class).map_or_else(|| labels.show(class).to_string(), |text| printable(&text)),
        Op::Positive { .. } => "logit, class 1 where above 0".into(),
        _ => "number".into(),
    }
}

/// The beginning of a text that a model holds, without what a terminal would obey.
fn printable(text: &str) -> String {
    const LONGEST: usize = 24;
    let shown = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    text.chars().take(LONGEST).map(shown).collect()
}

/// What a locking script takes.
pub(crate) struct Taken {
    bytes: usize,
    instructions: usize,
    microseconds: u64,
}

impl From<&Compiled> for Taken {
    fn from(compiled: &Compiled) -> Self {
        let Needs { script_bytes, instructions, mempool_us, .. } = limits::needs(compiled);
        Taken { bytes: script_bytes, instructions, microseconds: mempool_us }
    }
}

impl From<&Artifact> for Taken {
    fn from(artifact: &Artifact) -> Self {
        let script = &artifact.locking_script;
        let microseconds = artifact.limits.mempool_microseconds;
        Taken { bytes: script.bytes, instructions: script.instructions, microseconds }
    }
}

/// What a spend would cost: rows of the table.
pub(crate) fn costs(taken: &Taken, unlocking_bytes: usize, fee_rate: u64) -> [(&'static str, String); 2] {
    let fee = |bytes: usize| (bytes as u128 * u128::from(fee_rate)).div_ceil(1000);
    let fees = format!(
        "{} sat to lock, {} sat to unlock, at {fee_rate} sat per 1000 bytes (scripts alone)",
        fee(taken.bytes),
        fee(unlocking_bytes)
    );
    let instructions = grouped(taken.instructions as u64);
    let time = format!("{:.2} ms, estimated, for {instructions} instructions", taken.microseconds as f64 / 1e3);
    [("fee", fees), ("a node's time", time)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_speak_to_the_terminal() {
        assert_eq!(printable("setosa \u{1b}[31m"), "setosa \u{fffd}[31m");
        assert_eq!(printable(&"ä".repeat(100)).chars().count(), 24);
    }
}
