//! Text to an artifact, a commitment and a proof, each refused or used; and real ones changed value by value.

use std::sync::LazyLock;

use onnx2script::artifact::{Artifact, Commitment, Proof};
use onnx2script::guard::KeyHash;
use serde_json::Value;

use super::tampered::{artifacts, below, change, count, hold_together, nth, use_it};
use crate::common::random::Random;

/// Bytes that seed a change.
const SEED_BYTES: usize = 4;
/// Each change can double a text.
const MOST_CHANGES: usize = 6;

/// Whether the bytes were, or made, something that is read.
///
/// The first byte chooses: text as it is, text made to agree with its own hash, or a real artifact and changes to it.
pub(crate) fn run(bytes: &[u8]) -> bool {
    static ARTIFACTS: LazyLock<Vec<Value>> = LazyLock::new(artifacts);
    match bytes {
        [0, text @ ..] => read(text),
        [1, text @ ..] => serde_json::from_slice(text).is_ok_and(|mut value: Value| {
            hold_together(&mut value);
            read(value.to_string().as_bytes())
        }),
        [which, seeds @ ..] => {
            let mut value = ARTIFACTS[usize::from(*which) % ARTIFACTS.len()].clone();
            seeds.chunks(SEED_BYTES).take(MOST_CHANGES).for_each(|seed| change_by(&mut value, seed));
            hold_together(&mut value);
            read(value.to_string().as_bytes())
        }
        [] => false,
    }
}

fn change_by(value: &mut Value, seed: &[u8]) {
    let mut random = Random(seed.iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte)));
    let mut index = below(&mut random, count(value));
    nth(value, &mut index).into_iter().for_each(|value| change(value, &mut random));
}

/// Reads text as each of the three.
fn read(text: &[u8]) -> bool {
    let artifact = Artifact::from_json(text);
    artifact.iter().for_each(use_it);
    artifact.iter().for_each(|artifact| assert_eq!(artifact.to_json(), artifact.clone().to_json()));
    let commitment = Commitment::from_json(text);
    commitment.iter().for_each(use_commitment);
    let proof = Proof::from_json(text);
    proof.iter().for_each(use_proof);
    for reason in [artifact.as_ref().err(), commitment.as_ref().err(), proof.as_ref().err()].into_iter().flatten() {
        assert!(reason.to_string().len() < 2000, "{reason}");
    }
    artifact.is_ok() || commitment.is_ok() || proof.is_ok()
}

fn use_commitment(commitment: &Commitment) {
    let _ = (commitment.bytes(), commitment.salt_bytes(), commitment.input_bytes());
}

fn use_proof(proof: &Proof) {
    let commitment = Commitment::new("00".repeat(32), &[1, 2, 3], KeyHash([7; 20]), &[9; 32]);
    for terms in ["1:207fffff", "2:207fffff", "6:1818d5a7"] {
        let _ = proof.pieces(commitment.bytes(), terms.parse().unwrap());
    }
}
