//! `eval` and `compare` as a user meets them: what they measure, and what they refuse.

use std::path::{Path, PathBuf};

#[path = "common/binary.rs"]
mod binary;

use binary::{Ran, onnx2script};
use ndarray::{Array1, Array2};
use ndarray_npy::WriteNpyExt;
use serde_json::Value;

const TOY: &str = "models/toy_2-2-2.onnx";
const IRIS: &str = "models/iris_4-8-3.onnx";
const IRIS_DATA: &str = "models/iris_samples.npy";
const DIGITS: &str = "models/digits_64_32_10.onnx";
const DIGITS_DATA: &str = "models/digits_samples.npy";
const DIABETES: &str = "models/diabetes_10-16-1.onnx";
const DIABETES_DATA: &str = "models/diabetes_samples.npy";
const MNIST: &str = "models/mnist_784_64_10.onnx";
const MNIST_DATA: &str = "models/mnist_samples.npy";

impl Ran {
    fn json(&self) -> Value {
        assert!(self.stdout.ends_with('\n') && self.stdout.lines().count() == 1, "{}{}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// Runs a command that is to succeed, quietly, and reads its JSON.
fn json(args: &[&str]) -> Value {
    let ran = onnx2script(&[args, &["--json", "--quiet"]].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}: {}", ran.stdout);
    ran.json()
}

fn models() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let mut models: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    models.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    models.sort();
    models
}

fn sidecar(model: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(model.with_extension("json")).unwrap()).unwrap()
}

fn classes(model: &str) -> Vec<i64> {
    let sidecar = sidecar(&Path::new(env!("CARGO_MANIFEST_DIR")).join(model));
    sidecar["classes"].as_array().unwrap().iter().map(|class| class.as_i64().unwrap()).collect()
}

/// Labels as an idx file.
fn idx_labels(folder: &tempfile::TempDir, labels: &[i64]) -> String {
    let mut file = vec![0, 0, 8, 1];
    file.extend(u32::try_from(labels.len()).unwrap().to_be_bytes());
    file.extend(labels.iter().map(|&label| u8::try_from(label).unwrap()));
    in_folder(folder, "labels.idx", &file)
}

fn npy_labels<T: ndarray_npy::WritableElement>(folder: &tempfile::TempDir, labels: Vec<T>) -> String {
    let mut file = Vec::new();
    Array1::from_vec(labels).write_npy(&mut file).unwrap();
    in_folder(folder, "labels.npy", &file)
}

fn in_folder(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn every_model_agrees_with_onnxruntime_by_either_engine() {
    for model in models() {
        let sidecar = sidecar(&model);
        let data = model.with_file_name(sidecar["samples"].as_str().unwrap());
        let (model, data) = (model.to_string_lossy(), data.to_string_lossy());
        let unit = sidecar["unit"].as_str();
        let unit: Vec<&str> = unit.iter().flat_map(|unit| ["--unit", unit]).collect();
        let args = [&["eval", &model, "--data", &data], &unit[..]].concat();
        let by_script = json(&args);
        for predictions in ["predictions", "float_predictions"] {
            match sidecar.get("values") {
                Some(values) => demand_near(&by_script[predictions], values),
                None => assert_eq!(by_script[predictions], sidecar["classes"], "{model}"),
            }
        }
        assert_eq!(by_script["samples"], by_script["predictions"].as_array().unwrap().len());
        assert_eq!((&by_script["agreement"], &by_script["differing"]), (&1.0.into(), &0.into()));
        assert_eq!((&by_script["accuracy"], &by_script["float_accuracy"]), (&Value::Null, &Value::Null));
        assert_eq!((&by_script["engine"], &by_script["rules"]), (&"script".into(), &"policy".into()));
        assert!(by_script["ms_per_sample"].as_f64().unwrap() > 0.0);

        let by_ir = json(&[&args[..], &["--engine", "ir"]].concat());
        for figure in ["predictions", "float_predictions", "script_bytes", "instructions", "agreement"] {
            assert_eq!(by_ir[figure], by_script[figure], "{model}: {figure}");
        }
        assert_eq!(by_ir["engine"], "ir");
    }
}

/// Pictures in fewer bits than the model was made for.
#[test]
fn pictures_may_be_given_in_bits() {
    let data = "tests/data/mnist-first5k-images.idx3-ubyte.gz@0..60";
    for codegen in ["packed", "unrolled"] {
        for (input, least) in [("u4", 0.98), ("u2", 0.96), ("u1", 0.95)] {
            let args = ["eval", MNIST, "--data", data, "--input", input, "--weights", "int6", "--codegen", codegen];
            let report = json(&args);
            assert!(report["agreement"].as_f64().unwrap() >= least, "{input} {codegen}: {}", report["agreement"]);
        }
    }
}

/// Numbers that differ from a framework's in f32 by as much as f32 does.
fn demand_near(numbers: &Value, expected: &Value) {
    let read = |list: &Value| -> Vec<f64> { serde_json::from_value(list.clone()).unwrap() };
    let (numbers, expected) = (read(numbers), read(expected));
    assert_eq!(numbers.len(), expected.len());
    assert!(numbers.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4), "{numbers:?} {expected:?}");
}

#[test]
fn numbers_are_measured_by_their_errors() {
    let eval = |args: &[&str]| json(&[&["eval", DIABETES, "--data", DIABETES_DATA], args].concat());
    let figure = |report: &Value, name: &str| report[name].as_f64().unwrap();
    let fine = eval(&[]);
    assert_eq!((&fine["agreement"], &fine["accuracy"]), (&1.0.into(), &Value::Null));
    assert_eq!((&fine["mean_squared_error"], &fine["float_mean_squared_error"]), (&Value::Null, &Value::Null));
    // A ten thousandth of the range from 46.2 to 278.3.
    assert!((figure(&fine, "tolerance") - 0.0232).abs() < 1e-4, "{fine}");
    assert!(figure(&fine, "max_error") < 1e-4 && figure(&fine, "mean_error") <= figure(&fine, "max_error"));

    let coarse = eval(&["--weights", "int6"]);
    assert!(figure(&coarse, "agreement") < 0.5 && figure(&coarse, "max_error") > 0.1, "{coarse}");
    let first = &coarse["differences"][0];
    let apart = figure(first, "float_value") - figure(first, "contract_value");
    assert!(apart.abs() > figure(&coarse, "tolerance") && first["label"].is_null(), "{first}");
    assert_eq!(eval(&["--weights", "int6", "--tolerance", "0.05"])["agreement"], 1.0);

    let text = onnx2script(&["eval", DIABETES, "--data", DIABETES_DATA, "--weights", "int6", "-q"]).stdout;
    assert!(text.contains("largest error") && text.contains(", within 2.32"), "{text}");
    assert!(text.contains("samples on which they differ") && !text.contains("margin"), "{text}");
}

#[test]
fn labels_of_numbers_give_squared_errors() {
    let folder = tempfile::tempdir().unwrap();
    let values = sidecar(&Path::new(env!("CARGO_MANIFEST_DIR")).join(DIABETES))["values"].clone();
    let values: Vec<f64> = serde_json::from_value(values).unwrap();
    let labels = npy_labels(&folder, values.iter().map(|value| value + 3.0).collect());
    let report = json(&["eval", DIABETES, "--data", DIABETES_DATA, "--labels", &labels]);
    for error in ["mean_squared_error", "float_mean_squared_error"] {
        assert!((report[error].as_f64().unwrap() - 9.0).abs() < 1e-3, "{report}");
    }
    assert_eq!((&report["accuracy"], &report["float_accuracy"]), (&Value::Null, &Value::Null));
    let text = onnx2script(&["eval", DIABETES, "--data", DIABETES_DATA, "--labels", &labels, "-q"]).stdout;
    assert!(text.contains("mean squared error   9.000"), "{text}");
}

#[test]
fn every_contract_gives_the_same_classes() {
    let eval = |contract| json(&["eval", IRIS, "--data", IRIS_DATA, "--contract", contract])["predictions"].clone();
    let claimed = eval("claim");
    for contract in ["class", "expect:0", "expect:2"] {
        assert_eq!(eval(contract), claimed, "{contract}");
    }
}

#[test]
fn labels_give_accuracies() {
    let folder = tempfile::tempdir().unwrap();
    let mut labels = classes(IRIS);
    let count = labels.len();
    let accuracy = |labels: &str| {
        let report = json(&["eval", IRIS, "--data", IRIS_DATA, "--labels", labels]);
        assert_eq!(report["accuracy"], report["float_accuracy"]);
        report["accuracy"].as_f64().unwrap()
    };
    assert!((accuracy(&idx_labels(&folder, &labels)) - 1.0).abs() < 1e-12);
    labels[3] = (labels[3] + 1) % 3;
    let expected = (count - 1) as f64 / count as f64;
    assert!((accuracy(&npy_labels(&folder, labels.clone())) - expected).abs() < 1e-12);
    assert!((accuracy(&idx_labels(&folder, &labels)) - expected).abs() < 1e-12);

    let labels = npy_labels(&folder, labels);
    let text = onnx2script(&["eval", IRIS, "--data", IRIS_DATA, "--labels", &labels, "-q"]).stdout;
    let said = format!("contract accuracy    {:.2} % ({} of {count})", expected * 100.0, count - 1);
    assert!(text.contains(&said) && text.contains("agreement            100.00 %"), "{text}");
    // The rows before the wrong label, and the row that has it.
    let of_rows = |rows: &str| {
        let (data, labels) = (format!("{IRIS_DATA}{rows}"), format!("{labels}{rows}"));
        json(&["eval", IRIS, "--data", &data, "--labels", &labels])
    };
    assert_eq!((&of_rows("@..3")["accuracy"], &of_rows("@..3")["samples"]), (&1.0.into(), &3.into()));
    assert_eq!(of_rows("@3..4")["accuracy"], 0.0);
    let limited = json(&["eval", IRIS, "--data", IRIS_DATA, "--labels", &labels, "--limit", "2"]);
    assert_eq!((&limited["samples"], &limited["accuracy"]), (&2.into(), &1.0.into()));
}

#[test]
fn ranges_are_rows_of_the_file() {
    let all = json(&["eval", IRIS, "--data", IRIS_DATA]);
    let some = json(&["eval", IRIS, "--data", &format!("{IRIS_DATA}@5..12")]);
    assert_eq!(some["predictions"].as_array().unwrap()[..], all["predictions"].as_array().unwrap()[5..12]);
    let more = json(&["eval", IRIS, "--data", &format!("{IRIS_DATA}@5.."), "--limit", "1000"]);
    assert_eq!(more["predictions"].as_array().unwrap()[..], all["predictions"].as_array().unwrap()[5..]);
}

/// A difference is told by its row in the file, with which `run` shows the same.
#[test]
fn differences_can_be_looked_at() {
    let coarse = ["--weights", "fixed:3"];
    let data = format!("{DIGITS_DATA}@50..250");
    let args = [&["eval", DIGITS, "--data", &data], &coarse[..]].concat();
    let report = json(&args);
    let differences = report["differences"].as_array().unwrap();
    let differing = report["differing"].as_u64().unwrap();
    assert!(differing > 0 && differences.len() as u64 == differing.min(20), "{report}");
    let agreement = report["agreement"].as_f64().unwrap();
    assert!((agreement - (1.0 - differing as f64 / 200.0)).abs() < 1e-12);
    let first = &differences[0];
    assert!(first["float_margin"].as_f64().unwrap() > 0.0 && first["label"].is_null());

    let index = first["index"].to_string();
    assert!(index.parse::<usize>().unwrap() >= 50);
    let run = json(&[&["run", DIGITS, "--data", DIGITS_DATA, "--index", &index], &coarse[..]].concat());
    assert_eq!((&run["class"], &run["float_class"]), (&first["contract_class"], &first["float_class"]));
    let text = onnx2script(&args).stdout;
    assert!(text.contains(&format!("samples on which they differ: {differing}")), "{text}");
    assert!(text.lines().any(|line| line.trim_start().starts_with(&format!("{index} "))), "{text}");
}

/// A script too long for policy runs by consensus, unless policy is asked for: then nothing can be spent.
#[test]
fn rules_are_those_of_run() {
    let long = ["eval", MNIST, "--data", MNIST_DATA, "--unit", "1/255", "--rescale", "product", "--limit", "2"];
    assert_eq!(json(&long)["rules"], "consensus");
    let refused = onnx2script(&[&long[..], &["--rules", "policy", "--json", "-q"]].concat());
    let report = refused.json();
    assert_eq!((refused.code, &report["rules"], &report["agreement"]), (1, &"policy".into(), &0.0.into()));
    assert_eq!(report["predictions"], serde_json::json!([null, null]));
    assert_eq!(report["defects"][1], serde_json::json!({ "index": 1, "verdict": "SCRIPT_SIZE" }));
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let short = idx_labels(&folder, &[0, 1, 2]);
    let halves = npy_labels(&folder, vec![0.5; classes(IRIS).len()]);
    let beyond = format!("{IRIS_DATA}@30..99");
    let mut refused = vec![
        vec!["eval", IRIS, "--data", IRIS_DATA, "--labels", &short],
        vec!["eval", IRIS, "--data", IRIS_DATA, "--labels", &halves],
        vec!["eval", IRIS, "--data", IRIS_DATA, "--labels", IRIS_DATA],
        vec!["eval", IRIS, "--data", IRIS_DATA, "--labels", IRIS],
    ];
    let mut usage = vec![vec!["eval", IRIS], vec!["eval", IRIS, "--data", IRIS_DATA, "--engine", "steam"]];
    for command in ["eval", "compare"] {
        refused.push(vec![command, TOY, "--data", IRIS_DATA]);
        refused.push(vec![command, IRIS, "--data", &beyond]);
        refused.push(vec![command, IRIS, "--data", IRIS_DATA, "--input", "u8"]);
        usage.push(vec![command, IRIS, "--data", "no-such-file.npy"]);
        usage.push(vec![command, IRIS, "--data", "models/iris_samples.npy@3..3"]);
        usage.push(vec![command, IRIS, "--data", IRIS_DATA, "--limit", "0"]);
    }
    for (code, calls) in [(1, refused), (2, usage)] {
        for args in calls {
            let ran = onnx2script(&args);
            assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("error: ") && ran.stdout.is_empty(), "{args:?}: {}", ran.stderr);
        }
    }
}

