//! The scheduler on random programs, and the checker on scripts that are wrong in one place.

mod common;

use std::fmt;
use std::sync::Arc;

use common::random::{Random, inputs};
use common::{DEFAULT, Lock, TARGETS, model, options};
use num_bigint::{BigInt, Sign};
use onnx2script::bignum::lanes::Lane;
use onnx2script::bignum::{self, Builder, Definition, EvalError, Kind, Name, Op, Program, ValueId};
use onnx2script::codegen::Contract;
use onnx2script::interp::{self, ScriptError};
use onnx2script::quant::Rescale;
use onnx2script::script::opcode::Opcode;
use onnx2script::script::{code, number, push};
use onnx2script::stack::{self, Layout};
use onnx2script::target::Target;
use onnx2script::{Compiled, Options};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// Numbers of up to this many bytes are multiplied further.
const LONGEST_FACTOR: usize = 48;
/// Byte strings of up to this length are read as numbers, and joined.
const LONGEST_STRING: usize = 40;

/// One step of a random program: what to do, and on which of the values so far.
type Plan = (u8, u16, u16, u8);

/// A program being made: its builder, and the values that each operation can take.
struct Maker {
    builder: Builder,
    /// What the unlocking script pushes.
    pushed: Vec<ValueId>,
    numbers: Vec<ValueId>,
    /// Byte strings and their lengths.
    strings: Vec<(ValueId, usize)>,
    /// Constants; byte strings with their lengths.
    constants: Vec<(ValueId, Option<usize>)>,
    /// Everything that can be left on the stack.
    all: Vec<ValueId>,
}

/// How long each push is checked to be.
fn length_of(index: usize) -> usize {
    index * 3 + 2
}

/// One of the newest values mostly, one of the oldest sometimes.
fn choose<T: Copy>(values: &[T], choice: u16) -> Option<T> {
    let age = usize::from(choice >> 2) % values.len().max(1);
    let recent = age.min(usize::from(choice % 4));
    let back = if choice.is_multiple_of(7) { age } else { recent };
    values.len().checked_sub(1 + back).map(|index| values[index])
}

impl Maker {
    fn new(pushes: usize) -> Maker {
        let names = ["first", "second", "third", "fourth"];
        let mut builder = Builder::new(&names[..pushes]);
        builder.check_depth(0);
        let pushed = builder.inputs().to_vec();
        let (numbers, strings, constants) = Default::default();
        Maker { builder, all: pushed.clone(), pushed, numbers, strings, constants }
    }

    fn one(&mut self, op: Op, operands: &[ValueId]) -> ValueId {
        let result = self.builder.one(op, operands, Name::whole(&Arc::from("v")));
        self.all.push(result);
        result
    }

    fn number(&mut self, op: Op, operands: &[ValueId]) {
        let result = self.one(op, operands);
        self.numbers.push(result);
    }

    fn string(&mut self, op: Op, operands: &[ValueId], len: usize) {
        let result = self.one(op, operands);
        self.strings.push((result, len));
    }

    fn is_short(&self, id: ValueId) -> bool {
        let interval = self.builder.interval(id);
        interval.is_some_and(|interval| interval.encoded_len() <= LONGEST_FACTOR)
    }

    fn step(&mut self, (what, a, b, byte): Plan) {
        let (number, other) = (choose(&self.numbers, a), choose(&self.numbers, b));
        let (string, tail) = (choose(&self.strings, a), choose(&self.strings, b));
        match (what % 25, number, other, string, tail) {
            (0 | 1, ..) => self.check_length(a),
            (2 | 3, Some(x), Some(y), ..) => self.number(Op::Add, &[x, y]),
            (4, Some(x), Some(y), ..) => self.number(Op::Sub, &[x, y]),
            (5 | 6, Some(x), Some(y), ..) if self.is_short(x) && self.is_short(y) => self.number(Op::Mul, &[x, y]),
            (7, Some(x), ..) => {
                let divisor = self.builder.number(&divisor(byte));
                let op = if b.is_multiple_of(2) { Op::Div } else { Op::Mod };
                self.number(op, &[x, divisor]);
            }
            (8, Some(x), ..) => self.number(Op::Negate, &[x]),
            (9, Some(x), Some(y), ..) => self.number(Op::Max, &[x, y]),
            (10, _, _, Some((x, len)), _) => self.split(x, len, usize::from(byte)),
            (11, _, _, Some((x, below)), Some((y, above))) if below + above <= LONGEST_STRING => {
                self.string(Op::Cat, &[x, y], below + above);
            }
            (12 | 13, _, _, Some((x, len)), _) if len <= LONGEST_STRING => self.number(Op::BinToNum, &[x]),
            (14, ..) => {
                if let (Some(x), Some(y)) = (choose(&self.all, a), choose(&self.all, b)) {
                    self.number(Op::Equal, &[x, y]);
                }
            }
            (16, Some(x), Some(y), ..) => self.number(Op::GreaterThan, &[x, y]),
            (17, Some(x), Some(y), ..) => self.number(Op::Min, &[x, y]),
            (18, Some(x), ..) => self.written(x, usize::from(byte % 4)),
            (19, ..) => self.load(a),
            (20 | 21, _, _, Some((x, len)), _) => self.string(Op::View(1 + usize::from(byte % 4)), &[x], len),
            (22 | 23, _, _, Some((x, len)), _) => self.and(x, len, b, byte),
            (24, Some(x), ..) => self.number(Op::Lane, &[x]),
            _ => self.constant(a, byte),
        }
    }

