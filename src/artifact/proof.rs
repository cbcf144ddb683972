//! That a commitment is in the chain: the transaction that holds it, its Merkle branch, and headers.
//!
//! Read from the JSON that services for simplified payment verification give (TSC's Merkle proof format, with the whole
//! transaction), and the headers beside it. What the contract will check is checked here first, in words.

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::hex::FromHex;
use serde::Deserialize;

use super::Unreadable;
use crate::guard::CommitReveal;
use crate::guard::commitment::DEEPEST_BRANCH;

/// A Merkle proof as services give it, and headers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The whole transaction, in hex.
    pub tx_or_id: String,
    /// Which transaction of its block it is.
    pub index: u64,
    /// The siblings on its way to the root, as hashes are shown (last byte first); `*` is a copy of what stands beside it.
    pub nodes: Vec<String>,
    /// Headers in hex: that of its block, then those that follow.
    pub headers: Vec<String>,
}

/// What an unlocking script pushes of a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    /// The transaction up to the commitment.
    pub before: Vec<u8>,
    /// The transaction behind it.
    pub behind: Vec<u8>,
    /// From the transaction up: on which side a sibling stands (1: on the right), and its hash.
    pub branch: Vec<u8>,
    /// The headers.
    pub headers: Vec<u8>,
}

const HEADER: usize = 80;

impl Proof {
    /// Reads a proof.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(json).map_err(|error| {
            Unreadable::new(format!(
                "is no Merkle proof: {error}\n  help: it holds txOrId (the whole transaction), index, nodes and headers"
            ))
        })
    }

    /// Takes a proof apart for a contract, and checks all that the contract will.
    ///
    /// # Errors
    /// What would fail.
    pub fn pieces(&self, commitment: [u8; 32], terms: CommitReveal) -> Result<Pieces, Unreadable> {
        self.split(commitment, terms).map_err(Unreadable::new)
    }

    fn split(&self, commitment: [u8; 32], terms: CommitReveal) -> Result<Pieces, String> {
        let transaction = Vec::<u8>::from_hex(&self.tx_or_id)
            .map_err(|error| format!("txOrId is not a transaction in hex: {error}"))?;
        let at = transaction.windows(commitment.len()).position(|window| window == commitment);
        let at = at.ok_or("the transaction does not hold the commitment")?;
        let (branch, root) = self.branch(&transaction)?;
        let headers = self.headers(root, terms)?;
        let behind = transaction[at + commitment.len()..].to_vec();
        Ok(Pieces { before: transaction[..at].to_vec(), behind, branch, headers })
    }

    /// The branch as the contract takes it, and the root that it leads to.
    fn branch(&self, transaction: &[u8]) -> Result<(Vec<u8>, [u8; 32]), String> {
        if self.nodes.len() > DEEPEST_BRANCH {
            return Err(format!("the branch has {} nodes, the contract takes {DEEPEST_BRANCH}", self.nodes.len()));
        }
        let mut hash = sha256d::Hash::hash(transaction).to_byte_array();
        let mut branch = Vec::new();
        for (level, node) in self.nodes.iter().enumerate() {
            let sibling = if node == "*" { hash } else { shown_hash(node)? };
            let on_the_right = self.index >> level & 1 == 0;
            branch.push(u8::from(on_the_right));
            branch.extend(sibling);
            let pair = if on_the_right { [hash, sibling] } else { [sibling, hash] };
            hash = sha256d::Hash::hash(&pair.concat()).to_byte_array();
        }
        Ok((branch, hash))
    }

    /// The headers as the contract takes them.
    fn headers(&self, root: [u8; 32], terms: CommitReveal) -> Result<Vec<u8>, String> {
        if self.headers.len() != terms.blocks() {
            return Err(format!(
                "the proof holds {} headers, the contract takes {}: that of the commitment's block and those that follow it",
                self.headers.len(),
                terms.blocks()
            ));
        }
        let (mut all, mut previous) = (Vec::new(), None);
        for (index, header) in self.headers.iter().enumerate() {
            let header = <[u8; HEADER]>::from_hex(header).map_err(|error| format!("header {index}: {error}"))?;
            previous = Some(check_header(index, &header, previous, root, terms)?);
            all.extend(header);
        }
        Ok(all)
    }
}

/// The hash of a header that continues what comes before it.
fn check_header(
    index: usize,
    header: &[u8; HEADER],
    previous: Option<[u8; 32]>,
    root: [u8; 32],
    terms: CommitReveal,
) -> Result<[u8; 32], String> {
    match previous {
        None if header[36..68] != root => {
            return Err("the branch does not lead to the Merkle root of the first header".into());
        }
        Some(previous) if header[4..36] != previous => {
            return Err(format!("header {index} does not follow header {}", index - 1));
        }
        _ => {}
    }
    let hash = sha256d::Hash::hash(header).to_byte_array();
    match hash.iter().rev().le(terms.target().iter().rev()) {
        true => Ok(hash),
        false => Err(format!("header {index} was easier to find than bits {:08x} say", terms.bits())),
    }
}

/// A hash as it is shown: last byte first.
fn shown_hash(hex: &str) -> Result<[u8; 32], String> {
    let mut hash = <[u8; 32]>::from_hex(hex).map_err(|error| format!("node `{hex}`: {error}"))?;
    hash.reverse();
    Ok(hash)
}
