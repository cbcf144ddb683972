//! Packed code at its limits: weights and inputs at the ends of what their bits can say, where a lane that
//! is one bit too narrow would be seen.

mod common;

use std::cell::Cell;

use common::networks::{End, Layer, Step, network, weights_of_layers};
use common::random::{Random, extremes};
use common::{DEFAULT, Lock};
use onnx2script::codegen::{self, Optimise, Strategy as Codegen};
use onnx2script::graph::Tie;
use onnx2script::ir::{Matrix, Op};
use onnx2script::passes::{self, Level};
use onnx2script::quant::{self, Granularity, Rescale};
use onnx2script::{Compiled, Options, bignum, generate};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Networks tried.
const CASES: u32 = 60;
/// Outputs whose most hostile inputs are tried.
const MOST_OUTPUTS: usize = 5;

/// Weights where carries go wrong if they do.
#[derive(Debug, Clone, Copy)]
enum Pattern {
    /// All the largest.
    Most,
    /// All the least.
    Least,
    /// Largest and least in turn, along rows and columns.
    Alternating,
    /// Zeros but for one.
    Outlier,
    /// Zeros, and a few of either end.
    Sparse,
    /// Positive, but for one output's.
    NegativeColumn,
    /// All that so many bits can say: a grid.
    Bits(u32),
    /// Whatever.
    Floats,
}

#[derive(Debug, Clone)]
struct Dense {
    columns: usize,
    pattern: Pattern,
    /// A multiple of what an output's sum can be, of either sign.
    bias: Option<f64>,
    relu: bool,
}

#[derive(Debug, Clone)]
struct Case {
    inputs: usize,
    layers: Vec<Dense>,
    end: End,
    input: &'static str,
    weights: &'static str,
    quant: (Granularity, Rescale, bool),
    codegen: (Codegen, Optimise),
    seed: u64,
}

fn weights(pattern: Pattern, rows: usize, columns: usize, random: &mut Random) -> Vec<f64> {
    let outlier = random.next() as usize % (rows * columns);
    let column = random.next() as usize % columns;
    let sign = |bit: u64| if bit & 1 == 0 { 1.0 } else { -1.0 };
    let weight = |at: usize| match pattern {
        Pattern::Most => 1.0,
        Pattern::Least => -1.0,
        Pattern::Alternating => sign((at / columns + at % columns) as u64),
        Pattern::Outlier => {
            if at == outlier {
                sign(outlier as u64)
            } else {
                0.0
            }
        }
        Pattern::Sparse => {
            if random.next().is_multiple_of(8) {
                sign(random.next())
            } else {
                0.0
            }
        }
        Pattern::NegativeColumn => {
            if at % columns == column {
                -1.0
            } else {
                (random.next() % 256) as f64 / 256.0
            }
        }
        Pattern::Bits(bits) => {
            let half = 1i64 << (bits - 1);
            // Both ends often: they are what lanes are made for.
            let step = match random.next() % 3 {
                0 => half - 1,
                1 => -half,
                _ => (random.next() % (2 * half.unsigned_abs())) as i64 - half,
            };
            step as f64 / 65_536.0
        }
        Pattern::Floats => (random.next() as u32 as f64 / f64::from(u32::MAX) - 0.5) * 3.0,
    };
    (0..rows * columns).map(weight).collect()
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let fixed = [
        Pattern::Most,
        Pattern::Least,
        Pattern::Alternating,
        Pattern::Outlier,
        Pattern::Sparse,
        Pattern::NegativeColumn,
        Pattern::Floats,
    ];
    prop_oneof![2 => prop::sample::select(fixed.to_vec()), 1 => (1u32..=16).prop_map(Pattern::Bits)]
}

fn dense() -> impl Strategy<Value = Dense> {
    let columns = prop_oneof![3 => 1usize..=12, 1 => 13usize..=40];
    let bias = prop::sample::select(vec![None, Some(0.3), Some(1.0), Some(-1.0), Some(-40.0), Some(1e-8)]);
    (columns, pattern(), bias, any::<bool>()).prop_map(|(columns, pattern, bias, relu)| Dense {
        columns,
        pattern,
        bias,
        relu,
    })
}

