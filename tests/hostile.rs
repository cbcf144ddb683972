//! Unlocking scripts that want to be accepted and must not be, and inputs at the ends of what can be
//! pushed: a contract accepts exactly what `ir::eval` says, whatever the bytes.

mod common;

use common::networks::{End, Layer, Step, network};
use common::random::{Random, extremes};
use common::{DEFAULT, Expected, Lock, TARGETS, is_true, model, options, random};
use num_bigint::BigInt;
use onnx2script::codegen::Contract;
use onnx2script::graph::Tie;
use onnx2script::interp::{self, ScriptError};
use onnx2script::quant::{self, Rescale};
use onnx2script::script::{code, number, push};
use onnx2script::target::Rules;
use onnx2script::{Options, generate, ir, passes};

const SMALL: [&str; 5] = ["toy_2-2-2", "iris_4-8-3", "gemm_6-5-4", "breast_cancer_30-16-1", "diabetes_10-16-1"];
/// More good inputs than this tell nothing new; networks tried have fewer classes.
const MOST_INPUTS: usize = 5;
const MNIST: &str = "mnist_784_64_10";

/// Every kind of contract for a network of so many classes.
fn contracts(classes: usize) -> Vec<Contract> {
    let mut contracts = vec![Contract::Claim, Contract::Class];
    contracts.extend((0..classes).map(Contract::Expect));
    contracts
}

/// The small models, each under every contract, with fixed-point and with byte inputs, and networks of other steps.
fn small_locks() -> Vec<Lock> {
    let mut locks = Vec::new();
    for sampled in SMALL.map(model) {
        let classes = sampled.compile(&Options::default()).ir.classes();
        for contract in contracts(classes) {
            for input in ["fixed", "u8:1/20:-6"] {
                let options = Options { contract, ..options(input, Rescale::Sum) };
                locks.push(Lock::new(sampled.compile(&options)));
            }
        }
    }
    locks.extend(small_steps().into_iter().map(lock_of_step));
    locks
}

/// What stands between the two layers of a small network, and the op that it becomes.
fn small_steps() -> Vec<(Vec<Step>, &'static str)> {
    vec![
        (vec![Step::Sigmoid], "piecewise"),
        (vec![Step::Leaky(vec![0.1, -0.5])], "piecewise"),
        (vec![Step::Round(0.25)], "round"),
        (vec![Step::Relu, Step::Residual], "sum"),
        (vec![Step::Concat, Step::Gather], "gather"),
    ]
}

/// A contract of such a network.
fn lock_of_step((step, op): (Vec<Step>, &str)) -> Lock {
    let layer = |columns: usize, before: Vec<Step>| Layer {
        before,
        columns,
        weights: vec![0.7, -1.1, 0.4, 1.3, -0.6, 0.9, -0.2],
        after: vec![Step::Add(vec![0.3, -0.2, 0.1])],
    };
    let graph = network(3, vec![layer(4, vec![]), layer(3, step)], End::ArgMax(Tie::First));
    let options = options("u8:1/20:-6", Rescale::Sum);
    let ir = quant::quantise(&graph, options.input.resolve(false), &options.quant).unwrap();
    let optimised = passes::run(&ir, options.level, None).unwrap();
    assert!(ir::print(&optimised).contains(&format!("= {op} ")));
    Lock::new(generate(graph, ir, optimised, &options).unwrap())
}

/// Some inputs of the right length: one for each class, or for some of the numbers, that random bytes reach, and an
/// extreme.
fn good_inputs(lock: &Lock) -> Vec<Vec<u8>> {
    let mut random = Random(1);
    let mut inputs = vec![vec![0x7f; lock.input_len()]];
    let mut classes = vec![lock.class(&inputs[0])];
    for _ in 0..200 {
        let input = random.bytes(lock.input_len());
        let class = lock.class(&input);
        if !classes.contains(&class) && classes.len() < MOST_INPUTS {
            classes.push(class);
            inputs.push(input);
        }
    }
    inputs
}

/// Claims that are not the class, by value or by encoding.
fn wrong_claims(lock: &Lock, class: &BigInt) -> Vec<Vec<u8>> {
    let classes = lock.compiled.ir.classes();
    let mut claims: Vec<Vec<u8>> = (0..classes).map(|class| number::encode(&class.into())).collect();
    let right = number::encode(class);
    // Other numbers.
    let beyond = [
        BigInt::from(-1),
        -class,
        BigInt::from(classes),
        class + BigInt::from(classes),
        class + (BigInt::from(1) << 64),
        BigInt::from(-1) << 4000,
    ];
    claims.extend(beyond.iter().map(number::encode));
    // The same number in other bytes.
    claims.push([right.as_slice(), &[0x00]].concat());
    claims.push([right.as_slice(), &[0x00, 0x00, 0x00]].concat());
    claims.push([right.as_slice(), &[0x80]].concat());
    claims.extend([vec![], vec![0x00], vec![0x80], vec![0x00, 0x80], vec![0xff], vec![0x03, 0x00]]);
    // Something else altogether.
    claims.push(vec![0xff; 520]);
    claims.push(vec![0x00; 20_000]);
    claims.retain(|claim| *claim != right);
    claims
}

