//! What fuzzing runs, for about a second each: the seeds of `tests/fuzz/seeds`, and changes of them that are the same on every
//! run. `fuzz/README.md` says how to run it for hours.

mod bodies;
#[path = "../common/mod.rs"]
mod common;
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use common::random::Random;

/// The seeds of a target, by name.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no seeds in {}", folder.display());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Runs a body on every seed and on so many changes of them; of these inputs it must use so many, and not only refuse them.
fn fuzz(target: &str, body: fn(&[u8]) -> bool, changes: usize, least_used: usize) {
    let seeds = seeds(target);
    let mut random = Random(1);
    let mut used = 0;
    let mut run = |input: &[u8]| {
        let ended = catch_unwind(AssertUnwindSafe(|| body(input)));
        used += usize::from(ended.unwrap_or_else(|_| panic!("{target} fails on these bytes: {}", hex(input))));
    };
    seeds.iter().for_each(|seed| run(seed));
    for at in 0..changes {
        let other = &seeds[random.next() as usize % seeds.len()];
        run(&mutate::mutated(&seeds[at % seeds.len()], other, &mut random));
    }
    assert!(used >= least_used, "{target}: {used} of {} inputs were used", seeds.len() + changes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn onnx() {
    fuzz("onnx", bodies::onnx::run, 40, 10);
}

#[test]
fn artifact() {
    fuzz("artifact", bodies::artifact::run, 200, 10);
}

#[test]
fn script() {
    fuzz("script", bodies::script::run, 2000, 1000);
}

#[test]
fn ir() {
    fuzz("ir", bodies::ir::run, 20, 10);
}

#[test]
fn text() {
    fuzz("text", bodies::text::run, 2000, 100);
}

#[test]
fn data() {
    fuzz("data", bodies::data::run, 1000, 50);
}
