//! Locking scripts that are not what was compiled.
//!
//! Two questions, of every script that a change of one instruction makes (see `common::mutate`):
//! 1. Does the compiler's checker refuse it? What it takes must do what the original does, under every attack.
//! 2. Does the campaign see the difference, without knowing of the checker? What neither sees is the same script in other
//!    words.
//!
//! `snapshots/hostile.mutants.snap` counts them, and lists the living. Those that the checker takes are of three classes:
//! - SWAP gone, or NOP in its place, before AND, ADD or the like, whose operands may stand either way; before BIN2NUM, where
//!   the two numbers that are made of the two items are operands of such an opcode, and both are made;
//! - SWAP twice before SWAP;
//! - FROMALTSTACK and a constant in the other order, as operands of ADD or MUL.
//!
//! Those that it refuses, and no attack shows, it refuses for a reason: it proves operand for operand, not arithmetic.
//! - `a + b + c`, MIN or MAX of three, MAX of 0 and a number, in another order; SPLIT gone where the next one cuts as much;
//! - BIN2NUM twice, later, or of what is a number already; a mask doubled in another order; both checks by EQUALVERIFY;
//! - DROP and VERIFY of bytes that are not all zero;
//! - a remainder by which nothing changes, since what is divided is small, or is divided again;
//! - bits of a constant that a mask or a SPLIT cuts off again: padding that keeps a number positive, digits above the last
//!   lane;
//! - opcodes and constants of what no input that was tried reaches, or what decides nothing: bends of curves and bounds
//!   behind the last value, halves that no sum is rounded from, a bias that is off by less than a step of its rescaled sum.

use std::collections::BTreeMap;
use std::fmt::Write;

use onnx2script::codegen::{self, Contract, Strategy};
use onnx2script::quant::Rescale;
use onnx2script::script::Code;
use onnx2script::script::opcode::Opcode;
use onnx2script::{Options, stack};
use rayon::prelude::*;

use super::attacks;
use super::campaign::{self, JUDGES, LONG_SCRIPT};
use super::common::mutate::{self, Mutant, mutants};
use super::common::random::extremes;
use super::common::{Expected, Lock, options};
use super::keep;
use super::locks::{self, network_of};
use super::search;
use super::unlocking::{Attack, Judge};

/// Of longer lists, so many are tried.
const MOST_MUTANTS: usize = 2_000;

/// A script to be changed.
struct Target {
    name: String,
    lock: Lock,
    most: usize,
}

/// Small contracts of every kind, packed and not, and a large one.
fn targets() -> Vec<Target> {
    let with = |input: &str, weights: &str, strategy: Strategy, contract: Contract| {
        let mut options = options(input, Rescale::Sum);
        options.quant.weights = vec![weights.parse().unwrap()];
        options.codegen = codegen::Options { strategy, ..codegen::Options::default() };
        Options { contract, ..options }
    };
    let of = |name: &str, options: Options, most: usize| {
        let network = network_of(name, options);
        let strategy = network.options.codegen.strategy;
        let name = format!("{name} {strategy} {}", network.options.contract);
        Target { name, lock: network.lock(network.options.contract), most }
    };
    use Strategy::{Packed, Unrolled};
    let mut targets = vec![
        of("toy_2-2-2", with("fixed", "fixed:1e8", Unrolled, Contract::Claim), MOST_MUTANTS),
        of("toy_2-2-2", with("fixed", "fixed:1e8", Packed, Contract::Claim), MOST_MUTANTS),
        of("iris_4-8-3", with("u8:1/20:-6", "int8", Unrolled, Contract::Class), MOST_MUTANTS),
        of("iris_4-8-3", with("u8:1/20:-6", "int8", Packed, Contract::Expect(1)), MOST_MUTANTS),
        of("gemm_6-5-4", with("fixed:4", "int8", Packed, Contract::Class), MOST_MUTANTS),
        of("diabetes_10-16-1", with("u8:1/20:-6", "int4", Packed, Contract::Claim), MOST_MUTANTS),
        of("mnist_784_64_10", with("u8:1/255", "int4", Packed, Contract::Claim), 300),
    ];
    targets.extend(locks::networks_of_steps().into_iter().map(|network| {
        let name = format!("{} claim", network.name);
        Target { name, lock: network.lock(Contract::Claim), most: MOST_MUTANTS }
    }));
    targets
}

