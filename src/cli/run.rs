//! `run`: compile, encode a sample, run the script, show the class.

use std::fmt::Write;

use anyhow::bail;
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use onnx2script::codegen::Contract;
use onnx2script::data::Samples;
use onnx2script::interp::{self, Outcome};
use onnx2script::onnx::reference::Reference;
use onnx2script::onnx::{ElementType, Model};
use onnx2script::script::{code, number};
use onnx2script::target::{Rules, Target};
use onnx2script::{Compiled, ir};
use serde::Serialize;

use super::args::Run;
use super::{Verdict, compile, output};

/// What `run` tells; the JSON object's fields.
#[derive(Debug, Serialize)]
struct Report {
    /// The class that the contract gives.
    class: Option<u64>,
    /// The class that the float model gives; none where tract cannot run it.
    float_class: Option<usize>,
    /// Whether the script accepted the spend.
    ok: bool,
    /// `OK`, or the node's name of the error.
    verdict: &'static str,
    /// The rules it was judged by.
    rules: String,
    /// The class that the unlocking script claims.
    claim: Option<i64>,
    sample: usize,
    script_bytes: usize,
    unlocking_bytes: usize,
    /// Instructions executed, of both scripts.
    instructions: u64,
    peak_stack_items: usize,
    peak_stack_bytes: u64,
}

/// Runs one sample.
pub(crate) fn run(args: &Run) -> anyhow::Result<Verdict> {
    let (model, compiled) = compile::load_and_compile(&args.model, &args.choices)?;
    compile::check_limits(&compiled, false, args.choices.quiet)?;
    let samples = Samples::load(&args.data)?;
    let expected = compiled.graph.input_len();
    if samples.sample_len != expected {
        bail!(
            "`{}` holds samples of {} numbers, but the model takes {expected} (shape {:?})",
            args.data.display(),
            samples.sample_len,
            compiled.graph.input_shape
        );
    }
    let report = spend(args, &model, &compiled, &samples)?;
    let text = if args.json { serde_json::to_string(&report)? + "\n" } else { describe(args, &report) };
    output::print(&text)?;
    Ok(if report.ok { Verdict::Done } else { Verdict::Failed })
}

/// Makes the unlocking script for a sample and runs both scripts.
fn spend(args: &Run, model: &Model, compiled: &Compiled, samples: &Samples) -> anyhow::Result<Report> {
    let format = &compiled.ir.input;
    let takes_bytes = compiled.graph.input_element == ElementType::Uint8;
    let values = samples.values(args.index, &samples.meaning(args.unit.as_ref(), format, takes_bytes))?;
    let integers = format.quantise(&values)?;
    let class = ir::eval(&compiled.optimised, &integers);
    let claim = args.claim.map_or_else(|| class.clone(), BigInt::from);
    let bytes = format.encode(&integers).unwrap_or_default();
    let unlocking = code::pushes(&compiled.contract.unlocking_items(&claim, bytes));
    let target = Target { rules: rules(args, compiled), ..compiled.target };
    let outcome = interp::run(unlocking.as_bytes(), &compiled.script.to_bytes(), &target);
    let floats: Vec<f64> = values.iter().map(|value| value.to_f64().unwrap_or(f64::NAN)).collect();
    let float_class = Reference::new(model).and_then(|reference| reference.run(&floats)).ok();
    Ok(Report {
        class: class_of(compiled.contract, &outcome, &class),
        float_class: float_class.and_then(|output| compiled.graph.class_of(&output)),
        ok: accepted(compiled.contract, &outcome),
        verdict: outcome.verdict(),
        rules: target.rules.to_string(),
        claim: (compiled.contract == Contract::Claim).then(|| claim.to_i64()).flatten(),
        sample: args.index,
        script_bytes: compiled.script.byte_len(),
        unlocking_bytes: unlocking.len(),
        instructions: outcome.stats.instructions,
        peak_stack_items: outcome.stats.peak_items,
        peak_stack_bytes: outcome.stats.peak_memory,
    })
}

/// The rules asked for. Where none are, a script too long for policy is judged by consensus: the limit is
/// a warning, and what the user came for is the class.
fn rules(args: &Run, compiled: &Compiled) -> Rules {
    let too_long = compiled.script.byte_len() > compiled.target.max_script_bytes();
    if args.choices.node.rules.is_none() && too_long { Rules::Consensus } else { compiled.target.rules }
}

/// The class as the script itself tells it where it leaves one, else as the definition has it.
fn class_of(contract: Contract, outcome: &Outcome, defined: &BigInt) -> Option<u64> {
    match (contract, outcome.stack.last()) {
        (Contract::Class, Some(class)) => number::decode(class).to_u64(),
        _ => defined.to_u64(),
    }
}

/// A `class` contract has done its work when it leaves a class; class 0 is false to a node.
fn accepted(contract: Contract, outcome: &Outcome) -> bool {
    let left_class_0 = contract == Contract::Class && outcome.verdict() == "EVAL_FALSE" && outcome.stack.len() == 1;
    outcome.is_ok() || left_class_0
}

fn describe(args: &Run, report: &Report) -> String {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "unknown".into());
    let mut text = String::new();
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<20} {value}");
    };
    row("sample", format!("{} of {}", report.sample, args.data.display()));
    row("class", or_none(report.class.map(|class| class.to_string())));
    row("float model's class", or_none(report.float_class.map(|class| class.to_string())));
    if let Some(claim) = report.claim {
        row("claimed class", claim.to_string());
    }
    row(
        "script says",
        format!("{} ({}, by {} rules)", if report.ok { "accepted" } else { "refused" }, report.verdict, report.rules),
    );
    row("locking script", format!("{} bytes", report.script_bytes));
    row("unlocking script", format!("{} bytes", report.unlocking_bytes));
    row("instructions", report.instructions.to_string());
    row("peak stack", format!("{} items, {} bytes", report.peak_stack_items, report.peak_stack_bytes));
    text
}