    /// A number written to more bytes than it needs at most.
    fn written(&mut self, x: ValueId, more: usize) {
        let Some(len) = self.builder.interval(x).map(|interval| interval.encoded_len() + more) else { return };
        let constant = self.builder.number(&len.into());
        self.string(Op::NumToBin, &[x, constant], len);
    }

    fn load(&mut self, choice: u16) {
        match choose(&self.constants, choice) {
            Some((constant, Some(len))) => self.string(Op::Load, &[constant], len),
            Some((constant, None)) => self.number(Op::Load, &[constant]),
            None => {}
        }
    }

    /// With a string of the same length, or a mask that keeps some bytes, or some bits of each.
    fn and(&mut self, x: ValueId, len: usize, choice: u16, byte: u8) {
        let alike: Vec<ValueId> = self.strings.iter().filter(|(_, other)| *other == len).map(|(id, _)| *id).collect();
        let mask = match choice % 3 {
            0 => choose(&alike, choice / 3).unwrap_or(x),
            1 => self.builder.bytes((0..len).map(|at| if byte >> (at % 8) & 1 == 1 { 0xff } else { 0 }).collect()),
            _ => self.builder.bytes(vec![byte; len]),
        };
        self.string(Op::And, &[x, mask], len);
    }

    fn check_length(&mut self, choice: u16) {
        let index = usize::from(choice) % self.pushed.len();
        let len = length_of(index);
        let checked = self.one(Op::CheckLength(len), &[self.pushed[index]]);
        self.strings.push((checked, len));
    }

    fn split(&mut self, x: ValueId, len: usize, position: usize) {
        let position = position % (len + 1);
        let name = || Name::whole(&Arc::from("half"));
        let (head, tail) = self.builder.split(x, position, [name(), name()]);
        self.all.extend([head, tail]);
        self.strings.extend([(head, position), (tail, len - position)]);
    }

    fn constant(&mut self, choice: u16, byte: u8) {
        if choice.is_multiple_of(3) {
            let len = usize::from(byte % 4);
            let constant = self.builder.bytes(vec![byte; len]);
            self.strings.push((constant, len));
            self.constants.push((constant, Some(len)));
        } else {
            let constant = self.builder.number(&small(byte));
            self.numbers.push(constant);
            self.constants.push((constant, None));
        }
    }
}

/// Small numbers around zero, and some larger ones.
fn small(byte: u8) -> BigInt {
    match byte {
        0..200 => BigInt::from(i64::from(byte) / 8 - 3),
        _ => BigInt::from(i64::from(byte)).pow(u32::from(byte % 8)) * if byte.is_multiple_of(2) { 1 } else { -1 },
    }
}

/// Any of them but zero.
fn divisor(byte: u8) -> BigInt {
    match small(byte) {
        zero if zero == BigInt::ZERO => BigInt::from(3),
        other => other,
    }
}

