//! Artifacts, commitments and proofs whose JSON is changed where it stands, value by value, and what is done with those
//! that are read all the same.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::FromHex;
use num_bigint::BigInt;
use onnx2script::artifact::{Artifact, File, Items, Network, Provenance, Source};
use onnx2script::codegen::Contract;
use onnx2script::data::{Elements, Inputs, Samples};
use onnx2script::guard::{Guard, KeyHash, Payee, Refund};
use onnx2script::onnx::Model;
use onnx2script::report::map;
use onnx2script::target::Rules;
use onnx2script::{Options, compile};
use serde_json::{Value, json};

use crate::common::random::Random;

/// No input of a network here is longer.
const MOST_ELEMENTS: usize = 1000;
/// Models, which are part of the program: a fuzzer runs it anywhere.
pub(crate) const TOY: (&str, &[u8]) = ("toy_2-2-2", include_bytes!("../../../models/toy_2-2-2.onnx"));
const DIABETES: (&str, &[u8]) = ("diabetes_10-16-1", include_bytes!("../../../models/diabetes_10-16-1.onnx"));

pub(crate) fn artifact((name, bytes): (&str, &[u8]), contract: Contract, guard: Guard) -> Artifact {
    let mut model = Model::from_bytes(bytes, format!("{name}.onnx"), None).unwrap();
    let compiled = compile(&mut model, &Options { contract, guard, ..Options::default() }).unwrap();
    let file = File { file: format!("{name}.onnx"), sha256: String::new() };
    let labels = (name == TOY.0).then(|| vec!["no".to_owned(), "yes".to_owned()]);
    let options = [("contract".to_owned(), contract.to_string())].into();
    Artifact::new(&compiled, Provenance { model: Source { file, external_data: vec![] }, options, labels })
}

pub(crate) fn artifacts() -> Vec<Value> {
    let key = KeyHash([7; 20]);
    let refund = || Some(Refund { key, lock_until: "900000".parse().unwrap() });
    let committed = Payee::Committed("2:207fffff".parse().unwrap());
    let artifacts = [
        artifact(TOY, Contract::Claim, Guard { payee: committed, refund: refund() }),
        artifact(TOY, Contract::Expect(1), Guard { payee: Payee::Key(key), refund: refund() }),
        artifact(TOY, Contract::Class, Guard::default()),
        artifact(DIABETES, Contract::Claim, Guard::default()),
    ];
    artifacts.iter().map(|artifact| serde_json::from_str(&artifact.to_json()).unwrap()).collect()
}

/// A number below another.
pub(crate) fn below(random: &mut Random, most: usize) -> usize {
    (random.next() % most as u64) as usize
}

/// How many values a JSON value holds, itself included.
pub(crate) fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// The value of a number, counted from the outermost.
pub(crate) fn nth<'v>(value: &'v mut Value, index: &mut usize) -> Option<&'v mut Value> {
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
pub(crate) fn change(value: &mut Value, random: &mut Random) {
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
pub(crate) fn changed_text(text: &str, random: &mut Random) -> String {
    let (head, tail) = text.split_at(below(random, text.len()));
    match below(random, 4) {
        0 => format!("{head}{}", &tail[1..]),
        1 => head.to_owned(),
        2 => format!("{head}{text}"),
        _ => format!("{head}{}{}", char::from(b"0123456789abcdef"[below(random, 16)]), &tail[1..]),
    }
}

/// Lets an artifact tell the hash and the length of the script that it now has, and a map of it.
pub(crate) fn hold_together(artifact: &mut Value) {
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
pub(crate) fn use_it(artifact: &Artifact) {
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
