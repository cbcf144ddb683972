//! What `eval` tells: as a JSON object, and in words.

use std::fmt::Write;
use std::time::Duration;

use onnx2script::data::DataSpec;
use onnx2script::graph;
use onnx2script::prediction::{Agreement, Prediction, Shown};
use serde::Serialize;

use super::errors::Errors;
use super::{Engine, Measured, Row};

/// Differing samples that are listed.
const LISTED: usize = 20;

/// The JSON object's fields. Shares are between 0 and 1.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    engine: Engine,
    contract: String,
    /// The rules that the script was judged by.
    rules: String,
    samples: usize,
    /// The contract's classes, or its integers as numbers of the model; null where the script told none.
    predictions: Vec<Option<Shown>>,
    /// What the model calls the predicted classes, where that is no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_labels: Option<Vec<Option<String>>>,
    /// The float model's; null where it has no sound answer, as are the float figures then.
    float_predictions: Option<Vec<Shown>>,
    agreement: Option<f64>,
    /// The contract's; null without labels, and of a model that gives a number.
    accuracy: Option<f64>,
    float_accuracy: Option<f64>,
    #[serde(flatten)]
    errors: Option<Errors>,
    /// On how many samples the contract and the float model differ.
    differing: Option<usize>,
    /// The first of them.
    differences: Vec<Difference>,
    /// Samples on which the script did not say what its definition says.
    pub(super) defects: Vec<Defect>,
    script_bytes: usize,
    /// Most instructions of one run, of both scripts.
    instructions: u64,
    /// Mean time that the engine took for one sample, by the clock.
    ms_per_sample: f64,
    /// Samples a second on all cores, float model and all.
    samples_per_second: f64,
}

/// A sample on which contract and float model differ.
#[derive(Debug, Serialize)]
struct Difference {
    /// The sample's row in the file, counted from 0: what `run --index` takes.
    index: usize,
    #[serde(flatten)]
    answers: Answers,
    label: Option<Shown>,
}

/// What they say of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answers {
    Classes {
        float_class: Option<Shown>,
        contract_class: Option<Shown>,
        /// How sure the float model is: by how much its largest score exceeds the second, or how far its logit is from 0.
        float_margin: Option<f64>,
    },
    Values {
        float_value: Option<Shown>,
        contract_value: Option<Shown>,
    },
}

/// A sample on which the script did not say what its definition says: never to be seen, but where a limit ends it.
#[derive(Debug, Serialize)]
pub(super) struct Defect {
    /// The sample's row in the file, counted from 0.
    index: usize,
    /// `OK`, or the node's name of the error.
    verdict: &'static str,
}

impl Report {
    pub(super) fn new(measured: &Measured<'_>) -> anyhow::Result<Report> {
        let Measured { args, compiled, spender, labels, rows, elapsed, .. } = measured;
        let predictions: Vec<Option<Prediction>> = rows.iter().map(|row| row.contract).collect();
        let float_predictions: Option<Vec<Prediction>> = rows.iter().map(|row| row.float).collect();
        let floats = float_predictions.as_deref();
        let (count, names) = (rows.len(), &compiled.graph.labels);
        let agreement = Agreement::new(floats.unwrap_or_default(), args.measure.choices.tolerance);
        let agree = |index: usize, float: Prediction| agreement.holds(predictions[index], float);
        let differing: Option<Vec<usize>> =
            floats.map(|floats| (0..count).filter(|&index| !agree(index, floats[index])).collect());
        let numbers = compiled.optimised.answer_scale().is_some();
        let classes = labels.filter(|_| !numbers);
        let time: Duration = rows.iter().map(|row| row.time).sum();
        Ok(Report {
            engine: args.engine,
            contract: compiled.contract.to_string(),
            rules: spender.rules().to_string(),
            samples: count,
            agreement: floats.map(|floats| agreement.share(&predictions, floats)),
            accuracy: classes.map(|classes| share(count, |i| predictions[i] == Some(classes[i]))),
            float_accuracy: classes.zip(floats).map(|(classes, floats)| share(count, |i| floats[i] == classes[i])),
            errors: numbers.then(|| Errors::new(&predictions, floats, *labels, agreement)),
            differing: differing.as_ref().map(Vec::len),
            differences: differing
                .iter()
                .flatten()
                .take(LISTED)
                .map(|&i| measured.difference(i))
                .collect::<Result<_, _>>()?,
            defects: measured.defects(),
            script_bytes: spender.script_bytes(),
            instructions: rows.iter().map(|row| row.instructions).max().unwrap_or(0),
            ms_per_sample: time.as_secs_f64() * 1000.0 / count as f64,
            samples_per_second: count as f64 / elapsed.as_secs_f64(),
            predictions: predictions.iter().map(|shown| shown.map(|class| names.show(class))).collect(),
            prediction_labels: matches!(names, graph::Labels::Strings(_))
                .then(|| predictions.iter().map(|class| names.text((*class)?)).collect()),
            float_predictions: floats.map(|floats| floats.iter().map(|&float| names.show(float)).collect()),
        })
    }