#[test]
fn only_the_class_in_its_shortest_form_is_accepted() {
    for lock in small_locks() {
        if lock.compiled.contract != Contract::Claim {
            continue;
        }
        for input in good_inputs(&lock) {
            let class = lock.class(&input);
            let honest = lock.items(&class, &input);
            assert!(lock.expected(&honest).is_accepted());
            lock.demand(&honest, &TARGETS);
            for claim in wrong_claims(&lock, &class) {
                let items = vec![claim, input.clone()];
                assert!(!lock.expected(&items).is_accepted());
                lock.demand(&items, &TARGETS);
            }
        }
    }
}

#[test]
fn inputs_of_another_length_are_refused() {
    for lock in small_locks() {
        for input in good_inputs(&lock) {
            let class = lock.class(&input);
            let short = input[1..].to_vec();
            let cut = input[..input.len() - 1].to_vec();
            let long = [&input[..], &[0x00]].concat();
            let longer_below = [&[0x00], &input[..]].concat();
            let doubled = [&input[..], &input[..]].concat();
            let width_less = input[lock.compiled.ir.input.width()..].to_vec();
            let lengths =
                [short, cut, long, longer_below, doubled, width_less, vec![], vec![0x00], vec![0x01; 100_000]];
            for wrong in lengths {
                let items = lock.items(&class, &wrong);
                assert_eq!(lock.expected(&items), Expected::Fails);
                lock.demand(&items, &TARGETS);
            }
        }
    }
}

#[test]
fn another_number_or_order_of_pushes_is_refused() {
    for lock in small_locks() {
        for input in good_inputs(&lock) {
            let class = lock.class(&input);
            let items = lock.items(&class, &input);
            let claim = number::encode(&class);
            let with = |position: usize, item: &[u8]| {
                let mut items = items.clone();
                items.insert(position, item.to_vec());
                items
            };
            let mut pushes = vec![vec![], items[1..].to_vec()];
            for extra in [&[][..], &[0x01], &claim, &input] {
                pushes.extend((0..=items.len()).map(|position| with(position, extra)));
            }
            pushes.push(vec![vec![0x01]; 1000]);
            for wrong in pushes.iter().filter(|wrong| wrong.len() != items.len()) {
                assert_eq!(lock.expected(wrong), Expected::Fails);
                lock.demand(wrong, &TARGETS);
            }
            let mut exchanged = items.clone();
            exchanged.reverse();
            lock.demand(&exchanged, &TARGETS);
            // The input in place of the claim, and the claim in place of the input.
            lock.demand(&vec![input.clone(); items.len()], &TARGETS);
            lock.demand(&vec![claim.clone(); items.len()], &TARGETS);
        }
    }
}

/// Runs raw bytes as the unlocking script, under all rules.
fn demand_error(lock: &Lock, unlocking: &[u8], error: ScriptError) {
    for target in &TARGETS {
        let outcome = interp::run(unlocking, &lock.bytes, target);
        assert_eq!(outcome.error, Some(error), "{} {target:?}", lock.compiled.contract);
    }
}

#[test]
fn nothing_but_pushes_is_accepted() {
    for lock in small_locks() {
        let input = vec![0x11; lock.input_len()];
        let honest = code::pushes(&lock.items(&lock.class(&input), &input)).into_bytes();
        // NOP, VERIFY, RETURN, TOALTSTACK, DROP, DUP, EQUAL, an unassigned byte, CODESEPARATOR, NOP10.
        for opcode in [0x61, 0x69, 0x6a, 0x6b, 0x75, 0x76, 0x87, 0xfe, 0xab, 0xb9] {
            demand_error(&lock, &[&honest[..], &[opcode]].concat(), ScriptError::SigPushOnly);
            demand_error(&lock, &[&[opcode], &honest[..]].concat(), ScriptError::SigPushOnly);
        }
        // A true item, then RETURN: the locking script must run nevertheless.
        demand_error(&lock, &[0x51, 0x6a], ScriptError::SigPushOnly);
        demand_error(&lock, &[&honest[..], &[0x51, 0x6a]].concat(), ScriptError::SigPushOnly);
        // RESERVED counts as a push until it is executed.
        demand_error(&lock, &[&honest[..], &[0x50]].concat(), ScriptError::BadOpcode);
        demand_error(&lock, &[&[0x50], &honest[..]].concat(), ScriptError::BadOpcode);
        // A push that swallows the locking script would have to run past the end of its own.
        for unfinished in [&[0x4c][..], &[0x4b], &[0x4c, 0xff], &[0x4d, 0xff], &[0x4e, 0xff, 0xff, 0xff, 0xff]] {
            let unlocking = [&honest[..], unfinished].concat();
            for target in &TARGETS {
                assert!(!interp::run(&unlocking, &lock.bytes, target).is_ok());
            }
        }
        demand_error(&lock, &honest[..honest.len() - 1], ScriptError::SigPushOnly);
    }
}

