//! What `eval` tells: as a JSON object, and in words.

use std::fmt::Write;
use std::time::Duration;

use onnx2script::data::DataSpec;
use onnx2script::graph;
use serde::Serialize;

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
    /// The contract's classes; null where the script told none.
    predictions: Vec<Option<u64>>,
    /// The float model's classes; null where tract cannot run it, as are the float figures then.
    float_predictions: Option<Vec<u64>>,
    agreement: Option<f64>,
    /// The contract's; null without labels.
    accuracy: Option<f64>,
    float_accuracy: Option<f64>,
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
    float_class: Option<u64>,
    contract_class: Option<u64>,
    label: Option<u64>,
    /// By how much the float model's largest score exceeds the second.
    float_margin: Option<f64>,
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
        let predictions: Vec<Option<u64>> = rows.iter().map(|row| row.class).collect();
        let float_predictions: Option<Vec<u64>> = rows.iter().map(|row| row.float_class).collect();
        let floats = float_predictions.as_deref();
        let count = rows.len();
        let is = |index: usize, class: u64| predictions[index] == Some(class);
        let differing: Option<Vec<usize>> =
            floats.map(|floats| (0..count).filter(|&index| !is(index, floats[index])).collect());
        let time: Duration = rows.iter().map(|row| row.time).sum();
        Ok(Report {
            engine: args.engine,
            contract: compiled.contract.to_string(),
            rules: spender.rules().to_string(),
            samples: count,
            agreement: floats.map(|floats| share(count, |index| is(index, floats[index]))),
            accuracy: labels.map(|labels| share(count, |index| is(index, labels[index]))),
            float_accuracy: labels.zip(floats).map(|(labels, floats)| share(count, |i| floats[i] == labels[i])),
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
            predictions,
            float_predictions,
        })
    }

    /// The report in words.
    pub(super) fn describe(&self, data: &DataSpec) -> String {
        let count = self.samples;
        let percent = |share: Option<f64>| match share {
            Some(share) => format!("{:.2} % ({:.0} of {count})", share * 100.0, share * count as f64),
            None => "unknown".into(),
        };
        let mut text = String::new();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<20} {value}");
        };
        row("samples", format!("{count} of {data}"));
        if let Some(accuracy) = self.accuracy {
            row("float accuracy", percent(self.float_accuracy));
            row("contract accuracy", percent(Some(accuracy)));
        }
        row("agreement", percent(self.agreement));
        row("contract", format!("{}, by {} rules", self.contract, self.rules));
        row("locking script", format!("{} bytes", self.script_bytes));
        row("instructions", self.instructions.to_string());
        let engine = if self.engine == Engine::Script { "script" } else { "integer network" };
        row("time", format!("{:.3} ms a sample ({engine})", self.ms_per_sample));
        row("throughput", format!("{:.1} samples a second, on all cores", self.samples_per_second));
        text + &self.differences_table() + &self.describe_defects()
    }

    fn differences_table(&self) -> String {
        let Some(differing @ 1..) = self.differing else { return String::new() };
        let mut text = format!("\nsamples on which they differ: {differing}");
        if differing > LISTED {
            let _ = write!(text, "; the first {LISTED}");
        }
        let _ =
            writeln!(text, "\n{:>8} {:>6} {:>9} {:>6} {:>13}", "sample", "float", "contract", "label", "float margin");
        for difference in &self.differences {
            let class = difference.contract_class.map_or("none".into(), |class| class.to_string());
            let label = difference.label.map_or("-".into(), |label| label.to_string());
            let margin = difference.float_margin.map_or("-".into(), |margin| format!("{margin:.3e}"));
            let (index, float) = (difference.index, difference.float_class.unwrap_or_default());
            let _ = writeln!(text, "{index:>8} {float:>6} {class:>9} {label:>6} {margin:>13}");
        }
        text
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

impl Measured<'_> {
    fn defects(&self) -> Vec<Defect> {
        let first = self.args.measure.data.rows.start;
        let defect = |(index, row): (usize, &Row)| Some(Defect { index: first + index, verdict: row.defect? });
        self.rows.iter().enumerate().filter_map(defect).collect()
    }

    fn difference(&self, index: usize) -> anyhow::Result<Difference> {
        let row = &self.rows[index];
        Ok(Difference {
            index: self.args.measure.data.rows.start + index,
            float_class: row.float_class,
            contract_class: row.class,
            label: self.labels.map(|labels| labels[index]),
            float_margin: graph::margin(&self.compiled.graph, &self.inputs.get(index)?.floats),
        })
    }
}

/// The share of `0..count` for which something holds.
fn share(count: usize, holds: impl Fn(usize) -> bool) -> f64 {
    (0..count).filter(|&index| holds(index)).count() as f64 / count as f64
}
