//! `compare`: the contract's integers against the float model, layer by layer.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use num_rational::BigRational;
use onnx2script::data::DataSpec;
use onnx2script::quant::decimal;
use onnx2script::report::compare::{Comparison, LayerReport, table};
use serde::Serialize;

use super::args::Choices;
use super::compile::Loaded;
use super::{Verdict, compile, output, samples};

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The ONNX model.
    #[arg(value_name = "MODEL.onnx")]
    pub(crate) model: PathBuf,
    /// Samples: .npy (one a row), idx or idx.gz; `FILE@A..B` takes rows A to B-1.
    #[arg(long, value_name = "FILE[@A..B]")]
    pub(crate) data: DataSpec,
    /// Take the first N samples only.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<NonZeroUsize>,
    /// What a step of one in the data is worth to the model, as for `run`.
    #[arg(long, value_name = "NUMBER", value_parser = decimal::parse_rational)]
    pub(crate) unit: Option<BigRational>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

/// The JSON object's fields.
#[derive(Debug, Serialize)]
struct Report {
    samples: usize,
    layers: Vec<LayerReport>,
}

/// Compares on every sample.
pub(crate) fn compare(args: &Compare) -> anyhow::Result<Verdict> {
    let Loaded { compiled, fitted, .. } = compile::load_and_compile(&args.model, &args.choices)?;
    let inputs = samples::inputs(args.data.load()?, &args.data, &compiled, args.unit.as_ref())?;
    let count = samples::count(inputs.len(), args.limit);
    fitted.refuse_as_test(&inputs, count, &args.data)?;
    let comparison = Comparison::new(&compiled);
    let tallies = samples::for_each(count, args.choices.quiet, |index| {
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
