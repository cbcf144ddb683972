//! One sample: what it looks like, what decides, the answer, and what the script says.

use num_bigint::BigInt;

use super::Measured;
use super::bars::{self, Row};
use super::markup::{details, escape, facts, figure, keyed_figure, paragraph, section, short};
use super::picture::{self, Layout};
use crate::Compiled;
use crate::codegen::Contract;
use crate::data::Input;
use crate::float_model::FloatModel;
use crate::ir::describe_scale;
use crate::onnx::Model;
use crate::prediction::Prediction;
use crate::report::compare::Comparison;
use crate::report::limits::grouped;
use crate::spend::{Spend, Spender};
use crate::target::Rules;

/// Of more classes only the first are shown.
const MOST_CLASSES: usize = 20;
/// Of more numbers only the first are shown.
const MOST_NUMBERS: usize = 40;

/// A sample that was run.
#[derive(Debug, Clone)]
pub struct Sample {
    index: usize,
    input: Input,
    spend: Spend,
    rules: Rules,
    float: Option<Prediction>,
    /// What stands for the float model, where that is not the model itself.
    note: Option<String>,
    /// What decides: in the float network, and in the contract.
    scores: Option<(Vec<f64>, Vec<f64>)>,
}

impl Sample {
    /// Runs sample `index` of a file: the float model, and the script in the interpreter.
    pub fn new(compiled: &Compiled, model: &Model, index: usize, input: Input, rules: Option<Rules>) -> Sample {
        let spender = Spender::new(compiled, rules);
        let spend = spender.spend(&input.integers, None);
        let float_model = FloatModel::new(model, &compiled.graph, &input.floats);
        let float = float_model.prediction(&input.floats);
        let scores = Comparison::new(compiled).scores(&input);
        Sample { index, spend, rules: spender.rules(), float, note: float_model.note, scores, input }
    }
}

pub(super) fn section_of(compiled: &Compiled, measured: Option<&Measured>) -> String {
    let Some(Measured { data, sample, .. }) = measured else {
        let says = "No sample was run: --data FILE gives samples, and --index N says which of them to show.";
        return section("sample", "A sample", &paragraph(says));
    };
    let body = paragraph(&format!("Sample {} of {data}, run in the built-in interpreter.", sample.index))
        + &format!("<div class=\"sample\">\n{}{}</div>\n", picture(compiled, sample), verdict(compiled, sample))
        + &scores(compiled, sample)
        + &numbers(sample);
    section("sample", "A sample", &body)
}

fn picture(compiled: &Compiled, sample: &Sample) -> String {
    let floats = &sample.input.floats;
    let Some(layout) = Layout::of(&compiled.graph.input_shape) else { return String::new() };
    let Some(uri) = layout.data_uri(floats) else { return String::new() };
    let (low, high) = picture::bounds(floats);
    let guess = if layout.guessed { ", as which the model's row of numbers is drawn" } else { "" };
    let Layout { height, width, .. } = layout;
    format!(
        "<figure class=\"picture\"><img src=\"{uri}\" width=\"{width}\" height=\"{height}\" alt=\"the sample as a \
         picture\"/>\n<figcaption>{width} × {height} pixels{guess}; black is {}, white is {}.</figcaption></figure>\n",
        short(low),
        short(high)
    )
}

/// The answer, the float model's beside it, and what the script says of the spend.
fn verdict(compiled: &Compiled, sample: &Sample) -> String {
    let Sample { spend, rules, .. } = sample;
    let answer = spend.answer();
    let contract = answer.as_ref().and_then(|answer| compiled.optimised.prediction(answer));
    let state = if spend.accepted() { ("within", "accepted") } else { ("over", "refused") };
    let says = format!(
        "<span class=\"{}\">{}</span> ({}, by {rules} rules)",
        state.0,
        state.1,
        escape(spend.outcome.verdict())
    );
    let class = compiled.optimised.classes() > 0;
    let (ours, theirs) = if class { ("class", "float model’s class") } else { ("number", "float model’s number") };
    let mut rows = vec![
        (ours, format!("<strong>{}</strong>", escape(&told(compiled, contract)))),
        (theirs, escape(&told(compiled, sample.float))),
    ];
    if let (Some(scale), Some(answer)) = (compiled.optimised.answer_scale(), &answer) {
        rows.push(("as integer", escape(&format!("{answer}, in steps of {}", describe_scale(scale)))));
    }
    if spend.contract == Contract::Claim {
        rows.push(("claimed", escape(&spend.claim.to_string())));
    }
    rows.push(("the script", says));
    let (stats, unlocking) = (&spend.outcome.stats, spend.unlocking_bytes);
    rows.push(("unlocking script", format!("{} bytes", grouped(unlocking as u64))));
    rows.push(("executed", format!("{} instructions", grouped(stats.instructions))));
    let (items, memory) = (grouped(stats.peak_items as u64), grouped(stats.peak_memory));
    rows.push(("stacks at their peak", format!("{items} items, {memory} bytes")));
    let note = sample.note.as_ref().map_or(String::new(), |note| paragraph(&format!("Note: {note}")));
    format!("<div>{}{note}</div>\n", facts(&rows))
}

