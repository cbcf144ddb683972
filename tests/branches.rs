//! Networks that branch, wide enough to be packed: what several values read is the same for all of them.

mod common;

use std::cell::Cell;

use common::networks::weights_of_layers;
use common::oracle;
use common::random::{Random, extremes};
use common::{DEFAULT, Lock};
use num_traits::ToPrimitive;
use onnx2script::codegen::{self, Contract, Optimise, Strategy as Codegen};
use onnx2script::graph::{Answer, Function, Graph, Labels, Matrix, Node, Op, Origin, Tie, eval_all};
use onnx2script::onnx::ElementType;
use onnx2script::passes::{self, Level};
use onnx2script::quant::{self, Granularity, Rescale};
use onnx2script::{Compiled, Options, bignum, generate};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Networks tried.
const CASES: u32 = 40;
/// Networks compared with floats.
const FLOAT_CASES: u64 = 3000;
/// Widest value: what is joined again and again would grow without end.
const WIDEST: usize = 80;

/// How a network branches.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// `x + f(x)` over so many layers, behind a first layer.
    Residual(usize),
    /// The input itself, and a layer of it.
    FromInput,
    /// Two branches on the input, joined.
    Joined,
    /// Two branches of different lengths and depths, joined.
    Uneven,
    /// A layer that the next one reads, and one behind that.
    Skip,
    /// A value that three others read, one of them twice.
    Thrice,
    /// Elements picked before and behind layers, also of values that others read whole.
    Picked,
    /// A layer's sums before and behind its ReLU.
    BothSidesOfRelu,
    /// The scores, and a layer of them, added.
    RefinedScores,
    /// Roundings, slopes, bounds and curves beside a layer.
    Elementwise,
    /// Whatever.
    Random,
}

const SHAPES: [Shape; 13] = [
    Shape::Residual(1),
    Shape::Residual(2),
    Shape::FromInput,
    Shape::Joined,
    Shape::Uneven,
    Shape::Skip,
    Shape::Thrice,
    Shape::Picked,
    Shape::BothSidesOfRelu,
    Shape::RefinedScores,
    Shape::Elementwise,
    Shape::Random,
    Shape::Random,
];

#[derive(Debug, Clone)]
struct Case {
    shape: Shape,
    inputs: usize,
    width: usize,
    end: usize,
    input: &'static str,
    weights: &'static str,
    quant: (Granularity, Rescale, Level),
    codegen: (Codegen, Optimise),
    contract: &'static str,
    seed: u64,
}

/// A network in the making; every choice that is left open is random.
struct Net {
    graph: Graph,
    random: Random,
    /// Of roundings.
    steps: [f64; 4],
}

impl Net {
    fn new(inputs: usize, seed: u64) -> Net {
        let mut net = Net {
            graph: Graph {
                name: "test.onnx".into(),
                input_name: "input".into(),
                input_shape: vec![1, inputs],
                input_element: ElementType::Float,
                nodes: vec![],
                answer: Answer::Class,
                labels: Labels::Indices,
                notes: vec![],
            },
            random: Random(seed),
            steps: [0.5, 0.1, 1.0, 3.0],
        };
        net.push(inputs, Op::Input);
        net
    }

    fn push(&mut self, len: usize, op: Op) -> usize {
        let id = self.graph.nodes.len();
        let origin = Origin { name: format!("node_{id}"), op: "Any".into() };
        self.graph.nodes.push(Node { op, len, origin });
        id
    }

    fn len(&self, id: usize) -> usize {
        self.graph.nodes[id].len
    }

    fn below(&mut self, count: usize) -> usize {
        (self.random.next() % count as u64) as usize
    }

    fn weights(&mut self, count: usize) -> Vec<f64> {
        let pattern = self.below(7);
        let sign = |bit: u64| if bit & 1 == 0 { 1.0 } else { -1.0 };
        let weight = |at: usize| match pattern {
            0 => 1.0,
            1 => -1.0,
            2 => sign(at as u64),
            3 => sign(self.random.next()),
            4 => [-8.0, 7.0, 0.0, 3.0][(self.random.next() % 4) as usize] / 16.0,
            _ => (self.random.next() as u32 as f64 / f64::from(u32::MAX) - 0.5) * 3.0,
        };
        (0..count).map(weight).collect()
    }

    /// A dense layer, most often with a bias and a ReLU.
    fn dense(&mut self, x: usize, columns: usize) -> usize {
        let sums = self.sums(x, columns);
        if self.below(3) == 0 { sums } else { self.push(columns, Op::Relu { x: sums }) }
    }

