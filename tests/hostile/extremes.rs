//! Inputs that drive values to the ends of what is proved of them: no lane leaves its place, the contract gives the
//! answer that is defined, and the bounds of a first layer's sums are reached to the last digit.

use std::fmt::Write;

use num_bigint::BigInt;
use onnx2script::bignum;
use onnx2script::codegen::{self, Contract, Strategy};
use onnx2script::ir::{Ir, Op, ValueId};
use onnx2script::quant::Rescale;
use rayon::prelude::*;

use super::common::lanes::{demand_all, held};
use super::common::{DEFAULT, Lock, options};
use super::locks::{Network, network_of, networks_of_steps};
use super::search::{Goal, is_sum_of_input, reach};
use super::{SMALL, keep};

/// Elements of a value that are driven to their ends: all of a small one.
const MOST_ELEMENTS: usize = 16;
/// The same of networks where a run takes milliseconds.
const FEW_ELEMENTS: usize = 2;
/// A network with more weights than this is one of those.
const MANY_WEIGHTS: usize = 10_000;

/// How far a search got, of the values of an op.
struct Reached {
    value: ValueId,
    op: &'static str,
    elements: usize,
    /// Of the width of what is proved, in thousandths: the least of the elements.
    share: u64,
    exact: bool,
}

/// Sums, and what is added to them: where numbers grow.
fn is_sum(op: &Op) -> Option<&'static str> {
    match op {
        Op::MatMul { .. } => Some("matmul"),
        Op::SumRows { .. } => Some("sum_rows"),
        Op::Add { .. } => Some("add"),
        Op::Sum { .. } => Some("sum"),
        _ => None,
    }
}

/// Drives an element to both ends; the inputs, and how much of what is proved lies between them.
fn drive(ir: &Ir, value: ValueId, element: usize) -> ([Vec<BigInt>; 2], u64) {
    let proved = &ir.values[value].intervals[element];
    let [(low, least), (high, most)] = [false, true].map(|largest| reach(ir, Goal { value, element, largest }));
    assert!(
        proved.contains(&least) && proved.contains(&most),
        "%{value}[{element}]: {least} or {most}, not in {proved}"
    );
    if is_sum_of_input(ir, value) {
        assert_eq!((&least, &most), (&proved.low, &proved.high), "%{value}[{element}] does not reach its bounds");
    }
    let width = &proved.high - &proved.low;
    let share: BigInt = if width == 0.into() { 1000.into() } else { (most - least) * 1000 / width };
    ([low, high], share.try_into().unwrap())
}

/// Drives a network's sums to their ends, and demands of its contract what is defined.
fn demand(network: &Network) -> String {
    let lock = network.lock(Contract::Claim);
    let ir = &lock.compiled.optimised;
    let most = if ir.weights() > MANY_WEIGHTS { FEW_ELEMENTS } else { MOST_ELEMENTS };
    let (mut reached, mut inputs) = (Vec::new(), Vec::new());
    for (value, op) in (0..ir.values.len()).filter_map(|id| Some((id, is_sum(&ir.values[id].op)?))) {
        let len = ir.values[value].len();
        let driven: Vec<_> = (0..len).step_by(len.div_ceil(most)).map(|element| drive(ir, value, element)).collect();
        let share = driven.iter().map(|(_, share)| *share).min().unwrap();
        reached.push(Reached { value, op, elements: driven.len(), share, exact: is_sum_of_input(ir, value) });
        inputs.extend(driven.into_iter().flat_map(|(inputs, _)| inputs));
    }
    inputs.sort();
    inputs.dedup();
    let inputs: Vec<Vec<u8>> = inputs.iter().map(|input| lock.compiled.ir.input.encode(input).unwrap()).collect();
    for input in &inputs {
        let class = lock.class(input);
        lock.demand(&lock.items(&class, input), &[DEFAULT]);
        lock.demand(&lock.items(&lock.other(&class), input), &[DEFAULT]);
    }
    report(network, &reached, inputs.len(), lanes(&lock, &inputs))
}

/// How many lanes there are, and how many of them reach the least and the largest that is proved of them.
fn lanes(lock: &Lock, inputs: &[Vec<u8>]) -> (usize, usize) {
    let program = &lock.compiled.program;
    let mut seen: Vec<Vec<(bool, bool)>> = vec![vec![]; program.values.len()];
    for input in inputs {
        let items = lock.items(&lock.class(input), input);
        demand_all(program, &items);
        for (id, item) in bignum::eval_all(program, &items).unwrap().into_iter().enumerate() {
            let Some(item) = item else { continue };
            let Some(lanes) = held(&program.values[id], &item) else { continue };
            seen[id].resize(lanes.len(), (false, false));
            for (ends, (lane, held)) in seen[id].iter_mut().zip(lanes) {
                *ends = (ends.0 || held == lane.low, ends.1 || held == lane.high);
            }
        }
    }
    let all = seen.iter().flatten();
    (all.clone().count(), all.filter(|ends| **ends == (true, true)).count())
}

fn report(network: &Network, reached: &[Reached], inputs: usize, (lanes, full): (usize, usize)) -> String {
    let mut text = format!("{}: {inputs} inputs; {full} of {lanes} lanes reach both their ends\n", network.name);
    for Reached { value, op, elements, share, exact } in reached {
        let exact = if *exact { ", as far as is proved" } else { "" };
        let _ = writeln!(text, "  %{value} {op}: {elements} elements, {}.{} %{exact}", share / 10, share % 10);
    }
    text
}

/// Packed code, where there is some.
fn packed(name: &str, input: &str, weights: &str) -> Network {
    let mut options = options(input, Rescale::Sum);
    options.quant.weights = vec![weights.parse().unwrap()];
    options.codegen = codegen::Options { strategy: Strategy::Packed, ..codegen::Options::default() };
    let network = network_of(name, options);
    Network { name: format!("{name} {input} {weights}"), ..network }
}

fn networks() -> Vec<Network> {
    let choices = [("u8:1/20:-6", "int8"), ("fixed:4", "fixed:1e8"), ("fixed:4", "int4")];
    let small = SMALL.iter().filter(|name| !name.starts_with("toy"));
    let mut networks: Vec<Network> =
        small.flat_map(|name| choices.map(|(input, weights)| packed(name, input, weights))).collect();
    networks.push(packed("toy_2-2-2", "fixed", "fixed:1e8"));
    networks.push(packed("digits_64_32_10", "u8:1/20:-6", "int8"));
    networks.push(packed("mnist_784_64_10", "u8:1/255", "int4"));
    networks.push(packed("ternary_784_64_10", "u8:1/255", "fixed:1e8"));
    networks.extend(networks_of_steps());
    networks
}

#[test]
fn sums_driven_to_their_ends_stay_in_their_lanes_and_reach_their_bounds() {
    let lines: Vec<String> = networks().par_iter().map(demand).collect();
    keep("hostile.extremes", &lines.concat());
}
