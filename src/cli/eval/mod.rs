//! `eval`: the contract on every sample of a file, beside the float model.

mod errors;
mod report;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use num_bigint::BigInt;
use onnx2script::codegen::Contract;
use onnx2script::data::{DataSpec, Input, Inputs, Reader};
use onnx2script::float_model::FloatModel;
use onnx2script::graph::Labels;
use onnx2script::prediction::Prediction;
use onnx2script::spend::{Spend, Spender};
use onnx2script::{Compiled, ir};

use super::compile::Loaded;
use super::samples::{self, Data, Measure, Prepared};
use super::{Verdict, compile, console, output};
use report::Report;

#[derive(Debug, Args)]
pub(crate) struct Eval {
    #[command(flatten)]
    pub(crate) measure: Measure,
    /// The samples' true classes, or numbers where the model gives one; one a row: .npy, idx, idx.gz, CSV, or JSON as
    /// in [[7], [2]].
    #[arg(long, value_name = "FILE[@A..B]")]
    pub(crate) labels: Option<DataSpec>,
    /// What gives the contract's answer.
    #[arg(long, value_enum, default_value_t = Engine::Script)]
    pub(crate) engine: Engine,
}

/// What gives the contract's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    /// The script itself, run in the interpreter and held against its definition.
    Script,
    /// The definition of what the script computes: the integer network. Faster, proves nothing of the script.
    Ir,
}

/// What one sample gave.
#[derive(Debug, Clone)]
struct Row {
    /// The contract's answer; none where the script told none.
    contract: Option<Prediction>,
    /// The float model's answer; none where it has no sound one.
    float: Option<Prediction>,
    /// How the run ended, where the script did not say what its definition says.
    defect: Option<&'static str>,
    /// Instructions executed, of both scripts.
    instructions: u64,
    /// How long the engine took.
    time: Duration,
}

/// All that the report is made of.
#[derive(Debug, Clone, Copy)]
struct Measured<'a> {
    args: &'a Eval,
    compiled: &'a Compiled,
    spender: &'a Spender<'a>,
    inputs: &'a Inputs,
    labels: Option<&'a [Prediction]>,
    /// One for each sample, in order.
    rows: &'a [Row],
    /// How long all of them took.
    elapsed: Duration,
}

/// Runs every sample.
pub(crate) fn eval(args: &Eval) -> anyhow::Result<Verdict> {
    let Measure { data: Data { file: data, .. }, choices, json, .. } = &args.measure;
    let Prepared { loaded: Loaded { model, compiled, .. }, inputs, count } = args.measure.prepare()?;
    compile::check_limits(&compiled, false)?;
    let numbers = compiled.optimised.answer_scale().is_some();
    let table = (!numbers).then_some(&compiled.graph.labels);
    let labels = args.labels.as_ref().map(|labels| read_labels(labels, data, inputs.len(), table)).transpose()?;
    let float_model = FloatModel::new(&model, &compiled.graph, &inputs.get(0)?.floats);
    float_model.note.iter().for_each(console::note);
    let spender = Spender::new(&compiled, choices.node.chosen_rules());
    let start = Instant::now();
    let rows = samples::for_each(count, |index| {
        let input = inputs.get(index).with_context(|| format!("`{data}`"))?;
        let float = float_model.prediction(&input.floats);
        Ok(Row { float, ..contract_row(args.engine, &compiled, &spender, &input) })
    })?;
    let (labels, elapsed) = (labels.as_deref(), start.elapsed());
    let measured =
        Measured { args, compiled: &compiled, spender: &spender, inputs: &inputs, labels, rows: &rows, elapsed };
    let report = Report::new(&measured)?;
    output::print(&if *json { serde_json::to_string(&report)? + "\n" } else { report.describe(data) })?;
    Ok(if report.defects.is_empty() { Verdict::Done } else { Verdict::Failed })
}

/// One class for each sample, by the model's own labels where they are integers; without a table of those, one number.
fn read_labels(
    labels: &DataSpec,
    data: &DataSpec,
    samples: usize,
    table: Option<&Labels>,
) -> anyhow::Result<Vec<Prediction>> {
    let rows = labels.load(&Reader::default())?.samples;
    let class = |table: &Labels, label: f64| {
        let class = table.class_of(label).with_context(|| format!("the model has no class with label {label}"))?;
        Ok(Prediction::Class(class))
    };
    let read: anyhow::Result<Vec<Prediction>> = match table {
        None => rows.numbers().map(|numbers| numbers.into_iter().map(Prediction::Value).collect()),
        Some(table @ Labels::Integers(_)) => {
            rows.numbers().and_then(|labels| labels.into_iter().map(|label| class(table, label)).collect())
        }
        Some(_) => rows.labels().map(|classes| classes.into_iter().map(Prediction::Class).collect()),
    };
    let read = read.with_context(|| format!("cannot use `{labels}` as labels"))?;
    ensure!(
        read.len() == samples,
        "`{labels}` holds {} labels, but `{data}` holds {samples} samples\n  help: give both the same rows, as in \
         --data X@0..100 --labels Y@0..100",
        read.len()
    );
    Ok(read)
}

/// What the contract makes of a sample.
fn contract_row(engine: Engine, compiled: &Compiled, spender: &Spender<'_>, input: &Input) -> Row {
    match engine {
        Engine::Script => {
            let spend = spender.spend(&input.integers, None);
            let defect = (!spend.as_defined()).then(|| spend.outcome.verdict());
            let instructions = spend.outcome.stats.instructions;
            let contract = told(&spend).and_then(|answer| compiled.optimised.prediction(&answer));
            Row { contract, float: None, defect, instructions, time: spend.time }
        }
        Engine::Ir => {
            let start = Instant::now();
            let contract = compiled.optimised.prediction(&ir::eval(&compiled.optimised, &input.integers));
            // A script is straight-line code: a run would execute all of it.
            let instructions = (compiled.script.instructions.len() + compiled.contract.pushes().len()) as u64;
            Row { contract, float: None, defect: None, instructions, time: start.elapsed() }
        }
    }
}

/// The answer that the script tells. All that an `expect:N` contract says of another class is that it is not N: there
/// the definition says which.
fn told(spend: &Spend) -> Option<BigInt> {
    match spend.contract {
        Contract::Expect(class) if spend.as_defined() && spend.defined != BigInt::from(class) => {
            Some(spend.defined.clone())
        }
        _ => spend.told(),
    }
}
