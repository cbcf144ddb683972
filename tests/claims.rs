//! Files of a kilobyte that claim to hold, or to mean, a million million elements: refused within seconds and a few
//! hundred megabytes, by a program that is given no more of either.
#![cfg(unix)]

#[path = "common/proto.rs"]
mod proto;

use std::io::{Cursor, Write};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{GrayImage, ImageFormat};
use prost::Message;
use proto::{floats, model, node};
use tract_onnx::pb::{NodeProto, TensorProto, tensor_proto::DataType};

/// No file here is longer.
const MOST_BYTES: usize = 1100;
/// What the program is given: address space in KiB, and seconds of a processor.
const LIMITS: &str = "ulimit -v 600000 && ulimit -t 30";
const MANY: i64 = 1 << 40;
const TOY: &str = "models/toy_2-2-2.onnx";

/// Gives a file to a command, as its last argument, which must refuse it in these words.
fn demand_refused(name: &str, args: &[&str], file: &[u8], reason: &str) {
    assert!(file.len() <= MOST_BYTES, "{name}: {} bytes", file.len());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, file).unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("{LIMITS} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_onnx2script")])
        .args(args)
        .arg(&path)
        // Each thread has an arena, which is address space.
        .envs([("RAYON_NUM_THREADS", "1"), ("MALLOC_ARENA_MAX", "1")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{name}: {} {told}", output.status);
    assert!(told.contains(reason), "{name}: {told}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn npy(shape: &str) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &[header.len() as u8, 0][..], header.as_bytes(), &[0; 900]].concat()
}

/// A picture of one pixel.
fn pixel(kind: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    GrayImage::new(1, 1).write_to(&mut file, kind).unwrap();
    file.into_inner()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = pixel(ImageFormat::Png);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let mut check = flate2::Crc::new();
    check.update(&file[12..29]);
    file[29..33].copy_from_slice(&check.sum().to_be_bytes());
    file
}

fn jpeg() -> Vec<u8> {
    let mut file = pixel(ImageFormat::Jpeg);
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    file[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    file
}

#[test]
fn sample_files_hold_what_they_claim() {
    let idx: Vec<u8> = [&[0, 0, 8, 2][..], &[0, 16, 0, 0, 0, 16, 0, 0], &[0; 900]].concat();
    let bomb = gzip(&[&idx[..], &vec![0; 1_000_000]].concat());
    let nested = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let files = [
        ("x.npy", npy("(1099511627776, 2)"), "claims more elements than the file holds"),
        ("x.npy", npy("(1048576, 1048576)"), "claims more elements than the file holds"),
        ("x.npy", npy("(18446744073709551615, 18446744073709551615)"), "claims more elements than the file holds"),
        ("x.npy", npy("(0, 1099511627776)"), "claims more elements than the file holds"),
        ("x.idx", idx.clone(), "its header says [1048576, 1048576], but 900 bytes of data follow"),
        ("x.idx.gz", gzip(&idx), "its header says [1048576, 1048576], but 900 bytes of data follow"),
        ("bomb.gz", bomb, "its header says [1048576, 1048576], but 1000900 bytes of data follow"),
        ("x.png", png(1 << 20, 1 << 20), "the picture claims 1048576 x 1048576 pixels"),
        ("x.png", png(1 << 31, 1 << 31), "cannot read"),
        ("x.png", png(i32::MAX as u32, i32::MAX as u32), "cannot read"),
        ("x.jpg", jpeg(), "the picture claims 65535 x 65535 pixels"),
        ("x.json", nested.into_bytes(), "recursion limit"),
        ("x.json", b"[1e1099511627776]".to_vec(), "number out of range"),
        (
            "x.csv",
            [b"1,2\n".repeat(100), vec![b','; 600]].concat(),
            "row 100 (line 101): column 0: a number is missing",
        ),
    ];
    for (name, file, reason) in files {
        let model = if name.ends_with("g") { "models/digits_64_32_10.onnx" } else { TOY };
        demand_refused(name, &["run", model, "--index", "0", "-q", "--data"], &file, reason);
    }
}

fn integers(name: &str, values: &[i64]) -> TensorProto {
    let (dims, int64_data, data_type) = (vec![values.len() as i64], values.to_vec(), DataType::Int64 as i32);
    TensorProto { name: name.into(), dims, data_type, int64_data, ..Default::default() }
}

/// A float tensor that has these dimensions and 800 bytes.
fn short(name: &str, dims: &[i64]) -> TensorProto {
    let (dims, raw_data, data_type) = (dims.to_vec(), vec![0; 800], DataType::Float as i32);
    TensorProto { name: name.into(), dims, data_type, raw_data, ..Default::default() }
}

/// What a network of these nodes, which make `w`, and then of a product with it or a sum, is refused for.
fn demand_model(name: &str, input: &[i64], nodes: Vec<NodeProto>, tensors: Vec<TensorProto>, reason: &str) {
    let model = model((DataType::Float, input), nodes, tensors);
    demand_refused(name, &["-q", "-o", "/dev/null"], &model.encode_to_vec(), reason);
}

#[test]
fn weights_hold_what_they_claim() {
    let product = || vec![node("MatMul", &["x", "w"], "y")];
    let gemm = || vec![node("Gemm", &["x", "w", "w"], "y")];
    for dims in [&[2, MANY / 2][..], &[MANY, MANY], &[2, i64::MAX], &[2, -1], &[2; 64]] {
        demand_model("short.onnx", &[1, 2], product(), vec![short("w", dims)], "initializer `w`");
        demand_model("short.onnx", &[1, 2], gemm(), vec![short("w", dims)], "initializer `w`");
    }
    for input in [&[1, MANY][..], &[1, 1 << 19], &[1, 1 << 20, 1 << 20], &[1, i64::MAX, i64::MAX]] {
        let nodes = vec![node("ArgMax", &["x"], "y")];
        demand_model("input.onnx", input, nodes, vec![], "more than 262144 elements");
    }
}

#[test]
fn computed_constants_are_no_larger_than_files() {
    let one = || floats("one", &[1, 1], &[1.0]);
    let size = |dims: &[i64]| vec![one(), integers("size", dims)];
    let then = |first: NodeProto| vec![first, node("MatMul", &["x", "w"], "m"), node("ArgMax", &["m"], "y")];
    for dims in [[2, MANY / 2], [2, 1 << 25], [1 << 18, 2]] {
        let filled = then(node("ConstantOfShape", &["size"], "w"));
        demand_model("filled.onnx", &[1, 2], filled, size(&dims), "computes a constant of");
        let expanded = then(node("Expand", &["one", "size"], "w"));
        demand_model("expanded.onnx", &[1, 2], expanded, size(&dims), "computes a constant of");
    }
    let tiled = then(node("Tile", &["one", "size"], "w"));
    demand_model("tiled.onnx", &[1, 2], tiled, size(&[2, MANY]), "this op is not supported");
    let padded = then(node("Pad", &["one", "size"], "w"));
    demand_model("padded.onnx", &[1, 2], padded, size(&[0, 0, 1, MANY]), "this op is not supported");
    let scalar = |name: &str, value: i64| TensorProto { dims: vec![], ..integers(name, &[value]) };
    let range = vec![node("Range", &["a", "b", "c"], "r"), node("Gather", &["x", "r"], "y")];
    let bounds = vec![scalar("a", 0), scalar("b", MANY), scalar("c", 1)];
    demand_model("range.onnx", &[1, 2], range, bounds, "computes a constant of 1099511627776 elements");
}

#[test]
fn computed_values_are_few() {
    for count in [MANY, 1 << 26, 1 << 19] {
        let nodes = vec![node("Expand", &["x", "size"], "m"), node("ArgMax", &["m"], "y")];
        demand_model("expanded.onnx", &[1, 1], nodes, vec![integers("size", &[1, count])], "elements");
    }
    // Sixteen of each, eight times: four thousand million.
    let names: Vec<String> = (0..9).map(|at| if at == 0 { "x".to_owned() } else { format!("v{at}") }).collect();
    let joined = |pair: &[String]| proto::with_int(node("Concat", &[pair[0].as_str(); 16], &pair[1]), "axis", 1);
    let mut nodes: Vec<NodeProto> = names.windows(2).map(joined).collect();
    nodes.push(node("ArgMax", &["v8"], "y"));
    demand_model("joined.onnx", &[1, 4], nodes, vec![], "at most 524288 are compiled");
}
