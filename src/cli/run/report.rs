//! What `run` tells, of a model and of an artifact.

use onnx2script::prediction::{Prediction, Shown};
use serde::Serialize;

use super::Run;

/// What `run` tells; the JSON object's fields.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) answer: Answer,
    /// Whether the script accepted the spend.
    pub(super) ok: bool,
    /// `OK`, or the node's name of the error.
    pub(super) verdict: &'static str,
    /// The rules it was judged by.
    pub(super) rules: String,
    pub(super) sample: usize,
    pub(super) script_bytes: usize,
    pub(super) unlocking_bytes: usize,
    /// Instructions executed, of both scripts.
    pub(super) instructions: u64,
    pub(super) peak_stack_items: usize,
    pub(super) peak_stack_bytes: u64,
    /// Whether the float model was asked.
    #[serde(skip)]
    pub(super) beside_model: bool,
}

/// What the contract says of the sample, and the float model beside it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    Class {
        /// The class that the contract gives.
        class: Option<Shown>,
        /// What the model calls it, where that is no number.
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// The class that the float model gives.
        float_class: Option<Shown>,
        /// The class that the unlocking script claims.
        claim: Option<i64>,
    },
    /// Integers are strings: they can be longer than what reads JSON expects of a number.
    Value {
        /// The contract's integer as a number of the model.
        value: Option<Prediction>,
        /// The number that the float model gives.
        float_value: Option<Prediction>,
        /// The integer that the contract gives.
        integer: Option<String>,
        /// What a step of one in it is worth.
        scale: String,
        /// The integer that the unlocking script claims.
        claim: Option<String>,
    },
}

/// As a table.
pub(super) fn describe(args: &Run, report: &Report) -> String {
    let verdict = if report.ok { "accepted" } else { "refused" };
    let sample = ("sample", format!("{} of {}", report.sample, args.data));
    let spend = [
        ("script says", format!("{verdict} ({}, by {} rules)", report.verdict, report.rules)),
        ("locking script", format!("{} bytes", report.script_bytes)),
        ("unlocking script", format!("{} bytes", report.unlocking_bytes)),
        ("instructions", report.instructions.to_string()),
        ("peak stack", format!("{} items, {} bytes", report.peak_stack_items, report.peak_stack_bytes)),
    ];
    rows(std::iter::once(sample).chain(report.answer.rows(report.beside_model)).chain(spend))
}

/// Lines of a table.
pub(super) fn rows(rows: impl IntoIterator<Item = (&'static str, String)>) -> String {
    rows.into_iter().map(|(name, value)| format!("{name:<20} {value}\n")).collect()
}

impl Answer {
    /// In words.
    fn rows(&self, beside_model: bool) -> Vec<(&'static str, String)> {
        fn known(value: Option<&impl ToString>) -> String {
            value.map_or("unknown".into(), ToString::to_string)
        }
        match self {
            Answer::Class { class, label, float_class, claim } => [
                Some(("class", known(class.as_ref()))),
                label.as_ref().map(|label| ("label", label.clone())),
                beside_model.then(|| ("float model's class", known(float_class.as_ref()))),
                claim.map(|claim| ("claimed class", claim.to_string())),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Answer::Value { value, float_value, integer, scale, claim } => [
                Some(("number", known(value.as_ref()))),
                Some(("as integer", format!("{}, in steps of {scale}", known(integer.as_ref())))),
                beside_model.then(|| ("float model's number", known(float_value.as_ref()))),
                claim.as_ref().map(|claim| ("claimed integer", claim.clone())),
            ]
            .into_iter()
            .flatten()
            .collect(),
        }
    }
}
