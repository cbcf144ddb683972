//! The interpreter one below, at, and one above every limit of a node, in both eras and under both rules.
//!
//! What is expected is what the node's sources say, as `target` and the interpreter's errors quote them, and what its
//! vectors in `tests/vectors` show of other sizes.
//!
//! Not run: the longest script by consensus, 2^32 - 1 bytes, and one longer: it alone would take 4 GiB of memory.

mod common;

use common::TARGETS;
use num_bigint::BigInt;
use onnx2script::interp::{self, STACK_BYTES_OPERATOR};
use onnx2script::script::opcode::Opcode::{self, *};
use onnx2script::script::{code, number};
use onnx2script::target::{Era, Rules, Target};

// The node's figures, written out: a wrong constant of the library is to fail here.
const NUMBER_BYTES_GENESIS: usize = 750_000;
const NUMBER_BYTES_CHRONICLE: usize = 32_000_000;
const NUMBER_BYTES_POLICY: usize = 10_000;
const SCRIPT_BYTES_POLICY: usize = 500_000;
const STACK_BYTES_POLICY: u64 = 100_000_000;
const STACK_ELEMENT_OVERHEAD: u64 = 32;

/// Targets whose numbers are short enough to try everything with; under Chronicle's consensus they have 32 MB.
fn short_numbers() -> impl Iterator<Item = Target> {
    TARGETS.into_iter().filter(|target| longest(target) < NUMBER_BYTES_CHRONICLE)
}

/// The longest number, operand or result.
fn longest(target: &Target) -> usize {
    match (target.rules, target.era) {
        (Rules::Policy, _) => NUMBER_BYTES_POLICY,
        (Rules::Consensus, Era::Genesis) => NUMBER_BYTES_GENESIS,
        (Rules::Consensus, Era::Chronicle) => NUMBER_BYTES_CHRONICLE,
    }
}

/// The most memory for both stacks; under consensus, where the node's operator sets it, what this one allows.
fn most_memory(target: &Target) -> u64 {
    match target.rules {
        Rules::Policy => STACK_BYTES_POLICY,
        Rules::Consensus => STACK_BYTES_OPERATOR,
    }
}

/// The largest number of so many bytes.
fn largest(len: usize) -> Vec<u8> {
    let mut bytes = vec![0xff; len];
    bytes[len - 1] = 0x7f;
    bytes
}

/// The smallest number of so many bytes: its top bit is that of the byte below the sign's.
fn smallest(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    bytes[len - 2] = 0x80;
    bytes
}

fn negated(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(top) = bytes.last_mut() {
        *top |= 0x80;
    }
    bytes
}

fn num(value: impl Into<BigInt>) -> Vec<u8> {
    number::encode(&value.into())
}

fn ops(opcodes: &[Opcode]) -> Vec<u8> {
    opcodes.iter().map(|opcode| opcode.byte()).collect()
}

/// 2 to the power of so many bits.
fn power(bits: usize) -> Vec<u8> {
    num(BigInt::from(1) << bits)
}

/// Runs opcodes on items that are pushed.
fn verdict(items: &[Vec<u8>], opcodes: &[Opcode], target: &Target) -> &'static str {
    interp::run(code::pushes(items).as_bytes(), &ops(opcodes), target).verdict()
}

/// The same, where all that matters is that nothing failed on the way: a zero may be left.
fn passes(items: &[Vec<u8>], opcodes: &[Opcode], target: &Target) -> Result<(), &'static str> {
    match verdict(items, opcodes, target) {
        "OK" | "EVAL_FALSE" => Ok(()),
        error => Err(error),
    }
}

/// What comes of a number of so many bytes.
fn overflow_unless(fits: bool) -> Result<(), &'static str> {
    if fits { Ok(()) } else { Err("SCRIPTNUM_OVERFLOW") }
}

