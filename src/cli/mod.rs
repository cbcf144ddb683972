//! Commands and exit codes: 0 done; 1 the model or input was refused, or a check failed; 2 usage or I/O.

mod args;
mod artifact;
mod bars;
mod calibration;
mod color;
mod commit;
mod compare;
mod compile;
mod eval;
mod exec;
mod explain;
mod inspect;
mod ops;
mod output;
mod picture;
mod report;
mod run;
mod samples;
mod show;
mod unlock;

use std::process::ExitCode;

use args::{Cli, Command};

/// How a command that ran to its end came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As asked.
    Done,
    /// A check failed: the script did not accept, a vector disagreed, a script contradicted its definition.
    Failed,
}

/// Parses the command line and runs it.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::read();
    let outcome = match &cli.command {
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
        None => compile::compile(&cli.compile),
    };
    match outcome {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::from(1),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(format_args!("error: {error:#}"));
            ExitCode::from(if is_io(&error) { 2 } else { 1 })
        }
    }
}

fn is_io(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<std::io::Error>())
}

/// Whoever reads our output has seen enough (`| head`).
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
