//! Packed contracts: how long each stage takes to make one, and the interpreter to run it. Run with
//! `cargo bench --bench packed`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use onnx2script::codegen::{self, Optimise};
use onnx2script::onnx::Model;
use onnx2script::passes::{self, Level};
use onnx2script::target::Target;
use onnx2script::{Compiled, Options, bignum, compile, graph, interp, quant, script, stack};

const MODEL: &str = "models/mnist_784_64_10.onnx";

fn options(weights: &str, optimise: Optimise) -> Options {
    let weights = vec![weights.parse().expect("a choice of weights")];
    Options {
        input: "u8:1/255".parse().expect("an input format"),
        quant: quant::Options { weights, ..quant::Options::default() },
        codegen: codegen::Options { optimise, ..codegen::Options::default() },
        ..Options::default()
    }
}

fn model() -> Model {
    Model::load(MODEL.as_ref()).expect("the article's network")
}

fn compiled(weights: &str, optimise: Optimise) -> Compiled {
    compile(&mut model(), &options(weights, optimise)).expect("a network that packs")
}

/// Stage by stage, for 8-bit weights.
fn stages(criterion: &mut Criterion) {
    let options = options("int8", Optimise::Size);
    let graph = graph::import(&mut model()).expect("a graph");
    let input = options.input.resolve(graph.input_element.is_integer());
    let quantise = || quant::quantise(&graph, input.clone(), &options.quant).expect("integers");
    let ir = quantise();
    let optimise = || passes::run(&ir, Level::Full, None).expect("passes");
    let optimised = optimise();
    let lower = || {
        codegen::lower(
            &optimised,
            codegen::Frame { contract: options.contract, below: 0 },
            &options.codegen,
            &options.target,
        )
        .expect("a program")
        .program
    };
    let program = lower();
    let laid_out = || stack::schedule(&program, options.codegen.layout);
    let bytes = laid_out().to_bytes();

    let mut group = criterion.benchmark_group("compile int8");
    group.sample_size(10);
    group.bench_function("import", |bencher| bencher.iter(|| graph::import(&mut model()).expect("a graph")));
    group.bench_function("quantise", |bencher| bencher.iter(quantise));
    group.bench_function("passes", |bencher| bencher.iter(optimise));
    group.bench_function("plan and lower", |bencher| bencher.iter(lower));
    group.bench_function("verify", |bencher| bencher.iter(|| bignum::verify(&program, &options.target)));
    group.bench_function("schedule", |bencher| bencher.iter(laid_out));
    group.bench_function("check", |bencher| bencher.iter(|| stack::check(&program, &bytes)));
    group.finish();
}

/// One spend in the interpreter.
fn interpretation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("interpret");
    group.sample_size(20);
    for weights in ["int8", "int6", "int4", "fixed:1e8"] {
        for optimise in [Optimise::Size, Optimise::Balanced, Optimise::Speed] {
            let compiled = compiled(weights, optimise);
            let pixels: Vec<u8> = (0..784).map(|pixel: usize| (pixel * 37 % 256) as u8).collect();
            let class = onnx2script::ir::eval(&compiled.optimised, &compiled.ir.input.decode(&pixels, pixels.len()));
            let items = compiled.contract.unlocking_items(&class, pixels);
            let (unlocking, locking) = (script::code::pushes(&items), compiled.script.to_bytes());
            let run = || interp::run(black_box(unlocking.as_bytes()), black_box(&locking), &Target::default());
            assert!(run().is_ok());
            group.bench_function(BenchmarkId::new(weights, optimise), |bencher| bencher.iter(run));
        }
    }
    group.finish();
}

criterion_group!(benches, stages, interpretation);
criterion_main!(benches);
