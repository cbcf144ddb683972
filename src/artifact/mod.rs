//! The artifact: everything about a contract that whoever locks or spends coins needs later, as one JSON file.
//!
//! It is what a wallet reads ([`Abi::methods`] says what unlocking scripts push), and takes the place of the
//! model for `run`, `unlock` and `explain`. `schemas/contract-1.schema.json` describes it; readers refuse another
//! [`VERSION`]. The same model and options make the same bytes.
//!
//! Invariants of an artifact that [`Artifact::from_json`] gives:
//! 1. The locking script is the one that the artifact's SHA-256 tells.
//! 2. The ranges of the source map lie in the script, one behind the other, and cover it.
//! 3. An input of the shape given takes the bytes given.

mod abi;
mod build;
mod commitment;
mod map;
mod network;
mod proof;
mod read;
mod schema;
mod unlock;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::abi::{Abi, Answer, ByteOrder, Encoding, Input, Method, Push, PushKind};
pub use self::build::Provenance;
pub use self::commitment::Commitment;
pub use self::map::Range;
pub use self::network::Network;
pub use self::proof::{Pieces, Proof};
pub use self::read::Unreadable;
pub use self::schema::schema;
pub use self::unlock::Items;

/// The version of this format: another one is another format.
pub const VERSION: u32 = 1;

/// A compiled contract, and what it takes to use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// What kind of file this is.
    pub format: Format,
    /// The version of the format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// What made it.
    pub compiler: Compiler,
    /// What it was made of.
    pub model: Source,
    /// Options of the command line, defaults included, by their names without the dashes.
    pub options: BTreeMap<String, String>,
    /// Where the script runs.
    pub target: Target,
    /// What it asks for, and who is paid.
    pub contract: Terms,
    /// The locking script.
    pub locking_script: LockingScript,
    /// What unlocking scripts push.
    pub abi: Abi,
    /// Which bytes of the locking script come from where, in order and without gaps.
    pub source_map: Vec<Range>,
    /// What running it takes.
    pub limits: Limits,
}

/// What kind of file an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Format {
    /// The only kind there is.
    #[serde(rename = "onnx2script-contract")]
    Contract,
}

/// The compiler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Compiler {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A file, and what it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Its name, without folders.
    pub file: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// The model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The ONNX file.
    #[serde(flatten)]
    pub file: File,
    /// Files beside it that hold weights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external_data: Vec<File>,
}

/// Where a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// The era of the coin.
    pub era: Era,
    /// The rules whose limits it was compiled for.
    pub rules: Rules,
}

/// The era of a coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Era {
    Genesis,
    Chronicle,
}

/// How strictly scripts are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Rules {
    Policy,
    Consensus,
}

/// What a contract asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// What is made of the network's answer.
    pub kind: Kind,
    /// The class that `expect` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<usize>,
    /// HASH160 of the key whose signature a claim needs, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_to: Option<String>,
    /// What a commitment must be buried under before its claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_reveal: Option<CommitReveal>,
    /// Who gets the coins back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
}

/// What is made of a network's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The unlocking script claims it.
    Claim,
    /// It must be the expected class.
    Expect,
    /// It is left on the stack.
    Class,
}

/// What a commitment must be buried under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommitReveal {
    /// How many headers a proof holds, that of the commitment's block included.
    pub blocks: usize,
    /// The largest hash that each of these may have, in the compact form of headers: eight hex digits.
    pub bits: String,
}

/// Who gets the coins back, and from when on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    /// HASH160 of the funder's key, in hex.
    pub key_hash: String,
    /// The least nLockTime of the refunding transaction: a height below 500,000,000, else seconds since 1970.
    pub lock_until: u32,
}

/// The locking script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockingScript {
    /// The script, in hex.
    pub hex: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: usize,
    /// How many instructions.
    pub instructions: usize,
    /// Where the network's code begins, behind what guards it.
    pub network_start: usize,
    /// Where the network's code ends.
    pub network_end: usize,
}

/// What running a contract takes: upper bounds for every input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Bytes of an unlocking script that claims, but for the transaction that holds a commitment.
    pub unlocking_bytes: usize,
    /// Longest number, in bytes.
    pub number_bytes: usize,
    /// Most items on both stacks.
    pub stack_items: usize,
    /// Most memory for both stacks, 32 bytes an item included.
    pub stack_bytes: u64,
    /// An estimate of what a mempool's clock shows, in microseconds.
    pub mempool_microseconds: u64,
}
