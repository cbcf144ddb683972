//! Artifacts, commitments and proofs that someone tampered with: refused, or used without a panic.
//!
//! The JSON of real ones is changed where it stands, value by value, and made to agree with its own hash again, so that
//! what is behind the first checks is reached, too.

mod common;
#[path = "fuzz/bodies/tampered.rs"]
mod tampered;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bitcoin::hex::DisplayHex;
use common::random::Random;
use num_bigint::BigInt;
use onnx2script::artifact::{Artifact, Commitment, Network, Proof};
use onnx2script::codegen::Contract;
use onnx2script::guard::{Guard, KeyHash};
use serde_json::{Value, json};
use tampered::{TOY, artifact, artifacts, below, change, count, hold_together, nth, use_it};

/// How often each artifact is changed.
const CHANGES: u64 = 700;

#[test]
fn changed_artifacts_are_refused_or_used() {
    let mut read = 0;
    for (which, original) in artifacts().into_iter().enumerate() {
        use_it(&Artifact::from_json(original.to_string().as_bytes()).unwrap());
        for seed in 0..CHANGES {
            let mut random = Random(seed * 10 + which as u64);
            let mut changed = original.clone();
            for _ in 0..1 + below(&mut random, 2) {
                let mut index = below(&mut random, count(&changed));
                change(nth(&mut changed, &mut index).unwrap(), &mut random);
            }
            if below(&mut random, 4) > 0 && changed.is_object() {
                hold_together(&mut changed);
            }
            let json = changed.to_string();
            let used = catch_unwind(AssertUnwindSafe(|| match Artifact::from_json(json.as_bytes()) {
                Ok(artifact) => {
                    use_it(&artifact);
                    1
                }
                Err(reason) => {
                    assert!(reason.to_string().len() < 2000, "{reason}");
                    0
                }
            }));
            read += used.unwrap_or_else(|_| panic!("artifact {which}, seed {seed}: {json}"));
        }
    }
    assert!(read > 300, "only {read} changed artifacts were read");
}