/// The length of what one opcode leaves, or its error.
#[track_caller]
fn leaves(items: &[Vec<u8>], opcode: Opcode, target: &Target, expected: Result<usize, &'static str>) {
    let outcome = interp::run(code::pushes(items).as_bytes(), &ops(&[opcode]), target);
    let left = match outcome.verdict() {
        "OK" | "EVAL_FALSE" => Ok(outcome.stack.last().unwrap().len()),
        error => Err(error),
    };
    assert_eq!(left, expected, "{opcode} under {} {}", target.era, target.rules);
}

const UNARY: [Opcode; 6] = [OP_1ADD, OP_1SUB, NEGATE, ABS, NOT, OP_0NOTEQUAL];
const BINARY: [Opcode; 15] = [
    ADD,
    SUB,
    MUL,
    DIV,
    MOD,
    BOOLAND,
    BOOLOR,
    NUMEQUAL,
    NUMNOTEQUAL,
    LESSTHAN,
    GREATERTHAN,
    LESSTHANOREQUAL,
    GREATERTHANOREQUAL,
    MIN,
    MAX,
];

#[test]
fn operands_of_every_opcode() {
    for target in short_numbers() {
        let limit = longest(&target);
        for len in [limit - 1, limit, limit + 1] {
            for operand in [smallest(len), negated(smallest(len))] {
                let check = |items: &[Vec<u8>], opcode: Opcode| {
                    let expected = overflow_unless(len <= limit);
                    assert_eq!(passes(items, &[opcode], &target), expected, "{target:?}: {opcode}, {len} bytes");
                };
                for opcode in UNARY {
                    check(std::slice::from_ref(&operand), opcode);
                }
                for opcode in BINARY {
                    check(&[operand.clone(), num(1)], opcode);
                    check(&[num(1), operand.clone()], opcode);
                }
                for place in 0..3 {
                    let mut items = [num(1), num(1), num(1)];
                    items[place].clone_from(&operand);
                    check(&items, WITHIN);
                }
            }
        }
        let differ = |len: usize| verdict(&[smallest(len), num(1)], &[NUMEQUALVERIFY], &target);
        assert_eq!([differ(limit), differ(limit + 1)], ["NUMEQUALVERIFY", "SCRIPTNUM_OVERFLOW"]);
    }
}

#[test]
fn operands_of_thirty_two_megabytes() {
    let target = Target { era: Era::Chronicle, rules: Rules::Consensus };
    for (len, fits) in [(31_999_999, true), (32_000_000, true), (32_000_001, false)] {
        let operand = negated(smallest(len));
        for opcode in [NEGATE, ABS, OP_1ADD, OP_2DIV] {
            assert_eq!(passes(std::slice::from_ref(&operand), &[opcode], &target), overflow_unless(fits), "{opcode}");
        }
        for opcode in [SUB, MUL, DIV, MOD, LESSTHAN] {
            let items = [operand.clone(), num(-1)];
            assert_eq!(passes(&items, &[opcode], &target), overflow_unless(fits), "{opcode}");
        }
    }
}

/// Sizes, depths and positions are numbers too: too long comes before out of range.
#[test]
fn operands_that_count() {
    for target in short_numbers() {
        let limit = longest(&target);
        let out_of_range = [
            (SPLIT, "INVALID_SPLIT_RANGE"),
            (NUM2BIN, "PUSH_SIZE"),
            (PICK, "INVALID_STACK_OPERATION"),
            (ROLL, "INVALID_STACK_OPERATION"),
        ];
        for (opcode, error) in out_of_range {
            for sign in [|bytes: Vec<u8>| bytes, negated] {
                let ran = |len: usize| verdict(&[num(5), sign(smallest(len))], &[opcode], &target);
                let expected = [error, error, "SCRIPTNUM_OVERFLOW"];
                assert_eq!([limit - 1, limit, limit + 1].map(ran), expected, "{target:?}: {opcode}");
            }
        }
        for opcode in [LSHIFT, RSHIFT] {
            let ran = |count: Vec<u8>| verdict(&[num(5), count], &[opcode], &target);
            assert_eq!([limit, limit + 1].map(|len| ran(smallest(len))), ["EVAL_FALSE", "SCRIPTNUM_OVERFLOW"]);
            let negative = [limit, limit + 1].map(|len| ran(negated(smallest(len))));
            assert_eq!(negative, ["INVALID_NUMBER_RANGE", "SCRIPTNUM_OVERFLOW"]);
        }
    }
}