/// A program, and a second value to leave in place of its result: code behind that one is dead.
fn program(pushes: usize, plan: &[Plan], result: u16, instead: Option<u16>) -> Program {
    let made = |plan: &[Plan]| {
        let mut maker = Maker::new(pushes);
        plan.iter().for_each(|&step| maker.step(step));
        let leave = choose(&maker.all, result).unwrap_or(0);
        maker.builder.finish(leave)
    };
    let mut program = made(plan).unwrap_or_else(|_| {
        // Steps that read lanes where they do not lie are left out.
        let mut taken: Vec<Plan> = Vec::new();
        for &step in plan {
            taken.push(step);
            if let Err(reason) = made(&taken) {
                assert!(reason.contains("invariant 8"), "{reason}");
                taken.pop();
            }
        }
        made(&taken).unwrap()
    });
    let made: Vec<ValueId> = (0..program.values.len()).filter(|&id| is_made(&program, id)).collect();
    if let Some(other) = instead.and_then(|choice| choose(&made, choice)) {
        program.result = other;
    }
    program
}

/// Whether a value exists at the end: pruning leaves results behind that nothing makes.
fn is_made(program: &Program, id: ValueId) -> bool {
    match program.values[id].definition {
        Definition::Input(_) | Definition::Constant(_) => true,
        Definition::Result { .. } => {
            program.instructions.iter().any(|made| (made.result..made.result + made.op.results()).contains(&id))
        }
    }
}

/// A program that a failing test shows as text.
#[derive(Clone)]
struct Shown(Program);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bignum::print(&self.0))
    }
}

fn programs() -> impl Strategy<Value = Shown> {
    let plan = prop::collection::vec(any::<Plan>(), 0..60);
    (1usize..=4, plan, any::<u16>(), any::<Option<u16>>())
        .prop_map(|(pushes, plan, result, instead)| Shown(program(pushes, &plan, result, instead)))
}

fn layouts() -> impl Iterator<Item = Layout> {
    (0..16).map(|bits| Layout {
        idioms: bits & 1 != 0,
        orders: bits & 2 != 0,
        alt: bits & 4 != 0,
        peephole: bits & 8 != 0,
    })
}

/// Pushes of the right lengths, then some that are not.
fn pushes(program: &Program, seed: u64) -> Vec<Vec<Vec<u8>>> {
    let mut random = Random(seed);
    let count = program.inputs.len();
    let lengths = (0..count).map(length_of);
    let mut pushes: Vec<Vec<Vec<u8>>> =
        [0x00, 0xff, 0x7f, 0x80, 0x01].map(|byte| lengths.clone().map(|len| vec![byte; len]).collect()).to_vec();
    for _ in 0..3 {
        pushes.push(lengths.clone().map(|len| random.bytes(len)).collect());
    }
    let good = pushes[0].clone();
    pushes.push(good.iter().map(|item| [item, &[1][..]].concat()).collect());
    pushes.push(good.iter().map(|item| item[1..].to_vec()).collect());
    pushes.push([&good[..], &[vec![1]]].concat());
    pushes.push(good[1..].to_vec());
    pushes
}

/// Demands of a script what the program computes.
fn demand(program: &Program, script: &[u8], pushes: &[Vec<u8>], target: &Target) {
    let outcome = interp::run(code::pushes(pushes).as_bytes(), script, target);
    match bignum::eval(program, pushes) {
        Ok(left) => {
            assert!(matches!(outcome.error, None | Some(ScriptError::EvalFalse)), "{}", outcome.verdict());
            assert_eq!(outcome.stack, [left]);
        }
        Err(EvalError::Depth | EvalError::Length) => assert!(!outcome.is_ok()),
        Err(EvalError::Range) => panic!("a verified program left the range of an opcode"),
    }
}

/// What `kind` says of an item.
fn holds(kind: &Kind, item: &[u8]) -> bool {
    match kind {
        Kind::Number(interval) => number::is_minimal(item) && interval.contains(&number::decode(item)),
        Kind::Bytes { len, most } => {
            let value = BigInt::from_bytes_le(Sign::Plus, item);
            item.len() == *len && most.as_ref().is_none_or(|most| value <= *most)
        }
        Kind::Rest { most } => item.len() <= *most,
        Kind::Untrusted => true,
    }
}

/// Whether lanes hold what is proved of each; there may be none.
fn lie_in_lanes(lanes: &[Lane], item: &[u8]) -> bool {
    let mut left = BigInt::from_bytes_le(Sign::Plus, item);
    let lie = lanes.iter().rev().all(|lane| {
        let held = &left >> lane.offset;
        left -= &held << lane.offset;
        BigInt::from(lane.low) <= held && held <= BigInt::from(lane.high)
    });
    lie && (lanes.is_empty() || left == BigInt::ZERO)
}

