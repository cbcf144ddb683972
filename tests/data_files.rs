//! Samples in files of every format: the same digit gives the same answer, whatever file it comes in; and no bytes
//! make a reader panic.
//!
//! The pictures in tests/data are sample 3 of models/mnist_samples.npy as a PNG of 28 x 28, the same black on white,
//! and a JPEG of 112 x 112 of it; `pictures_are_the_sample` says how, and writes them when
//! WRITE_PICTURES is set.

use std::io::{Cursor, Write};
use std::process::{Command, Stdio};

use image::{DynamicImage, GrayImage, ImageFormat, imageops::FilterType};
use onnx2script::data::{Elements, Reader, Samples};
use proptest::prelude::*;

#[path = "common/binary.rs"]
mod binary;

use binary::onnx2script;

const MODEL: &str = "models/mnist_784_64_10.onnx";
const SAMPLES: &str = "models/mnist_samples.npy";
const INDEX: usize = 3;
const DIGIT: &str = "tests/data/digit.png";
const INVERTED: &str = "tests/data/digit-black-on-white.png";
const LARGE: &str = "tests/data/digit-112x112.jpg";

/// The sample's bytes.
fn sample() -> Vec<u8> {
    let samples = Samples::load(SAMPLES.as_ref()).unwrap();
    let Elements::Bytes(bytes) = samples.elements else { panic!("MNIST is bytes") };
    bytes[INDEX * 784..][..784].to_vec()
}

fn picture(bytes: Vec<u8>) -> DynamicImage {
    GrayImage::from_raw(28, 28, bytes).unwrap().into()
}

fn encoded(picture: &DynamicImage, kind: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, kind).unwrap();
    file.into_inner()
}

#[test]
fn pictures_are_the_sample() {
    let digit = picture(sample());
    let inverted = picture(sample().iter().map(|byte| 255 - byte).collect());
    let large = digit.resize_exact(112, 112, FilterType::CatmullRom);
    if std::env::var_os("WRITE_PICTURES").is_some() {
        for (path, picture, kind) in [
            (DIGIT, &digit, ImageFormat::Png),
            (INVERTED, &inverted, ImageFormat::Png),
            (LARGE, &large, ImageFormat::Jpeg),
        ] {
            std::fs::write(path, encoded(picture, kind)).unwrap();
        }
    }
    for (path, invert, off) in [(DIGIT, false, 0), (INVERTED, true, 0), (LARGE, false, 7)] {
        let reader = Reader { shape: Some(&[1, 784]), invert };
        let Elements::Bytes(bytes) = reader.read(path.as_ref()).unwrap().samples.elements else { panic!("{path}") };
        let differences: u32 = bytes.iter().zip(sample()).map(|(&read, byte)| u32::from(read.abs_diff(byte))).sum();
        assert!(differences <= off * 784, "{path}: bytes differ by {differences} in all");
    }
}

/// What `run` says of a file, as JSON without the sample's number.
fn run(args: &[&str]) -> (serde_json::Value, String) {
    let ran = onnx2script(&[&["run", MODEL, "--json", "--input", "u8"], args].concat());
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    let mut report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    report.as_object_mut().unwrap().remove("sample");
    (report, ran.stderr)
}

#[test]
fn every_format_gives_the_same_run() {
    let (expected, _) = run(&["--data", SAMPLES, "--index", "3"]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    };
    let numbers: Vec<String> = sample().iter().map(ToString::to_string).collect();
    let header: Vec<String> = (0..784).map(|pixel| format!("\"pixel {pixel}\"")).collect();
    let zeros = ["0"; 784].join(",");
    let csv = file("x.csv", format!("{}\r\n{zeros}\r\n{}\r\n", header.join(","), numbers.join(",")).as_bytes());
    let flat = file("flat.json", format!("[{}]", numbers.join(", ")).as_bytes());
    let rows: Vec<String> = numbers.chunks(28).map(|row| format!("[{}]", row.join(","))).collect();
    let nested = file("nested", format!("[[[{zeros}]], [{}]]", rows.join(",")).as_bytes());
    for args in [
        &["--data", DIGIT][..],
        &["--data", INVERTED, "--invert"],
        &["--data", &csv, "--index", "1", "--unit", "1/255"],
        &["--data", &format!("{csv}@1.."), "--unit", "1/255"],
        &["--data", &flat, "--unit", "1/255"],
        &["--data", &nested, "--index", "1", "--unit", "1/255"],
    ] {
        let (report, stderr) = run(args);
        assert_eq!(report, expected, "{args:?}");
        let picture = args[1].ends_with(".png");
        assert_eq!(stderr.contains("takes the picture as 28 x 28 pixels, row by row, in grey"), picture, "{stderr}");
        assert!(!stderr.contains("resized"), "{stderr}");
    }
    let (report, stderr) = run(&["--data", LARGE]);
    assert_eq!(report["class"], expected["class"]);
    assert!(stderr.contains("warning: the picture is resized from 112 x 112 to 28 x 28 pixels"), "{stderr}");
}