    /// The report in words.
    pub(super) fn describe(&self, data: &DataSpec) -> String {
        let count = self.samples;
        let percent = |share: Option<f64>| match share {
            Some(share) => format!("{:.2} % ({:.0} of {count})", share * 100.0, share * count as f64),
            None => "unknown".into(),
        };
        let row = |name: &str, value: String| format!("{name:<20} {value}\n");
        let mut text = row("samples", format!("{count} of {data}"));
        if let Some(accuracy) = self.accuracy {
            text += &row("float accuracy", percent(self.float_accuracy));
            text += &row("contract accuracy", percent(Some(accuracy)));
        }
        let within = self.errors.as_ref().and_then(Errors::within).unwrap_or_default();
        text += &row("agreement", percent(self.agreement) + &within);
        text += &self.errors.as_ref().map(Errors::describe).unwrap_or_default();
        text += &row("contract", format!("{}, by {} rules", self.contract, self.rules));
        text += &row("locking script", format!("{} bytes", self.script_bytes));
        text += &row("instructions", self.instructions.to_string());
        let engine = if self.engine == Engine::Script { "script" } else { "integer network" };
        text += &row("time", format!("{:.3} ms a sample ({engine})", self.ms_per_sample));
        text += &row("throughput", format!("{:.1} samples a second, on all cores", self.samples_per_second));
        text + &self.differences_table() + &self.describe_defects()
    }

    fn differences_table(&self) -> String {
        let Some(differing @ 1..) = self.differing else { return String::new() };
        let mut text = format!("\nsamples on which they differ: {differing}");
        if differing > LISTED {
            let _ = write!(text, "; the first {LISTED}");
        }
        text += match self.errors {
            None => "\n  sample  float  contract  label  float margin\n",
            Some(_) => "\n  sample          float       contract          label\n",
        };
        let lines: String = self.differences.iter().map(Difference::line).collect();
        text + &lines
    }

    fn describe_defects(&self) -> String {
        if self.defects.is_empty() {
            return String::new();
        }
        let shown: Vec<String> =
            self.defects.iter().take(LISTED).map(|d| format!("{} ({})", d.index, d.verdict)).collect();
        format!(
            "\non {} samples the script does not say what its definition says: {}\n\
             Unless a limit ended it, this is a defect of onnx2script: please report it with the model.\n",
            self.defects.len(),
            shown.join(", ")
        )
    }
}

impl Difference {
    /// Its line of the table.
    fn line(&self) -> String {
        let index = self.index;
        let or = |prediction: Option<Shown>, none: &str| prediction.map_or(none.to_owned(), |it| it.to_string());
        match self.answers {
            Answers::Classes { float_class, contract_class, float_margin } => {
                let (float, contract, label) = (or(float_class, "0"), or(contract_class, "none"), or(self.label, "-"));
                let margin = float_margin.map_or("-".into(), |margin| format!("{margin:.3e}"));
                format!("{index:>8} {float:>6} {contract:>9} {label:>6} {margin:>13}\n")
            }
            Answers::Values { float_value, contract_value } => {
                let number = |prediction: Option<Shown>, none: &str| {
                    prediction.and_then(Shown::value).map_or(none.to_owned(), |value| format!("{value:.6e}"))
                };
                let (float, contract) = (number(float_value, "none"), number(contract_value, "none"));
                format!("{index:>8} {float:>14} {contract:>14} {:>14}\n", number(self.label, "-"))
            }
        }
    }
}

impl Measured<'_> {
    fn defects(&self) -> Vec<Defect> {
        let first = self.args.measure.data.file.rows.start;
        let defect = |(index, row): (usize, &Row)| Some(Defect { index: first + index, verdict: row.defect? });
        self.rows.iter().enumerate().filter_map(defect).collect()
    }

    fn difference(&self, index: usize) -> anyhow::Result<Difference> {
        let row = &self.rows[index];
        let show = |prediction: Option<Prediction>| prediction.map(|shown| self.compiled.graph.labels.show(shown));
        Ok(Difference {
            index: self.args.measure.data.file.rows.start + index,
            answers: match self.compiled.optimised.answer_scale() {
                Some(_) => Answers::Values { float_value: show(row.float), contract_value: show(row.contract) },
                None => Answers::Classes {
                    float_class: show(row.float),
                    contract_class: show(row.contract),
                    float_margin: graph::margin(&self.compiled.graph, &self.inputs.get(index)?.floats),
                },
            },
            label: show(self.labels.map(|labels| labels[index])),
        })
    }
}

/// The share of `0..count` for which something holds.
fn share(count: usize, holds: impl Fn(usize) -> bool) -> f64 {
    (0..count).filter(|&index| holds(index)).count() as f64 / count as f64
}
