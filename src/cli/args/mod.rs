//! The command line as clap reads it.

mod choices;
mod commands;
mod exec;
mod node;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::eval::Eval;
use super::report::Report;
use super::samples::Measure;

pub(crate) use choices::Choices;
pub(crate) use commands::{Commit, Explain, Inspect, Ops, Run, TraceChoice, Unlock};
pub(crate) use exec::Exec;
use node::Node;
pub(crate) use values::Labels;

/// Compiles an ONNX neural network to a Bitcoin Script locking script: coins sent to it can be spent
/// only by who shows an input that the network classifies as claimed.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, max_term_width = 110)]
#[command(after_help = "Exit codes: 0 done; 1 the model or input was refused, or a check failed; 2 usage or I/O.")]
pub(crate) struct Cli {
    /// What to do; without a command, a model is compiled.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) compile: Compile,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile a model, run the script on a sample, and show the class or number.
    Run(Box<Run>),
    /// Write the unlocking script for a sample.
    Unlock(Box<Unlock>),
    /// Commit to a sample, for contracts made with --commit-reveal.
    Commit(Box<Commit>),
    /// Explain a contract: bytes by layer and idiom, what unlocking it takes, limits.
    Explain(Box<Explain>),
    /// Print the JSON schema of artifacts.
    Schema,
    /// Run any pair of scripts in the integrated interpreter.
    Exec(Exec),
    /// Show what is in a model: nodes, weights, grids, and what each choice of weights would cost.
    Inspect(Box<Inspect>),
    /// Run the contract on every sample of a file: accuracy, agreement with the float model, time.
    Eval(Box<Eval>),
    /// Compare the integers of the contract with the float model, layer by layer.
    Compare(Box<Measure>),
    /// List the supported ONNX ops, and what is done with each.
    Ops(Ops),
}

#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// The ONNX model.
    #[arg(required = true, value_name = "MODEL.onnx")]
    pub(crate) model: Option<PathBuf>,
    /// Write the artifact to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write all that it takes to use the contract later to FILE, as JSON: `run`, `unlock` and `explain` read it, and
    /// wallets do (scripts/spend). The script itself is then written only where --output says so.
    #[arg(long, value_name = "FILE")]
    pub(crate) artifact: Option<PathBuf>,
    /// What the artifact calls the classes, in order (default: as the model does).
    #[arg(long, value_name = "NAME,NAME,...", requires = "artifact")]
    pub(crate) labels: Option<Labels>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Emit::Hex)]
    pub(crate) emit: Emit,
    /// Report how layers were emitted, bytes, instructions and time by layer and idiom, and limits (to standard error).
    #[arg(long)]
    pub(crate) explain: bool,
    /// Fee for the report, in satoshis per 1000 bytes.
    #[arg(long, value_name = "SAT", default_value_t = 100)]
    pub(crate) fee_rate: u64,
    /// Make a limit of the target that is exceeded an error.
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) report: Report,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// The locking script in hex.
    Hex,
    /// The locking script's bytes.
    Bin,
    /// The locking script as opcode names and pushes.
    Asm,
    /// Every instruction with its offset, value, stack, layer and ONNX node.
    Listing,
    /// The network in integers.
    Ir,
    /// The network in integers, after the passes.
    IrOpt,
    /// The straight-line program.
    Bignum,
}