/// The first rows of iris, as text.
fn iris_rows() -> Vec<String> {
    let samples = Samples::load("models/iris_samples.npy".as_ref()).unwrap();
    let Elements::Floats(floats) = samples.elements else { panic!("iris is floats") };
    let text = |row: &[f64]| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    floats.chunks(4).map(text).collect()
}

/// The classes that iris's sidecar has for them.
fn iris_classes() -> Vec<u64> {
    let sidecar = std::fs::read("models/iris_4-8-3.json").unwrap();
    let sidecar: serde_json::Value = serde_json::from_slice(&sidecar).unwrap();
    sidecar["classes"].as_array().unwrap().iter().map(|class| class.as_u64().unwrap()).collect()
}

#[test]
fn standard_input_is_read_once() {
    let spawn = |args: &[&str], content: &[u8]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_onnx2script"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever refuses the command line does not read.
        let _ = child.stdin.take().unwrap().write_all(content);
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let iris = "models/iris_4-8-3.onnx";
    let (code, text) = spawn(&["run", iris, "--data", "-", "--json", "-q"], format!("[{}]", iris_rows()[0]).as_bytes());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("\"class\":{},", iris_classes()[0])), "{text}");
    let (code, text) = spawn(&["eval", iris, "--data", "-", "--labels", "-", "-q"], b"5.1,3.5,1.4,0.2\n");
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("standard input"), "{text}");
    let (code, text) = spawn(&["run", iris, "--data", "-"], b"5.1,3.5,1.4,0.2\n1,2,3\n");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("standard input: row 1 (line 2) holds 3 numbers, but row 0 4"), "{text}");
}

#[test]
fn tables_serve_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    };
    let iris = "models/iris_4-8-3.onnx";
    let data = file("x.csv", &format!("a,b,c,d\n{}\n", iris_rows()[..3].join("\n")));
    let labels = file("y.json", &format!("{:?}", iris_classes()[..3].chunks(1).collect::<Vec<_>>()));
    let others = file("z.json", &format!("[[{}]]", iris_rows()[5..15].join("],[")));
    let eval = onnx2script(&["eval", iris, "--data", &data, "--labels", &labels, "--json", "-q"]);
    assert_eq!(eval.code, 0, "{}", eval.stderr);
    let report: serde_json::Value = serde_json::from_str(&eval.stdout).unwrap();
    assert_eq!((&report["samples"], &report["accuracy"]), (&3.into(), &1.0.into()), "{report}");
    let compare = onnx2script(&["compare", iris, "--data", &data, "-q", "--weights", "int4", "--calibrate", &others]);
    assert_eq!(compare.code, 0, "{}", compare.stderr);
    assert!(compare.stdout.contains("samples    3 of"), "{}", compare.stdout);
    let picture = onnx2script(&["run", "models/breast_cancer_30-16-1.onnx", "--data", DIGIT, "-q"]);
    assert_eq!(picture.code, 1);
    assert!(picture.stderr.contains("digit.png`: it is a picture, but the model's input of shape [1, 30]"));
    let labels = onnx2script(&["eval", iris, "--data", &data, "--labels", DIGIT, "-q"]);
    assert!(labels.code == 1 && labels.stderr.contains("a table of numbers is needed"), "{}", labels.stderr);
}

/// Bytes that begin as one of the formats does.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let digit = std::fs::read(DIGIT).unwrap();
    let jpeg = std::fs::read(LARGE).unwrap();
    let begins: Vec<Vec<u8>> =
        [&b""[..], b"[", b"[[1,2],", b"1,2\n", b"\x93NUMPY\x01\x00", b"\x1f\x8b\x08", b"\0\0\x08\x02"]
            .iter()
            .map(|begin| begin.to_vec())
            .chain([digit[..digit.len() / 2].to_vec(), digit[..33].to_vec(), jpeg[..300].to_vec(), jpeg.clone()])
            .collect();
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let text = "[-0-9.,;\"\\[\\] \r\neE]{0,200}".prop_map(String::into_bytes);
    let damaged = (prop::sample::select(vec![digit, jpeg]), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(mut file, at, byte)| {
            let at = at.index(file.len());
            file[at] = byte;
            file
        },
    );
    let begun =
        (prop::sample::select(begins), prop_oneof![noise, text]).prop_map(|(begin, rest)| [begin, rest].concat());
    prop_oneof![3 => begun, 1 => damaged]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn no_bytes_make_a_reader_panic(file in files(), name in "x(.csv|.json|)", invert in any::<bool>()) {
        let reader = Reader { shape: Some(&[1, 64]), invert };
        if let Ok(loaded) = reader.parse(&file, name.as_ref()) {
            prop_assert!(!loaded.samples.is_empty() && loaded.samples.sample_len > 0);
        }
    }
}
