//! Blocks that are easy to find, and Merkle branches in them.

use bitcoin::hashes::{Hash, sha256d};
use onnx2script::artifact::Proof;

/// The bits of a test network: every second hash will do.
pub(crate) const BITS: u32 = 0x207f_ffff;

fn hash(bytes: &[u8]) -> [u8; 32] {
    sha256d::Hash::hash(bytes).to_byte_array()
}

/// A header on another, of the hash wanted: easy or not.
pub(crate) fn header(previous: [u8; 32], root: [u8; 32], easy: bool) -> [u8; 80] {
    let mut header = [0; 80];
    header[4..36].copy_from_slice(&previous);
    header[36..68].copy_from_slice(&root);
    header[72..76].copy_from_slice(&BITS.to_le_bytes());
    for nonce in 0u32.. {
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        if (hash(&header)[31] < 0x7f) == easy {
            break;
        }
    }
    header
}

/// Headers on a block with this Merkle root.
pub(crate) fn headers(root: [u8; 32], count: usize) -> Vec<[u8; 80]> {
    let mut headers = vec![header([1; 32], root, true)];
    while headers.len() < count {
        let previous = hash(headers.last().unwrap());
        headers.push(header(previous, [2; 32], true));
    }
    headers
}

/// The Merkle tree over transactions, level by level; an odd one out stands beside itself.
pub(crate) fn tree(transactions: &[Vec<u8>]) -> Vec<Vec<[u8; 32]>> {
    let mut levels = vec![transactions.iter().map(|transaction| hash(transaction)).collect::<Vec<_>>()];
    while levels.last().unwrap().len() > 1 {
        let pair = |pair: &[[u8; 32]]| hash(&[pair[0], *pair.last().unwrap()].concat());
        levels.push(levels.last().unwrap().chunks(2).map(pair).collect());
    }
    levels
}

/// A block that holds a transaction at a place among others, under further blocks, as a service would prove it.
pub(crate) fn proof(transaction: &[u8], index: usize, transactions: usize, blocks: usize) -> Proof {
    let mut all: Vec<Vec<u8>> = (0..transactions).map(|other| vec![other as u8; 70]).collect();
    all[index] = transaction.to_vec();
    let levels = tree(&all);
    let node = |(level, hashes): (usize, &Vec<[u8; 32]>)| {
        let place = index >> level;
        match hashes.get(place ^ 1) {
            None => "*".to_owned(),
            Some(hash) => hash.iter().rev().map(|byte| format!("{byte:02x}")).collect(),
        }
    };
    let nodes = levels[..levels.len() - 1].iter().enumerate().map(node).collect();
    let root = levels.last().unwrap()[0];
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Proof {
        tx_or_id: hex(transaction),
        index: index as u64,
        nodes,
        headers: headers(root, blocks).iter().map(|header| hex(header)).collect(),
    }
}