/// RETURN inside data is data.
#[test]
fn opcodes_inside_the_input_are_data() {
    for lock in small_locks() {
        for opcode in [0x6a, 0x51, 0x69, 0x75, 0x00, 0xff] {
            let input = vec![opcode; lock.input_len()];
            lock.demand(&lock.items(&lock.class(&input), &input), &TARGETS);
        }
    }
}

/// The longer ways to push the same bytes.
fn long_pushes(item: &[u8]) -> Vec<Vec<u8>> {
    let len = u32::try_from(item.len()).unwrap().to_le_bytes();
    let mut ways = vec![[&[push::PUSHDATA4], &len[..], item].concat(), [&[push::PUSHDATA2], &len[..2], item].concat()];
    if len[1] == 0 {
        ways.push([&[push::PUSHDATA1], &len[..1], item].concat());
    }
    if (1..=0x4b).contains(&len[0]) && len[1] == 0 {
        ways.push([&len[..1], item].concat());
    }
    let mut shortest = Vec::new();
    push::append(&mut shortest, item);
    ways.retain(|way| *way != shortest);
    ways
}

#[test]
fn long_pushes_are_refused_by_policy_and_mean_the_same_to_consensus() {
    for lock in small_locks() {
        for input in good_inputs(&lock) {
            let class = lock.class(&input);
            let other = lock.other(&class);
            for claim in [&class, &other] {
                let items = lock.items(claim, &input);
                for at in 0..items.len() {
                    for way in long_pushes(&items[at]) {
                        let (below, above) = (code::pushes(&items[..at]), code::pushes(&items[at + 1..]));
                        let unlocking = [below.as_bytes(), &way, above.as_bytes()].concat();
                        demand_long_push(&lock, &items, &unlocking);
                    }
                }
            }
        }
    }
}

fn demand_long_push(lock: &Lock, items: &[Vec<u8>], unlocking: &[u8]) {
    for target in &TARGETS {
        let outcome = interp::run(unlocking, &lock.bytes, target);
        match target.rules {
            Rules::Policy => assert_eq!(outcome.error, Some(ScriptError::MinimalData)),
            Rules::Consensus => assert_eq!(outcome.is_ok(), lock.expected(items).is_accepted()),
        }
    }
}

/// Inputs at the ends of every interval, under every rescale mode and level: the honest unlocking
/// script is accepted, and one with another claim is not.
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

#[test]
fn every_contract_computes_extreme_inputs_as_defined() {
    for lock in small_locks() {
        let mut accepted = 0;
        for input in random::inputs(lock.input_len(), lock.compiled.ir.input.width(), 30) {
            let class = lock.class(&input);
            let items = lock.items(&class, &input);
            lock.demand(&items, &TARGETS);
            accepted += usize::from(lock.expected(&items).is_accepted());
            if let Expected::Leaves(item) = lock.expected(&items) {
                let accept = match lock.compiled.contract {
                    Contract::Claim => true,
                    Contract::Expect(expected) => class == expected.into(),
                    Contract::Class => class != BigInt::ZERO,
                };
                assert_eq!(is_true(&item), accept);
            }
        }
        assert!(lock.compiled.contract != Contract::Claim || accepted > 30);
    }
}

/// Claims and lengths once more on the large network, where each run takes milliseconds.
#[test]
fn the_large_network_refuses_the_same() {
    let sampled = model(MNIST);
    for input in sampled.inputs() {
        let lock = Lock::new(sampled.compile(&options(&input, Rescale::Sum)));
        let pushed = lock.encode(&sampled.samples[0]);
        let class = lock.class(&pushed);
        lock.demand(&lock.items(&class, &pushed), &TARGETS);
        for claim in wrong_claims(&lock, &class) {
            lock.demand(&[claim, pushed.clone()], &[DEFAULT]);
        }
        for wrong in [&pushed[1..], &[&pushed[..], &[0]].concat(), &[], &pushed.repeat(2)] {
            lock.demand(&lock.items(&class, wrong), &[DEFAULT]);
        }
        lock.demand(&[vec![], number::encode(&class), pushed.clone()], &[DEFAULT]);
        lock.demand(std::slice::from_ref(&pushed), &[DEFAULT]);
        lock.demand(&[pushed.clone(), number::encode(&class)], &[DEFAULT]);
        for extreme in extremes(lock.input_len(), lock.compiled.ir.input.width()) {
            let class = lock.class(&extreme);
            lock.demand(&lock.items(&class, &extreme), &[DEFAULT]);
        }
    }
}
