//! What the commands take that work on a contract.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;
use num_bigint::BigInt;
use onnx2script::guard::KeyHash;

use super::Choices;
use super::values::Hex;
use crate::cli::samples::{Data, OptionalData};

#[derive(Debug, Args)]
#[command(mut_arg("model_output", |arg| arg.visible_alias("output")))]
pub(crate) struct Run {
    /// The contract: an artifact, or the ONNX model.
    #[arg(value_name = "ARTIFACT|MODEL.onnx")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Which sample, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) index: usize,
    /// Claim this class, or this integer for the model's number, instead of the right one.
    #[arg(long, value_name = "INTEGER", allow_negative_numbers = true)]
    pub(crate) claim: Option<BigInt>,
    /// Show the sample as a picture, the scores as bars and what a spend costs, even where nobody may see it.
    ///
    /// On a terminal they are shown anyhow.
    #[arg(long, conflicts_with = "json")]
    pub(crate) show: bool,
    /// Show none of that, even on a terminal.
    #[arg(long, conflicts_with = "show")]
    pub(crate) plain: bool,
    /// Fee for what is shown, in satoshis per 1000 bytes.
    #[arg(long, value_name = "SAT", default_value_t = 100)]
    pub(crate) fee_rate: u64,
    /// Print what each idiom of the script makes (to standard error).
    ///
    /// Values of the network are shown as the stack holds them, in the model's units; `all` prints every element.
    #[arg(long, value_enum, value_name = "first|all", num_args = 0..=1, require_equals = true, default_missing_value = "first")]
    pub(crate) trace: Option<TraceChoice>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

/// How much of each value a trace shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceChoice {
    /// The first few elements.
    First,
    /// Every element.
    All,
}

#[derive(Debug, Args)]
#[command(mut_arg("model_output", |arg| arg.visible_alias("output")))]
pub(crate) struct Inspect {
    /// The ONNX model.
    #[arg(value_name = "MODEL.onnx")]
    pub(crate) model: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

#[derive(Debug, Args)]
#[command(mut_arg("model_output", |arg| arg.visible_alias("output-name")))]
pub(crate) struct Unlock {
    /// The contract: an artifact, or the ONNX model.
    #[arg(value_name = "ARTIFACT|MODEL.onnx")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: OptionalData,
    /// Which sample, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) index: usize,
    /// Claim this class (or its label), or this integer for the model's number, instead of the right one.
    #[arg(long, value_name = "CLASS", allow_hyphen_values = true)]
    pub(crate) claim: Option<String>,
    /// Write the script even where the contract would refuse it.
    #[arg(long)]
    pub(crate) force: bool,
    /// The payee's signature of the spending transaction, its hash type behind it, in hex.
    #[arg(long, value_name = "HEX", requires = "public_key")]
    pub(crate) signature: Option<Hex>,
    /// The key that it is by, in hex.
    #[arg(long, value_name = "HEX", requires = "signature")]
    pub(crate) public_key: Option<Hex>,
    /// What `commit` wrote; holds an input, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) commitment: Option<PathBuf>,
    /// That the commitment is in the chain, as JSON: txOrId (the whole transaction in hex), index, nodes, and headers.
    #[arg(long, value_name = "FILE", requires = "commitment")]
    pub(crate) proof: Option<PathBuf>,
    /// Write the script to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

#[derive(Debug, Args)]
pub(crate) struct Commit {
    /// The contract: an artifact, or the ONNX model.
    #[arg(value_name = "ARTIFACT|MODEL.onnx")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Which sample, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) index: usize,
    /// Whose key will sign the claim.
    #[arg(long, value_name = "PUBKEYHASH|ADDRESS")]
    pub(crate) payee: KeyHash,
    /// Write the commitment, and what opens it, to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The contract: an artifact, or the ONNX model.
    #[arg(value_name = "ARTIFACT|MODEL.onnx")]
    pub(crate) file: PathBuf,
    /// Fee for the report, in satoshis per 1000 bytes.
    #[arg(long, value_name = "SAT", default_value_t = 100)]
    pub(crate) fee_rate: u64,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

#[derive(Debug, Args)]
pub(crate) struct Ops {
    /// Print one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManPages {
    /// Write onnx2script.1, onnx2script-run.1, ... to this folder instead of one page to standard output.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,
}
