//! The interpreter against the node, on every vector.

use std::io::Read;

use onnx2script::interp::vectors;

const VECTORS: &[u8] = include_bytes!("vectors/bsv_node_vectors.tsv.gz");
/// How many disagreements a failure prints.
const SHOWN: usize = 20;

#[test]
fn every_vector_of_the_node_agrees() {
    let mut text = String::new();
    flate2::read::GzDecoder::new(VECTORS).read_to_string(&mut text).expect("the vectors are gzipped text");
    let report = vectors::check(&text).expect("the vectors are well formed");
    let first: Vec<String> = report.disagreements.iter().take(SHOWN).map(ToString::to_string).collect();
    assert_eq!(report.failed, 0, "{} passed; the first that failed:\n{}", report.passed, first.join("\n"));
    assert_eq!(report.passed, 6000);
}
