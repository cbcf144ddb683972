//! What `run` shows beyond its table, and the trace of what a script makes.

#[path = "common/binary.rs"]
mod binary;

use binary::onnx2script;

const MNIST: [&str; 7] =
    ["run", "models/mnist_784_64_10.onnx", "--data", "models/mnist_samples.npy", "--index", "3", "-q"];

fn stdout(args: &[&str]) -> String {
    let ran = onnx2script(args);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
    ran.stdout
}

#[test]
fn a_pipe_gets_the_table_alone_unless_asked() {
    let plain = stdout(&MNIST);
    assert!(plain.starts_with("sample               3 of models/mnist_samples.npy\n"), "{plain}");
    assert_eq!(stdout(&[&MNIST[..], &["--plain"]].concat()), plain);
    let shown = stdout(&[&MNIST[..], &["--show"]].concat());
    let (picture, rest) = shown.split_once("\n\n").unwrap();
    assert_eq!(picture.lines().count(), 28);
    assert!(picture.contains("@@@@") && !shown.contains('\x1b'), "{shown}");
    let (scores, table) = rest.split_once("\n\n").unwrap();
    assert_eq!(scores.lines().count(), 11);
    let chosen: Vec<&str> = scores.lines().filter(|line| line.ends_with('◀')).collect();
    assert!(chosen.len() == 1 && chosen[0].starts_with("  0 ████"), "{scores}");
    assert!(table.starts_with(&plain), "{table}");
    let fee = "18354 sat to lock";
    assert!(stdout(&[&MNIST[..], &["--show", "--input", "u8"]].concat()).contains(fee), "{table}");
    let rate = ["--show", "--input", "u8", "--fee-rate", "18446744073709551615"];
    assert!(stdout(&[&MNIST[..], &rate].concat()).contains("at 18446744073709551615 sat"));
}

#[test]
fn colours_are_there_where_they_are_wanted() {
    let shown = stdout(&[&MNIST[..], &["--show", "--color", "always"]].concat());
    assert_eq!(shown.lines().take_while(|line| line.contains('▀')).count(), 14);
    assert!(shown.contains("\x1b[38;") && shown.contains("\x1b[0m"));
    assert_eq!(onnx2script(&[&MNIST[..], &["--show", "--json"]].concat()).code, 2);
    assert_eq!(onnx2script(&[&MNIST[..], &["--show", "--plain"]].concat()).code, 2);
}

#[test]
fn every_kind_of_answer_is_shown() {
    let show = |name: &str, data: &str| {
        stdout(&["run", &format!("models/{name}.onnx"), "--data", &format!("models/{data}.npy"), "-q", "--show"])
    };
    assert!(show("iris_4-8-3", "iris_samples").lines().nth(1).unwrap().ends_with(" ◀"));
    let logit = show("breast_cancer_30-16-1", "breast_cancer_samples");
    assert!(logit.lines().nth(1).unwrap().starts_with("  logit, class 1 where above 0 "), "{logit}");
    let number = show("diabetes_10-16-1", "diabetes_samples");
    assert_eq!(number.lines().nth(1).unwrap(), "  number       263.622      263.622");
}
