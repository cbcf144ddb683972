//! What `exec` takes.

use std::path::PathBuf;

use clap::Args;

use super::Node;
use crate::cli::exec::{Utxo, parse_utxo};

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// Run a file of test vectors (tab-separated: era, rules, unlocking, locking, error, top of stack).
    #[arg(long, value_name = "FILE.tsv", conflicts_with_all = ["unlock", "lock", "tx", "trace", "json"])]
    pub(crate) vectors: Option<PathBuf>,
    /// The unlocking script, in hex.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["vectors", "tx"], requires = "lock")]
    pub(crate) unlock: Option<PathBuf>,
    /// The locking script, in hex.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["vectors", "tx"], requires = "unlock")]
    pub(crate) lock: Option<PathBuf>,
    /// The transaction that spends, as hex or a file of hex: takes the unlocking script from it and checks signatures.
    #[arg(long, value_name = "HEX|FILE", requires = "utxo", conflicts_with_all = ["unlock", "lock"])]
    pub(crate) tx: Option<String>,
    /// Which input of the transaction spends, counted from 0.
    #[arg(long, value_name = "I", default_value_t = 0, requires = "tx", allow_negative_numbers = true)]
    pub(crate) input_index: usize,
    /// The coin that is spent: its locking script, as hex or a file of hex, a colon, and its satoshis.
    #[arg(long, value_name = "SCRIPT:SATS", requires = "tx", value_parser = parse_utxo)]
    pub(crate) utxo: Option<Utxo>,
    /// Print every instruction and the top of the stack before it (to standard error).
    #[arg(long)]
    pub(crate) trace: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) node: Node,
}
