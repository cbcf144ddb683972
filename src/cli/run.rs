//! `run`: compile, encode a sample, run the script, show the class or the number.

use std::io::IsTerminal;

use num_bigint::BigInt;
use onnx2script::Compiled;
use onnx2script::codegen::Contract;
use onnx2script::data::Input;
use onnx2script::float_model::FloatModel;
use onnx2script::interp::ScriptError;
use onnx2script::ir::describe_scale;
use onnx2script::onnx::Model;
use onnx2script::prediction::{Prediction, Shown};
use onnx2script::report::trace::Trace;
use onnx2script::spend::{Spend, Spender};
use serde::Serialize;

use super::args::{Run, TraceChoice};
use super::color::ColorChoice;
use super::compile::Loaded;
use super::{Verdict, compile, console, output, progress, show};

/// What `run` tells; the JSON object's fields.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    answer: Answer,
    /// Whether the script accepted the spend.
    ok: bool,
    /// `OK`, or the node's name of the error.
    verdict: &'static str,
    /// The rules it was judged by.
    rules: String,
    sample: usize,
    script_bytes: usize,
    unlocking_bytes: usize,
    /// Instructions executed, of both scripts.
    instructions: u64,
    peak_stack_items: usize,
    peak_stack_bytes: u64,
}

/// What the contract says of the sample, and the float model beside it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
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

/// Runs one sample.
pub(crate) fn run(args: &Run, color: ColorChoice) -> anyhow::Result<Verdict> {
    let Loaded { model, compiled, .. } = compile::load_and_compile(&args.model, &args.choices)?;
    compile::check_limits(&compiled, false)?;
    let inputs = args.data.inputs(&compiled)?;
    let input = inputs.get(args.index)?;
    let report = spend(args, &model, &compiled, &input);
    let text = match args.json {
        true => serde_json::to_string(&report)? + "\n",
        false if show::is_wanted(args) => {
            let costs = show::costs(&compiled, report.unlocking_bytes, args.fee_rate);
            show::sample(&compiled, &input, color.palette(std::io::stdout().is_terminal()))
                + &describe(args, &report)
                + &rows(costs)
        }
        false => describe(args, &report),
    };
    output::print(&text)?;
    Ok(if report.ok { Verdict::Done } else { Verdict::Failed })
}

/// Spends with a sample.
fn spend(args: &Run, model: &Model, compiled: &Compiled, input: &Input) -> Report {
    let spender = Spender::new(compiled, args.choices.node.chosen_rules());
    let spend = match args.trace {
        None => progress::during("running the script", || spender.spend(&input.integers, args.claim.clone())),
        Some(shown) => traced(&spender, compiled, input, args.claim.clone(), shown == TraceChoice::All),
    };
    let float_model = FloatModel::new(model, &compiled.graph, &input.floats);
    float_model.note.iter().for_each(console::note);
    let float = float_model.prediction(&input.floats);
    let labels = &compiled.graph.labels;
    let integer = spend.answer();
    let contract = integer.as_ref().and_then(|answer| compiled.optimised.prediction(answer));
    let claim = (compiled.contract == Contract::Claim).then_some(&spend.claim);
    let stats = spend.outcome.stats;
    Report {
        answer: match compiled.optimised.answer_scale() {
            None => Answer::Class {
                class: contract.map(|class| labels.show(class)),
                label: contract.and_then(|class| labels.text(class)),
                float_class: float.map(|class| labels.show(class)),
                claim: claim.and_then(|claim| i64::try_from(claim).ok()),
            },
            Some(scale) => Answer::Value {
                value: contract,
                float_value: float,
                integer: integer.map(|integer| integer.to_string()),
                scale: describe_scale(scale),
                claim: claim.map(ToString::to_string),
            },
        },
        ok: spend.accepted(),
        verdict: spend.outcome.verdict(),
        rules: spender.rules().to_string(),
        sample: args.index,
        script_bytes: spender.script_bytes(),
        unlocking_bytes: spend.unlocking_bytes,
        instructions: stats.instructions,
        peak_stack_items: stats.peak_items,
        peak_stack_bytes: stats.peak_memory,
    }
}

/// Spends, and tells what the script makes while it runs.
fn traced(spender: &Spender<'_>, compiled: &Compiled, input: &Input, claim: Option<BigInt>, all: bool) -> Spend {
    let mut trace = Trace::new(compiled, &input.integers, all);
    let say = |text: String| text.lines().for_each(console::tell);
    let spend = spender.spend_traced(&input.integers, claim, &mut |step| say(trace.before(step)));
    // These are judged behind the last instruction.
    if matches!(spend.outcome.error, None | Some(ScriptError::EvalFalse | ScriptError::CleanStack)) {
        say(trace.at_end(&spend.outcome.stack));
    }
    spend
}

fn describe(args: &Run, report: &Report) -> String {
    let verdict = if report.ok { "accepted" } else { "refused" };
    let sample = ("sample", format!("{} of {}", report.sample, args.data));
    let spend = [
        ("script says", format!("{verdict} ({}, by {} rules)", report.verdict, report.rules)),
        ("locking script", format!("{} bytes", report.script_bytes)),
        ("unlocking script", format!("{} bytes", report.unlocking_bytes)),
        ("instructions", report.instructions.to_string()),
        ("peak stack", format!("{} items, {} bytes", report.peak_stack_items, report.peak_stack_bytes)),
    ];
    rows(std::iter::once(sample).chain(report.answer.rows()).chain(spend))
}

/// Lines of a table.
fn rows(rows: impl IntoIterator<Item = (&'static str, String)>) -> String {
    rows.into_iter().map(|(name, value)| format!("{name:<20} {value}\n")).collect()
}

impl Answer {
    /// In words.
    fn rows(&self) -> Vec<(&'static str, String)> {
        fn known(value: Option<&impl ToString>) -> String {
            value.map_or("unknown".into(), ToString::to_string)
        }
        match self {
            Answer::Class { class, label, float_class, claim } => [
                Some(("class", known(class.as_ref()))),
                label.as_ref().map(|label| ("label", label.clone())),
                Some(("float model's class", known(float_class.as_ref()))),
                claim.map(|claim| ("claimed class", claim.to_string())),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Answer::Value { value, float_value, integer, scale, claim } => [
                Some(("number", known(value.as_ref()))),
                Some(("as integer", format!("{}, in steps of {scale}", known(integer.as_ref())))),
                Some(("float model's number", known(float_value.as_ref()))),
                claim.as_ref().map(|claim| ("claimed integer", claim.clone())),
            ]
            .into_iter()
            .flatten()
            .collect(),
        }
    }
}