#[test]
fn results_that_carry_over_the_limit() {
    let overflow = Err("SCRIPTNUM_OVERFLOW");
    for target in &TARGETS {
        let limit = longest(target);
        for (len, longer) in [(limit - 2, Ok(limit - 1)), (limit - 1, Ok(limit)), (limit, overflow)] {
            let (most, least) = (largest(len), negated(largest(len)));
            leaves(std::slice::from_ref(&most), OP_1ADD, target, longer);
            leaves(std::slice::from_ref(&least), OP_1SUB, target, longer);
            leaves(&[most.clone(), num(1)], ADD, target, longer);
            leaves(&[least.clone(), num(1)], SUB, target, longer);
            leaves(&[least, most], SUB, target, longer);
        }
        let longest = [largest(limit)];
        for opcode in [OP_1SUB, NEGATE, ABS] {
            leaves(&longest, opcode, target, Ok(limit));
        }
        for opcode in [DIV, MAX] {
            leaves(&[largest(limit), num(1)], opcode, target, Ok(limit));
        }
        leaves(&[largest(limit), num(1)], MOD, target, Ok(0));
        leaves(&[largest(limit), num(-1)], ADD, target, Ok(limit));
    }
}

/// A magnitude of n bits takes n / 8 + 1 bytes, and a product of powers has one bit less than its factors together.
#[test]
fn products_whose_factors_fit() {
    let overflow = Err("SCRIPTNUM_OVERFLOW");
    for target in &TARGETS {
        let limit = longest(target);
        for (bits, expected) in [
            (8 * limit - 9, Ok(limit - 1)),
            (8 * limit - 8, Ok(limit)),
            (8 * limit - 1, Ok(limit)),
            (8 * limit, overflow),
        ] {
            let exponent = bits - 1;
            // A product of two long factors of 32 MB takes seconds.
            let halves = (limit < NUMBER_BYTES_CHRONICLE || expected.is_err()).then_some(exponent / 2);
            for part in [1, 7, 100, 1_000].into_iter().chain(halves) {
                let (a, b) = (power(exponent - part), power(part));
                leaves(&[a.clone(), b.clone()], MUL, target, expected);
                leaves(&[b, negated(a)], MUL, target, expected);
            }
        }
        leaves(&[largest(limit), vec![]], MUL, target, Ok(0));
    }
}

#[test]
fn products_by_powers_of_two_in_chronicle() {
    let overflow = Err("SCRIPTNUM_OVERFLOW");
    for target in TARGETS.iter().filter(|target| target.era == Era::Chronicle) {
        let limit = longest(target);
        leaves(&[largest(limit - 1)], OP_2MUL, target, Ok(limit));
        leaves(&[largest(limit)], OP_2MUL, target, overflow);
        leaves(&[largest(limit)], OP_2DIV, target, Ok(limit));
        for (count, expected) in [
            (8 * limit - 10, Ok(limit - 1)),
            (8 * limit - 9, Ok(limit)),
            (8 * limit - 2, Ok(limit)),
            (8 * limit - 1, overflow),
            (8 * limit, overflow),
        ] {
            leaves(&[num(1), num(count)], LSHIFTNUM, target, expected);
            leaves(&[num(-1), num(count)], LSHIFTNUM, target, expected);
        }
        // The node bounds the length before it shifts, a zero's as well.
        leaves(&[vec![], num(8 * limit + 7)], LSHIFTNUM, target, Ok(0));
        leaves(&[vec![], num(8 * limit + 8)], LSHIFTNUM, target, overflow);
        leaves(&[largest(limit), num(1)], RSHIFTNUM, target, Ok(limit));
    }
}

