//! `explain`: the report on a contract, of a model or of an artifact.

use onnx2script::report::{explain, map};

use super::args::Explain;
use super::artifact::{self, Given};
use super::{Verdict, output, progress};

/// Prints the report.
pub(crate) fn explain(args: &Explain) -> anyhow::Result<Verdict> {
    let text = match artifact::load(&args.file, &args.choices)? {
        Given::Model(loaded) => explain::explain(&loaded.compiled, args.fee_rate),
        Given::Artifact(artifact) => progress::during("reading the script", || map::report(&artifact, args.fee_rate)),
    };
    output::print(&text)?;
    Ok(Verdict::Done)
}