fn layers(report: &Value) -> &Vec<Value> {
    report["layers"].as_array().unwrap()
}

#[test]
fn compare_tells_what_each_layer_loses() {
    for model in models() {
        let sidecar = sidecar(&model);
        let data = model.with_file_name(sidecar["samples"].as_str().unwrap());
        let (model, data) = (model.to_string_lossy(), data.to_string_lossy());
        let unit = sidecar["unit"].as_str();
        let unit: Vec<&str> = unit.iter().flat_map(|unit| ["--unit", unit]).collect();
        let args = [&["compare", &model, "--data", &data, "--limit", "30"], &unit[..]].concat();
        let fine = json(&args);
        assert!(fine["samples"].as_u64().unwrap() <= 30 && !layers(&fine).is_empty());
        for (index, layer) in layers(&fine).iter().enumerate() {
            assert_eq!(layer["layer"], format!("dense {}", index + 1), "{model}");
            let figure = |path: &str| layer.pointer(path).and_then(Value::as_f64).unwrap();
            // None where nothing is lost at all, as with integer weights on bytes.
            let lossless = layer["sqnr_db"].is_null() && figure("/max_error").abs() < f64::EPSILON;
            assert!(lossless || figure("/sqnr_db") > 100.0, "{model}: {layer}");
            assert!(figure("/max_error") < 1e-5, "{model}: {layer}");
            assert!(figure("/mean_error") <= figure("/max_error") && figure("/headroom_bits") > 0.0);
            assert!(figure("/proved_range/low") <= figure("/integer_range/low"), "{model}: {layer}");
            assert!(figure("/proved_range/high") >= figure("/integer_range/high"), "{model}: {layer}");
        }
    }
}

