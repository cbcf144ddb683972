//! What the commands that go through samples share: reading them, and a progress bar.

use std::fmt::Display;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use num_rational::BigRational;
use onnx2script::Compiled;
use onnx2script::data::{Inputs, Samples};
use rayon::prelude::*;

/// Samples of the right length for a contract; errors name the file that they come from.
pub(crate) fn inputs(
    samples: Samples,
    file: &dyn Display,
    compiled: &Compiled,
    unit: Option<&BigRational>,
) -> anyhow::Result<Inputs> {
    Inputs::new(samples, &compiled.graph, &compiled.ir.input, unit).with_context(|| format!("`{file}` does not fit"))
}

/// How many of `held` samples are asked for.
pub(crate) fn count(held: usize, limit: Option<NonZeroUsize>) -> usize {
    limit.map_or(held, |limit| held.min(limit.get()))
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
