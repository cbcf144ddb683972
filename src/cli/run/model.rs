//! `run` with a model: its contract, and the float model beside it.

use num_bigint::BigInt;
use onnx2script::Compiled;
use onnx2script::codegen::Contract;
use onnx2script::data::Input;
use onnx2script::float_model::FloatModel;
use onnx2script::interp::ScriptError;
use onnx2script::ir::describe_scale;
use onnx2script::onnx::Model;
use onnx2script::report::trace::Trace;
use onnx2script::spend::{Spend, Spender};

use super::report::{self, Answer, Report};
use super::{Run, Text};
use crate::cli::args::TraceChoice;
use crate::cli::compile::{self, Loaded};
use crate::cli::{console, progress, show};

/// Runs one sample.
pub(super) fn run(args: &Run, loaded: &Loaded) -> anyhow::Result<(Report, Text)> {
    let Loaded { model, compiled, .. } = loaded;
    compile::check_limits(compiled, false)?;
    let inputs = args.data.inputs(compiled)?;
    let input = inputs.get(args.index)?;
    let report = spend(args, model, compiled, &input);
    let text = report::describe(args, &report);
    let text = match show::is_wanted(args) {
        false => text,
        true => {
            let costs = show::costs(&compiled.into(), report.unlocking_bytes, args.fee_rate);
            show::sample(compiled, &input, console::palette()) + &text + &report::rows(costs)
        }
    };
    Ok((report, text))
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
        beside_model: true,
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
