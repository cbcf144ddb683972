//! Artifacts, commitments and proofs that someone tampered with: refused, or used without a panic.
//!
//! The JSON of real ones is changed where it stands, value by value, and made to agree with its own hash again, so that
//! what is behind the first checks is reached, too.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::{DisplayHex, FromHex};
use common::model;
use common::random::Random;
use num_bigint::BigInt;
use onnx2script::artifact::{Artifact, Commitment, File, Items, Network, Proof, Provenance, Source};
use onnx2script::codegen::Contract;
use onnx2script::data::{Elements, Inputs, Samples};
use onnx2script::guard::{Guard, KeyHash, Payee, Refund};
use onnx2script::report::map;
use onnx2script::target::Rules;
use onnx2script::{Options, compile};
use serde_json::{Value, json};

/// How often each artifact is changed.
const CHANGES: u64 = 700;
/// No input of a network here is longer.
const MOST_ELEMENTS: usize = 1000;

fn artifact(name: &str, contract: Contract, guard: Guard) -> Artifact {
    let mut model = model(name).model;
    let compiled = compile(&mut model, &Options { contract, guard, ..Options::default() }).unwrap();
    let file = File { file: format!("{name}.onnx"), sha256: String::new() };
    let labels = (name == "toy_2-2-2").then(|| vec!["no".to_owned(), "yes".to_owned()]);
    let options = [("contract".to_owned(), contract.to_string())].into();
    Artifact::new(&compiled, Provenance { model: Source { file, external_data: vec![] }, options, labels })
}

fn artifacts() -> Vec<Value> {
    let key = KeyHash([7; 20]);
    let refund = || Some(Refund { key, lock_until: "900000".parse().unwrap() });
    let committed = Payee::Committed("2:207fffff".parse().unwrap());
    let artifacts = [
        artifact("toy_2-2-2", Contract::Claim, Guard { payee: committed, refund: refund() }),
        artifact("toy_2-2-2", Contract::Expect(1), Guard { payee: Payee::Key(key), refund: refund() }),
        artifact("toy_2-2-2", Contract::Class, Guard::default()),
        artifact("diabetes_10-16-1", Contract::Claim, Guard::default()),
    ];
    artifacts.iter().map(|artifact| serde_json::from_str(&artifact.to_json()).unwrap()).collect()
}

/// A number below another.
fn below(random: &mut Random, most: usize) -> usize {
    (random.next() % most as u64) as usize
}

/// How many values a JSON value holds, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// The value of a number, counted from the outermost.
fn nth<'v>(value: &'v mut Value, index: &mut usize) -> Option<&'v mut Value> {
    if *index == 0 {
        return Some(value);
    }
    *index -= 1;
    match value {
        Value::Object(fields) => fields.values_mut().find_map(|value| nth(value, index)),
        Value::Array(items) => items.iter_mut().find_map(|value| nth(value, index)),
        _ => None,
    }
}

/// Puts something else in the place of a value: what is near to it, or what it cannot be.
fn change(value: &mut Value, random: &mut Random) {
    const NUMBERS: [u64; 9] = [0, 1, 2, 3, 17, 255, 1 << 32, u64::MAX / 5, u64::MAX];
    let changed = match (below(random, 6), &*value) {
        (0, _) => json!(NUMBERS[below(random, NUMBERS.len())]),
        (1, _) => json!(["", "1/0", "-1", "claim", "\u{1b}[31m\n", "0/7", "1e9", "é"][below(random, 8)]),
        (2, _) => [json!(null), json!(true), json!([]), json!({}), json!(-1), json!(0.5)][below(random, 6)].clone(),
        (_, Value::Number(number)) => {
            let number = number.as_u64().unwrap_or(0);
            json!(
                [number.saturating_add(1), number.saturating_sub(1), number.saturating_mul(1 << 40)][below(random, 3)]
            )
        }
        (_, Value::String(text)) if text.is_ascii() && !text.is_empty() => json!(changed_text(text, random)),
        (_, Value::Array(items)) if !items.is_empty() => {
            let mut items = items.clone();
            let at = below(random, items.len());
            match below(random, 3) {
                0 => drop(items.remove(at)),
                1 => items.insert(at, items[at].clone()),
                _ => items.swap(0, at),
            }
            json!(items)
        }
        (_, Value::Object(fields)) if !fields.is_empty() => {
            let mut fields = fields.clone();
            let key = fields.keys().nth(below(random, fields.len())).unwrap().clone();
            fields.remove(&key);
            json!(fields)
        }
        _ => json!(vec![7; 5]),
    };
    *value = changed;
}

