//! The README says what is true.

use onnx2script::graph::SUPPORTED;

/// The table of supported ops is generated from the code. On a difference, the message holds the table to paste.
#[test]
fn the_table_of_supported_ops_is_the_code_s() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows = SUPPORTED.iter().map(|op| format!("| {} | {} |\n", op.op, op.how));
    let table: String = std::iter::once("| op | |\n|---|---|\n".to_owned()).chain(rows).collect();
    assert!(readme.contains(&table), "README.md does not hold this table:\n{table}");
}

/// The figures of the rescale table, and of the first paragraphs, are measured.
#[test]
fn the_sizes_told_are_the_sizes_made() {
    use onnx2script::report::limits::grouped;
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let mut model = onnx2script::onnx::Model::load("models/mnist_784_64_10.onnx".as_ref()).unwrap();
    for rescale in ["product", "sum", "none"] {
        let quant = onnx2script::quant::Options { rescale: rescale.parse().unwrap(), ..Default::default() };
        let compiled = onnx2script::compile(&mut model, &onnx2script::Options { quant, ..Default::default() }).unwrap();
        let bytes = grouped(compiled.script.byte_len() as u64);
        let instructions = grouped(compiled.script.instructions.len() as u64);
        let row = format!("| {bytes} | {instructions} |");
        assert!(readme.contains(&row), "README.md does not hold `{row}` for {rescale}");
        if rescale == "sum" {
            assert!(readme.contains(&format!("{bytes} bytes and {instructions} instructions")));
        }
    }
}
