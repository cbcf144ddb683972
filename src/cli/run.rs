//! `run`: compile, encode a sample, run the script, show the class.

use std::fmt::Write;

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use onnx2script::Compiled;
use onnx2script::codegen::Contract;
use onnx2script::data::{Input, Samples};
use onnx2script::onnx::Model;
use onnx2script::onnx::reference::Reference;
use onnx2script::spend::Spender;
use serde::Serialize;

use super::args::Run;
use super::compile::Loaded;
use super::{Verdict, compile, output, samples};

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
    let Loaded { model, compiled, .. } = compile::load_and_compile(&args.model, &args.choices)?;
    compile::check_limits(&compiled, false, args.choices.quiet)?;
    let samples = Samples::load(&args.data)?;
    let inputs = samples::inputs(samples, &args.data.display(), &compiled, args.unit.as_ref())?;
    let report = spend(args, &model, &compiled, &inputs.get(args.index)?);
    let text = if args.json { serde_json::to_string(&report)? + "\n" } else { describe(args, &report) };
    output::print(&text)?;
    Ok(if report.ok { Verdict::Done } else { Verdict::Failed })
}

/// Spends with a sample.
fn spend(args: &Run, model: &Model, compiled: &Compiled, input: &Input) -> Report {
    let spender = Spender::new(compiled, args.choices.node.chosen_rules());
    let spend = spender.spend(&input.integers, args.claim.map(BigInt::from));
    let float_output = Reference::new(model).and_then(|reference| reference.run(&input.floats)).ok();
    let stats = spend.outcome.stats;
    Report {
        class: spend.class(),
        float_class: float_output.and_then(|output| compiled.graph.class_of(&output)),
        ok: spend.accepted(),
        verdict: spend.outcome.verdict(),
        rules: spender.rules().to_string(),
        claim: (compiled.contract == Contract::Claim).then(|| spend.claim.to_i64()).flatten(),
        sample: args.index,
        script_bytes: spender.script_bytes(),
        unlocking_bytes: spend.unlocking_bytes,
        instructions: stats.instructions,
        peak_stack_items: stats.peak_items,
        peak_stack_bytes: stats.peak_memory,
    }
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
