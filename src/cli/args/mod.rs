//! The command line as clap reads it.

mod choices;
mod commands;
mod exec;
mod help;
mod node;
mod parse;
mod streams;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::color::ColorChoice;
use super::eval::Eval;
use super::report::Report;
use super::samples::Measure;

pub(crate) use choices::Choices;
pub(crate) use commands::{Commit, Completions, Explain, Inspect, ManPages, Ops, Run, TraceChoice, Unlock};
pub(crate) use exec::Exec;
use node::Node;
pub(crate) use values::Labels;

/// What `--version` says: `-V` leaves the commit out.
const LONG_VERSION: &str = env!("ONNX2SCRIPT_VERSION");

/// Compiles an ONNX neural network to a Bitcoin Script locking script.
///
/// Coins sent to it can be spent only by who shows an input that the network classifies as claimed.
#[derive(Debug, Parser)]
#[command(version, long_version = LONG_VERSION, subcommand_negates_reqs = true, max_term_width = 110)]
#[command(override_usage = "onnx2script [OPTIONS] <MODEL.onnx>\n       onnx2script <COMMAND> [OPTIONS] ...")]
#[command(after_help = help::COMPILE)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) manners: Manners,
    /// What to do; without a command, a model is compiled.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) compile: Compile,
}

/// Behind a command's own options.
const LAST: usize = 900;

/// How things are said: the same for every command.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Manners {
    /// Say nothing but errors: no notes, warnings or progress.
    #[arg(short, long, global = true, display_order = LAST)]
    pub(crate) quiet: bool,
    /// When to use colour.
    #[arg(long, global = true, display_order = LAST, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile a model and run the script on a sample.
    ///
    /// Shows the class or number that the contract gives beside the float model's, and what the run took.
    #[command(after_help = help::RUN)]
    Run(Box<Run>),
    /// Show a model's nodes, weights and grids, and what choices cost.
    ///
    /// The model is compiled with each choice of weights: the list tells what each would cost.
    #[command(after_help = help::INSPECT)]
    Inspect(Box<Inspect>),
    /// Explain a contract: bytes by layer and idiom, unlocking, limits.
    ///
    /// Options that say how a contract is made are for a model: an artifact is explained as it is.
    #[command(after_help = help::EXPLAIN)]
    Explain(Box<Explain>),
    /// Run the contract on every sample of a file.
    ///
    /// Tells accuracy, agreement with the float model, and time.
    #[command(after_help = help::EVAL)]
    Eval(Box<Eval>),
    /// Compare the contract with the float model, layer by layer.
    ///
    /// How far the contract's integers are from the float model's numbers, over all samples of a file.
    #[command(after_help = help::COMPARE)]
    Compare(Box<Measure>),
    /// Write the unlocking script for a sample.
    ///
    /// Options that say how a contract is made are for a model: an artifact holds its own.
    #[command(after_help = help::UNLOCK)]
    Unlock(Box<Unlock>),
    /// Commit to a sample, for contracts made with --commit-reveal.
    ///
    /// Options that say how a contract is made are for a model: an artifact holds its own.
    #[command(after_help = help::COMMIT)]
    Commit(Box<Commit>),
    /// Run any pair of scripts in the integrated interpreter.
    #[command(override_usage = help::EXEC_USAGE, after_help = help::EXEC)]
    Exec(Exec),
    /// List the supported ONNX ops, and what is done with each.
    #[command(after_help = help::OPS)]
    Ops(Ops),
    /// Print the JSON schema of artifacts.
    #[command(after_help = help::SCHEMA)]
    Schema,
    /// Print the completions of a shell.
    #[command(after_help = help::COMPLETIONS)]
    Completions(Completions),
    /// Print the manual's page, or write a page for each command.
    #[command(after_help = help::MAN)]
    Man(ManPages),
}

#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// The ONNX model.
    #[arg(required = true, value_name = "MODEL.onnx")]
    pub(crate) model: Option<PathBuf>,
    /// Write the artifact to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write all that it takes to use the contract later to FILE, as JSON.
    ///
    /// `run`, `unlock`, `commit` and `explain` read it, and wallets do (scripts/spend). The script itself is then written only
    /// where --output says so.
    #[arg(long, value_name = "FILE")]
    pub(crate) artifact: Option<PathBuf>,
    /// What the artifact calls the classes, in order [default: as the model does].
    #[arg(long, value_name = "NAME,NAME,...", requires = "artifact")]
    pub(crate) labels: Option<Labels>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Emit::Hex)]
    pub(crate) emit: Emit,
    /// Report bytes, instructions and time by layer and idiom, and limits (to standard error).
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