    fn sums(&mut self, x: usize, columns: usize) -> usize {
        let rows = self.len(x);
        let elements = self.weights(rows * columns);
        let sums = self.push(columns, Op::MatMul { x, weights: Matrix { rows, columns, elements } });
        let size = [0.0, 0.3, 40.0][self.below(3)];
        if size == 0.0 {
            return sums;
        }
        let constant = (0..columns).map(|j| size * if j % 2 == 0 { 1.0 } else { -1.0 }).collect();
        self.push(columns, Op::Add { x: sums, constant })
    }

    fn sum(&mut self, x: usize, y: usize) -> usize {
        let len = self.len(x);
        self.push(len, Op::Sum { terms: [x, y] })
    }

    fn concat(&mut self, parts: &[usize]) -> usize {
        let picks: Vec<_> =
            (0..parts.len()).flat_map(|part| (0..self.len(parts[part])).map(move |index| (part, index))).collect();
        self.push(picks.len(), Op::Gather { parts: parts.to_vec(), picks })
    }

    /// So many elements of a value, in any order, some of them perhaps twice.
    fn pick(&mut self, x: usize, count: usize) -> usize {
        let len = self.len(x);
        let picks = (0..count).map(|_| (0, self.below(len))).collect();
        self.push(count, Op::Gather { parts: vec![x], picks })
    }

    /// An elementwise step.
    fn elementwise(&mut self, x: usize) -> usize {
        let len = self.len(x);
        let constants = |net: &mut Net| (0..len).map(|_| net.below(7) as f64 / 2.0 - 1.5).collect::<Vec<f64>>();
        let op = match self.below(8) {
            0 => Op::Leaky { x, slopes: vec![0.01; len] },
            1 => Op::Leaky { x, slopes: constants(self) },
            2 => Op::Max { x, constant: constants(self) },
            3 => Op::Min { x, constant: constants(self) },
            4 => Op::Round { x, step: self.steps[self.below(4)] },
            5 => Op::Mul { x, constant: constants(self) },
            6 => Op::Mul { x, constant: vec![-0.5; len] },
            _ => Op::Activate { x, function: std::sync::Arc::new(Function::sigmoid()) },
        };
        self.push(len, op)
    }

    /// What the network gives before its end; lengths are made to fit there.
    fn body(&mut self, shape: Shape, width: usize) -> usize {
        match shape {
            Shape::Residual(layers) => {
                let first = self.dense(0, width);
                let last = (0..layers).fold(first, |x, _| self.dense(x, width));
                let both = self.sum(first, last);
                self.dense(both, width / 2 + 1)
            }
            Shape::FromInput => {
                let inputs = self.len(0);
                let layer = self.dense(0, inputs);
                let both = self.sum(layer, 0);
                self.dense(both, width)
            }
            Shape::Joined => {
                let parts = [self.dense(0, width), self.dense(0, width / 3 + 1)];
                let joined = self.concat(&parts);
                self.dense(joined, width)
            }
            Shape::Uneven => {
                let (short, long) = (self.dense(0, width), self.dense(0, 2 * width));
                let long = self.dense(long, width / 2 + 1);
                self.concat(&[long, short])
            }
            Shape::Skip => {
                let first = self.dense(0, width);
                let second = self.dense(first, width / 2 + 1);
                let third = self.dense(second, 5);
                let back = self.dense(first, 5);
                let beside = self.pick(first, 5);
                let sum = self.sum(third, back);
                self.sum(beside, sum)
            }
            Shape::Thrice => {
                let first = self.dense(0, width);
                let twice = self.sum(first, first);
                let layer = self.dense(first, width);
                let sum = self.sum(twice, layer);
                self.concat(&[sum, first])
            }
            Shape::Picked => {
                let few = self.pick(0, width);
                let first = self.dense(few, width);
                let picked = self.pick(first, width / 2 + 1);
                let second = self.dense(picked, width);
                let turned = self.pick(second, width);
                let whole = self.dense(turned, 6);
                let other = self.pick(first, 6);
                self.sum(other, whole)
            }
            Shape::BothSidesOfRelu => {
                let sums = self.sums(0, width);
                let relu = self.push(width, Op::Relu { x: sums });
                let layer = self.dense(relu, width);
                self.sum(sums, layer)
            }
            Shape::RefinedScores => {
                let scores = self.dense(0, width);
                let layer = self.dense(scores, width);
                self.sum(layer, scores)
            }
            Shape::Elementwise => {
                let first = self.dense(0, width);
                let bent = self.elementwise(first);
                let bent = self.elementwise(bent);
                let layer = self.dense(first, width);
                let layer = self.elementwise(layer);
                self.sum(bent, layer)
            }
            Shape::Random => (0..3 + self.below(6)).fold(0, |last, _| self.any(last, width)),
        }
    }