#[test]
fn strings_that_become_numbers_and_back() {
    for target in &TARGETS {
        let limit = longest(target);
        leaves(&[largest(limit - 1)], BIN2NUM, target, Ok(limit - 1));
        leaves(&[largest(limit)], BIN2NUM, target, Ok(limit));
        leaves(&[largest(limit + 1)], BIN2NUM, target, Err("INVALID_NUMBER_RANGE"));
        leaves(&[negated(smallest(limit + 1))], BIN2NUM, target, Err("INVALID_NUMBER_RANGE"));
        // Longer than a number may be, yet its value is not.
        let padded = [largest(limit), vec![0; 2]].concat();
        leaves(&[padded], BIN2NUM, target, Ok(limit));
        // NUM2BIN takes strings of any length.
        let long = largest(limit + 1);
        leaves(&[long.clone(), num(limit)], NUM2BIN, target, Err("IMPOSSIBLE_ENCODING"));
        leaves(&[long.clone(), num(limit + 1)], NUM2BIN, target, Ok(limit + 1));
        leaves(&[negated(long), num(limit + 2)], NUM2BIN, target, Ok(limit + 2));
    }
}

#[test]
fn sizes_of_num2bin() {
    for target in &TARGETS {
        for (size, expected) in [
            (-1, Err("PUSH_SIZE")),
            (0, Err("IMPOSSIBLE_ENCODING")),
            (1, Ok(1)),
            (2, Ok(2)),
            // Allowed, but for the memory.
            (i64::from(i32::MAX), Err("STACK_SIZE")),
            (i64::from(i32::MAX) + 1, Err("PUSH_SIZE")),
            (i64::from(u32::MAX) + 3, Err("PUSH_SIZE")),
            (i64::MAX, Err("PUSH_SIZE")),
        ] {
            leaves(&[num(5), num(size)], NUM2BIN, target, expected);
        }
        leaves(&[vec![], vec![]], NUM2BIN, target, Ok(0));
    }
}

#[test]
fn strings_are_not_held_to_the_length_of_numbers() {
    for target in &TARGETS {
        let string = largest(longest(target) + 1);
        let script =
            [DUP, CAT, SIZE, DROP, INVERT, OP_1, SPLIT, NIP, DUP, DUP, XOR, OVER, AND, OP_3, LSHIFT, OP_3, RSHIFT];
        assert_eq!(passes(&[string], &[&script[..], &[EQUAL]].concat(), target), Ok(()));
    }
}

#[test]
fn scripts() {
    for target in &TARGETS {
        let longest = if target.rules == Rules::Policy { 500_000 } else { 0xffff_ffff };
        assert_eq!(target.max_script_bytes(), longest);
        for (len, fits) in
            [(SCRIPT_BYTES_POLICY - 1, true), (SCRIPT_BYTES_POLICY, true), (SCRIPT_BYTES_POLICY + 1, false)]
        {
            let expected = if fits || target.rules == Rules::Consensus { "OK" } else { "SCRIPT_SIZE" };
            // One push, behind five bytes that say how long it is.
            let unlocking = code::pushes(&[vec![1; len - 5]]).into_bytes();
            assert_eq!(unlocking.len(), len);
            assert_eq!(interp::run(&unlocking, &ops(&[SIZE, NIP]), target).verdict(), expected, "{len}");
            let locking = [vec![NOP.byte(); len - 1], ops(&[OP_1])].concat();
            assert_eq!(interp::run(&[], &locking, target).verdict(), expected, "{len}");
            // Each on its own, not both together.
            assert_eq!(
                interp::run(&unlocking, &[ops(&[DROP]), locking[1..].to_vec()].concat(), target).verdict(),
                expected
            );
        }
    }
}

/// A script that weighs `weight` on both stacks at its heaviest: a hundred copies of a string, all but one on the alt
/// stack, where the outcome does not copy them, then empty items, then a string for the rest.
fn of_weight(weight: u64, limit: u64, empty: u64) -> Vec<u8> {
    let size = limit / 100 - STACK_ELEMENT_OVERHEAD - 1_000;
    let rest = weight - 100 * (size + STACK_ELEMENT_OVERHEAD) - (empty + 1) * STACK_ELEMENT_OVERHEAD;
    let mut script = code::pushes(&[vec![], num(size)]).into_bytes();
    script.extend(ops(&[NUM2BIN]));
    script.extend(ops(&[DUP, TOALTSTACK].repeat(99)));
    script.extend(ops(&[OP_0].repeat(empty as usize)));
    script.extend(code::pushes(&[vec![], num(rest)]).into_bytes());
    script.extend(ops(&[NUM2BIN]));
    script
}