proptest! {
    #![proptest_config(Config { cases: 1500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn random_programs_are_laid_out_right_in_every_way(Shown(program) in programs(), seed in any::<u64>()) {
        bignum::verify(&program, &DEFAULT).unwrap();
        prop_assert!(!bignum::print(&program).is_empty());
        let pushes = pushes(&program, seed);
        for layout in layouts() {
            let script = stack::schedule(&program, layout).to_bytes();
            let checked = stack::check(&program, &script);
            prop_assert!(checked.is_ok(), "{layout:?}: {checked:?}");
            pushes.iter().for_each(|pushes| demand(&program, &script, pushes, &DEFAULT));
        }
    }

    #[test]
    fn values_of_random_programs_are_what_is_proved_of_them(Shown(program) in programs(), seed in any::<u64>()) {
        let pushes = pushes(&program, seed);
        for id in (0..program.values.len()).filter(|&id| is_made(&program, id)) {
            let program = Program { result: id, ..program.clone() };
            for item in pushes.iter().filter_map(|pushes| bignum::eval(&program, pushes).ok()) {
                prop_assert!(holds(&program.values[id].kind, &item), "%{id} is {item:02x?}");
                let lanes = program.values[id].detail.lanes().unwrap_or_default();
                prop_assert!(lie_in_lanes(&lanes, &item), "%{id} is {item:02x?}, not in {lanes:?}");
                prop_assert!(program.known(id).is_none_or(|known| known == item), "%{id} is {item:02x?}");
            }
        }
    }

    #[test]
    fn a_wrong_random_script_is_rejected_or_does_the_same(
        Shown(program) in programs(),
        layout in any::<u8>(),
        seed in any::<u64>(),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        let layout = layouts().nth(usize::from(layout % 16)).unwrap();
        let script = stack::schedule(&program, layout).to_bytes();
        let mutants = mutants(&script);
        let pushes = pushes(&program, seed);
        for choice in choices {
            let (what, mutant) = choice.get(&mutants);
            if stack::check(&program, mutant).is_ok() {
                for pushes in &pushes {
                    let unlocking = code::pushes(pushes);
                    let run = |script: &[u8]| verdict(unlocking.as_bytes(), script, &DEFAULT);
                    prop_assert_eq!(run(&script), run(mutant), "{}", what);
                }
            }
        }
    }
}

/// Whether a spend is valid, and what it leaves if it is.
fn verdict(unlocking: &[u8], script: &[u8], target: &Target) -> Option<Vec<Vec<u8>>> {
    let outcome = interp::run(unlocking, script, target);
    outcome.is_ok().then_some(outcome.stack)
}

/// The instructions of a script, each as its bytes.
fn instructions(script: &[u8]) -> Vec<&[u8]> {
    let mut instructions = Vec::new();
    let mut rest = script;
    while let Some(&first) = rest.first() {
        let header = match first {
            push::PUSHDATA1 => 2,
            push::PUSHDATA2 => 3,
            push::PUSHDATA4 => 5,
            _ => 1,
        };
        let length = rest[1..header].iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
        let data = if first <= 0x4b { usize::from(first) } else { length };
        let (instruction, behind) = rest.split_at(header + data);
        instructions.push(instruction);
        rest = behind;
    }
    instructions
}

/// The data of a push that has some.
fn data(instruction: &[u8]) -> Option<&[u8]> {
    match instruction {
        [1..=0x4b, data @ ..] | [push::PUSHDATA1, _, data @ ..] | [push::PUSHDATA2, _, _, data @ ..] => Some(data),
        _ => None,
    }
}

fn pushed(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    push::append(&mut bytes, data);
    bytes
}

/// Every script that differs from this one in one place, and how.
fn mutants(script: &[u8]) -> Vec<(String, Vec<u8>)> {
    let parts = instructions(script);
    let mut mutants = Vec::new();
    for at in 0..parts.len() {
        let replaced = |what: &str, by: &[&[u8]], length: usize| {
            let whole = [parts[..at].concat(), by.concat(), parts[at + length..].concat()].concat();
            (format!("{what} at instruction {at}"), whole)
        };
        mutants.push(replaced("drop", &[], 1));
        mutants.push(replaced("twice", &[parts[at], parts[at]], 1));
        if let Some(next) = parts.get(at + 1) {
            mutants.push(replaced("swap", &[next, parts[at]], 2));
        }
        for other in Opcode::ALL {
            mutants.push(replaced(&format!("insert {other}"), &[&[other.byte()]], 0));
            if data(parts[at]).is_none() {
                mutants.push(replaced(&format!("change to {other}"), &[&[other.byte()]], 1));
            }
        }
        mutants.extend(other_pushes(parts[at]).iter().map(|(what, push)| replaced(what, &[push], 1)));
    }
    mutants.retain(|(_, mutant)| mutant != script);
    mutants
}

