//! `run`: a sample through a contract, and its class or number.

mod artifact;
mod model;
mod report;

use super::args::Run;
use super::artifact::{self as contract, Given};
use super::{Verdict, console, output};

/// A report as a person reads it.
type Text = String;

/// Runs one sample.
pub(crate) fn run(args: &Run) -> anyhow::Result<Verdict> {
    let given = contract::load(&args.file, &args.choices)?;
    if given.is_guarded() {
        console::note("the network's code runs alone: the guard around it asks for a transaction (exec --tx)");
    }
    let (report, text) = match given {
        Given::Model(loaded) => model::run(args, &loaded)?,
        Given::Artifact(artifact) => artifact::run(args, &artifact)?,
    };
    output::print(&if args.json { serde_json::to_string(&report)? + "\n" } else { text })?;
    Ok(if report.ok { Verdict::Done } else { Verdict::Failed })
}
