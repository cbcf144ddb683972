//! Artifacts, and the commands that use them in place of a model.

use num_bigint::BigInt;
use onnx2script::artifact::{Artifact, File, Network, Provenance, Source};
use onnx2script::codegen::Contract;
use onnx2script::{Options, compile, ir};
use serde_json::{Value, json};

#[path = "common/binary.rs"]
mod binary;
mod common;

use binary::onnx2script;

const IRIS: &str = "models/iris_4-8-3.onnx";
const IRIS_DATA: &str = "models/iris_samples.npy";
/// HASH160 of the public key of the number 1, and its address.
const HASH: &str = "751e76e8199196d454941c45d1b3a323f1433bd6";
/// A signature in DER, of nothing, with its hash type.
const SIGNATURE: &str = "300602010102010141";
const ADDRESS: &str = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH";

/// A folder with an artifact in it.
struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    fn of(model: &str, options: &[&str]) -> Made {
        let made = Made { folder: tempfile::tempdir().unwrap() };
        let ran = onnx2script(&[&[model, "-q", "--artifact", &made.file("contract.json")], options].concat());
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
        made
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn artifact(&self) -> String {
        self.file("contract.json")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.artifact()).unwrap()).unwrap()
    }

    /// The same with a field changed, by its JSON pointer.
    fn with(&self, pointer: &str, value: Value) -> String {
        let mut json = self.json();
        *json.pointer_mut(pointer).unwrap() = value;
        let file = self.file("changed.json");
        std::fs::write(&file, json.to_string()).unwrap();
        file
    }
}

fn artifact_of(compiled: &onnx2script::Compiled) -> Artifact {
    let file = File { file: "model.onnx".into(), sha256: String::new() };
    let model = Source { file, external_data: vec![] };
    Artifact::new(compiled, Provenance { model, options: Default::default(), labels: None })
}

#[test]
fn an_artifact_answers_as_its_model_does() {
    for sampled in common::models() {
        let mut model = sampled.model.clone();
        for contract in [Contract::Claim, Contract::Class, Contract::Expect(1)] {
            let options = Options { contract, ..common::options("fixed", onnx2script::quant::Rescale::Sum) };
            let Ok(compiled) = compile(&mut model, &options) else { continue };
            let artifact = artifact_of(&compiled);
            let read = Artifact::from_json(artifact.to_json().as_bytes()).unwrap();
            assert_eq!(read, artifact, "{}", sampled.name);
            assert_eq!(read.locking_bytes(), compiled.locking().to_bytes());
            let (network, format) = (Network::new(&read, None), read.input_format());
            for sample in sampled.samples.iter().take(3) {
                let integers = format.quantise(sample).unwrap();
                let input = format.encode(&integers).unwrap();
                let defined = ir::eval(&compiled.optimised, &integers);
                assert_eq!(network.answer(&input), Some(defined.clone()), "{} {contract}", sampled.name);
                let accepted = contract == Contract::Claim || defined == BigInt::from(1);
                assert_eq!(
                    network.run(&input, &defined).is_ok(),
                    accepted || contract == Contract::Class && defined != BigInt::ZERO
                );
            }
        }
    }
}

#[test]
fn an_artifact_says_what_the_compiler_did() {
    let made = Made::of(IRIS, &["--labels", "setosa, versicolor,virginica", "--pay-to", ADDRESS, "--input", "u8:0.1"]);
    let json = made.json();
    let hex = onnx2script(&[IRIS, "-q", "--pay-to", HASH, "--input", "u8:1/10"]).stdout;
    assert_eq!(json["lockingScript"]["hex"], hex.trim_end());
    assert_eq!(json["abi"]["answer"]["labels"], json!(["setosa", "versicolor", "virginica"]));
    assert_eq!(json["contract"], json!({ "kind": "claim", "payTo": HASH }));
    assert_eq!(json["options"]["pay-to"], HASH);
    assert_eq!(json["abi"]["input"]["scale"], "1/10");
    let names: Vec<&str> = json["abi"]["methods"][0]["pushes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|push| push["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["signature", "publicKey", "claim", "input"]);
    let model = std::fs::read(IRIS).unwrap();
    let sha256 = <bitcoin::hashes::sha256::Hash as bitcoin::hashes::Hash>::hash(&model).to_string();
    assert_eq!(json["model"]["sha256"], sha256);
    let again = Made::of(IRIS, &["--labels", "setosa, versicolor,virginica", "--pay-to", HASH, "--input", "u8:1/10"]);
    assert_eq!(again.json(), json);
}