#[test]
fn compare_shows_that_coarse_weights_cost() {
    let compare = |weights| json(&["compare", DIGITS, "--data", DIGITS_DATA, "--weights", weights]);
    let sqnr = |report: &Value| layers(report).last().unwrap()["sqnr_db"].as_f64().unwrap();
    assert!(sqnr(&compare("fixed:1e8")) > sqnr(&compare("fixed:1e3")) + 40.0);
    assert!(sqnr(&compare("fixed:1e3")) > sqnr(&compare("fixed:10")));
    let text = onnx2script(&["compare", DIGITS, "--data", DIGITS_DATA, "-q"]).stdout;
    assert!(text.contains("SQNR") && text.contains("dense 2") && text.contains("300 of models"), "{text}");
}

/// Without a ReLU between, passes fold a layer's biases into the next one: compared is what the float layer gives.
#[test]
fn compare_sees_layers_that_passes_fold() {
    let model = "tests/frontend/accept/linear_layers.onnx";
    let samples = sidecar(&Path::new(env!("CARGO_MANIFEST_DIR")).join(model))["inputs"].clone();
    let rows: Vec<Vec<f32>> = serde_json::from_value(samples).unwrap();
    let samples = Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap();
    let mut file = Vec::new();
    samples.write_npy(&mut file).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = in_folder(&folder, "samples.npy", &file);
    let report = json(&["compare", model, "--data", &data]);
    assert_eq!(
        (&layers(&report)[0]["stage"], &layers(&report)[1]["stage"]),
        (&"unoptimised".into(), &"optimised".into())
    );
    for layer in layers(&report) {
        assert!(layer["sqnr_db"].as_f64().unwrap() > 100.0, "{layer}");
    }
    let text = onnx2script(&["compare", model, "--data", &data, "-q"]).stdout;
    assert!(text.contains("dense 1* ") && text.contains("* read before the passes"), "{text}");
}

/// The README shows what the command prints.
#[test]
fn the_readme_shows_a_comparison() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let text = onnx2script(&["compare", MNIST, "--data", MNIST_DATA, "-q"]).stdout;
    for line in text.lines() {
        assert!(readme.contains(line.trim_end()), "README.md does not hold this line of compare:\n{text}");
    }
}
