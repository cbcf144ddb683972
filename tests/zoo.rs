//! Real exported models (`models/zoo`, see `scripts/make_zoo.py`): what compiles answers as onnxruntime does, the rest
//! is refused in words. `scripts/zoo.py` does the same on every sample and for larger folders.

mod common;

use std::path::{Path, PathBuf};

use common::{Lock, TARGETS, options, read_npy};
use num_rational::BigRational;
use num_traits::One;
use onnx2script::onnx::Model;
use onnx2script::prediction::{Agreement, Prediction};
use onnx2script::quant::{Rescale, decimal};
use onnx2script::{compile, ir};
use rayon::prelude::*;
use serde::Deserialize;

/// Scripts to run of each model: they take most of the time.
const SCRIPTS: usize = 3;
/// How far a number may be from onnxruntime's: a share of the range of all of them.
const NEAR: f64 = 1e-3;
/// What the repository is to hold.
const MODELS: usize = 25;

#[derive(Deserialize)]
struct Entry {
    model: String,
    expect: Expect,
    #[serde(flatten)]
    recorded: Option<Recorded>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Compile,
    /// A good refusal is right; a right answer is better.
    Reject,
}

/// What onnxruntime says of some samples.
#[derive(Deserialize)]
struct Recorded {
    samples: String,
    unit: Option<String>,
    kind: Kind,
    #[serde(rename = "onnxruntime")]
    answers: Vec<f64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Class,
    Value,
}

impl Recorded {
    fn predictions(&self) -> Vec<Prediction> {
        let prediction = |&answer: &f64| match self.kind {
            Kind::Class => Prediction::Class(answer as u64),
            Kind::Value => Prediction::Value(answer),
        };
        self.answers.iter().map(prediction).collect()
    }

    fn rows(&self) -> Vec<Vec<BigRational>> {
        let unit = self.unit.as_ref().map_or_else(BigRational::one, |unit| decimal::parse_rational(unit).unwrap());
        read_npy(&folder().join(&self.samples), &unit)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/zoo")
}

#[test]
fn exported_models_answer_as_onnxruntime_does_or_are_refused_in_words() {
    let entries: Vec<Entry> = serde_json::from_slice(&std::fs::read(folder().join("zoo.json")).unwrap()).unwrap();
    assert!(entries.len() >= MODELS);
    let failures: Vec<String> = entries
        .par_iter()
        .filter_map(|entry| check(entry).err().map(|reason| format!("{}: {}", entry.model, first_lines(&reason))))
        .collect();
    assert!(failures.is_empty(), "{} of {} fail:\n{}", failures.len(), entries.len(), failures.join("\n"));
}

/// Enough of a refusal to know it by.
fn first_lines(reason: &str) -> String {
    reason.lines().take(3).collect::<Vec<&str>>().join("\n    ")
}

fn check(entry: &Entry) -> Result<(), String> {
    let lock = match lock(&folder().join(&entry.model)) {
        Ok(lock) => lock,
        Err(refusal) if entry.expect == Expect::Compile => return Err(refusal),
        Err(refusal) => return demand_words(&refusal),
    };
    match &entry.recorded {
        Some(recorded) => demand_answers(&lock, recorded),
        None if entry.expect == Expect::Compile => Err("there is nothing to compare with".into()),
        None => Ok(()),
    }
}

fn lock(path: &Path) -> Result<Lock, String> {
    let mut model = Model::load(path).map_err(|error| format!("{error:#}"))?;
    let compiled = compile(&mut model, &options("fixed", Rescale::Sum)).map_err(|refusal| refusal.to_string())?;
    Ok(Lock::new(compiled))
}

/// A refusal names a node, or tells what to do.
fn demand_words(refusal: &str) -> Result<(), String> {
    match refusal.contains("node `") || refusal.contains("help: ") {
        true => Ok(()),
        false => Err(format!("refused in too few words: {refusal}")),
    }
}

/// The definition gives onnxruntime's answer for every row, and the script what the definition gives.
fn demand_answers(lock: &Lock, recorded: &Recorded) -> Result<(), String> {
    ir::verify(&lock.compiled.optimised).map_err(|error| format!("{error:?}"))?;
    let (rows, answers) = (recorded.rows(), recorded.predictions());
    let agreement = Agreement::new(&answers, NEAR);
    if rows.len() != answers.len() {
        return Err(format!("{} rows but {} answers", rows.len(), answers.len()));
    }
    for (index, (row, &answer)) in rows.iter().zip(&answers).enumerate() {
        let input = lock.encode(row);
        let class = lock.class(&input);
        let got = lock.compiled.optimised.prediction(&class);
        if !agreement.holds(got, answer) {
            return Err(format!("sample {index}: {got:?} instead of {answer:?}"));
        }
        if index < SCRIPTS {
            // Consensus rules: some scripts are longer than a node relays.
            lock.demand(&lock.items(&class, &input), &TARGETS[1..2]);
        }
    }
    Ok(())
}
