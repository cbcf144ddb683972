//! A commitment to an input and a payee, before its claim: what to publish, and what to keep.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::{DisplayHex, FromHex};
use serde::{Deserialize, Serialize};

use super::Unreadable;
use crate::guard::KeyHash;
use crate::script::code;

/// A commitment, and what opens it. Whoever reads this file before the claim is mined can commit to the same input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commitment {
    /// The contract that it is for, by SHA-256 of its locking script.
    pub locking_script_sha256: String,
    /// The input, as the contract takes it.
    pub input: String,
    /// HASH160 of the key that will sign the claim.
    pub public_key_hash: String,
    /// Random bytes, so that nobody can try inputs.
    pub salt: String,
    /// SHA-256 of the three above, in order: what is published.
    pub commitment: String,
    /// An output's script that holds it and that nobody can spend.
    pub output_script: String,
}

/// RETURN, behind 0.
const UNSPENDABLE: [u8; 2] = [0x00, 0x6a];

impl Commitment {
    /// Commits to an input.
    pub fn new(locking_script_sha256: String, input: &[u8], payee: KeyHash, salt: &[u8]) -> Self {
        let commitment = hash(input, payee, salt);
        let output_script = [&UNSPENDABLE[..], code::pushes(&[commitment.to_vec()]).as_bytes()].concat();
        Commitment {
            locking_script_sha256,
            input: input.to_lower_hex_string(),
            public_key_hash: payee.to_string(),
            salt: salt.to_lower_hex_string(),
            commitment: commitment.to_lower_hex_string(),
            output_script: output_script.to_lower_hex_string(),
        }
    }

    /// Reads a commitment's file, and checks that it opens.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, Unreadable> {
        let commitment: Commitment =
            serde_json::from_slice(json).map_err(|error| Unreadable::new(format!("is no commitment: {error}")))?;
        let opened = commitment.open().map_err(|reason| Unreadable::new(format!("is no commitment: {reason}")))?;
        match opened == commitment {
            true => Ok(commitment),
            false => Err(Unreadable("does not open: its commitment is not the hash of its other fields".into())),
        }
    }

    fn open(&self) -> Result<Commitment, String> {
        let bytes = |hex: &str| Vec::<u8>::from_hex(hex).map_err(|error| error.to_string());
        let payee: KeyHash = self.public_key_hash.parse()?;
        let (input, salt) = (bytes(&self.input)?, bytes(&self.salt)?);
        Ok(Commitment::new(self.locking_script_sha256.clone(), &input, payee, &salt))
    }

    /// What is published.
    ///
    /// # Panics
    /// Never for a commitment that was made or read, as the other accessors.
    pub fn bytes(&self) -> [u8; 32] {
        <[u8; 32]>::from_hex(&self.commitment).expect("checked when it was read")
    }

    /// What keeps it from being guessed.
    ///
    /// # Panics
    /// As [`Commitment::bytes`].
    pub fn salt_bytes(&self) -> Vec<u8> {
        Vec::from_hex(&self.salt).expect("checked when it was read")
    }

    /// The input's bytes.
    ///
    /// # Panics
    /// As [`Commitment::bytes`].
    pub fn input_bytes(&self) -> Vec<u8> {
        Vec::from_hex(&self.input).expect("checked when it was read")
    }
}

fn hash(input: &[u8], payee: KeyHash, salt: &[u8]) -> [u8; 32] {
    sha256::Hash::hash(&[input, &payee.0, salt].concat()).to_byte_array()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_commitment_does_not_open() {
        let made = Commitment::new("00".repeat(32), &[1, 2, 3], KeyHash([7; 20]), &[9; 32]);
        let json = serde_json::to_string(&made).unwrap();
        assert_eq!(Commitment::from_json(json.as_bytes()).unwrap(), made);
        for (from, to) in [("010203", "010204"), ("0707", "0708"), ("0909", "0a09"), ("6a20", "6a21")] {
            let refusal = Commitment::from_json(json.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(refusal.to_string().contains("does not open"), "{refusal}");
        }
        assert!(Commitment::from_json(b"{}").unwrap_err().to_string().contains("is no commitment"));
    }
}
