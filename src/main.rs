//! The command line of onnx2script.

fn main() {}
