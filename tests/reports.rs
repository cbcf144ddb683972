//! What people read, as snapshots: the explanation of every model, the whole listing of the tiny ones.

use std::path::Path;

use insta::{assert_snapshot, glob};
use onnx2script::codegen::{Emitted, Form, Products, Strategy};
use onnx2script::onnx::Model;
use onnx2script::quant::Weights;
use onnx2script::report::{explain, limits, listing};
use onnx2script::{Compiled, Options, compile};

/// Scripts up to this many instructions are listed whole.
const TINY: usize = 600;

fn compiled(path: &Path) -> Compiled {
    let mut model = Model::load(path).unwrap();
    compile(&mut model, &Options::default()).unwrap()
}

fn settings(path: &Path, what: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_suffix(format!("{}.{what}", path.file_stem().unwrap().to_string_lossy()));
    settings.set_omit_expression(true);
    settings.set_input_file(path);
    settings
}

#[test]
fn explanations() {
    glob!("../models", "*.onnx", |path| {
        let report = explain::explain(&compiled(path), 100);
        settings(path, "explain").bind(|| assert_snapshot!("report", report));
    });
}

#[test]
fn listings() {
    glob!("../models", "*.onnx", |path| {
        let compiled = compiled(path);
        let listing = listing::listing(&compiled);
        // Every instruction has its line, and the offsets end where the script does.
        let lines: Vec<&str> = listing.lines().filter(|line| line.contains(" | ")).collect();
        assert_eq!(lines.len(), compiled.script.instructions.len());
        let last: usize = lines.last().unwrap().split_whitespace().next().unwrap().parse().unwrap();
        assert_eq!(last + 1, compiled.script.byte_len());
        if lines.len() <= TINY {
            settings(path, "listing").bind(|| assert_snapshot!("report", listing));
        }
    });
}

/// Both forms of packed code, in as few lines as there can be; reports tell each layer's.
#[test]
fn packed_listings() {
    for name in ["iris_4-8-3", "diabetes_10-16-1"] {
        let path = format!("models/{name}.onnx");
        packed_listing(Path::new(&path));
    }
}

fn packed_listing(path: &Path) {
    let mut options = Options { input: "u8".parse().unwrap(), ..Options::default() };
    options.quant.weights = vec![Weights::Int { bits: 8 }];
    options.codegen.strategy = Strategy::Packed;
    let compiled = compile(&mut Model::load(path).unwrap(), &options).unwrap();
    let report = explain::explain(&compiled, 100);
    for Emitted { form, .. } in &compiled.layers {
        let told = match form {
            Form::Unrolled => panic!("{report}"),
            Form::Rows { lane_bits } => format!("packed in rows: lanes of {lane_bits} bits"),
            Form::Products(Products { bits, .. }) => format!("packed: {bits} bits a weight"),
        };
        assert!(report.contains(&told), "{report}");
    }
    settings(path, "packed-listing").bind(|| assert_snapshot!("report", listing::listing(&compiled)));
}

/// What reports say of dense layers covers them all, and lanes are as wide as the weights in them.
#[test]
fn emitted_layers_are_all_dense_layers() {
    glob!("../models", "*.onnx", |path| {
        let compiled = compiled(path);
        let weights: usize = compiled.layers.iter().map(|layer| layer.weights).sum();
        assert_eq!(weights, compiled.optimised.weights());
        for Emitted { bits, form, .. } in &compiled.layers {
            let Form::Products(Products { bits: stored, lane_bits, parts, .. }) = form else { continue };
            assert!(stored >= bits && *lane_bits == stored * parts);
        }
    });
}

/// The bounds that the report tells are bounds: the interpreter never counts more.
#[test]
fn needs_bound_what_the_interpreter_counts() {
    glob!("../models", "*.onnx", |path| {
        let compiled = compiled(path);
        let needs = limits::needs(&compiled);
        let len = compiled.ir.input.byte_len(compiled.graph.input_len());
        for fill in [0x00, 0x7f, 0xff, 0x55] {
            let items = compiled.contract.unlocking_items(&0.into(), vec![fill; len]);
            let unlocking = onnx2script::script::code::pushes(&items);
            let outcome = onnx2script::interp::run(unlocking.as_bytes(), &compiled.script.to_bytes(), &compiled.target);
            assert!(outcome.stats.peak_memory <= needs.stack_bytes, "{:?} {needs:?}", outcome.stats);
            assert!(outcome.stats.peak_items <= needs.stack_items);
            assert_eq!(outcome.stats.instructions, needs.instructions as u64 + 2);
        }
    });
}