fn case() -> impl Strategy<Value = Case> {
    let inputs = prop_oneof![2 => 1usize..=12, 2 => 13usize..=60];
    let ends = [End::ArgMax(Tie::First), End::ArgMax(Tie::First), End::ArgMax(Tie::Last), End::Positive, End::Value];
    let formats = [
        "u8",
        "u8",
        "u8:1/255",
        "u1",
        "u2",
        "u4:2/15:-1",
        "fixed:1",
        "fixed:2",
        "fixed:3",
        "fixed:4",
        "fixed:5",
        "fixed:6",
    ];
    let weights = [
        "int1",
        "int2",
        "int3",
        "int4",
        "int5",
        "int6",
        "int8",
        "int11",
        "int16",
        "fixed:1e8",
        "fixed:1e8",
        "fixed:1",
        "int8,fixed:1e4",
        "fixed:1e8,int2",
    ];
    let quant = (
        prop::sample::select(vec![Granularity::Tensor, Granularity::Channel]),
        prop::sample::select(vec![Rescale::Sum, Rescale::None]),
        any::<bool>(),
    );
    let codegen = (
        prop::sample::select(vec![Codegen::Packed, Codegen::Packed, Codegen::Auto]),
        prop::sample::select(vec![Optimise::Size, Optimise::Speed, Optimise::Balanced]),
    );
    let layers = prop::collection::vec(dense(), 1..=3);
    let choices = (prop::sample::select(ends.to_vec()), prop::sample::select(formats.to_vec()));
    (inputs, layers, choices, prop::sample::select(weights.to_vec()), quant, codegen, any::<u64>()).prop_map(
        |(inputs, layers, (end, input), weights, quant, codegen, seed)| Case {
            inputs,
            layers,
            end,
            input,
            weights,
            quant,
            codegen,
            seed,
        },
    )
}

/// `None` where quantisation or packing refuses.
fn build(case: &Case) -> Option<Compiled> {
    let mut random = Random(case.seed);
    let mut rows = case.inputs;
    let last = case.layers.len() - 1;
    let mut layers = Vec::new();
    for (index, dense) in case.layers.iter().enumerate() {
        let one = index == last && matches!(case.end, End::Positive | End::Value);
        let columns = if one { 1 } else { dense.columns };
        let weights = weights(dense.pattern, rows, columns, &mut random);
        let mut after = Vec::new();
        if let Some(bias) = dense.bias {
            let sign = |output: usize| if output.is_multiple_of(2) { 1.0 } else { -1.0 };
            after.push(Step::Add((0..columns).map(|output| bias * sign(output)).collect()));
        }
        if dense.relu {
            after.push(Step::Relu);
        }
        layers.push(Layer { before: vec![], columns, weights, after });
        rows = columns;
    }
    let graph = network(case.inputs, layers, case.end);
    let (granularity, rescale, zero_points) = case.quant;
    let (strategy, optimise) = case.codegen;
    let options = Options {
        input: case.input.parse().unwrap(),
        quant: quant::Options {
            weights: weights_of_layers(case.weights),
            granularity,
            rescale,
            zero_points,
            ..quant::Options::default()
        },
        codegen: codegen::Options { strategy, optimise, ..codegen::Options::default() },
        ..Options::default()
    };
    let ir = quant::quantise(&graph, options.input.resolve(false), &options.quant).ok()?;
    let optimised = passes::run(&ir, Level::Full, None).unwrap();
    // `compile` refuses these.
    if optimised.constant_answer().is_some() {
        return None;
    }
    match generate(graph, ir, optimised, &options) {
        Ok(compiled) => Some(compiled),
        Err(_) if strategy == Codegen::Packed => None,
        Err(refusal) => panic!("{refusal}"),
    }
}

