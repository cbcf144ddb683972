//! Small models, one for each way an exporter may write something: those that must compile, and
//! those that must be refused in words.

mod common;

use std::fmt::Write;
use std::path::Path;

use common::{Answers, DEFAULT, Lock, TOLERANCE, exact, files, floats, options, sidecar, stem};
use insta::Settings;
use num_rational::BigRational;
use onnx2script::float_model::FloatModel;
use onnx2script::graph::{Graph, Labels};
use onnx2script::onnx::{ElementType, Model};
use onnx2script::prediction::Agreement;
use onnx2script::quant::Rescale;
use onnx2script::{Options, compile};
use rayon::prelude::*;
use serde::Deserialize;

/// The `.json` beside a model that compiles.
#[derive(Deserialize)]
struct Accepted {
    about: String,
    inputs: Vec<Vec<f64>>,
    #[serde(flatten)]
    answers: Answers,
    /// The output that they are of, where the model has several and this is not the one that is taken by itself.
    output: Option<String>,
    /// What the model calls its classes, where these are not 0, 1, 2, ...
    labels: Option<Vec<serde_json::Value>>,
    /// How far values may be off, as a share of their range, where a function is approximated.
    tolerance: Option<f64>,
}

/// The `.json` beside a model that is refused.
#[derive(Deserialize)]
struct Refused {
    about: String,
    mentions: Vec<String>,
}

#[test]
fn these_models_compile_and_answer() {
    let cases = [files("tests/frontend/accept", "onnx"), files("tests/operators/accept", "onnx")].concat();
    let failures: Vec<String> = cases.par_iter().filter_map(|path| answer(path).err()).collect();
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}

/// Every row through the contract, in each rescale mode and with byte inputs where the model takes bytes.
fn answer(path: &Path) -> Result<(), String> {
    let case: Accepted = sidecar(path);
    let context = |reason: String| format!("{} ({}): {reason}", stem(path), case.about);
    let answers = case.answers.predictions();
    let agreement = Agreement::new(&answers, case.tolerance.unwrap_or(TOLERANCE));
    let mut model = Model::load(path).map_err(|error| context(error.to_string()))?;
    model.choose_output(case.output.as_deref()).map_err(|refusal| context(refusal.to_string()))?;
    for rescale in [Rescale::Sum, Rescale::None, Rescale::Product] {
        let default = options("fixed", rescale);
        let compiled = compile(&mut model, &default).map_err(|refusal| context(refusal.to_string()))?;
        let mut locks = vec![Lock::new(compiled)];
        let graph = locks[0].compiled.graph.clone();
        check_labels(&graph, case.labels.as_deref()).map_err(context)?;
        let float_model = FloatModel::new(&model, &graph, &case.inputs[0]);
        if locks[0].compiled.graph.input_element == ElementType::Uint8 {
            let bytes = compile(&mut model, &options("u8", rescale)).map_err(|refusal| context(refusal.to_string()))?;
            locks.push(Lock::new(bytes));
        }
        for (row, &expected) in case.inputs.iter().zip(&answers) {
            let sample: Vec<BigRational> = row.iter().copied().map(exact).collect();
            let float = float_model.prediction(&floats(&sample));
            if !agreement.holds(float, expected) {
                return Err(context(format!("the float model gives {float:?} instead of {expected:?} for {row:?}")));
            }
            for lock in &locks {
                let input = lock.encode(&sample);
                let got = lock.prediction(&input);
                if !agreement.holds(got, expected) {
                    return Err(context(format!("{got:?} instead of {expected:?} for {row:?}, {rescale}")));
                }
                lock.demand(&lock.items(&lock.class(&input), &input), &[DEFAULT]);
            }
        }
    }
    Ok(())
}

/// The contract's class is an index; the table says what the model calls it.
fn check_labels(graph: &Graph, expected: Option<&[serde_json::Value]>) -> Result<(), String> {
    let got = match &graph.labels {
        Labels::Indices => None,
        Labels::Integers(labels) => Some(labels.iter().copied().map(serde_json::Value::from).collect::<Vec<_>>()),
        Labels::Strings(labels) => Some(labels.iter().cloned().map(serde_json::Value::from).collect()),
    };
    if got.as_deref() == expected { Ok(()) } else { Err(format!("labels {got:?} instead of {expected:?}")) }
}

#[test]
fn these_models_are_refused_in_words() {
    let mut listing = String::from(
        "What a user reads who compiles each model of tests/frontend/refuse and tests/operators/refuse.\n",
    );
    let mut wordless = Vec::new();
    for path in [files("tests/frontend/refuse", "onnx"), files("tests/operators/refuse", "onnx")].concat() {
        let case: Refused = sidecar(&path);
        let Err(text) = refusal(&path) else {
            wordless.push(format!("{} compiles", stem(&path)));
            continue;
        };
        let _ = write!(listing, "\n{}: {}\n{}\n", stem(&path), case.about, indent(&text));
        let lower = text.to_lowercase();
        let missing: Vec<&String> = case.mentions.iter().filter(|word| !lower.contains(&word.to_lowercase())).collect();
        if !missing.is_empty() || text.is_empty() {
            wordless.push(format!("{} does not mention {missing:?}:\n{}", stem(&path), indent(&text)));
        }
    }
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(Path::new("../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("refusals", listing));
    assert!(wordless.is_empty(), "{}", wordless.join("\n"));
}

/// What a user reads; a panic fails the test.
fn refusal(path: &Path) -> Result<(), String> {
    Model::load(path)
        .and_then(|mut model| Ok(compile(&mut model, &Options::default())?))
        .map(drop)
        .map_err(|error| portable(&format!("{error:#}")))
}

/// Without what the operating system says of a missing file.
fn portable(text: &str) -> String {
    let line = |line: &str| match line.split_once("no_such_file.bin`: ") {
        Some((before, _)) => format!("{before}no_such_file.bin`: (what the system says)"),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect::<String>().trim_end().to_owned()
}
