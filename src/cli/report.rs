//! `--report`: a page about the contract, written beside the artifact.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use onnx2script::data::DataSpec;
use onnx2script::report::compare::Comparison;
use onnx2script::report::html::{self, Measured, Sample};

use super::args::Choices;
use super::compile::Loaded;
use super::progress;
use super::samples::{self, Data, OptionalData};

/// Errors are measured on so many samples: more change no digit that is shown.
const MOST_SAMPLES: usize = 1000;

/// What the page is to show.
#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
#[command(mut_arg("data", |arg| arg.requires("report")))]
pub(crate) struct Report {
    /// Write a page about the contract to FILE, in HTML that needs no network.
    ///
    /// It shows bytes, weights, stacks, limits and, with --data, errors and a sample in charts.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    data: OptionalData,
    /// Which sample the report shows, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "data")]
    index: usize,
}

impl Report {
    /// What was given for `--data`.
    pub(crate) fn data(&self) -> Option<&DataSpec> {
        self.data.file()
    }

    /// The page, where one is asked for.
    pub(crate) fn page(&self, loaded: &Loaded, choices: &Choices) -> anyhow::Result<Option<String>> {
        if self.report.is_none() {
            return Ok(None);
        }
        let measured = self.data.get().map(|data| self.measure(loaded, choices, &data)).transpose()?;
        Ok(Some(progress::during("drawing the report", || html::page(&loaded.compiled, measured.as_ref()))))
    }

    /// Measures errors, and runs the sample that is shown.
    fn measure(&self, loaded: &Loaded, choices: &Choices, data: &Data) -> anyhow::Result<Measured> {
        let Loaded { model, compiled, fitted } = loaded;
        let inputs = data.inputs(compiled)?;
        let count = inputs.len().min(MOST_SAMPLES);
        fitted.refuse_as_test(&inputs, count, &data.file)?;
        let input = inputs.get(self.index).with_context(|| format!("`{data}`"))?;
        let comparison = Comparison::new(compiled);
        let tallies = samples::for_each(count, |index| {
            let input = inputs.get(index).with_context(|| format!("`{data}`"))?;
            Ok(comparison.sample(&input))
        })?;
        Ok(Measured {
            data: data.to_string(),
            samples: count,
            layers: comparison.report(&tallies),
            sample: progress::during("running the script", || {
                Sample::new(compiled, model, self.index, input, choices.node.chosen_rules())
            }),
        })
    }
}
