//! Random networks through all levels: definition, bignum program and script agree, whatever the
//! network, the options and the bytes.

mod common;

use common::networks::{End, Layer, Step, network, weights_of_layers};
use common::random::{Random, extremes};
use common::{DEFAULT, Lock, oracle};
use onnx2script::codegen::Contract;
use onnx2script::graph::{Graph, Tie};
use onnx2script::ir::Ir;
use onnx2script::passes::{self, Keeps, Level};
use onnx2script::quant::{self, Granularity, Rescale, Weights};
use onnx2script::stack::Layout;
use onnx2script::{Compiled, Options, bignum, codegen, generate, ir};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Widest layer, and longest input.
const WIDEST: usize = 6;

/// Numbers where arithmetic goes wrong if it does, and some between.
fn constant() -> impl Strategy<Value = f64> {
    let special = [0.0, 1.0, -1.0, 1e-8, -1e-8, 0.5, -0.5, 1e-30, 90.0, -90.0, 9e10, -9e10];
    prop_oneof![
        2 => prop::sample::select(special.to_vec()),
        3 => (-2.0f32..2.0).prop_map(f64::from),
    ]
}

fn constants(len: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(constant(), len)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => constants(WIDEST).prop_map(Step::Add),
        3 => Just(Step::Relu),
        2 => constants(WIDEST).prop_map(Step::Mul),
        1 => constant().prop_map(Step::MulAll),
        1 => constants(WIDEST).prop_map(Step::Leaky),
        1 => constants(WIDEST).prop_map(Step::Max),
        1 => constants(WIDEST).prop_map(Step::Min),
        1 => prop::sample::select(vec![0.5, 1.0, 0.1, f64::from(0.1f32), 3.0]).prop_map(Step::Round),
        1 => Just(Step::Gather),
        1 => Just(Step::Residual),
        1 => Just(Step::Gate),
        1 => Just(Step::Concat),
    ];
    prop::collection::vec(step, 0..4)
}

fn layer() -> impl Strategy<Value = Layer> {
    (steps(), 1..=WIDEST, constants(WIDEST * WIDEST), steps()).prop_map(|(before, columns, weights, after)| Layer {
        before,
        columns,
        weights,
        after,
    })
}

fn graph() -> impl Strategy<Value = Graph> {
    let end = prop::sample::select(vec![
        End::ArgMax(Tie::First),
        End::ArgMax(Tie::First),
        End::ArgMax(Tie::Last),
        End::Positive,
        End::Value,
    ]);
    (1..=WIDEST, prop::collection::vec(layer(), 1..=3), end)
        .prop_map(|(inputs, layers, end)| network(inputs, layers, end))
}

fn layout() -> impl Strategy<Value = Layout> {
    any::<[bool; 4]>().prop_map(|[idioms, orders, alt, peephole]| Layout { idioms, orders, alt, peephole })
}

fn options() -> impl Strategy<Value = Options> {
    let inputs = vec![
        "fixed:1",
        "fixed:2",
        "fixed:3",
        "fixed:4",
        "fixed:5",
        "fixed:6",
        "u8",
        "u8:1",
        "u8:1/255:-1/2",
        "u8:1/127:-1",
        "u8:2.5:7/3",
        "u1",
        "u2",
        "u2:2.5:7/3",
        "u4",
        "u4:2/15:-1",
    ];
    let weights = vec![
        "fixed:1e8",
        "fixed:1e8",
        "fixed:1e4",
        "fixed:10",
        "fixed:1",
        "fixed:3",
        "fixed:7/3",
        "int1",
        "int2",
        "int8",
        "int16",
        "int4,fixed:1e8",
        "fixed:1e8,int3",
    ];
    let choices = (
        prop::sample::select(inputs),
        prop::sample::select(weights),
        prop::sample::select(vec![Granularity::Tensor, Granularity::Channel]),
        prop::sample::select(vec![Rescale::Sum, Rescale::None, Rescale::Product]),
        prop::sample::select(vec![Level::None, Level::Exact, Level::Full]),
        prop::sample::select(vec!["claim", "claim", "class", "expect:0"]),
        (
            layout(),
            prop::sample::select(vec![codegen::Strategy::Auto, codegen::Strategy::Unrolled, codegen::Strategy::Packed]),
        ),
    );
    choices.prop_map(|(input, weights, granularity, rescale, level, contract, (layout, strategy))| Options {
        input: input.parse().unwrap(),
        quant: quant::Options {
            weights: weights_of_layers(weights),
            granularity,
            rescale,
            ..quant::Options::default()
        },
        level,
        contract: contract.parse::<Contract>().unwrap(),
        codegen: codegen::Options { strategy, layout, ..codegen::Options::default() },
        ..Options::default()
    })
}

