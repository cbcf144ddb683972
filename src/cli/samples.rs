//! What the commands that go through samples share: reading them, and a progress bar.

use std::fmt::Display;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use num_rational::BigRational;
use onnx2script::Compiled;
use onnx2script::artifact::Artifact;
use onnx2script::data::{DataSpec, Inputs, Samples};
use onnx2script::quant::decimal;
use rayon::prelude::*;

use super::args::Choices;
use super::compile::{self, Loaded};

/// A model, and samples to measure it on.
#[derive(Debug, Args)]
#[command(mut_arg("model_output", |arg| arg.visible_alias("output")))]
pub(crate) struct Measure {
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

/// Samples of the right length for a contract; errors name the file that they come from.
pub(crate) fn inputs(
    samples: Samples,
    file: &dyn Display,
    compiled: &Compiled,
    unit: Option<&BigRational>,
) -> anyhow::Result<Inputs> {
    Inputs::new(samples, &compiled.graph, &compiled.ir.input, unit).with_context(|| format!("`{file}` does not fit"))
}

/// One sample of a file.
#[derive(Debug, Args)]
pub(crate) struct Sample {
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Which sample, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) index: usize,
    #[arg(long, value_name = "NUMBER", value_parser = decimal::parse_rational)]
    pub(crate) unit: Option<BigRational>,
}

impl Sample {
    /// The sample's bytes as a contract takes them.
    pub(crate) fn bytes(&self, artifact: &Artifact, _quiet: bool) -> anyhow::Result<Vec<u8>> {
        let _ = artifact;
        anyhow::bail!("TODO")
    }
}

/// A contract, and the samples that it is measured on.
pub(crate) struct Prepared {
    pub(crate) loaded: Loaded,
    pub(crate) inputs: Inputs,
    /// How many of them are asked for.
    pub(crate) count: usize,
}

impl Measure {
    /// Compiles the model and reads the samples; refuses those that its weights were fitted to.
    pub(crate) fn prepare(&self) -> anyhow::Result<Prepared> {
        let loaded = compile::load_and_compile(&self.model, &self.choices)?;
        let inputs = inputs(self.data.load()?, &self.data, &loaded.compiled, self.unit.as_ref())?;
        let count = self.limit.map_or(inputs.len(), |limit| inputs.len().min(limit.get()));
        loaded.fitted.refuse_as_test(&inputs, count, &self.data)?;
        Ok(Prepared { loaded, inputs, count })
    }
}

/// Does the same for samples `0..count` on all cores; the results are in order, and so is the error: that of the
/// first sample that has one.
pub(crate) fn for_each<T: Send>(
    count: usize,
    quiet: bool,
    job: impl Fn(usize) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let bar = progress(count, quiet);
    let first_failed = AtomicUsize::new(usize::MAX);
    let unless_failed = |index| {
        // What lies behind a failure is not worth running; what lies before it may fail, too.
        if index > first_failed.load(Ordering::Relaxed) {
            return None;
        }
        let result = job(index);
        if result.is_err() {
            first_failed.fetch_min(index, Ordering::Relaxed);
        }
        bar.inc(1);
        Some(result)
    };
    let results: Vec<Option<anyhow::Result<T>>> = (0..count).into_par_iter().map(unless_failed).collect();
    bar.finish_and_clear();
    results.into_iter().flatten().collect()
}

/// A bar on standard error, where a person sees it.
fn progress(count: usize, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} samples, {eta} left");
    ProgressBar::new(count as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_errors_are_in_order() {
        assert_eq!(for_each(100, true, Ok).unwrap(), (0..100).collect::<Vec<_>>());
        for _ in 0..20 {
            let failing = |index| if index % 30 == 20 { anyhow::bail!("{index}") } else { Ok(index) };
            assert_eq!(for_each(100, true, failing).unwrap_err().to_string(), "20");
        }
    }
}
