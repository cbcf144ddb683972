//! `run` with an artifact: the script, without the model.

use anyhow::{Context, ensure};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use onnx2script::artifact::{Answer as Answers, Artifact, Kind, Network};
use onnx2script::interp::ScriptError;
use onnx2script::ir::describe_scale;
use onnx2script::prediction::{Prediction, Shown};

use super::report::{self, Answer, Report};
use super::{Run, Text};
use crate::cli::{console, progress, show};

/// Runs one sample.
pub(super) fn run(args: &Run, artifact: &Artifact) -> anyhow::Result<(Report, Text)> {
    ensure!(
        args.trace.is_none(),
        "an artifact does not hold the network that --trace shows\n  help: give the model, with the options that `explain` tells"
    );
    let format = artifact.input_format();
    let inputs = args.data.inputs_for(artifact.wanted(), &format)?;
    let input = inputs.get(args.index)?;
    let bytes = format.encode(&input.integers).context("a sample outside of its own format")?;
    let report = progress::during("running the script", || spend(args, artifact, &bytes));
    if report.verdict == ScriptError::WorkLimit.name() {
        console::help("no node says WORK_LIMIT: running an artifact ends there because no network takes so long");
    }
    let text = report::describe(args, &report);
    let text = match show::is_wanted(args) {
        false => text,
        true => {
            let costs = show::costs(&artifact.into(), report.unlocking_bytes, args.fee_rate);
            let picture = show::picture(&input, &artifact.abi.input.shape, console::palette());
            picture + &text + &report::rows(costs)
        }
    };
    Ok((report, text))
}

/// Spends with an input's bytes; the claim is the right one unless another is given.
fn spend(args: &Run, artifact: &Artifact, input: &[u8]) -> Report {
    let network = Network::new(artifact, args.choices.node.chosen_rules());
    let answer = network.answer(input);
    let claim = args.claim.clone().or_else(|| answer.clone()).unwrap_or_default();
    let outcome = network.run(input, &claim);
    let unlocking_bytes = network.unlocking_bytes(input, &claim);
    let left = artifact.contract.kind == Kind::Class && answer.is_some();
    Report {
        answer: describe(artifact, answer, (artifact.contract.kind == Kind::Claim).then_some(claim)),
        ok: outcome.is_ok() || left,
        verdict: outcome.verdict(),
        rules: network.rules().to_string(),
        sample: args.index,
        script_bytes: artifact.locking_script.bytes,
        unlocking_bytes,
        instructions: outcome.stats.instructions,
        peak_stack_items: outcome.stats.peak_items,
        peak_stack_bytes: outcome.stats.peak_memory,
        beside_model: false,
    }
}

fn describe(artifact: &Artifact, answer: Option<BigInt>, claim: Option<BigInt>) -> Answer {
    match &artifact.abi.answer {
        Answers::Class { labels, .. } => {
            let class = answer.and_then(|answer| u64::try_from(answer).ok());
            let label = |class: u64| labels.as_ref()?.get(usize::try_from(class).ok()?).cloned();
            Answer::Class {
                class: class.map(|class| Shown::Prediction(Prediction::Class(class))),
                label: class.and_then(label),
                float_class: None,
                claim: claim.and_then(|claim| i64::try_from(claim).ok()),
            }
        }
        Answers::Number { .. } => {
            let scale = artifact.answer_scale();
            let value = |answer: &BigInt| scale.as_ref().and_then(|scale| (scale * answer).to_f64());
            Answer::Value {
                value: answer.as_ref().and_then(value).map(Prediction::Value),
                float_value: None,
                integer: answer.map(|answer| answer.to_string()),
                scale: scale.as_ref().map(describe_scale).unwrap_or_default(),
                claim: claim.map(|claim| claim.to_string()),
            }
        }
    }
}
