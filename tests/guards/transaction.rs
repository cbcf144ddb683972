//! Transactions that spend a coin, and what their signatures hash: written from BIP 143 and for these tests alone.

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::secp256k1::{All, Message, Secp256k1, SecretKey};
use onnx2script::guard::KeyHash;

/// ALL | FORKID.
pub(crate) const ALL: u8 = 0x41;

/// A transaction of one input and one output.
#[derive(Clone)]
pub(crate) struct Transaction {
    pub(crate) version: u32,
    pub(crate) sequence: u32,
    pub(crate) lock_time: u32,
    pub(crate) outpoint: [u8; 36],
    pub(crate) pays: Vec<u8>,
}

pub(crate) const SATOSHIS: u64 = 12_345;

impl Transaction {
    pub(crate) fn new(lock_time: u32, sequence: u32) -> Self {
        Transaction { version: 1, sequence, lock_time, outpoint: [7; 36], pays: vec![0x51] }
    }

    fn outputs(&self) -> Vec<u8> {
        [&9_000u64.to_le_bytes()[..], &[self.pays.len() as u8], &self.pays].concat()
    }

    pub(crate) fn bytes(&self, unlocking: &[u8]) -> Vec<u8> {
        [
            &self.version.to_le_bytes()[..],
            &[1],
            &self.outpoint,
            &length(unlocking),
            unlocking,
            &self.sequence.to_le_bytes(),
            &[1],
            &self.outputs(),
            &self.lock_time.to_le_bytes(),
        ]
        .concat()
    }

    /// What a signature of the input hashes where its hash type has no FORKID, or the bit that Chronicle brought: the
    /// transaction itself, the script code (without its separators) in the place of the unlocking script.
    pub(crate) fn original_preimage(&self, script_code: &[u8], hash_type: u8) -> Vec<u8> {
        [self.bytes(script_code), u32::from(hash_type).to_le_bytes().to_vec()].concat()
    }

    /// What a signature of the input hashes.
    pub(crate) fn preimage(&self, script_code: &[u8], hash_type: u8) -> Vec<u8> {
        let hash = |bytes: &[u8]| sha256d::Hash::hash(bytes).to_byte_array();
        let anyone = hash_type & 0x80 != 0;
        let all = hash_type & 0x1f == 1;
        let sequences = if anyone || !all { [0; 32] } else { hash(&self.sequence.to_le_bytes()) };
        [
            &self.version.to_le_bytes()[..],
            &if anyone { [0; 32] } else { hash(&self.outpoint) },
            &sequences,
            &self.outpoint,
            &length(script_code),
            script_code,
            &SATOSHIS.to_le_bytes(),
            &self.sequence.to_le_bytes(),
            // SINGLE hashes the one output that stands beside the one input.
            &if hash_type & 0x1f == 2 { [0; 32] } else { hash(&self.outputs()) },
            &self.lock_time.to_le_bytes(),
            &u32::from(hash_type).to_le_bytes(),
        ]
        .concat()
    }
}

/// A length, written as short as it can be.
fn length(bytes: &[u8]) -> Vec<u8> {
    match bytes.len() {
        short @ 0..0xfd => vec![short as u8],
        middle @ 0xfd..0x1_0000 => [&[0xfd][..], &(middle as u16).to_le_bytes()].concat(),
        long => [&[0xfe][..], &(long as u32).to_le_bytes()].concat(),
    }
}

/// Someone with a key.
pub(crate) struct Person {
    secret: SecretKey,
    secp: Secp256k1<All>,
}

impl Person {
    pub(crate) fn new(seed: u8) -> Self {
        Person { secret: SecretKey::from_slice(&[seed; 32]).unwrap(), secp: Secp256k1::new() }
    }

    pub(crate) fn public_key(&self) -> Vec<u8> {
        self.secret.public_key(&self.secp).serialize().to_vec()
    }

    pub(crate) fn hash(&self) -> KeyHash {
        KeyHash::of(&self.public_key())
    }

    /// Signs what a preimage ends with the hash type of.
    pub(crate) fn sign(&self, preimage: &[u8]) -> Vec<u8> {
        let digest = sha256d::Hash::hash(preimage).to_byte_array();
        let mut signature = self.secp.sign_ecdsa(&Message::from_digest(digest), &self.secret).serialize_der().to_vec();
        signature.push(preimage[preimage.len() - 4]);
        signature
    }
}