/// What is tried on mutants, the honest first: most die of it. What is expected of each is known beforehand.
struct Trial {
    lock: Lock,
    attacks: Vec<(Attack, Expected)>,
}

impl Trial {
    fn new(lock: Lock) -> Trial {
        let long = lock.bytes.len() > LONG_SCRIPT;
        let good = locks::good_inputs(&lock);
        let ends = search::ends(&lock, if long { 1 } else { 16 });
        let mut more = search::boundaries(&lock, &ends, if long { 2 } else { 40 });
        more.extend(ends);
        more.extend(extremes(lock.input_len(), lock.compiled.ir.input.width()));
        let mut attacks = attacks::attacks(&lock, &good[..1], &more);
        attacks.retain(|attack| attack.unlocking.len() < 50_000);
        attacks.sort_by_key(|attack| !["the right claim", "other inputs"].contains(&attack.kind));
        let expected: Vec<Expected> = attacks.iter().map(|attack| attack.expected(&lock)).collect();
        Trial { lock, attacks: attacks.into_iter().zip(expected).collect() }
    }

    /// The attack that tells these bytes from the contract, by the verdict or by what is left on the stack; of judges that
    /// say the same of an attack, one will do.
    fn kills(&self, bytes: &[u8], judges: &[Judge]) -> Option<&'static str> {
        let differs = |(attack, expected): &&(Attack, Expected)| {
            judges.iter().any(|&judge| {
                let expected = if attack.may_run(&self.lock, judge) { expected } else { &Expected::Fails };
                let outcome = campaign::judged(&attack.unlocking, bytes, judge);
                campaign::complaint(expected, &outcome).is_some()
            })
        };
        self.attacks.iter().find(differs).map(|(attack, _)| attack.kind)
    }

    /// The same, quickly: by policy, and by those who let more through.
    fn kills_any(&self, bytes: &[u8]) -> Option<&'static str> {
        self.kills(bytes, &JUDGES[..1]).or_else(|| self.kills(bytes, &[JUDGES[5]]))
    }
}

/// What became of a mutant.
struct Fate {
    mutant: Mutant,
    refused: bool,
    killed: Option<&'static str>,
}

/// What became of the mutants of a kind.
#[derive(Default)]
struct Counts {
    made: usize,
    refused: usize,
    killed: usize,
    /// Refused, though no attack shows why.
    alive: usize,
    /// Taken, and the same in every attack.
    same: usize,
}

impl Counts {
    fn count(&mut self, fate: &Fate) {
        self.made += 1;
        self.refused += usize::from(fate.refused);
        self.killed += usize::from(fate.killed.is_some());
        self.alive += usize::from(fate.refused && fate.killed.is_none());
        self.same += usize::from(!fate.refused && fate.killed.is_none());
    }

    fn line(&self, name: &str) -> String {
        let Counts { made, refused, killed, alive, same } = self;
        format!("{name:38} {made:>6} {refused:>8} {killed:>7} {alive:>6} {same:>5}\n")
    }
}

/// What a change amounts to: the instructions, and of those that the checker takes, what stands behind them.
fn class_of(fate: &Fate, original: &[Code]) -> String {
    let Mutant { kind, at, change, code } = &fate.mutant;
    let left = original.len() - at;
    let same =
        (0..left.min(code.len())).take_while(|back| code[code.len() - 1 - back] == original[original.len() - 1 - back]);
    let behind = original.len() - same.count();
    match (fate.refused, original.get(behind)) {
        (false, Some(next)) => format!("{kind}: {change}, before {}", mutate::words(std::slice::from_ref(next))),
        _ => format!("{kind}: {change}"),
    }
}