    /// Any step, on the newest value or an older one.
    fn any(&mut self, last: usize, width: usize) -> usize {
        let x = if self.below(3) == 0 { self.below(last + 1) } else { last };
        match self.below(9) {
            0..4 => {
                let columns = self.below(width) + 1;
                self.dense(x, columns)
            }
            4 => {
                let len = self.len(x);
                let alike: Vec<usize> = (0..=last).filter(|&node| self.len(node) == len).collect();
                let other = alike[self.below(alike.len())];
                self.sum(x, other)
            }
            5 => {
                let other = self.below(last + 1);
                if self.len(x) + self.len(other) > WIDEST { self.pick(x, width) } else { self.concat(&[x, other]) }
            }
            6 => {
                let count = self.below(width) + 1;
                self.pick(x, count)
            }
            7 => self.push(self.len(x), Op::Relu { x }),
            _ => self.elementwise(x),
        }
    }

    /// Ends the network: in what it gives, or in another layer.
    fn finish(mut self, body: usize, end: usize) -> Graph {
        let scores = if end.is_multiple_of(2) || self.len(body) == 1 { body } else { self.sums(body, 7) };
        let one = |net: &mut Net| if net.len(scores) == 1 { scores } else { net.pick(scores, 1) };
        match end / 2 {
            0 => {
                let x = one(&mut self);
                self.push(1, Op::Positive { x });
            }
            1 => {
                let x = one(&mut self);
                self.graph.answer = Answer::Value;
                // The answer is the last node.
                if x + 1 != self.graph.nodes.len() {
                    self.push(1, Op::Relu { x });
                }
            }
            2 => _ = self.push(1, Op::ArgMax { x: scores, tie: Tie::Last }),
            _ => _ = self.push(1, Op::ArgMax { x: scores, tie: Tie::First }),
        }
        self.graph
    }
}

fn case() -> impl Strategy<Value = Case> {
    let formats = ["u8", "u8", "u8:1/255", "u8:1/127:-1", "u4:2/15:-1", "u1", "fixed:1", "fixed:3"];
    let weights =
        ["int2", "int4", "int4", "int8", "int8", "int16", "fixed:1e8", "fixed:1e8", "fixed:16", "int8,fixed:1e4"];
    let quant = (
        prop::sample::select(vec![Granularity::Tensor, Granularity::Channel]),
        prop::sample::select(vec![Rescale::Sum, Rescale::Sum, Rescale::None, Rescale::Product]),
        prop::sample::select(vec![Level::None, Level::Exact, Level::Full, Level::Full]),
    );
    let codegen = (
        prop::sample::select(vec![Codegen::Packed, Codegen::Packed, Codegen::Auto, Codegen::Unrolled]),
        prop::sample::select(vec![Optimise::Size, Optimise::Speed, Optimise::Balanced]),
    );
    let sizes = (prop_oneof![2 => 1usize..=12, 1 => 13usize..=40], prop_oneof![3 => 1usize..=12, 1 => 13usize..=40]);
    let choices = (
        prop::sample::select(formats.to_vec()),
        prop::sample::select(weights.to_vec()),
        prop::sample::select(vec!["claim", "claim", "class"]),
    );
    (prop::sample::select(SHAPES.to_vec()), sizes, 0usize..8, choices, quant, codegen, any::<u64>()).prop_map(
        |(shape, (inputs, width), end, (input, weights, contract), quant, codegen, seed)| Case {
            shape,
            inputs,
            width,
            end,
            input,
            weights,
            quant,
            codegen,
            contract,
            seed,
        },
    )
}

