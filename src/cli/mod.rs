//! Commands and exit codes: 0 done; 1 the model or input was refused, or a check failed; 2 usage or I/O.

mod args;
mod artifact;
mod bars;
mod calibration;
mod color;
mod commit;
mod compare;
mod compile;
mod console;
mod eval;
mod exec;
mod explain;
mod inspect;
mod manual;
mod ops;
mod output;
mod picture;
mod progress;
mod report;
mod run;
mod samples;
mod show;
mod unlock;

use std::process::ExitCode;

use std::io::ErrorKind;

use onnx2script::error::Refusal;

use args::{Cli, Command};

/// How a command that ran to its end came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As asked.
    Done,
    /// A check failed: the script did not accept, a vector disagreed, a script contradicted its definition.
    Failed,
}

/// What was asked for cannot be meant: known without any file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(String);

/// Parses the command line and runs it.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::read();
    console::set(cli.manners);
    match cli.check_streams().map_err(anyhow::Error::from).and_then(|()| dispatch(&cli)) {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::from(1),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            console::error(format_args!("{error:#}"));
            ExitCode::from(if is_usage_or_io(&error) { 2 } else { 1 })
        }
    }
}

fn dispatch(cli: &Cli) -> anyhow::Result<Verdict> {
    match &cli.command {
        Some(Command::Run(run)) => run::run(run),
        Some(Command::Exec(exec)) => exec::exec(exec),
        Some(Command::Unlock(unlock)) => unlock::unlock(unlock),
        Some(Command::Commit(commit)) => commit::commit(commit),
        Some(Command::Explain(explain)) => explain::explain(explain),
        Some(Command::Schema) => artifact::schema(),
        Some(Command::Inspect(inspect)) => inspect::inspect(inspect),
        Some(Command::Eval(eval)) => eval::eval(eval),
        Some(Command::Compare(compare)) => compare::compare(compare),
        Some(Command::Ops(listing)) => ops::ops(listing),
        Some(Command::Completions(completions)) => manual::completions(completions),
        Some(Command::Man(pages)) => manual::man(pages),
        None => compile::compile(&cli.compile),
    }
}

fn is_usage_or_io(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Usage>()
            || cause.downcast_ref::<Refusal>().is_some_and(Refusal::is_unreadable)
            || cause.downcast_ref::<std::io::Error>().is_some_and(is_system_s)
    })
}

/// Whether the system failed. What decodes a file says by such an error, too, that it holds something else or ends
/// early; the system reads a file without asking for either.
fn is_system_s(error: &std::io::Error) -> bool {
    !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::InvalidInput)
}

/// Whoever reads our output has seen enough (`| head`).
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|cause| cause.kind() == ErrorKind::BrokenPipe)
}
