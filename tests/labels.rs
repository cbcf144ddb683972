//! Outputs and class labels as a user meets them: which output a contract is about, and what its classes are called.

#[path = "common/binary.rs"]
mod binary;

use binary::onnx2script;
use ndarray::{Array1, Array2};
use ndarray_npy::WriteNpyExt;
use serde_json::{Value, json};

const FOLDER: &str = "tests/operators/accept";

/// A case: its model, a folder with its inputs as `data.npy`, and its classes.
struct Case {
    model: String,
    folder: tempfile::TempDir,
    classes: Vec<i64>,
}

impl Case {
    fn new(name: &str) -> Case {
        let path = format!("{}/{FOLDER}/{name}", env!("CARGO_MANIFEST_DIR"));
        let sidecar: Value = serde_json::from_slice(&std::fs::read(path.clone() + ".json").unwrap()).unwrap();
        let inputs: Vec<Vec<f64>> = serde_json::from_value(sidecar["inputs"].clone()).unwrap();
        let classes = serde_json::from_value(sidecar["classes"].clone()).unwrap_or_default();
        let flat: Vec<f64> = inputs.iter().flatten().copied().collect();
        let data = Array2::from_shape_vec((inputs.len(), flat.len() / inputs.len()), flat).unwrap();
        let case = Case { model: path + ".onnx", folder: tempfile::tempdir().unwrap(), classes };
        data.write_npy(std::fs::File::create(case.file("data.npy")).unwrap()).unwrap();
        case
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn json(&self, command: &str, more: &[&str]) -> Value {
        let data = self.file("data.npy");
        let args = [&[command, &self.model, "--data", &data, "--json", "-q"], more].concat();
        let ran = onnx2script(&args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }
}

#[test]
fn integer_labels_are_told_and_read() {
    let case = Case::new("linear_labels");
    let labels: Vec<i64> = case.classes.iter().map(|&class| [7, -3, 12][usize::try_from(class).unwrap()]).collect();
    let file = case.file("labels.npy");
    Array1::from_vec(labels.clone()).write_npy(std::fs::File::create(&file).unwrap()).unwrap();
    let report = case.json("eval", &["--labels", &file]);
    assert_eq!(report["predictions"], json!(labels));
    assert_eq!(report["float_predictions"], json!(labels));
    assert_eq!((&report["accuracy"], &report["agreement"]), (&json!(1.0), &json!(1.0)));
    assert_eq!(report["prediction_labels"], Value::Null);
    let run = case.json("run", &["--index", "2"]);
    assert_eq!((&run["class"], &run["claim"], &run["ok"]), (&json!(labels[2]), &json!(case.classes[2]), &json!(true)));
}

#[test]
fn a_label_that_the_model_does_not_have_is_refused() {
    let case = Case::new("linear_labels");
    let file = case.file("labels.npy");
    Array1::from_vec(vec![0i64; case.classes.len()]).write_npy(std::fs::File::create(&file).unwrap()).unwrap();
    let ran = onnx2script(&["eval", &case.model, "--data", &case.file("data.npy"), "--labels", &file, "-q"]);
    assert!(ran.code != 0 && ran.stderr.contains("no class with label 0"), "{}", ran.stderr);
}

#[test]
fn text_labels_stand_beside_the_index() {
    let case = Case::new("linear_strings");
    let names: Vec<&str> =
        case.classes.iter().map(|&class| ["ham", "spam", "jam"][usize::try_from(class).unwrap()]).collect();
    let report = case.json("eval", &[]);
    assert_eq!((&report["predictions"], &report["prediction_labels"]), (&json!(case.classes), &json!(names)));
    assert_eq!(case.json("run", &[])["label"], json!(names[0]));
    let notes = onnx2script(&[&case.model, "-o", &case.file("out.hex")]).stderr;
    assert!(notes.contains("0 is `ham`, 1 is `spam`, 2 is `jam`"), "{notes}");
}

#[test]
fn an_output_is_chosen_by_its_name() {
    let case = Case::new("named_output");
    assert_eq!(case.json("eval", &["--output", "second"])["predictions"], json!(case.classes));
    assert_eq!(case.json("eval", &["--model-output", "second"])["predictions"], json!(case.classes));
    let none = onnx2script(&[&case.model, "-q"]);
    assert!(none.code == 1 && none.stderr.contains("2 outputs: `first`, `second`"), "{}", none.stderr);
    let wrong = onnx2script(&[&case.model, "--model-output", "third", "-q"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("no output `third`"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("`first`, `second`"), "{}", wrong.stderr);
}

#[test]
fn a_class_label_is_the_output_that_is_taken_by_itself() {
    let case = Case::new("class_and_probabilities");
    let ran = onnx2script(&[&case.model, "-o", &case.file("out.hex")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("the contract is about output `class`, not `probabilities`"), "{}", ran.stderr);
}

#[test]
fn what_tract_cannot_run_is_compared_with_the_network_itself() {
    let case = Case::new("keras_guard");
    let ran = onnx2script(&["eval", &case.model, "--data", &case.file("data.npy"), "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["float_predictions"], json!(case.classes));
    assert!(ran.stderr.contains("the float model is this compiler's own reading"), "{}", ran.stderr);
}