#[test]
fn labels_of_the_metadata_are_the_artifact_s() {
    use prost::Message;
    use tract_onnx::pb::{ModelProto, StringStringEntryProto};
    let made = Made { folder: tempfile::tempdir().unwrap() };
    let mut proto = ModelProto::decode(std::fs::read(IRIS).unwrap().as_slice()).unwrap();
    let value = "{0: 'setosa', 1: 'versicolor', 2: 'virginica'}".to_owned();
    proto.metadata_props.push(StringStringEntryProto { key: "names".into(), value });
    let model = made.file("named.onnx");
    std::fs::write(&model, proto.encode_to_vec()).unwrap();
    let ran = onnx2script(&[&model, "--artifact", &made.artifact()]);
    assert!(ran.stderr.contains("1 is `versicolor`"), "{}", ran.stderr);
    assert_eq!(made.json()["abi"]["answer"]["labels"][2], "virginica");
    assert_eq!(onnx2script(&[IRIS, "-q"]).stdout.trim_end(), made.json()["lockingScript"]["hex"]);
    let run = onnx2script(&["run", &model, "--data", IRIS_DATA, "-q"]);
    assert!(run.stdout.contains("label                setosa"), "{}", run.stdout);
}

#[test]
fn artifacts_that_do_not_hold_together_are_refused() {
    let made = Made::of(IRIS, &[]);
    let hex = made.json()["lockingScript"]["hex"].as_str().unwrap().to_owned();
    for (pointer, value, says) in [
        ("/version", json!(2), "version 2"),
        ("/format", json!("contract"), "no contract artifact"),
        ("/lockingScript/hex", json!(hex.replacen("74", "75", 1)), "SHA-256"),
        ("/lockingScript/hex", json!("7"), "lockingScript"),
        ("/lockingScript/networkEnd", json!(1_000_000), "does not lie in it"),
        ("/lockingScript/networkStart", json!(5), "begins or ends elsewhere"),
        ("/abi/input/elements", json!(5), "elements"),
        ("/abi/input/shape", json!([1u64 << 40, 1u64 << 40]), "elements"),
        ("/abi/input/bytes", json!(21), "bytes"),
        ("/abi/input/bytesPerElement", json!(17), "width"),
        ("/abi/input/scale", json!("0"), "scale"),
        ("/abi/input/scale", json!("1/0"), "fraction"),
        ("/abi/answer/classes", json!(-3), "no contract artifact"),
        ("/sourceMap/1/start", json!(0), "sourceMap"),
        ("/abi/methods", json!([]), "abi.methods"),
        ("/contract/kind", json!("expect"), "`expected` goes with"),
    ] {
        let file = made.with(pointer, value);
        for command in ["explain", "run"] {
            let data: &[&str] = if command == "run" { &["--data", IRIS_DATA] } else { &[] };
            let ran = onnx2script(&[&[command, &file], data].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{pointer}: {}", ran.stderr);
            assert!(ran.stderr.contains(says), "{pointer}: {}", ran.stderr);
        }
    }
}

#[test]
fn unlocking_scripts_are_written_for_right_claims() {
    let made = Made::of(IRIS, &["--labels", "setosa,versicolor,virginica"]);
    let unlock =
        |more: &[&str]| onnx2script(&[&["unlock", &made.artifact(), "--data", IRIS_DATA, "-q"], more].concat());
    let right = unlock(&[]);
    assert_eq!(right.code, 0, "{}", right.stderr);
    assert_eq!(onnx2script(&["unlock", IRIS, "--data", IRIS_DATA, "-q"]).stdout, right.stdout);
    let locking = made.file("lock.hex");
    std::fs::write(&locking, made.json()["lockingScript"]["hex"].as_str().unwrap()).unwrap();
    let verdict = |script: &str| {
        let file = made.file("unlock.hex");
        std::fs::write(&file, script).unwrap();
        onnx2script(&["exec", "--unlock", &file, "--lock", &locking])
    };
    assert_eq!(verdict(&right.stdout).code, 0);
    for claim in ["0", "setosa"] {
        assert_eq!(unlock(&["--claim", claim]).stdout, right.stdout);
    }
    let wrong = unlock(&["--claim", "virginica"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (1, ""));
    assert!(
        wrong.stderr.contains("class 2 (virginica)") && wrong.stderr.contains("class 0 (setosa)"),
        "{}",
        wrong.stderr
    );
    let forced = unlock(&["--claim", "virginica", "--force"]);
    assert_eq!(forced.code, 0);
    assert!(verdict(&forced.stdout).stdout.contains("EVAL_FALSE"));
    assert!(unlock(&["--claim", "rose"]).stderr.contains("one of the labels setosa, versicolor, virginica"));
    assert!(unlock(&["--index", "100000"]).stderr.contains("there is no sample 100000"));
}

#[test]
fn a_contract_that_expects_refuses_other_inputs() {
    let made = Made::of(IRIS, &["--contract", "expect:1"]);
    let refused = onnx2script(&["unlock", &made.artifact(), "--data", IRIS_DATA]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("expects class 1, but the network gives class 0"), "{}", refused.stderr);
    assert_eq!(onnx2script(&["run", &made.artifact(), "--data", IRIS_DATA, "-q"]).code, 1);
}

#[test]
fn guards_are_asked_for_and_named() {
    let made = Made::of(IRIS, &["--pay-to", HASH, "--lock-until", "900000", "--refund", ADDRESS]);
    let unlock = |more: &[&str]| onnx2script(&[&["unlock", &made.artifact(), "--data", IRIS_DATA], more].concat());
    assert!(unlock(&[]).stderr.contains("asks for a signature"));
    let key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    let signed = unlock(&["--signature", SIGNATURE, "--public-key", key]);
    assert_eq!(signed.code, 0, "{}", signed.stderr);
    assert!(signed.stdout.starts_with(&format!("09{SIGNATURE}21{key}")), "{}", signed.stdout);
    // The selector of a claim is the last push.
    assert!(signed.stdout.trim_end().ends_with("00"), "{}", signed.stdout);
    let other = unlock(&["--signature", SIGNATURE, "--public-key", &key.replacen("02", "03", 1)]);
    assert!(other.stderr.contains("pays to the key of hash 751e76e8"), "{}", other.stderr);
    let run = onnx2script(&["run", &made.artifact(), "--data", IRIS_DATA]);
    assert!(run.code == 0 && run.stderr.contains("the network's code runs alone"), "{}", run.stderr);
    let explained = onnx2script(&["explain", &made.artifact()]).stdout;
    assert!(explained.contains("refund: to the key of hash 751e76e8"), "{explained}");
    assert!(explained.contains("refund     signature, publicKey, preimage, 1"), "{explained}");

    for (options, says) in [
        (&["--pay-to", HASH, "--commit-reveal", "6:1818d5a7"][..], "cannot be used with"),
        (&["--lock-until", "900000"], "--refund"),
        (&["--pay-to", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG"], "hash of a script"),
        (&["--commit-reveal", "6"], "BLOCKS:BITS"),
    ] {
        let ran = onnx2script(&[&[IRIS], options].concat());
        assert_eq!(ran.code, 2, "{options:?}");
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    let class = onnx2script(&[IRIS, "--contract", "class", "--pay-to", HASH]);
    assert_eq!(class.code, 1);
    assert!(class.stderr.contains("leaves the answer on the stack"), "{}", class.stderr);
}

#[test]
fn a_bare_contract_is_called_anybodys() {
    let says = |options: &[&str]| {
        let ran = onnx2script(&[&[IRIS, "-o", "/dev/null"], options].concat());
        ran.stderr.contains("whoever sees a right input can spend")
    };
    assert!(says(&[]) && says(&["--contract", "expect:1"]) && says(&["--lock-until", "9", "--refund", HASH]));
    assert!(!says(&["--pay-to", HASH]) && !says(&["--commit-reveal", "6:1818d5a7"]) && !says(&["--contract", "class"]));
    assert!(!says(&["-q"]));
}

#[test]
fn commitments_hold_the_input_and_open() {
    let made = Made::of(IRIS, &["--commit-reveal", "2:207fffff"]);
    let (artifact, file) = (made.artifact(), made.file("commitment.json"));
    let commit = ["commit", &artifact, "--data", IRIS_DATA, "--payee", ADDRESS, "-o", &file];
    let ran = onnx2script(&commit);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("keep this file to yourself"), "{}", ran.stderr);
    let first = std::fs::read_to_string(&file).unwrap();
    assert_eq!(onnx2script(&commit).code, 0);
    assert_ne!(std::fs::read_to_string(&file).unwrap(), first, "each has a salt of its own");

    let unlock = |more: &[&str]| onnx2script(&[&["unlock", &artifact], more].concat());
    assert!(unlock(&["--data", IRIS_DATA]).stderr.contains("asks for a signature"));
    let key = [
        "--signature",
        SIGNATURE,
        "--public-key",
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ];
    let told = |more: &[&str]| unlock(&[&key, more].concat()).stderr;
    assert!(told(&["--data", IRIS_DATA]).contains("pays who committed"));
    assert!(told(&["--commitment", &file]).contains("pays who committed"));
    assert!(told(&["--commitment", &file, "--data", IRIS_DATA, "--index", "1"]).contains("is not the input"));
    let other = Made::of(IRIS, &["--commit-reveal", "3:207fffff"]);
    let for_other = onnx2script(&["unlock", &other.artifact(), "--commitment", &file]);
    assert!(for_other.stderr.contains("commits to another contract"), "{}", for_other.stderr);
    let bare = Made::of(IRIS, &[]);
    let refused = onnx2script(&["commit", &bare.artifact(), "--data", IRIS_DATA, "--payee", ADDRESS]);
    assert!(refused.stderr.contains("asks for no commitment"), "{}", refused.stderr);
}

#[test]
fn an_artifact_shows_no_float_model_and_no_trace() {
    let made = Made::of(IRIS, &["--labels", "a,b,c"]);
    let ran = onnx2script(&["run", &made.artifact(), "--data", IRIS_DATA, "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["class"], &report["label"], &report["float_class"]), (&json!(0), &json!("a"), &Value::Null));
    let traced = onnx2script(&["run", &made.artifact(), "--data", IRIS_DATA, "--trace"]);
    assert_eq!(traced.code, 1);
    assert!(traced.stderr.contains("give the model"), "{}", traced.stderr);
    let few = onnx2script(&[IRIS, "--artifact", &made.file("x.json"), "--labels", "a,b"]);
    assert_eq!(few.code, 1);
    assert!(few.stderr.contains("--labels names 2 classes, the model has 3"), "{}", few.stderr);
}
