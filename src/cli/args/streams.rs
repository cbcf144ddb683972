//! `-`: standard input can be read by one argument only, and standard output be written by one.

use std::path::Path;

use onnx2script::data::DataSpec;

use super::{Choices, Cli, Command, Compile, Exec, Run, Unlock};
use crate::cli::output::is_dash;
use crate::cli::samples::Measure;
use crate::cli::{Usage, eval::Eval};

/// An argument as the user knows it, and the file that it names.
type Named<'a> = (&'static str, Option<&'a Path>);

impl Cli {
    /// Refuses that two arguments take the same stream.
    pub(crate) fn check_streams(&self) -> Result<(), Usage> {
        let (inputs, outputs) = match &self.command {
            None => (self.compile.inputs(), self.compile.outputs()),
            Some(command) => (command.inputs(), vec![]),
        };
        once(
            &inputs,
            "standard input can be read once only, but",
            "is to come from it",
            "give a file for one of them",
        )?;
        let help = "give a file for one of them, as in -o FILE";
        once(&outputs, "standard output takes one artifact only, but", "is to go there", help)
    }
}

/// Refuses a second `-`.
fn once(arguments: &[Named<'_>], why: &str, what: &str, help: &str) -> Result<(), Usage> {
    let dashes = arguments.iter().filter(|(_, path)| path.is_some_and(is_dash));
    match dashes.map(|(name, _)| *name).collect::<Vec<_>>().as_slice() {
        [] | [_] => Ok(()),
        names => Err(Usage(format!("{why} each of {} {what}\n  help: {help}", names.join(", ")))),
    }
}

fn samples<'a>(name: &'static str, data: Option<&'a DataSpec>) -> Named<'a> {
    (name, data.map(|data| data.path.as_path()))
}

impl Compile {
    fn inputs(&self) -> Vec<Named<'_>> {
        vec![("MODEL.onnx", self.model.as_deref()), samples("--data", self.report.data()), self.choices.calibration()]
    }

    /// The script goes to standard output where nothing else is asked for.
    fn outputs(&self) -> Vec<Named<'_>> {
        let is_bare = self.output.is_none() && self.artifact.is_none();
        let script = if is_bare { ("the script", Some(Path::new("-"))) } else { ("--output", self.output.as_deref()) };
        vec![script, ("--artifact", self.artifact.as_deref()), ("--report", self.report.report.as_deref())]
    }
}

impl Choices {
    fn calibration(&self) -> Named<'_> {
        samples("--calibrate", self.calibrate.as_ref())
    }
}

impl Command {
    fn inputs(&self) -> Vec<Named<'_>> {
        match self {
            Command::Run(run) => run.inputs(),
            Command::Eval(eval) => eval.inputs(),
            Command::Compare(measure) => measure.inputs(),
            Command::Unlock(unlock) => unlock.inputs(),
            Command::Commit(commit) => vec![
                ("ARTIFACT", Some(&commit.file)),
                samples("--data", Some(&commit.data.file)),
                commit.choices.calibration(),
            ],
            Command::Explain(explain) => vec![("ARTIFACT", Some(&explain.file)), explain.choices.calibration()],
            Command::Exec(exec) => exec.inputs(),
            Command::Inspect(_) | Command::Ops(_) | Command::Schema | Command::Completions(_) | Command::Man(_) => {
                vec![]
            }
        }
    }
}

impl Run {
    fn inputs(&self) -> Vec<Named<'_>> {
        let data = samples("--data", Some(&self.data.file));
        vec![("ARTIFACT", Some(&self.file)), data, self.choices.calibration()]
    }
}

impl Measure {
    fn inputs(&self) -> Vec<Named<'_>> {
        let data = samples("--data", Some(&self.data.file));
        vec![("MODEL.onnx", Some(&self.model)), data, self.choices.calibration()]
    }
}

impl Eval {
    fn inputs(&self) -> Vec<Named<'_>> {
        let mut inputs = self.measure.inputs();
        inputs.push(samples("--labels", self.labels.as_ref()));
        inputs
    }
}

impl Unlock {
    fn inputs(&self) -> Vec<Named<'_>> {
        vec![
            ("ARTIFACT", Some(&self.file)),
            samples("--data", self.data.file()),
            ("--commitment", self.commitment.as_deref()),
            ("--proof", self.proof.as_deref()),
            self.choices.calibration(),
        ]
    }
}

impl Exec {
    fn inputs(&self) -> Vec<Named<'_>> {
        vec![
            ("--unlock", self.unlock.as_deref()),
            ("--lock", self.lock.as_deref()),
            ("--tx", self.tx.as_deref().map(Path::new)),
            ("--utxo", self.utxo.as_ref().map(|utxo| Path::new(&utxo.script))),
            ("--vectors", self.vectors.as_deref()),
        ]
    }
}