/// Whether some layer is packed.
fn is_packed(compiled: &Compiled) -> bool {
    let program = &compiled.program;
    let step = |made: &bignum::Instruction| &*program.origins[made.origin as usize].step;
    program.instructions.iter().any(|made| matches!(step(made), "products" | "rows"))
}

/// The input that makes an output's sum as large, or as small, as it can be.
fn hostile(lock: &Lock, matrix: &Matrix, output: usize, largest: bool) -> Vec<u8> {
    let format = &lock.compiled.ir.input;
    let bounds = format.interval();
    let element = |positive: bool| if positive { bounds.high.clone() } else { bounds.low.clone() };
    let integers: Vec<_> = (0..matrix.rows).map(|row| element((matrix.at(row, output) > 0) == largest)).collect();
    format.encode(&integers).unwrap()
}

fn inputs(lock: &Lock, seed: u64) -> Vec<Vec<u8>> {
    let (len, width) = (lock.input_len(), lock.compiled.ir.input.width());
    let mut inputs = extremes(len, width);
    let mut random = Random(seed);
    inputs.extend((0..4).map(|_| random.bytes(len)));
    let mut matrices = lock.compiled.optimised.values.iter().filter_map(|value| match &value.op {
        Op::MatMul { weights, .. } => Some(weights),
        _ => None,
    });
    if let Some(matrix) = matrices.next().filter(|matrix| lock.compiled.ir.input.byte_len(matrix.rows) == len) {
        for _ in 0..matrix.columns.min(MOST_OUTPUTS) {
            let output = random.next() as usize % matrix.columns;
            inputs.extend([true, false].map(|largest| hostile(lock, matrix, output, largest)));
        }
    }
    inputs
}

/// Demands what the definition says, for the inputs that are most likely to break it.
fn demand(compiled: Compiled, seed: u64) {
    let lock = Lock::new(compiled);
    for input in inputs(&lock, seed) {
        let class = lock.class(&input);
        lock.demand(&lock.items(&class, &input), &[DEFAULT]);
        lock.demand(&lock.items(&(class + 1), &input), &[DEFAULT]);
    }
}

#[test]
fn packed_networks_do_what_they_are_defined_to_do() {
    let (packed, built) = (Cell::new(0u32), Cell::new(0u32));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&case(), |case| {
        let Some(compiled) = build(&case) else { return Err(TestCaseError::reject("refused")) };
        built.set(built.get() + 1);
        packed.set(packed.get() + u32::from(is_packed(&compiled)));
        assert!(is_packed(&compiled) || case.codegen.0 == Codegen::Auto, "{}", bignum::print(&compiled.program));
        demand(compiled, case.seed);
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // A test of code that is hardly ever packed would prove nothing.
    assert!(packed.get() * 3 >= built.get() * 2, "{} of {} networks are packed", packed.get(), built.get());
}

/// The second layer takes the first one's sums plus a number that makes them positive; to take that away again
/// makes the constant of its only lane negative.
#[test]
fn a_lane_may_have_a_negative_constant() {
    let layer = |columns: usize, weights: &[f64], after: Vec<Step>| Layer {
        before: vec![],
        columns,
        weights: weights.to_vec(),
        after,
    };
    let first = layer(2, &[1.0, -1.0, 1.0, 1.0, 1.0, -1.0, 1.0, 1.0], vec![]);
    for scale in [1.0, 100.0] {
        let second = layer(1, &[scale, 0.0], vec![Step::Add(vec![-1.0])]);
        let graph = network(4, vec![first.clone(), second], End::Value);
        let codegen = codegen::Options { strategy: Codegen::Packed, ..codegen::Options::default() };
        let options = Options { input: "u8".parse().unwrap(), codegen, ..Options::default() };
        let ir = quant::quantise(&graph, options.input.resolve(false), &options.quant).unwrap();
        let optimised = passes::run(&ir, Level::Full, None).unwrap();
        let compiled = generate(graph, ir, optimised, &options).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert!(is_packed(&compiled));
        demand(compiled, 1);
    }
}