/// Pushes that differ a little: other bytes, longer and shorter data, and the same by a longer opcode.
fn other_pushes(instruction: &[u8]) -> Vec<(String, Vec<u8>)> {
    let small = match instruction {
        [0x00] => Some(vec![]),
        [byte @ 0x51..=0x60] => Some(vec![byte - 0x50]),
        [0x4f] => Some(vec![0x81]),
        _ => None,
    };
    let Some(data) = data(instruction).map(<[u8]>::to_vec).or(small) else {
        return Vec::new();
    };
    let mut pushes = Vec::new();
    for index in 0..data.len() {
        for flip in [0x01, 0x02, 0x10, 0x80] {
            let mut other = data.clone();
            other[index] ^= flip;
            pushes.push((format!("flip {flip:#04x} in byte {index}"), pushed(&other)));
        }
    }
    pushes.push(("a zero byte more".to_owned(), pushed(&[&data[..], &[0]].concat())));
    pushes.push(("a sign byte more".to_owned(), pushed(&[&data[..], &[0x80]].concat())));
    pushes.push(("a byte less".to_owned(), pushed(&data[..data.len().saturating_sub(1)])));
    let length = u8::try_from(data.len()).unwrap_or(u8::MAX);
    pushes.push(("PUSHDATA1".to_owned(), [&[push::PUSHDATA1, length], &data[..]].concat()));
    pushes.push(("PUSHDATA2".to_owned(), [&[push::PUSHDATA2, length, 0], &data[..]].concat()));
    if (1..=0x4b).contains(&length) {
        pushes.push(("a push by its length".to_owned(), [&[length], &data[..]].concat()));
    }
    pushes
}

#[test]
fn a_wrong_contract_is_rejected_or_does_the_same() {
    for contract in [Contract::Claim, Contract::Expect(1), Contract::Class] {
        let options = Options { contract, ..options("fixed", Rescale::Sum) };
        let lock = Lock::new(model("toy_2-2-2").compile(&options));
        demand_rejected(&lock);
        let naive = stack::schedule(&lock.compiled.program, Layout::NAIVE);
        demand_rejected(&Lock::new(Compiled { script: naive, ..lock.compiled }));
    }
    demand_rejected(&Lock::new(model("iris_4-8-3").compile(&options("u8:1/20", Rescale::None))));
}

/// The checker accepts a mutant only if no spend can tell it from the script.
fn demand_rejected(lock: &Lock) {
    let spends = spends(lock);
    let verdicts = |script: &[u8]| -> Vec<_> {
        let runs = spends.iter().flat_map(|spend| TARGETS.iter().map(move |target| (spend, target)));
        runs.map(|(spend, target)| verdict(spend, script, target)).collect()
    };
    let right = verdicts(&lock.bytes);
    let mutants = mutants(&lock.bytes);
    let accepted = mutants.iter().filter(|(_, mutant)| stack::check(&lock.compiled.program, mutant).is_ok());
    let mut count = 0;
    for (what, mutant) in accepted {
        assert!(verdicts(mutant) == right, "accepted, but does not do the same: {what} of {}", lock.compiled.contract);
        count += 1;
    }
    assert!(count * 10 < mutants.len(), "{count} of {} mutants are accepted", mutants.len());
}

/// Honest and dishonest unlocking scripts.
fn spends(lock: &Lock) -> Vec<Vec<u8>> {
    let mut spends = Vec::new();
    for input in inputs(lock.input_len(), lock.compiled.ir.input.width(), 20) {
        let class = lock.class(&input);
        for claim in [class.clone(), &class + 1, &class - 1] {
            spends.push(lock.items(&claim, &input));
        }
        spends.push(lock.items(&class, &input[1..]));
        spends.push(lock.items(&class, &[&input[..], &[0]].concat()));
        spends.push([&[vec![1]], &lock.items(&class, &input)[..]].concat());
        spends.push(lock.items(&class, &input)[1..].to_vec());
    }
    spends.iter().map(|items| code::pushes(items).into_bytes()).collect()
}