/// A prediction in the model's terms.
fn told(compiled: &Compiled, prediction: Option<Prediction>) -> String {
    let labels = &compiled.graph.labels;
    match prediction {
        None => "unknown".to_owned(),
        Some(Prediction::Value(value)) => format!("{value:.9e}"),
        Some(class) => match labels.text(class) {
            Some(label) => format!("{class}, “{label}”"),
            None => labels.show(class).to_string(),
        },
    }
}

/// What decides, as bars; of many classes those with the highest scores.
fn scores(compiled: &Compiled, sample: &Sample) -> String {
    let Some((floats, integers)) = &sample.scores else { return String::new() };
    let mut shown: Vec<usize> = (0..integers.len()).collect();
    if shown.len() > MOST_CLASSES {
        shown.sort_by(|&a, &b| integers[b].total_cmp(&integers[a]));
        shown.truncate(MOST_CLASSES);
    }
    let one_a_class = integers.len() == compiled.optimised.classes();
    let name = |index: usize| match one_a_class {
        true => told(compiled, Some(Prediction::Class(index as u64))),
        false if compiled.optimised.classes() > 0 => "logit".to_owned(),
        false => "number".to_owned(),
    };
    let row = |&index: &usize| {
        let bars = [integers[index], floats[index]].map(|score| (score, short(score)));
        Row { label: name(index), bars: bars.to_vec() }
    };
    let cells = |&index: &usize| {
        let error = (integers[index] - floats[index]).abs();
        vec![name(index), format!("{:.6}", integers[index]), format!("{:.6}", floats[index]), format!("{error:.2e}")]
    };
    let says = match (one_a_class, compiled.optimised.classes()) {
        (true, classes) if classes > MOST_CLASSES => format!(
            "Logits, the {MOST_CLASSES} highest of {} classes; the class is that of the highest.",
            grouped(classes as u64)
        ),
        (true, _) => "Logits: the class is that of the highest.".to_owned(),
        (false, 0) => "The number that is the answer.".to_owned(),
        (false, _) => "The logit: the class is 1 where it is above 0, else 0.".to_owned(),
    };
    let rows: Vec<Vec<String>> = shown.iter().map(cells).collect();
    let chart = bars::linear(&shown.iter().map(row).collect::<Vec<_>>());
    keyed_figure(&says, &chart, &["contract", "float model"])
        + &details("The same as a table", &["", "contract", "float model", "error"], &rows)
}

/// The sample's numbers: as bars where they are few.
fn numbers(sample: &Sample) -> String {
    let Input { floats, integers } = &sample.input;
    let shown = floats.len().min(MOST_NUMBERS);
    let cells = |(index, (float, integer)): (usize, (&f64, &BigInt))| {
        vec![index.to_string(), format!("{float:.6}"), integer.to_string()]
    };
    let rows: Vec<Vec<String>> = floats.iter().zip(integers).take(shown).enumerate().map(cells).collect();
    let summary = match floats.len() - shown {
        0 => "The sample’s numbers".to_owned(),
        more => format!("The sample’s first {shown} numbers ({} more follow)", grouped(more as u64)),
    };
    let table = details(&summary, &["element", "for the model", "for the contract"], &rows);
    if floats.len() > MOST_NUMBERS {
        return table;
    }
    let bar = |(index, &float): (usize, &f64)| Row::new(format!("element {index}"), float, short(float));
    let chart = bars::linear(&floats.iter().enumerate().map(bar).collect::<Vec<_>>());
    figure("What the model is given.", &chart) + &table
}
