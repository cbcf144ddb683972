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

/// What guards add is measured.
#[test]
fn guards_add_what_is_told() {
    use onnx2script::guard::{Guard, Payee, Refund};
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let mut model = onnx2script::onnx::Model::load("models/toy_2-2-2.onnx".as_ref()).unwrap();
    let mut adds = |guard: Guard| {
        let options = onnx2script::Options { guard, ..Default::default() };
        onnx2script::compile(&mut model, &options).unwrap().locking().guard_bytes()
    };
    let key = "751e76e8199196d454941c45d1b3a323f1433bd6".parse().unwrap();
    let payees = [("", Payee::Key(key)), (" for 6 blocks", Payee::Committed("6:1818d5a7".parse().unwrap()))];
    for (what, payee) in payees {
        let row = format!("| {} bytes{what} |", adds(Guard { payee, refund: None }));
        assert!(readme.contains(&row), "README.md does not hold `{row}`");
    }
    let refund = Some(Refund { key, lock_until: "900000".parse().unwrap() });
    let row = format!("| {} bytes for a height |", adds(Guard { payee: Payee::Anyone, refund }));
    assert!(readme.contains(&row), "README.md does not hold `{row}`");
}