#[test]
fn changed_networks_are_run_and_changed_guards_refused() {
    let original = artifacts().remove(0);
    let artifact: Artifact = serde_json::from_value(original.clone()).unwrap();
    let network = artifact.locking_script.network_start..artifact.locking_script.network_end;
    for seed in 0..CHANGES {
        let mut random = Random(seed);
        let mut script = artifact.locking_bytes();
        let places: Vec<usize> = (0..1 + below(&mut random, 3)).map(|_| below(&mut random, script.len())).collect();
        places.iter().for_each(|&place| script[place] ^= 1 + below(&mut random, 255) as u8);
        let guarded = |script: &[u8]| [&script[..network.start], &script[network.end..]].concat();
        let same_guard = guarded(&script) == guarded(&artifact.locking_bytes());
        let mut changed = original.clone();
        changed["lockingScript"]["hex"] = json!(script.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        hold_together(&mut changed);
        let read = Artifact::from_json(changed.to_string().as_bytes());
        assert_eq!(read.is_ok(), same_guard, "{places:?}: {read:?}");
        read.iter().for_each(use_it);
    }
}

#[test]
fn an_artifact_that_lies_about_who_may_spend_is_refused() {
    let [committed, paid, class, bare] = artifacts().try_into().unwrap();
    let hash = "08".repeat(20);
    let lies: [(&Value, &[&str], Value); 9] = [
        (&paid, &["contract", "payTo"], json!(hash)),
        (&paid, &["contract", "refund", "keyHash"], json!(hash)),
        (&paid, &["contract", "refund", "lockUntil"], json!(900_001)),
        (&committed, &["contract", "commitReveal", "blocks"], json!(3)),
        (&committed, &["contract", "commitReveal", "bits"], json!("1d00ffff")),
        (&bare, &["contract", "payTo"], json!(hash)),
        (&class, &["contract", "refund"], json!({ "keyHash": hash, "lockUntil": 900_000 })),
        (&paid, &["abi", "methods"], bare["abi"]["methods"].clone()),
        (&paid, &["contract", "commitReveal"], committed["contract"]["commitReveal"].clone()),
    ];
    for (honest, path, lie) in lies {
        let mut told = honest.clone();
        let (last, path) = path.split_last().unwrap();
        path.iter().fold(&mut told, |value, field| &mut value[*field])[*last] = lie.clone();
        let refusal = Artifact::from_json(told.to_string().as_bytes()).unwrap_err().to_string();
        assert!(refusal.contains("does not hold together"), "{last} {lie}: {refusal}");
    }
}

#[test]
fn json_that_is_deep_or_another_thing_is_refused() {
    let deep = "[".repeat(200_000);
    for json in [&deep, &format!("{{\"version\":{deep}"), "", "{", "null", "[]", "{}", "{\"version\":2}", "\u{feff}{}"]
    {
        assert!(Artifact::from_json(json.as_bytes()).is_err());
        assert!(Commitment::from_json(json.as_bytes()).is_err());
        assert!(Proof::from_json(json.as_bytes()).is_err());
    }
}

/// What is wrong may be quoted, and be as long as the file.
#[test]
fn a_long_text_is_not_repeated() {
    let long = "ü".repeat(100_000);
    let committed = artifacts().remove(0);
    let fields: [&[&str]; 3] = [&["lockingScript", "hex"], &["contract", "kind"], &["abi", "input", "encoding"]];
    for path in fields {
        let mut changed: Value = committed.clone();
        *path.iter().fold(&mut changed, |value, field| &mut value[*field]) = json!(long);
        let reason = Artifact::from_json(changed.to_string().as_bytes()).unwrap_err().to_string();
        assert!(reason.len() < 2000, "{path:?}: {} bytes", reason.len());
    }
    let commitment = Commitment::new("00".repeat(32), &[1, 2, 3], KeyHash([7; 20]), &[9; 32]);
    let mut changed = serde_json::to_value(&commitment).unwrap();
    changed["publicKeyHash"] = json!(long);
    let reason = Commitment::from_json(changed.to_string().as_bytes()).unwrap_err().to_string();
    assert!(reason.contains("is no commitment") && reason.len() < 2000, "{} bytes", reason.len());
}

#[test]
fn changed_commitments_and_proofs_are_refused_or_used() {
    let terms = "2:207fffff".parse().unwrap();
    let commitment = Commitment::new("00".repeat(32), &[1, 2, 3], KeyHash([7; 20]), &[9; 32]);
    let original = serde_json::to_value(&commitment).unwrap();
    let held: String = commitment.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let proof = json!({"txOrId": format!("01{held}02"), "index": 1, "nodes": ["*", "22".repeat(32)],
                       "headers": ["00".repeat(80), "00".repeat(80)]});
    for seed in 0..CHANGES {
        let mut random = Random(seed);
        let mut changed = [original.clone(), proof.clone()];
        for value in &mut changed {
            let mut index = below(&mut random, count(value));
            change(nth(value, &mut index).unwrap(), &mut random);
        }
        let [opened, proof] = changed.map(|value| value.to_string());
        if let Ok(read) = Commitment::from_json(opened.as_bytes()) {
            let _ = (read.bytes(), read.salt_bytes(), read.input_bytes());
        }
        if let Ok(proof) = Proof::from_json(proof.as_bytes()) {
            let _ = proof.pieces(commitment.bytes(), terms);
        }
    }
}

#[test]
fn what_a_run_leaves_that_failed_is_no_answer() {
    let artifact = artifact(TOY, Contract::Class, Guard::default());
    // A byte that is no opcode, with the input alone on the stack.
    let failing = with_network(&artifact, &[0xff]);
    assert_eq!(Network::new(&failing, None).answer(&[5]), None);
    let network = Network::new(&artifact, None);
    assert_eq!(network.answer(&[]), None);
    assert_eq!(network.answer(&[5]), None);
    // Class 0 is false to a node, and an answer all the same.
    let input = [50_000_000, 25_000_000].map(BigInt::from);
    assert_eq!(network.answer(&artifact.input_format().encode(&input).unwrap()), Some(BigInt::ZERO));
}

/// An artifact that holds another script, and says so.
fn with_network(artifact: &Artifact, script: &[u8]) -> Artifact {
    let mut other: Value = serde_json::from_str(&artifact.to_json()).unwrap();
    let len = script.len();
    (other["lockingScript"]["hex"], other["lockingScript"]["networkEnd"]) =
        (json!(script.to_lower_hex_string()), json!(len));
    other["sourceMap"] = json!([{ "start": 0, "end": len, "instructions": 1, "layer": "", "step": "" }]);
    hold_together(&mut other);
    Artifact::from_json(other.to_string().as_bytes()).unwrap()
}

/// What would keep the reader busy for most of an hour: hashes of 32 MB, thousands of them.
#[test]
fn a_script_that_takes_too_long_is_left() {
    use onnx2script::script::opcode::Opcode::{CAT, DROP, DUP, SHA256};
    let artifact = artifact(TOY, Contract::Class, Guard::default());
    let mut opcodes = vec![DUP, SHA256, DUP, CAT];
    opcodes.extend([DUP, CAT].repeat(19));
    opcodes.extend([DUP, SHA256, DROP].repeat(10_000));
    let script: Vec<u8> = opcodes.into_iter().map(|opcode| opcode.byte()).collect();
    let long = with_network(&artifact, &script);
    let network = Network::new(&long, None);
    assert_eq!(network.run(&[5], &BigInt::ZERO).verdict(), "WORK_LIMIT");
    assert_eq!(network.answer(&[5]), None);
}