/// The least that a checker must see, by name: the depths of two PICKs or ROLLs, swapped.
#[test]
fn a_swapped_pick_or_roll_is_refused_and_seen() {
    let mut swapped = 0;
    for Target { name, lock, .. } in targets().into_iter().filter(|target| target.most == MOST_MUTANTS) {
        let mut code: Vec<Code> = lock.compiled.script.instructions.iter().map(|made| made.code.clone()).collect();
        let moves = |at: &usize| matches!(code[at + 1], Code::Op(Opcode::PICK | Opcode::ROLL));
        let depths: Vec<usize> = (0..code.len() - 1).filter(moves).collect();
        let Some(pair) = depths.windows(2).find(|pair| code[pair[0]] != code[pair[1]]) else { continue };
        code.swap(pair[0], pair[1]);
        let bytes = mutate::bytes(&code);
        assert!(stack::check(&lock.compiled.program, &bytes).is_err(), "{name}");
        assert!(Trial::new(lock).kills_any(&bytes).is_some(), "{name}");
        swapped += 1;
    }
    assert!(swapped >= 3, "{swapped} contracts reach to two depths");
}

#[test]
fn no_changed_script_is_taken_that_does_something_else() {
    let (mut by_script, mut by_kind) = (BTreeMap::<String, Counts>::new(), BTreeMap::<&str, Counts>::new());
    let mut classes = BTreeMap::<String, usize>::new();
    let mut living = BTreeMap::<String, usize>::new();
    for Target { name, lock, most } in targets() {
        let code: Vec<Code> = lock.compiled.script.instructions.iter().map(|made| made.code.clone()).collect();
        assert_eq!(mutate::bytes(&code), lock.bytes);
        let trial = Trial::new(lock);
        assert_eq!(trial.kills(&trial.lock.bytes, &JUDGES), None, "{name}");
        let all = mutants(&code, 0, code.len());
        let sampled: Vec<Mutant> = all.iter().step_by(all.len().div_ceil(most).max(1)).cloned().collect();
        let program = &trial.lock.compiled.program;
        let fates: Vec<Fate> = sampled
            .into_par_iter()
            .map(|mutant| {
                let bytes = mutate::bytes(&mutant.code);
                let refused = stack::check(program, &bytes).is_err();
                // Of what the checker takes, every judge must say what they say of the original.
                let killed = if refused { trial.kills_any(&bytes) } else { trial.kills(&bytes, &JUDGES) };
                Fate { refused, killed, mutant }
            })
            .collect();
        for fate in &fates {
            let Fate { mutant, refused, killed } = fate;
            assert!(
                *refused || killed.is_none(),
                "{name}: the checker takes {} at {} ({}), which {killed:?} shows",
                mutant.kind,
                mutant.at,
                mutant.change
            );
            by_script.entry(name.clone()).or_default().count(fate);
            by_kind.entry(mutant.kind).or_default().count(fate);
            if killed.is_none() {
                let list = if *refused { &mut living } else { &mut classes };
                *list.entry(class_of(fate, &code)).or_default() += 1;
            }
        }
    }
    keep("hostile.mutants", &report(&by_script, &by_kind, &classes, &living));
}

fn report(
    by_script: &BTreeMap<String, Counts>,
    by_kind: &BTreeMap<&str, Counts>,
    classes: &BTreeMap<String, usize>,
    living: &BTreeMap<String, usize>,
) -> String {
    let mut text = format!("{:38} {:>6} {:>8} {:>7} {:>6} {:>5}\n", "", "made", "refused", "killed", "alive", "same");
    by_script.iter().for_each(|(name, counts)| text += &counts.line(name));
    text += "\n";
    by_kind.iter().for_each(|(name, counts)| text += &counts.line(name));
    for (title, list) in [("the same in other words", classes), ("refused, and alive", living)] {
        let _ = writeln!(text, "\n{title}");
        list.iter().for_each(|(class, count)| {
            let _ = writeln!(text, "{count:6} {class}");
        });
    }
    text
}