/// The network in integers.
fn quantised(graph: &Graph, options: &Options) -> Option<Ir> {
    let integers = options.quant.weights.iter().any(|weights| matches!(weights, Weights::Int { .. }));
    match quant::quantise(graph, options.input.resolve(false), &options.quant) {
        Ok(ir) => Some(ir),
        Err(_) if integers => None,
        Err(refusal) => panic!("{refusal}"),
    }
}

/// What `compile` does behind the import.
///
/// `None` where quantisation refuses, which it may where integers of few bits are asked for: scales
/// that it finds for one layer multiply the constants of the next.
fn build(graph: Graph, options: &Options) -> Option<Compiled> {
    let ir = quantised(&graph, options)?;
    // Numbers have no class to expect.
    options.contract.check(&ir).ok()?;
    let optimised = passes::run(&ir, options.level, None).unwrap();
    match generate(graph, ir, optimised, options) {
        Ok(compiled) => Some(compiled),
        Err(_) if options.codegen.strategy == codegen::Strategy::Packed => None,
        Err(refusal) => panic!("{refusal}"),
    }
}

/// Extremes, and random bytes that differ from network to network.
fn inputs(lock: &Lock, seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    let mut inputs = extremes(lock.input_len(), lock.compiled.ir.input.width());
    inputs.extend((0..6).map(|_| random.bytes(lock.input_len())));
    inputs
}

proptest! {
    #![proptest_config(Config { cases: 1000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn definition_program_and_script_agree(graph in graph(), options in options(), seed in any::<u64>()) {
        let Some(compiled) = build(graph, &options) else { return Ok(()) };
        let lock = Lock::new(compiled);
        for input in inputs(&lock, seed) {
            let class = lock.class(&input);
            let classes = lock.compiled.ir.classes();
            prop_assert!(classes == 0 || class < classes.into());
            lock.demand(&lock.items(&class, &input), &[DEFAULT]);
            lock.demand(&lock.items(&(class + 1), &input), &[DEFAULT]);
        }
    }

    #[test]
    fn values_stay_inside_their_intervals(graph in graph(), options in options(), seed in any::<u64>()) {
        let Some(compiled) = build(graph, &options) else { return Ok(()) };
        let lock = Lock::new(compiled);
        for input in inputs(&lock, seed) {
            let integers = lock.integers(&input);
            oracle::demand_intervals(&lock.compiled.ir, &integers);
            oracle::demand_intervals(&lock.compiled.optimised, &integers);
        }
    }

    #[test]
    fn every_pass_keeps_what_it_says(graph in graph(), options in options(), seed in any::<u64>()) {
        let Some(compiled) = build(graph, &options) else { return Ok(()) };
        let lock = Lock::new(compiled);
        let inputs: Vec<_> = inputs(&lock, seed).iter().map(|input| lock.integers(input)).collect();
        let mut ir = lock.compiled.ir;
        let exact = passes::run(&ir, Level::Exact, None).unwrap();
        oracle::demand_kept(Keeps::EveryBit, &ir, &exact, &inputs);
        for pass in passes::ALL {
            // On its own, in any order, and in the order in which the levels run them.
            for before in [&ir, &exact, &lock.compiled.optimised] {
                let after = pass.apply(before).unwrap();
                oracle::demand_kept(pass.keeps, before, &after, &inputs);
            }
            ir = pass.apply(&ir).unwrap();
        }
    }

    #[test]
    fn stopping_after_a_pass_gives_what_it_made(graph in graph(), options in options()) {
        let Some(ir) = quantised(&graph, &options) else { return Ok(()) };
        let mut current = ir.clone();
        for pass in options.level.passes() {
            current = pass.apply(&current).unwrap();
            let stopped = passes::run(&ir, options.level, Some(pass.name)).unwrap();
            prop_assert_eq!(&stopped, &current);
        }
        prop_assert_eq!(passes::run(&ir, options.level, None).unwrap(), current);
    }

    #[test]
    fn everything_prints_the_same_twice(graph in graph(), options in options()) {
        let print = || {
            let compiled = build(graph.clone(), &options)?;
            let texts = [
                ir::print(&compiled.ir),
                ir::print(&compiled.optimised),
                bignum::print(&compiled.program),
                compiled.script.to_asm(),
            ];
            Some((texts, compiled.script.sha256()))
        };
        let Some((texts, sha256)) = print() else { return Ok(()) };
        prop_assert!(texts.iter().all(|text| !text.trim().is_empty()));
        for line in texts.iter().flat_map(|text| text.lines()) {
            prop_assert_eq!(line, line.trim_end());
        }
        prop_assert_eq!(print(), Some((texts.clone(), sha256)));
    }
}
