//! The command line as a user meets it: exit codes, what goes where, what is said.

use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "common/binary.rs"]
mod binary;

use binary::onnx2script;

fn in_folder(folder: &tempfile::TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_string_lossy().into_owned()
}

const TOY: &str = "models/toy_2-2-2.onnx";
const MNIST: &str = "models/mnist_784_64_10.onnx";

#[test]
fn the_artifact_alone_goes_to_standard_output() {
    let ran = onnx2script(&[TOY, "--explain"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.trim_end().bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", ran.stdout);
    assert!(ran.stderr.contains("limits") && ran.stderr.contains("dense 1"), "{}", ran.stderr);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contract.hex");
    let to_file = onnx2script(&[TOY, "-o", &file.to_string_lossy(), "--quiet"]);
    assert_eq!((to_file.code, to_file.stdout.as_str(), to_file.stderr.as_str()), (0, "", ""));
    assert_eq!(std::fs::read_to_string(file).unwrap(), ran.stdout);
}

#[test]
fn every_emit_format_says_the_same_script() {
    let emit = |format| onnx2script(&[TOY, "--emit", format, "-q"]).stdout;
    let hex = emit("hex");
    assert!(emit("asm").starts_with("OP_DEPTH OP_2 OP_NUMEQUALVERIFY"));
    assert!(emit("listing").contains("| claim"));
    assert!(emit("ir").contains("rescale") && emit("ir-opt").contains("rescale"));
    assert!(emit("bignum").contains("check_length"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contract.bin");
    assert_eq!(onnx2script(&[TOY, "--emit", "bin", "-q", "-o", &file.to_string_lossy()]).code, 0);
    let bytes: String = std::fs::read(file).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bytes, hex.trim_end());
}

#[test]
fn run_shows_the_class_and_agrees_with_the_float_model() {
    let args = ["run", MNIST, "--data", "models/mnist_samples.npy", "--index", "3", "--json", "-q"];
    let ran = onnx2script(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["class"], report["float_class"]);
    assert_eq!(report["ok"], true);
    assert!(report["script_bytes"].as_u64().unwrap() > 100_000 && report["instructions"].as_u64().unwrap() > 1000);

    let wrong = report["class"].as_u64().unwrap() + 1;
    let claimed = onnx2script(&[&args[..], &["--claim", &wrong.to_string()]].concat());
    assert_eq!(claimed.code, 1);
    let report: serde_json::Value = serde_json::from_str(&claimed.stdout).unwrap();
    assert_eq!((&report["ok"], &report["verdict"]), (&false.into(), &"EVAL_FALSE".into()));
}

#[test]
fn run_shows_the_number_of_a_regression() {
    let args = ["run", "models/diabetes_10-16-1.onnx", "--data", "models/diabetes_samples.npy", "--index", "2"];
    let json = |more: &[&str]| {
        let ran = onnx2script(&[&args[..], &["--json", "-q"], more].concat());
        (ran.code, serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap())
    };
    let (code, report) = json(&[]);
    assert_eq!((code, &report["ok"], &report["scale"]), (0, &true.into(), &"1e-8".into()));
    let (value, float) = (report["value"].as_f64().unwrap(), report["float_value"].as_f64().unwrap());
    assert!((value - float).abs() < 1e-4 && (value - 158.743973).abs() < 1e-4, "{report}");
    let integer: i64 = report["integer"].as_str().unwrap().parse().unwrap();
    assert!((integer as f64 * 1e-8 - value).abs() < 1e-9);

    let (code, wrong) = json(&["--claim", &(integer + 1).to_string()]);
    assert_eq!((code, &wrong["verdict"]), (1, &"EVAL_FALSE".into()));
    let (code, left) = json(&["--contract", "class"]);
    assert_eq!((code, &left["integer"], &left["claim"]), (0, &report["integer"], &serde_json::Value::Null));

    let text = onnx2script(&args);
    assert!(text.stdout.contains(&format!("as integer           {integer}, in steps of 1e-8")), "{}", text.stdout);
    assert!(text.stderr.contains("note: the contract's number is an integer in steps of 1e-8"), "{}", text.stderr);
}

#[test]
fn a_number_has_no_class_to_expect() {
    let ran = onnx2script(&["models/diabetes_10-16-1.onnx", "--contract", "expect:1"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("gives a number") && ran.stderr.contains("help: give --contract claim"),
        "{}",
        ran.stderr
    );
    let binary = onnx2script(&["models/breast_cancer_30-16-1.onnx", "--contract", "expect:2"]);
    assert_eq!(binary.code, 1);
    assert!(binary.stderr.contains("the network has 2 classes"), "{}", binary.stderr);
}

#[test]
fn bits_of_a_regression_are_chosen_by_its_errors() {
    let auto = |tolerance: &str| {
        let model = ["models/diabetes_10-16-1.onnx", "--weights", "auto", "--calibrate", "models/diabetes_samples.npy"];
        let ran = onnx2script(&[&model[..], &["--tolerance", tolerance]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout.len()
    };
    assert!(auto("0.05") < auto("0.002"));
}

#[test]
fn run_with_every_contract_and_input() {
    let data = "models/iris_samples.npy";
    for contract in ["claim", "class"] {
        for input in ["fixed", "fixed:4"] {
            let ran = onnx2script(&[
                "run",
                "models/iris_4-8-3.onnx",
                "--data",
                data,
                "--contract",
                contract,
                "--input",
                input,
            ]);
            assert_eq!(ran.code, 0, "{contract} {input}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stdout.contains("accepted"));
        }
    }
    let bytes =
        onnx2script(&["run", MNIST, "--data", "models/mnist_samples.npy", "--input", "u8:1/255", "--index", "7", "-q"]);
    assert_eq!(bytes.code, 0, "{}{}", bytes.stdout, bytes.stderr);
    assert!(bytes.stdout.contains("unlocking script     78"), "{}", bytes.stdout);
}

#[test]
fn exec_runs_files_and_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let unlock = in_folder(&folder, "unlock.hex", "5253\n");
    let lock = in_folder(&folder, "lock.hex", "93 55 87");
    let good = onnx2script(&["exec", "--unlock", &unlock, "--lock", &lock]);
    assert_eq!(good.code, 0);
    assert!(good.stdout.starts_with("verdict       OK"), "{}", good.stdout);

    let wrong = in_folder(&folder, "wrong.hex", "5252");
    let bad = onnx2script(&["exec", "--unlock", &wrong, "--lock", &lock, "--json", "--trace", "--rules", "consensus"]);
    assert_eq!(bad.code, 1);
    let report: serde_json::Value = serde_json::from_str(&bad.stdout).unwrap();
    assert_eq!(report["verdict"], "EVAL_FALSE");
    assert_eq!(bad.stderr.lines().count(), 5, "{}", bad.stderr);

    let vectors = in_folder(
        &folder,
        "v.tsv",
        "# era\trules\tunlock\tlock\terror\ttop\ngenesis\tpolicy\t51\t51\tCLEANSTACK\t?\ngenesis\tpolicy\t51\t61\tEVAL_FALSE\t-\n",
    );
    let ran = onnx2script(&["exec", "--vectors", &vectors]);
    assert_eq!((ran.code, ran.stdout.lines().last()), (1, Some("1 passed, 1 failed")), "{}", ran.stdout);
}

/// A case of tests/data/signature_cases.json: its transaction and its locking script.
fn signature_case(name: &str) -> (String, String) {
    let text = std::fs::read_to_string("tests/data/signature_cases.json").unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let case = cases.iter().find(|case| case["name"] == name).unwrap();
    (case["tx"].as_str().unwrap().to_owned(), case["locking"].as_str().unwrap().to_owned())
}

#[test]
fn exec_checks_the_signatures_of_a_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let (tx, lock) = signature_case("P2PKH, ALL|FORKID");
    let coin = format!("{lock}:5000");
    let good = onnx2script(&["exec", "--tx", &tx, "--input-index", "1", "--utxo", &coin, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&good.stdout).unwrap();
    assert_eq!(
        (good.code, &report["verdict"], &report["instructions"]),
        (0, &"OK".into(), &7.into()),
        "{}",
        good.stderr
    );

    let (tx_file, lock_file) =
        (in_folder(&folder, "tx.hex", &(tx.clone() + "\n")), in_folder(&folder, "lock.hex", &lock));
    let args = ["exec", "--tx", &tx_file, "--input-index", "1", "--utxo", &format!("{lock_file}:5001"), "--trace"];
    let bad = onnx2script(&args);
    assert_eq!(bad.code, 1, "{}", bad.stderr);
    assert!(bad.stdout.starts_with("verdict       SIG_NULLFAIL"), "{}", bad.stdout);
    assert_eq!(bad.stderr.lines().count(), 7, "{}", bad.stderr);

    let (tx, lock) = signature_case("VER, version 2");
    let args = ["exec", "--tx", &tx, "--input-index", "1", "--utxo", &format!("{lock}:5000"), "--era", "chronicle"];
    assert_eq!(onnx2script(&args).code, 0);
    assert!(onnx2script(&args[..7]).stdout.contains("BAD_OPCODE"));

    let (unlock, lock) = (in_folder(&folder, "u.hex", &format!("0930060201010201014121{}", "02".repeat(33))), "ac");
    let lock = in_folder(&folder, "l.hex", lock);
    let unsigned = onnx2script(&["exec", "--unlock", &unlock, "--lock", &lock]);
    assert!(unsigned.stdout.contains("TRANSACTION_NEEDED") && unsigned.stderr.contains("--tx"), "{}", unsigned.stdout);
}

#[test]
fn exec_says_what_is_wrong_with_a_transaction() {
    let (tx, lock) = signature_case("P2PKH, ALL|FORKID");
    let coin = format!("{lock}:5000");
    let longer = tx.clone() + "00";
    let told = |tx: &str, index: &str, coin: &str, code: i32, said: &str| {
        let ran = onnx2script(&["exec", "--tx", tx, "--input-index", index, "--utxo", coin]);
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said) && ran.stdout.is_empty(), "{said}: {}{}", ran.stdout, ran.stderr);
    };
    told(&tx, "3", &coin, 1, "the transaction has no input 3: it has 3, input 0 to input 2");
    told(&longer, "1", &coin, 1, "are given: nothing may follow it");
    told(&tx[..80], "1", &coin, 1, "the transaction is cut off");
    told(&tx[1..], "1", &coin, 2, "what is not hex is read as the name of a file");
    told(&tx, "-1", &coin, 2, "--input-index");
    told(&tx, "one", &coin, 2, "--input-index");
    told(&tx, "1", "no-such-file:1", 2, "no-such-file");
    told(&tx, "1", &lock, 2, "the satoshis are missing");
    for amount in ["", "1.5", "-1", "2100000000000001", "99999999999999999999"] {
        told(&tx, "1", &format!("{lock}:{amount}"), 2, &format!("`{amount}` is not an amount"));
    }
    let usage: [&[&str]; 5] = [
        &["exec", "--tx", &tx],
        &["exec", "--utxo", &coin],
        &["exec", "--input-index", "1"],
        &["exec", "--tx", &tx, "--utxo", &coin, "--unlock", "u.hex", "--lock", "l.hex"],
        &["exec", "--tx", &tx, "--utxo", &coin, "--vectors", "v.tsv"],
    ];
    for args in usage {
        assert_eq!(onnx2script(args).code, 2, "{args:?}");
    }
}

#[test]
fn refusals_and_usage_have_their_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let text = in_folder(&folder, "model.onnx", "this is no model");
    let not_hex = in_folder(&folder, "x.hex", "5g");
    let lock = in_folder(&folder, "lock.hex", "51");
    let refused: &[&[&str]] = &[
        &[&text],
        &[TOY, "--contract", "expect:2"],
        &["run", TOY, "--data", "models/iris_samples.npy"],
        &["run", TOY, "--data", "models/toy_samples.npy", "--index", "99999"],
        &["run", TOY, "--data", TOY],
        &["exec", "--unlock", &not_hex, "--lock", &lock],
        &[MNIST, "--rescale", "product", "--strict"],
    ];
    for args in refused {
        let ran = onnx2script(args);
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("error: ") && ran.stdout.is_empty(), "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
    let usage: &[&[&str]] = &[
        &[],
        &["no-such-file.onnx"],
        &[TOY, "--input", "u9"],
        &[TOY, "--weights", "fixed:0"],
        &[TOY, "--rescale", "often"],
        &[TOY, "--stop-after", "lunch"],
        &[TOY, "-o", "/no/such/folder/contract.hex"],
        &["run", TOY, "--data", "no-such-file.npy"],
        &["exec", "--unlock", &lock],
        &["exec", "--vectors", "no-such-file.tsv"],
    ];
    for args in usage {
        let ran = onnx2script(args);
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_limit_that_is_exceeded_is_a_warning_with_a_remedy() {
    let ran = onnx2script(&[MNIST, "--rescale", "product", "--emit", "ir"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stderr.contains("warning: the locking script takes") && ran.stderr.contains("help: let layers be packed"),
        "{}",
        ran.stderr
    );
    let consensus = onnx2script(&[MNIST, "--rescale", "product", "--emit", "ir", "--rules", "consensus", "--strict"]);
    assert_eq!(consensus.code, 0, "{}", consensus.stderr);
}

#[test]
fn a_network_that_cannot_be_packed_says_why() {
    let product = [TOY, "--rescale", "product", "--emit", "ir"];
    let auto = onnx2script(&product);
    assert_eq!(auto.code, 0);
    assert!(auto.stderr.contains("note: nothing is packed: --rescale product"), "{}", auto.stderr);
    let unrolled = onnx2script(&[&product[..], &["--codegen", "unrolled"]].concat());
    assert!(!unrolled.stderr.contains("packed"), "{}", unrolled.stderr);
    let packed = onnx2script(&[&product[..], &["--codegen", "packed"]].concat());
    assert_eq!(packed.code, 1);
    for part in ["cannot be packed: --rescale product", "--rescale sum", "help: leave --codegen out"] {
        assert!(packed.stderr.contains(part), "{}", packed.stderr);
    }
    // Unrolled because that is smaller: nothing to tell.
    assert!(!onnx2script(&[TOY, "--emit", "ir"]).stderr.contains("packed"));
}

#[test]
fn passes_can_be_stopped_after_each() {
    for pass in onnx2script::passes::ALL {
        let ran = onnx2script(&[TOY, "--emit", "ir-opt", "--stop-after", pass.name, "-q"]);
        assert_eq!(ran.code, 0, "{}: {}", pass.name, ran.stderr);
    }
}

/// Output bytes are the same in every run.
#[test]
fn two_runs_give_the_same_bytes() {
    let model = Path::new("models");
    let digits: PathBuf = model.join("digits_64_32_10.onnx");
    let run = || onnx2script(&[&digits.to_string_lossy(), "-q"]).stdout;
    assert_eq!(run(), run());
}

#[test]
fn a_closed_standard_error_is_no_error() {
    use std::process::Stdio;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = Command::new(env!("CARGO_BIN_EXE_onnx2script"))
        .args([TOY, "--explain"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::null())
        .stderr(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_closed_pipe_is_no_error() {
    use std::io::Read;
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_onnx2script"))
        .args(["models/digits_64_32_10.onnx", "--emit", "listing"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0u8; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(!said.contains("error"), "{said}");
}

#[test]
fn weights_can_be_chosen_by_samples_and_the_report_says_which() {
    let digits = ["models/digits_64_32_10.onnx", "--weights", "auto"];
    let alone = onnx2script(&digits);
    assert_eq!(alone.code, 2);
    assert!(alone.stderr.contains("help: give some hundred with --calibrate"), "{}", alone.stderr);

    let calibrate = ["--calibrate", "models/digits_samples.npy@0..200"];
    let chosen = onnx2script(&[&digits[..], &calibrate, &["-o", "/dev/null"]].concat());
    assert_eq!(chosen.code, 0, "{}", chosen.stderr);
    assert!(
        chosen.stderr.contains("100 samples of `models/digits_samples.npy@0..200` that judged"),
        "{}",
        chosen.stderr
    );

    let tight = onnx2script(&[&digits[..], &calibrate, &["--max-bytes", "100"]].concat());
    assert_eq!(tight.code, 1);
    assert!(tight.stderr.contains("cannot reach 100 bytes"), "{}", tight.stderr);
}

#[test]
fn what_calibrates_does_not_test() {
    let eval =
        ["eval", "models/digits_64_32_10.onnx", "--weights", "int4", "--calibrate", "models/digits_samples.npy@0..200"];
    let same = onnx2script(&[&eval[..], &["--data", "models/digits_samples.npy"]].concat());
    assert_eq!(same.code, 1);
    assert!(same.stderr.contains("200 of the 300 samples"), "{}", same.stderr);
    let others = onnx2script(&[&eval[..], &["--data", "models/digits_samples.npy@200..", "--json"]].concat());
    assert_eq!(others.code, 0, "{}", others.stderr);
    let report: serde_json::Value = serde_json::from_str(&others.stdout).unwrap();
    assert_eq!(report["samples"], 100);
}

#[test]
fn inspect_tells_nodes_grids_and_costs() {
    let ran = onnx2script(&["inspect", "models/ternary_784_64_10.onnx", "--input", "u8", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["parameters"], 50_890);
    assert!(report["nodes"][1]["grid"].as_str().unwrap().starts_with("3 levels, 2 bits"));
    let costs = report["costs"].as_array().unwrap();
    assert!(costs.len() >= 5 && costs.iter().all(|cost| cost["script_bytes"] == costs[0]["script_bytes"]));
    let text = onnx2script(&["inspect", "models/iris_4-8-3.onnx"]).stdout;
    assert!(text.contains("Relu") && text.contains("fixed:1e8") && text.contains('█'), "{text}");
}

#[test]
fn a_class_that_no_input_can_change_is_refused() {
    let ran = onnx2script(&["models/iris_4-8-3.onnx", "--weights", "fixed:1e-3"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("every input has class") && ran.stdout.is_empty(), "{}", ran.stderr);
    let coarse = onnx2script(&["models/iris_4-8-3.onnx", "--weights", "fixed:10"]);
    assert_eq!(coarse.code, 0);
    assert!(coarse.stderr.contains("weights other than zero vanish at this scale"), "{}", coarse.stderr);
}

#[test]
fn a_pass_to_stop_after_must_be_one_that_runs() {
    let ran = onnx2script(&[TOY, "-O", "1", "--stop-after", "sink-rescale"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("level 1 runs fold-rounds, fold-constants"), "{}", ran.stderr);
}

#[test]
fn supported_ops_are_listed() {
    let ran = onnx2script(&["ops"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.lines().any(|line| line.starts_with("Gemm  ")), "{}", ran.stdout);
    // What is only folded comes last.
    assert!(ran.stdout.trim_end().ends_with("in shape arithmetic"), "{}", ran.stdout);
    let json = onnx2script(&["ops", "--json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(rows.len(), ran.stdout.lines().count());
    assert!(rows.iter().all(|row| row["op"].is_string() && row["how"].is_string()));
}

const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const KEY_HASH: &str = "751e76e8199196d454941c45d1b3a323f1433bd6";

/// An artifact of the toy model, and a sample for it.
fn artifact(folder: &tempfile::TempDir, options: &[&str]) -> (String, String) {
    let file = in_folder(folder, "contract.json", "");
    let made = onnx2script(&[&[TOY, "--artifact", &file, "--quiet"], options].concat());
    assert_eq!(made.code, 0, "{}", made.stderr);
    (file, in_folder(folder, "sample.json", "[[0.5, 0.25]]"))
}

#[test]
fn options_that_an_artifact_would_ignore_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = artifact(&folder, &[]);
    for command in [&["unlock", &file, "--data", &data][..], &["explain", &file]] {
        assert_eq!(onnx2script(command).code, 0);
        assert_eq!(onnx2script(&[command, &["--quiet", "--rules", "consensus"]].concat()).code, 0);
        for option in [&["--contract", "claim"][..], &["--pay-to", KEY_HASH], &["--era", "chronicle"], &["-O0"]] {
            let refused = onnx2script(&[command, option].concat());
            assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{option:?}");
            assert!(refused.stderr.contains("compiled with options of its own"), "{}", refused.stderr);
        }
    }
    // With a model they say how it is compiled.
    let unlocked = onnx2script(&["unlock", TOY, "--data", &data, "--contract", "expect:0", "--quiet"]);
    assert_eq!(unlocked.code, 0, "{}", unlocked.stderr);
}

#[test]
fn signatures_are_looked_at_before_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = artifact(&folder, &["--pay-to", KEY_HASH]);
    let unlock = |signature: &str| {
        onnx2script(&["unlock", &file, "--data", &data, "--signature", signature, "--public-key", KEY])
    };
    for (signature, code, says) in [
        ("300602010102010141", 0, ""),
        ("300602010102010142", 0, "warning: hash type 42"),
        ("3006020101020101c1", 0, "warning: hash type c1"),
        ("3006020101020101", 1, "no signature in DER"),
        ("00", 1, "no signature in DER"),
        ("", 1, "no signature in DER"),
    ] {
        let ran = unlock(signature);
        assert_eq!(ran.code, code, "{signature}: {}", ran.stderr);
        assert!(ran.stderr.contains(says) && (code != 0 || says.is_empty() == ran.stderr.is_empty()), "{}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_opens_a_commitment() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let (file, data) = artifact(&folder, &["--commit-reveal", "2:207fffff"]);
    let kept = folder.path().join("commitment.json");
    let path = kept.to_string_lossy();
    let ran = onnx2script(&["commit", &file, "--data", &data, "--payee", KEY_HASH, "-o", &path, "--quiet"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}