/// `None` where quantisation or packing refuses.
fn build(case: &Case) -> Option<Compiled> {
    let mut net = Net::new(case.inputs, case.seed);
    let body = net.body(case.shape, case.width);
    let mut graph = net.finish(body, case.end);
    if case.seed & 1 == 0 {
        graph.simplify(|weights| quant::grid::find(weights).is_some());
    }
    let (granularity, rescale, level) = case.quant;
    let (strategy, optimise) = case.codegen;
    let options = Options {
        input: case.input.parse().unwrap(),
        quant: quant::Options {
            weights: weights_of_layers(case.weights),
            granularity,
            rescale,
            ..quant::Options::default()
        },
        level,
        contract: case.contract.parse::<Contract>().unwrap(),
        codegen: codegen::Options { strategy, optimise, ..codegen::Options::default() },
        ..Options::default()
    };
    let ir = quant::quantise(&graph, options.input.resolve(false), &options.quant).ok()?;
    let optimised = passes::run(&ir, level, None).unwrap();
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

/// How many layers are packed.
fn packed(compiled: &Compiled) -> usize {
    let program = &compiled.program;
    let step = |made: &bignum::Instruction| &*program.origins[made.origin as usize].step;
    let mut layers: Vec<_> =
        program.instructions.iter().filter(|made| matches!(step(made), "products" | "rows")).collect();
    layers.dedup_by_key(|made| made.origin);
    layers.len()
}

/// Demands what the definition says, and that it stays inside what is proved of it.
fn demand(compiled: Compiled, seed: u64) {
    let lock = Lock::new(compiled);
    let mut random = Random(seed);
    let mut inputs = extremes(lock.input_len(), lock.compiled.ir.input.width());
    inputs.extend((0..6).map(|_| random.bytes(lock.input_len())));
    for input in inputs {
        let answer = lock.class(&input);
        lock.demand(&lock.items(&answer, &input), &[DEFAULT]);
        lock.demand(&lock.items(&(&answer + 1), &input), &[DEFAULT]);
        oracle::demand_intervals(&lock.compiled.optimised, &lock.integers(&input));
    }
}

#[test]
fn networks_that_branch_do_what_they_are_defined_to_do() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let (with_packed, with_several, built) = (Cell::new(0u32), Cell::new(0u32), Cell::new(0u32));
    let config = Config { cases, failure_persistence: None, max_global_rejects: 100 * cases, ..Config::default() };
    let result = TestRunner::new(config).run(&case(), |case| {
        let Some(compiled) = build(&case) else { return Err(TestCaseError::reject("refused")) };
        let layers = packed(&compiled);
        // What is picked of a random network may be made without any layer.
        let any = layers > 0 || case.codegen.0 != Codegen::Packed || matches!(case.shape, Shape::Random);
        assert!(any, "{}", bignum::print(&compiled.program));
        built.set(built.get() + u32::from(case.codegen.0 != Codegen::Unrolled));
        with_packed.set(with_packed.get() + u32::from(layers > 0));
        with_several.set(with_several.get() + u32::from(layers > 1));
        demand(compiled, case.seed);
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // A test of code that is hardly ever packed would prove nothing.
    let (with_packed, with_several, built) = (with_packed.get(), with_several.get(), built.get());
    assert!(
        2 * with_packed >= built && 3 * with_several >= built,
        "{with_packed}, {with_several} of {built} are packed"
    );
}

/// Every value of a network in integers stands for what floats say it is, whatever the scales on the way: those of
/// outputs, of sums of values at different scales, of what is picked, bounded, bent or rounded.
#[test]
fn integers_stand_for_what_floats_say() {
    /// A share of the largest number on the way: what a wrong scale does is far more.
    const TOLERANCE: f64 = 1e-2;
    let formats = ["u8", "u8:1/3:-40", "fixed:3"];
    let weights = ["fixed:1e8", "int16", "int16,fixed:1e8"];
    for seed in 0..FLOAT_CASES {
        let mut random = Random(seed);
        let mut any = |count: usize| (random.next() % count as u64) as usize;
        let (inputs, width, shape) = (any(12) + 1, any(12) + 1, SHAPES[any(SHAPES.len())]);
        let (input, weights) = (formats[any(3)], weights[any(3)]);
        let granularity = [Granularity::Tensor, Granularity::Channel][any(2)];
        let rescale = [Rescale::Sum, Rescale::None, Rescale::Product][any(3)];
        let mut net = Net::new(inputs, seed);
        // Small: where the integers lie on the other side of a half, little changes.
        net.steps = [0.0135, 0.0111, 0.0077, 0.0291];
        let body = net.body(shape, width);
        let graph = net.finish(body, 3);
        let mut simplified = graph.clone();
        simplified.simplify(|weights| quant::grid::find(weights).is_some());
        let quant = quant::Options {
            weights: weights_of_layers(weights),
            granularity,
            rescale,
            activation_error: Some(1e-4),
            ..quant::Options::default()
        };
        let format = input.parse::<onnx2script::input::InputSpec>().unwrap().resolve(false);
        let Ok(ir) = quant::quantise(&simplified, format, &quant) else { continue };
        let context = || format!("{seed}: {shape:?} {input} {weights} {granularity:?} {rescale:?}");
        for _ in 0..4 {
            let bytes = random.bytes(ir.input.byte_len(inputs));
            let integers = ir.input.decode(&bytes, inputs);
            let sample: Vec<f64> =
                integers.iter().map(|v| (&ir.input.scale * v + &ir.input.offset).to_f64().unwrap()).collect();
            let (floats, after) = (eval_all(&graph, &sample), eval_all(&simplified, &sample));
            let size = floats.iter().flatten().fold(1.0, |size: f64, value| size.max(value.abs()));
            let (before, after) = (floats.last().unwrap()[0], after.last().unwrap()[0]);
            assert!((before - after).abs() <= 1e-9 * size, "{}: {before} became {after}", context());
            let answer = onnx2script::ir::eval(&ir, &integers);
            let said = (ir.answer_scale().unwrap() * answer).to_f64().unwrap();
            assert!((said - before).abs() <= TOLERANCE * size, "{}: {said} for {before} of {size}", context());
        }
    }
}

/// A layer's own scales go into the rows of the next one that its outputs meet, if they meet any.
#[test]
fn few_of_many_outputs_feed_a_layer_of_few_bits() {
    let floats = |rows: usize, columns: usize| {
        let elements = (0..rows * columns).map(|at| (at as f64 * 1.7 + 0.3).sin()).collect();
        Matrix { rows, columns, elements }
    };
    let mut net = Net::new(3, 5);
    let many = net.push(12, Op::MatMul { x: 0, weights: floats(3, 12) });
    let many = net.push(12, Op::Relu { x: many });
    let few = net.pick(many, 2);
    let end = net.push(3, Op::MatMul { x: few, weights: floats(2, 3) });
    let graph = net.finish(end, 6);
    let quant = quant::Options {
        weights: weights_of_layers("int4"),
        granularity: Granularity::Channel,
        ..quant::Options::default()
    };
    let format = "u8".parse::<onnx2script::input::InputSpec>().unwrap().resolve(false);
    let ir = quant::quantise(&graph, format, &quant).unwrap();
    assert!(ir.layers.iter().any(|layer| layer.channels.len() == 12));
}

/// Slopes of integers keep more digits than integers have.
#[test]
fn small_slopes_of_coarse_values_leave_something() {
    for (slope, weights) in [(0.01, "fixed:1e8"), (0.01, "int8"), (0.5, "fixed:1e8"), (0.5, "int8")] {
        let mut net = Net::new(1, 0);
        let rounded = net.push(1, Op::Round { x: 0, step: 1.0 });
        net.push(1, Op::Leaky { x: rounded, slopes: vec![slope] });
        net.graph.answer = Answer::Value;
        let quant = quant::Options { weights: weights_of_layers(weights), ..quant::Options::default() };
        let format = "u8:1/2:-60".parse::<onnx2script::input::InputSpec>().unwrap().resolve(false);
        let ir = quant::quantise(&net.graph, format, &quant).unwrap();
        let answer = onnx2script::ir::eval(&ir, &[19.into()]);
        let answer = (ir.answer_scale().unwrap() * answer).to_f64().unwrap();
        assert!((answer + 50.0 * slope).abs() < 0.02, "{answer} for -50 times {slope}, {weights}");
    }
}

/// Thousands of steps one behind the other take no thread's stack.
#[test]
fn deep_networks_are_compiled() {
    let compiled = || {
        let mut net = Net::new(1, 0);
        let mut last = 0;
        for step in 0..3000 {
            let op = match step % 3 {
                0 => Op::Leaky { x: last, slopes: vec![0.5] },
                1 => Op::Min { x: last, constant: vec![0.7] },
                _ => Op::Sum { terms: [last, 0] },
            };
            last = net.push(1, op);
        }
        net.graph.answer = Answer::Value;
        let codegen = codegen::Options { strategy: Codegen::Unrolled, ..codegen::Options::default() };
        let options = Options { input: "u8:1/255:-1".parse().unwrap(), codegen, ..Options::default() };
        let ir = quant::quantise(&net.graph, options.input.resolve(false), &options.quant).unwrap();
        let optimised = passes::run(&ir, Level::Full, None).unwrap();
        generate(net.graph, ir, optimised, &options).unwrap()
    };
    let small_stack = std::thread::Builder::new().stack_size(256 << 10).spawn(compiled).unwrap();
    demand(small_stack.join().unwrap(), 1);
}
