//! Unlocking scripts that want to be accepted and must not be, inputs at the ends of what can be pushed, and locking
//! scripts that are not what was compiled: a contract accepts exactly what `ir::eval` says, whatever the bytes.

#[path = "../common/mod.rs"]
mod common;

mod attacks;
mod campaign;
mod extremes;
mod locks;
mod mutants;
mod search;
mod unlocking;

use std::fmt::Write;

use common::random;
use common::{Lock, TARGETS, model, options};
use insta::Settings;
use onnx2script::quant::Rescale;
use onnx2script::{Options, passes};
use rayon::prelude::*;

use campaign::Tally;
use locks::Network;

const SMALL: [&str; 5] = ["toy_2-2-2", "iris_4-8-3", "gemm_6-5-4", "breast_cancer_30-16-1", "diabetes_10-16-1"];

/// Keeps a text in `snapshots/`.
fn keep(name: &str, text: &str) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Attacks every kind of contract of a network; a line on what was tried.
fn attack(network: &Network) -> String {
    let (mut tally, mut bytes) = (Tally::default(), 0);
    let contracts = network.contracts();
    for &contract in &contracts {
        let lock = network.lock(contract);
        bytes = bytes.max(lock.bytes.len());
        let mut more = random::inputs(lock.input_len(), lock.compiled.ir.input.width(), 4);
        let ends = search::ends(&lock, 1);
        more.extend(search::boundaries(&lock, &ends, 2));
        more.extend(ends);
        let attacks = attacks::attacks(&lock, &locks::good_inputs(&lock), &more);
        tally += campaign::demand(&network.name, &lock, &attacks);
    }
    let Tally { attacks, runs, accepted } = tally;
    format!(
        "{:50} {bytes:>7} {attacks:>8} {runs:>7} {accepted:>9}  {}\n",
        network.name,
        contracts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    )
}

#[test]
fn every_contract_of_every_model_accepts_what_is_right_and_nothing_else() {
    let networks: Vec<Network> = locks::model_files().par_iter().flat_map(|path| locks::networks_of(path)).collect();
    let lines: Vec<String> = networks.par_iter().chain(locks::networks_of_steps().par_iter()).map(attack).collect();
    let mut text =
        format!("{:50} {:>7} {:>8} {:>7} {:>9}  contracts\n", "network", "bytes", "attacks", "runs", "accepted");
    lines.iter().for_each(|line| {
        let _ = write!(text, "{line}");
    });
    keep("hostile.attacks", &text);
}

/// Inputs at the ends of every interval, under every rescale mode and level: the honest unlocking script is accepted,
/// and one with another claim is not.
#[test]
fn extreme_inputs_are_computed_as_defined() {
    for sampled in SMALL.map(model) {
        for input in ["fixed", "fixed:4", "fixed:8", "u8:1/20", "u8:1/3:-1/7"] {
            for rescale in [Rescale::Sum, Rescale::None, Rescale::Product] {
                for level in [passes::Level::None, passes::Level::Full] {
                    let options = Options { level, ..options(input, rescale) };
                    let lock = Lock::new(sampled.compile(&options));
                    let width = lock.compiled.ir.input.width();
                    for input in random::inputs(lock.input_len(), width, 20) {
                        let class = lock.class(&input);
                        lock.demand(&lock.items(&class, &input), &TARGETS[..1]);
                        let other = lock.other(&class);
                        lock.demand(&lock.items(&other, &input), &TARGETS[..1]);
                    }
                }
            }
        }
    }
}
