//! What the commands that go through samples share.

use std::fmt::Display;

use anyhow::Context;
use num_rational::BigRational;
use onnx2script::Compiled;
use onnx2script::data::{Inputs, Samples};

/// Samples of the right length for a contract; errors name the file that they come from.
pub(crate) fn inputs(
    samples: Samples,
    file: &dyn Display,
    compiled: &Compiled,
    unit: Option<&BigRational>,
) -> anyhow::Result<Inputs> {
    Inputs::new(samples, &compiled.graph, &compiled.ir.input, unit).with_context(|| format!("`{file}` does not fit"))
}
