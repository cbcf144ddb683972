//! One sample: what it looks like, what decides, the answer, and what the script says.

use num_bigint::BigInt;

use super::Measured;
use super::bars::{self, Row};
use super::markup::{details, escape, facts, figure, keyed_figure, paragraph, section, short};
use super::picture;
use crate::Compiled;
use crate::codegen::Contract;
use crate::data::Input;
use crate::data::PictureLayout;
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
    let shape = &compiled.graph.input_shape;
    let Some(layout) = picture::layout(shape) else { return String::new() };
    let Some(uri) = picture::data_uri(&layout, floats) else { return String::new() };
    let (low, high) = picture::bounds(floats);
    let guess = if shape.len() < 3 { ", as which the model's row of numbers is drawn" } else { "" };
    let PictureLayout { height, width, .. } = layout;
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
    let (state, says) = if spend.accepted() { ("within", "accepted") } else { ("over", "refused") };
    let verdict = escape(spend.outcome.verdict());
    let stats = &spend.outcome.stats;
    let (items, memory) = (grouped(stats.peak_items as u64), grouped(stats.peak_memory));
    let mut rows = answers(compiled, sample);
    rows.extend([
        ("the script", format!("<span class=\"{state}\">{says}</span> ({verdict}, by {rules} rules)")),
        ("unlocking script", format!("{} bytes", grouped(spend.unlocking_bytes as u64))),
        ("executed", format!("{} instructions", grouped(stats.instructions))),
        ("stacks at their peak", format!("{items} items, {memory} bytes")),
    ]);
    let note = sample.note.as_ref().map_or(String::new(), |note| paragraph(&format!("Note: {note}")));
    format!("<div>{}{note}</div>\n", facts(&rows))
}

/// What the contract and the float model answer, and what is claimed.
fn answers(compiled: &Compiled, sample: &Sample) -> Vec<(&'static str, String)> {
    let answer = sample.spend.answer();
    let contract = answer.as_ref().and_then(|answer| compiled.optimised.prediction(answer));
    let (ours, theirs) = match compiled.optimised.answer_scale() {
        None => ("class", "float model’s class"),
        Some(_) => ("number", "float model’s number"),
    };
    let integer = compiled.optimised.answer_scale().zip(answer);
    let integer = integer.map(|(scale, answer)| format!("{answer}, in steps of {}", describe_scale(scale)));
    let claim = (sample.spend.contract == Contract::Claim).then(|| sample.spend.claim.to_string());
    let rows = [
        Some((ours, format!("<strong>{}</strong>", escape(&told(compiled, contract))))),
        Some((theirs, escape(&told(compiled, sample.float)))),
        integer.map(|integer| ("as integer", escape(&integer))),
        claim.map(|claim| ("claimed", escape(&claim))),
    ];
    rows.into_iter().flatten().collect()
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
    let (says, names) = scores_in_words(compiled, integers.len());
    let row = |&index: &usize| {
        let bars = [integers[index], floats[index]].map(|score| (score, short(score)));
        Row { label: names(index), bars: bars.to_vec() }
    };
    let cells = |&index: &usize| {
        let error = (integers[index] - floats[index]).abs();
        vec![names(index), format!("{:.6}", integers[index]), format!("{:.6}", floats[index]), format!("{error:.2e}")]
    };
    let rows: Vec<Vec<String>> = shown.iter().map(cells).collect();
    let chart = bars::linear(&shown.iter().map(row).collect::<Vec<_>>());
    keyed_figure(&says, &chart, &["contract", "float model"])
        + &details("The same as a table", &["", "contract", "float model", "error"], &rows)
}

/// What so many scores are, and what each is called.
fn scores_in_words(compiled: &Compiled, scores: usize) -> (String, Box<dyn Fn(usize) -> String + '_>) {
    match compiled.optimised.classes() {
        0 => ("The number that is the answer.".into(), Box::new(|_| "number".into())),
        classes if classes != scores => {
            ("The logit: the class is 1 where it is above 0, else 0.".into(), Box::new(|_| "logit".into()))
        }
        classes => {
            let which = match classes > MOST_CLASSES {
                true => format!(", the {MOST_CLASSES} highest of {} classes", grouped(classes as u64)),
                false => String::new(),
            };
            let name = |class: usize| told(compiled, Some(Prediction::Class(class as u64)));
            (format!("Logits{which}: the class is that of the highest."), Box::new(name))
        }
    }
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
