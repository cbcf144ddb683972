//! What is true of every model in `models/`: a file added there adds its tests.

mod common;

use std::fmt::Write;
use std::path::Path;

use common::{DEFAULT, Lock, Sampled, TARGETS, floats, models, options, oracle, random};
use insta::Settings;
use num_bigint::BigInt;
use onnx2script::codegen::Contract;
use onnx2script::ir::Ir;
use onnx2script::onnx::reference::Reference;
use onnx2script::passes::{Keeps, Level};
use onnx2script::quant::Rescale;
use onnx2script::target::Target;
use onnx2script::{Options, bignum, ir, passes, stack};

const RESCALES: [Rescale; 3] = [Rescale::Sum, Rescale::None, Rescale::Product];
/// Bignum programs of up to this many instructions are kept whole.
const SMALL_PROGRAM: usize = 200;
/// Scripts of up to this many instructions are kept whole.
const TINY_SCRIPT: usize = 100;
/// A run of a longer script takes milliseconds.
const LARGE_SCRIPT: usize = 100_000;
/// Samples at the least for which every mode must give the float model's class on the article's network.
const MNIST_SAMPLES: usize = 300;

#[test]
fn what_each_stage_makes() {
    insta::glob!("../models", "*.onnx", |path| snapshot(&Sampled::load(path)));
}

fn snapshot(sampled: &Sampled) {
    let compiled = sampled.compile(&Options::default());
    let keep = |what: &str, text: &str| {
        let mut settings = Settings::clone_current();
        settings.set_snapshot_path(Path::new("../snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.remove_snapshot_suffix();
        settings.remove_input_file();
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("{}.{what}", sampled.name), text));
    };
    keep("ir", &ir::print(&compiled.ir));
    keep("ir-opt", &ir::print(&compiled.optimised));
    if compiled.program.instructions.len() <= SMALL_PROGRAM {
        keep("bignum", &bignum::print(&compiled.program));
    }
    if compiled.script.instructions.len() <= TINY_SCRIPT {
        keep("asm", &compiled.script.to_asm());
    }
    keep("scripts", &scripts(sampled));
}

/// One line for each way to compile a model: a change of any byte shows.
fn scripts(sampled: &Sampled) -> String {
    let mut text = format!("{:12} {:8} {:>8} {:>13}  sha256\n", "input", "rescale", "bytes", "instructions");
    let mut inputs = sampled.inputs();
    if inputs.len() == 1 {
        inputs.push("u8:1/255".into());
    }
    for input in inputs {
        for rescale in RESCALES {
            let script = sampled.compile(&options(&input, rescale)).script;
            let (bytes, instructions) = (script.byte_len(), script.instructions.len());
            let rescale = rescale.to_string();
            let _ = writeln!(text, "{input:12} {rescale:8} {bytes:8} {instructions:13}  {}", script.sha256());
        }
    }
    text
}

#[test]
fn the_float_model_gives_the_answer_for_every_sample() {
    for sampled in models() {
        let reference = Reference::new(&sampled.model).unwrap();
        let graph = sampled.compile(&Options::default()).graph;
        for (index, (sample, answer)) in sampled.rows().enumerate() {
            let output = reference.run(&floats(sample)).unwrap();
            let got = graph.prediction_of(&output);
            assert!(sampled.agreement().holds(got, answer), "{} sample {index}: {got:?}", sampled.name);
        }
    }
}

#[test]
fn all_levels_agree_on_every_sample_rescaling_sums() {
    models().iter().for_each(|sampled| agree(sampled, Rescale::Sum));
}

#[test]
fn all_levels_agree_on_every_sample_without_rescaling() {
    models().iter().for_each(|sampled| agree(sampled, Rescale::None));
}

#[test]
fn all_levels_agree_on_every_sample_rescaling_products() {
    models().iter().for_each(|sampled| agree(sampled, Rescale::Product));
}