/// Another character, fewer, or more.
fn changed_text(text: &str, random: &mut Random) -> String {
    let (head, tail) = text.split_at(below(random, text.len()));
    match below(random, 4) {
        0 => format!("{head}{}", &tail[1..]),
        1 => head.to_owned(),
        2 => format!("{head}{text}"),
        _ => format!("{head}{}{}", char::from(b"0123456789abcdef"[below(random, 16)]), &tail[1..]),
    }
}

/// Lets an artifact tell the hash and the length of the script that it now has, and a map of it.
fn hold_together(artifact: &mut Value) {
    let Some(script) = artifact["lockingScript"]["hex"].as_str().and_then(|hex| Vec::<u8>::from_hex(hex).ok()) else {
        return;
    };
    artifact["lockingScript"]["sha256"] = json!(sha256::Hash::hash(&script).to_string());
    artifact["lockingScript"]["bytes"] = json!(script.len());
    let last = artifact.get_mut("sourceMap").and_then(Value::as_array_mut).and_then(|map| map.last_mut());
    if let Some(Value::Object(last)) = last {
        last.insert("end".into(), json!(script.len()));
    }
}

/// Does with an artifact all that commands do.
fn use_it(artifact: &Artifact) {
    let report = map::report(artifact, u64::MAX);
    assert!(report.chars().all(|character| character == '\n' || !character.is_control()), "{report:?}");
    let format = artifact.input_format();
    let elements = artifact.abi.input.elements;
    if elements <= MOST_ELEMENTS {
        let samples = Samples { sample_len: elements, elements: Elements::Bytes(vec![1; elements]) };
        let sample = Inputs::new(samples, artifact.wanted(), &format, None).and_then(|inputs| inputs.get(0));
        let encoded = sample.ok().and_then(|input| format.encode(&input.integers));
        for input in [encoded, Some(vec![1])].into_iter().flatten() {
            for rules in [None, Some(Rules::Policy)] {
                let network = Network::new(artifact, rules);
                let answer = network.answer(&input);
                network.run(&input, &answer.unwrap_or_default());
                network.run(&input, &BigInt::from(-1));
            }
        }
    }
    artifact.commit_reveal().map(|terms| terms.target());
    let names = ["signature", "publicKey", "claim", "input", "salt", "transactionBefore", "transactionBehind"];
    let items = names.iter().fold(Items::default(), |items, name| items.with(name, vec![1; 10]));
    for method in ["claim", "refund"] {
        let _ = artifact.unlocking_script(method, &items);
    }
    assert_eq!(Artifact::from_json(artifact.to_json().as_bytes()).as_ref(), Ok(artifact));
}

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
    let artifact = artifact("toy_2-2-2", Contract::Class, Guard::default());
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
    let artifact = artifact("toy_2-2-2", Contract::Class, Guard::default());
    let mut opcodes = vec![DUP, SHA256, DUP, CAT];
    opcodes.extend([DUP, CAT].repeat(19));
    opcodes.extend([DUP, SHA256, DROP].repeat(10_000));
    let script: Vec<u8> = opcodes.into_iter().map(|opcode| opcode.byte()).collect();
    let long = with_network(&artifact, &script);
    let network = Network::new(&long, None);
    assert_eq!(network.run(&[5], &BigInt::ZERO).verdict(), "WORK_LIMIT");
    assert_eq!(network.answer(&[5]), None);
}
