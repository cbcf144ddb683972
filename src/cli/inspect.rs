//! `inspect`: what is in a model, and what choices would cost.

use onnx2script::report::inspect;

use super::args::Inspect;
use super::{Verdict, compile, output, progress};

/// Inspects a model.
pub(crate) fn inspect(args: &Inspect) -> anyhow::Result<Verdict> {
    let model = compile::load(&args.model, &args.choices)?;
    let inspection =
        progress::during("compiling with each choice of weights", || inspect::inspect(&model, &args.choices.options()));
    let inspection =
        inspection.map_err(|refusal| anyhow::anyhow!("cannot compile {}: {refusal}", output::name(&args.model)))?;
    let text = if args.json { serde_json::to_string(&inspection)? + "\n" } else { inspection.to_text() };
    output::print(&text)?;
    Ok(Verdict::Done)
}
