//! What the commands that go through samples share: reading them, and going through them on all cores.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use clap::Args;
use num_rational::BigRational;
use onnx2script::Compiled;
use onnx2script::artifact::Artifact;
use onnx2script::data::{DataSpec, Inputs, Loaded as File, Reader, Samples, Wanted};
use onnx2script::input::InputFormat;
use onnx2script::quant::decimal;
use rayon::prelude::*;

use super::args::Choices;
use super::compile::{self, Loaded};
use super::console;
use super::progress::Progress;

/// A file of samples, and what its numbers are worth.
#[derive(Debug, Args)]
pub(crate) struct Data {
    /// Samples: a table with one a row (.npy, idx, idx.gz, CSV, a JSON array), or one picture (PNG, JPEG).
    ///
    /// `FILE@A..B` takes rows A to B-1; `-` is standard input. A picture is taken as the model's input is shaped, and on
    /// white where it is transparent.
    #[arg(id = "data", long = "data", value_name = "FILE[@A..B]")]
    pub(crate) file: DataSpec,
    /// What a step of one in the data is worth to the model, as in 1/255.
    ///
    /// By default: for bytes, and pictures are bytes, what the contract's bytes are worth, else 1/255, or 1 if the model
    /// takes integers; for other numbers 1.
    #[arg(long, value_name = "NUMBER", value_parser = decimal::parse_rational)]
    pub(crate) unit: Option<BigRational>,
    /// Take 255 - byte for each byte of a picture.
    ///
    /// For black on white, where the model wants white on black.
    #[arg(long)]
    pub(crate) invert: bool,
}

/// The same where there may be none.
#[derive(Debug, Args)]
pub(crate) struct OptionalData {
    /// Samples, or one picture: any file that `run` takes.
    #[arg(id = "data", long = "data", value_name = "FILE[@A..B]")]
    file: Option<DataSpec>,
    /// What a step of one in the data is worth to the model, as for `run`.
    #[arg(long, value_name = "NUMBER", value_parser = decimal::parse_rational, requires = "data")]
    unit: Option<BigRational>,
    /// Take 255 - byte for each byte of a picture.
    ///
    /// For black on white, where the model wants white on black.
    #[arg(long, requires = "data")]
    invert: bool,
}

impl OptionalData {
    /// What was given for `--data`.
    pub(crate) fn file(&self) -> Option<&DataSpec> {
        self.file.as_ref()
    }

    /// The file, where one is given.
    pub(crate) fn get(&self) -> Option<Data> {
        let file = self.file.clone()?;
        Some(Data { file, unit: self.unit.clone(), invert: self.invert })
    }
}

/// A model, and samples to measure it on.
#[derive(Debug, Args)]
#[command(mut_arg("model_output", |arg| arg.visible_alias("output")))]
pub(crate) struct Measure {
    /// The ONNX model.
    #[arg(value_name = "MODEL.onnx")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Take the first N samples only.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<NonZeroUsize>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

impl Data {
    /// The samples for a contract.
    pub(crate) fn inputs(&self, compiled: &Compiled) -> anyhow::Result<Inputs> {
        self.inputs_for((&compiled.graph).into(), &compiled.ir.input)
    }

    /// A sample's bytes, as a contract takes them.
    pub(crate) fn bytes(&self, index: usize, artifact: &Artifact) -> anyhow::Result<Vec<u8>> {
        let format = artifact.input_format();
        let inputs = self.inputs_for(artifact.wanted(), &format)?;
        let input = inputs.get(index).with_context(|| format!("`{self}`"))?;
        format.encode(&input.integers).context("a sample outside of its own format")
    }

    /// The samples for a network.
    pub(crate) fn inputs_for(&self, wanted: Wanted<'_>, format: &InputFormat) -> anyhow::Result<Inputs> {
        let samples = read(&self.file, wanted, self.invert)?;
        let inputs = Inputs::new(samples, wanted, format, self.unit.as_ref());
        inputs.with_context(|| format!("`{}` does not fit", self.file))
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(f)
    }
}

/// Samples for a network; what was found out about them goes to standard error.
pub(crate) fn read(file: &DataSpec, wanted: Wanted<'_>, invert: bool) -> anyhow::Result<Samples> {
    let File { samples, notes, warnings } = file.load(&Reader { shape: Some(wanted.shape), invert })?;
    notes.iter().for_each(console::note);
    warnings.iter().for_each(console::warning);
    Ok(samples)
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
        let inputs = self.data.inputs(&loaded.compiled)?;
        let count = self.limit.map_or(inputs.len(), |limit| inputs.len().min(limit.get()));
        loaded.fitted.refuse_as_test(&inputs, count, &self.data.file)?;
        Ok(Prepared { loaded, inputs, count })
    }
}

/// Does the same for samples `0..count` on all cores; the results are in order, and so is the error: that of the
/// first sample that has one.
pub(crate) fn for_each<T: Send>(
    count: usize,
    job: impl Fn(usize) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let progress = Progress::samples(count);
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
        progress.advance();
        Some(result)
    };
    let results: Vec<Option<anyhow::Result<T>>> = (0..count).into_par_iter().map(unless_failed).collect();
    drop(progress);
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_errors_are_in_order() {
        assert_eq!(for_each(100, Ok).unwrap(), (0..100).collect::<Vec<_>>());
        for _ in 0..20 {
            let failing = |index| if index % 30 == 20 { anyhow::bail!("{index}") } else { Ok(index) };
            assert_eq!(for_each(100, failing).unwrap_err().to_string(), "20");
        }
    }
}