/// The definition, the bignum program and the script give the answer for every sample, under all rules
/// and whether it is claimed or left.
fn agree(sampled: &Sampled, rescale: Rescale) {
    for input in sampled.inputs() {
        let claim = Lock::new(sampled.compile(&options(&input, rescale)));
        let class = Options { contract: Contract::Class, ..options(&input, rescale) };
        let class = Lock::new(sampled.compile(&class));
        demand_verified(&claim);
        demand_verified(&class);
        // Runs of a large script take milliseconds: of it, fixed-point claims run on every sample, and the
        // rest on every tenth.
        let large = claim.bytes.len() > LARGE_SCRIPT;
        for (index, (sample, expected)) in sampled.rows().enumerate() {
            let bytes = claim.encode(sample);
            let got = claim.prediction(&bytes);
            let agrees = sampled.agreement().holds(got, expected);
            assert!(agrees, "{} sample {index}, {input}, {rescale}: {got:?} instead of {expected:?}", sampled.name);
            let (targets, answer) = (targets(&claim), claim.class(&bytes));
            if !large || index % 10 == 0 {
                claim.demand(&claim.items(&answer, &bytes), &targets);
                class.demand(&class.items(&answer, &bytes), &targets);
            } else if input == "fixed" {
                claim.demand(&claim.items(&answer, &bytes), &targets[..1]);
            }
        }
    }
}

fn demand_verified(lock: &Lock) {
    ir::verify(&lock.compiled.ir).unwrap();
    ir::verify(&lock.compiled.optimised).unwrap();
    stack::check(&lock.compiled.program, &lock.bytes).unwrap();
    for target in targets(lock) {
        bignum::verify(&lock.compiled.program, &target).unwrap();
    }
}

/// Where a script can run: everywhere, but for policy's limit on its length.
fn targets(lock: &Lock) -> Vec<Target> {
    let fits = |target: &Target| lock.bytes.len() <= target.max_script_bytes();
    let targets: Vec<Target> = TARGETS.into_iter().filter(fits).collect();
    assert_eq!(targets.len(), if fits(&DEFAULT) { 4 } else { 2 });
    targets
}

/// What the issue demands of the network of the article.
#[test]
fn there_are_enough_samples_of_the_articles_network() {
    assert!(common::model("mnist_784_64_10").samples.len() >= MNIST_SAMPLES);
}

#[test]
fn every_optimisation_level_gives_the_answer_for_every_sample() {
    for sampled in models() {
        for rescale in RESCALES {
            for level in [Level::None, Level::Exact, Level::Full] {
                let options = Options { level, ..options("fixed", rescale) };
                let lock = Lock::new(sampled.compile(&options));
                for (index, (sample, answer)) in sampled.rows().enumerate() {
                    let got = lock.prediction(&lock.encode(sample));
                    let context = format!("{} sample {index}, level {level}, {rescale}", sampled.name);
                    assert!(sampled.agreement().holds(got, answer), "{context}: {got:?} instead of {answer:?}");
                }
            }
        }
    }
}

#[test]
fn every_pass_keeps_what_it_says() {
    for sampled in models() {
        for input in sampled.inputs() {
            for rescale in RESCALES {
                let mut ir = sampled.compile(&options(&input, rescale)).ir;
                let inputs = inputs_for(&sampled, &ir);
                let exact = passes::run(&ir, Level::Exact, None).unwrap();
                oracle::demand_kept(Keeps::EveryBit, &ir, &exact, &inputs);
                for pass in passes::ALL {
                    let after = pass.apply(&ir).unwrap();
                    oracle::demand_kept(pass.keeps, &ir, &after, &inputs);
                    ir = after;
                }
            }
        }
    }
}

/// Extremes, random bytes and some samples, as integers; fewer where the network is large.
fn inputs_for(sampled: &Sampled, ir: &Ir) -> Vec<Vec<BigInt>> {
    let (len, width) = (ir.values[0].len(), ir.input.width());
    let few = if len < 100 { 20 } else { 1 };
    let bytes = random::inputs(ir.input.byte_len(len), width, few);
    let samples = sampled.samples.iter().take(few);
    let samples = samples.map(|sample| ir.input.quantise(sample).unwrap());
    bytes.iter().map(|bytes| ir.input.decode(bytes, len)).chain(samples).collect()
}

#[test]
fn values_stay_inside_their_intervals() {
    for sampled in models() {
        for rescale in RESCALES {
            let compiled = sampled.compile(&options("fixed", rescale));
            for input in inputs_for(&sampled, &compiled.ir) {
                oracle::demand_intervals(&compiled.ir, &input);
                oracle::demand_intervals(&compiled.optimised, &input);
            }
        }
    }
}
