//! `compare`: the contract's integers against the float model, layer by layer.

use anyhow::Context;
use onnx2script::report::compare::{Comparison, LayerReport, table};
use serde::Serialize;

use super::compile::Loaded;
use super::samples::{self, Measure, Prepared};
use super::{Verdict, output};

/// The JSON object's fields.
#[derive(Debug, Serialize)]
struct Report {
    samples: usize,
    layers: Vec<LayerReport>,
}

/// Compares on every sample.
pub(crate) fn compare(args: &Measure) -> anyhow::Result<Verdict> {
    let Prepared { loaded: Loaded { compiled, .. }, inputs, count } = args.prepare()?;
    let comparison = Comparison::new(&compiled);
    let tallies = samples::for_each(count, |index| {
        let input = inputs.get(index).with_context(|| format!("`{}`", args.data))?;
        Ok(comparison.sample(&input))
    })?;
    let report = Report { samples: count, layers: comparison.report(&tallies) };
    let text = match args.json {
        true => serde_json::to_string(&report)? + "\n",
        false => format!("samples    {count} of {}\n\n{}", args.data, table(&report.layers)),
    };
    output::print(&text)?;
    Ok(Verdict::Done)
}