#[test]
fn memory_of_both_stacks() {
    for target in &TARGETS {
        let limit = most_memory(target);
        for empty in [0, 1_000] {
            for (weight, error) in [(limit - 1, "EVAL_FALSE"), (limit, "EVAL_FALSE"), (limit + 1, "STACK_SIZE")] {
                let outcome = interp::run(&[], &of_weight(weight, limit, empty), target);
                assert_eq!(outcome.verdict(), error, "{target:?}: {weight}, {empty} empty items");
                assert!(error == "STACK_SIZE" || outcome.stats.peak_memory == weight, "{}", outcome.stats.peak_memory);
            }
        }
        // What the unlocking script left counts as well.
        let pushed = code::pushes(&[vec![1; 1_000]]).into_bytes();
        let run = |weight: u64| interp::run(&pushed, &of_weight(weight, limit, 0), target).verdict();
        assert_eq!([run(limit - 1_032), run(limit - 1_031)], ["EVAL_FALSE", "STACK_SIZE"]);
    }
}

/// Every way to copy counts in full, whatever the copies share; an item costs 32 bytes even if empty.
#[test]
fn memory_that_copies_take() {
    let cases: [(&[Opcode], u64); 7] = [
        (&[DUP], 2),
        (&[DUP, TUCK], 3),
        (&[DUP, TOALTSTACK, DUP, FROMALTSTACK], 3),
        (&[DUP, OP_2DUP], 4),
        (&[DUP, DUP, OP_3DUP], 6),
        (&[DUP, DUP, OVER, OP_2OVER], 6),
        (&[IFDUP, IFDUP], 3),
    ];
    for (opcodes, items) in cases {
        let run = |len: u64| {
            let making = code::pushes(&[vec![], num(len)]).into_bytes();
            interp::run(&[], &[making, ops(&[NUM2BIN, INVERT]), ops(opcodes)].concat(), &TARGETS[0]).verdict()
        };
        let most = STACK_BYTES_POLICY / items - STACK_ELEMENT_OVERHEAD;
        assert_eq!([run(most), run(most + 1)], ["CLEANSTACK", "STACK_SIZE"], "{opcodes:?}: {most} bytes {items} times");
    }
}

/// What Genesis took the limits off: items, opcodes, and 520 bytes an item.
#[test]
fn counts_without_a_limit() {
    for target in &TARGETS {
        let many = [ops(&[OP_1; 2_001]), ops(&[OP_2DROP; 1_000])].concat();
        let outcome = interp::run(&[], &many, target);
        assert_eq!((outcome.verdict(), outcome.stats.peak_items), ("OK", 2_001));
        for len in [519, 520, 521] {
            assert_eq!(verdict(&[vec![1; len]], &[SIZE, NIP], target), "OK");
        }
    }
}

#[test]
fn counts_of_keys_and_signatures() {
    for target in &TARGETS {
        let run = |signatures: i64, keys: i64, given: usize| {
            let mut items = vec![vec![], num(signatures)];
            items.extend(vec![vec![2; 33]; given]);
            items.push(num(keys));
            verdict(&items, &[CHECKMULTISIG], target)
        };
        assert_eq!(run(0, -1, 0), "PUBKEY_COUNT");
        assert_eq!(run(-1, 0, 0), "SIG_COUNT");
        assert_eq!(run(2, 1, 1), "SIG_COUNT");
        // None of none, and none of more keys than there were before Genesis.
        assert_eq!([run(0, 0, 0), run(0, 21, 21)], ["OK", "OK"]);
        assert_eq!(run(0, i64::from(i32::MAX), 1), "INVALID_STACK_OPERATION");
    }
}
