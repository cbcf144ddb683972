//! Whole spends: limits at their edges, the flow of control, the tracer, and arbitrary bytes.

use proptest::prelude::*;

use super::*;
use crate::script::opcode::Opcode::{self, *};
use crate::script::push;
use crate::target::{Era, NUMBER_BYTES_POLICY, Rules, SCRIPT_BYTES_POLICY};

const POLICY: Target = Target { era: Era::Genesis, rules: Rules::Policy };
const CONSENSUS: Target = Target { era: Era::Genesis, rules: Rules::Consensus };
const CHRONICLE: Target = Target { era: Era::Chronicle, rules: Rules::Consensus };
const TARGETS: [Target; 4] = [POLICY, CONSENSUS, CHRONICLE, Target { era: Era::Chronicle, rules: Rules::Policy }];

fn ops(opcodes: &[Opcode]) -> Vec<u8> {
    opcodes.iter().map(|opcode| opcode.byte()).collect()
}

fn pushes(items: &[&[u8]]) -> Vec<u8> {
    let mut script = Vec::new();
    items.iter().for_each(|item| push::append(&mut script, item));
    script
}

fn verdict(unlocking: &[u8], locking: &[Opcode], target: &Target) -> &'static str {
    run(unlocking, &ops(locking), target).verdict()
}

#[test]
fn a_script_may_be_as_long_as_policy_allows_and_no_longer() {
    let mut script = vec![NOP.byte(); SCRIPT_BYTES_POLICY - 1];
    script.push(OP_1.byte());
    assert_eq!(run(&[], &script, &POLICY).verdict(), "OK");
    script.push(NOP.byte());
    assert_eq!(run(&[], &script, &POLICY).verdict(), "SCRIPT_SIZE");
    assert_eq!(run(&[], &script, &CONSENSUS).verdict(), "OK");
    let unlocking = vec![OP_1.byte(); SCRIPT_BYTES_POLICY + 1];
    assert_eq!(run(&unlocking, &[], &POLICY).verdict(), "SCRIPT_SIZE");
}

#[test]
fn numbers_may_be_as_long_as_the_target_allows_and_no_longer() {
    let number = |len: usize| pushes(&[&vec![0x7f; len]]);
    for (len, expected) in
        [(NUMBER_BYTES_POLICY - 1, "OK"), (NUMBER_BYTES_POLICY, "OK"), (NUMBER_BYTES_POLICY + 1, "SCRIPTNUM_OVERFLOW")]
    {
        assert_eq!(verdict(&number(len), &[NEGATE], &POLICY), expected, "{len}");
        assert_eq!(verdict(&number(len), &[NEGATE], &CONSENSUS), "OK");
        let expected = if expected == "OK" { "OK" } else { "INVALID_NUMBER_RANGE" };
        assert_eq!(verdict(&number(len), &[BIN2NUM], &POLICY), expected, "{len}");
    }
    // The operand fits, the result does not.
    assert_eq!(verdict(&number(NUMBER_BYTES_POLICY), &[DUP, ADD], &POLICY), "SCRIPTNUM_OVERFLOW");
    assert_eq!(verdict(&number(NUMBER_BYTES_POLICY), &[DUP, MUL], &POLICY), "SCRIPTNUM_OVERFLOW");
    assert_eq!(verdict(&number(NUMBER_BYTES_POLICY - 1), &[DUP, ADD], &POLICY), "OK");
    // Byte strings are not numbers.
    assert_eq!(verdict(&number(NUMBER_BYTES_POLICY), &[DUP, CAT, INVERT], &POLICY), "OK");
}

#[test]
fn stack_memory_is_bounded_before_it_is_taken() {
    let size = pushes(&[&[], &i32::MAX.to_le_bytes()]);
    assert_eq!(verdict(&size, &[NUM2BIN], &POLICY), "STACK_SIZE");
    assert_eq!(verdict(&size, &[NUM2BIN], &CONSENSUS), "STACK_SIZE");
    let size = pushes(&[&[], &[0, 0, 0, 0x80, 0]]);
    assert_eq!(verdict(&size, &[NUM2BIN], &CONSENSUS), "PUSH_SIZE");
    // Doubling a string, forever.
    let doublings: Vec<Opcode> = [DUP, CAT].into_iter().cycle().take(200).collect();
    assert_eq!(verdict(&pushes(&[&[1; 100]]), &doublings, &POLICY), "STACK_SIZE");
}

#[test]
fn statistics_count_what_was_executed() {
    // In the branch not taken, only the conditionals count.
    let outcome = run(&pushes(&[&[7; 100]]), &ops(&[OP_0, IF, DUP, DUP, ELSE, SIZE, ENDIF, TOALTSTACK]), &POLICY);
    assert_eq!(outcome.stats, Stats { instructions: 7, peak_items: 2, peak_memory: 132 + 33 });
    assert_eq!(outcome.stack, [vec![7; 100]]);
}

#[test]
fn control_flow_follows_the_node() {
    let cases: [(&[Opcode], &str); 14] = [
        (&[OP_1, IF, OP_1, ELSE, OP_0, ENDIF], "OK"),
        (&[OP_1, NOTIF, OP_0, ELSE, OP_1, ENDIF], "OK"),
        (&[IF, ENDIF], "UNBALANCED_CONDITIONAL"),
        (&[OP_1, IF], "UNBALANCED_CONDITIONAL"),
        (&[OP_1, IF, ELSE, ELSE, ENDIF], "UNBALANCED_CONDITIONAL"),
        (&[ELSE], "UNBALANCED_CONDITIONAL"),
        (&[ENDIF], "UNBALANCED_CONDITIONAL"),
        // At the top level RETURN ends it all; within an IF the rest must still balance.
        (&[OP_1, RETURN, IF, RESERVED1], "OK"),
        (&[OP_1, OP_1, IF, RETURN, RESERVED1, ENDIF, RESERVED1], "OK"),
        (&[OP_1, OP_1, IF, RETURN], "UNBALANCED_CONDITIONAL"),
        (&[OP_1, OP_1, IF, RETURN, ENDIF, RETURN, ELSE], "OK"),
        // Not executed, not judged.
        (&[OP_1, OP_0, IF, RESERVED1, OP_2MUL, VERIF, VER, NOP1, ENDIF], "OK"),
        (&[OP_1, VERIF], "BAD_OPCODE"),
        (&[FROMALTSTACK], "INVALID_ALTSTACK_OPERATION"),
    ];
    for (locking, expected) in cases {
        assert_eq!(verdict(&[], locking, &POLICY), expected, "{locking:?}");
    }
}

#[test]
fn only_pushes_unlock() {
    assert_eq!(verdict(&ops(&[OP_1, NOP]), &[], &CONSENSUS), "SIG_PUSHONLY");
    assert_eq!(verdict(&[1], &[OP_1], &CONSENSUS), "SIG_PUSHONLY");
    assert_eq!(verdict(&ops(&[OP_RESERVED]), &[OP_1], &CONSENSUS), "BAD_OPCODE");
}

#[test]
fn chronicle_compares_the_version() {
    assert_eq!(verdict(&[], &[VER, VERIF, OP_1, ELSE, OP_0, ENDIF], &CHRONICLE), "OK");
    assert_eq!(verdict(&[], &[OP_1, VERNOTIF, OP_1, ELSE, OP_0, ENDIF], &CHRONICLE), "OK");
    assert_eq!(run(&[], &ops(&[VER]), &CHRONICLE).stack, [vec![1, 0, 0, 0]]);
    assert_eq!(verdict(&[], &[OP_1, OP_1, VER], &CONSENSUS), "BAD_OPCODE");
}

#[test]
fn the_tracer_sees_every_instruction_before_it_runs() {
    let mut seen = Vec::new();
    let unlocking = pushes(&[&[9; 20], &[]]);
    let outcome = run_traced(&unlocking, &ops(&[IF, OP_5, ENDIF, TOALTSTACK, OP_1]), &POLICY, None, &mut |step| {
        let top = step.item(0).map_or("none".to_owned(), |item| item.len().to_string());
        seen.push(format!(
            "{}:{} {} [{} {top} {}]",
            step.script,
            step.offset,
            step.instruction,
            step.depth(),
            step.alt_depth()
        ));
    });
    assert_eq!(outcome.stats.instructions, seen.len() as u64);
    assert_eq!(
        seen,
        [
            "unlocking:0 PUSH 09090909090909090909090909090909... (20 bytes) [0 none 0]",
            "unlocking:21 0 [1 20 0]",
            "locking:0 IF [2 0 0]",
            "locking:2 ENDIF [1 20 0]",
            "locking:3 TOALTSTACK [1 20 0]",
            "locking:4 OP_1 [0 none 1]",
        ]
        .map(|line| line.replace("OP_1", OP_1.name()))
    );
}

/// A transaction of one input and one output.
fn transaction(version: u8) -> Vec<u8> {
    [&[version, 0, 0, 0, 1][..], &[7; 36], &[0, 0xff, 0xff, 0xff, 0xff, 1], &[0; 9], &[0; 4]].concat()
}

#[test]
fn version_opcodes_see_the_transaction() {
    let bytes = transaction(5);
    let spending = Spending::new(&bytes, 0, 1).unwrap();
    let ran = |locking: &[Opcode]| run_spending(&[], &ops(locking), &CHRONICLE, &spending);
    assert_eq!(ran(&[VER]).stack, [vec![5, 0, 0, 0]]);
    assert_eq!(ran(&[VER, VERIF, OP_1, ELSE, OP_0, ENDIF]).verdict(), "OK");
    assert_eq!(run_spending(&[], &ops(&[VER]), &CONSENSUS, &spending).verdict(), "BAD_OPCODE");
}

#[test]
fn a_version_above_one_does_not_lift_what_is_no_rule_on_malleability() {
    let bytes = transaction(2);
    let spending = Spending::new(&bytes, 0, 1).unwrap();
    let policy = Target { era: Era::Chronicle, rules: Rules::Policy };
    let ran = |unlocking: &[u8], locking: &[Opcode]| run_spending(unlocking, &ops(locking), &policy, &spending);
    assert_eq!(ran(&[], &[OP_1, NOP10]).verdict(), "DISCOURAGE_UPGRADABLE_NOPS");
    assert_eq!(ran(&pushes(&[&[0x7f; NUMBER_BYTES_POLICY + 1]]), &[NEGATE]).verdict(), "SCRIPTNUM_OVERFLOW");
    // A number that is not minimal, an item too many; then an unlocking script that computes.
    assert_eq!(ran(&[0x51, 2, 5, 0], &[OP_1ADD]).verdict(), "OK");
    assert_eq!(
        ran(&ops(&[OP_1, OP_2, ADD, TOALTSTACK, OP_1]), &[FROMALTSTACK]).verdict(),
        "INVALID_ALTSTACK_OPERATION"
    );
    assert_eq!(ran(&ops(&[OP_1, IF]), &[ENDIF]).verdict(), "UNBALANCED_CONDITIONAL");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        unlocking in prop::collection::vec(0u8..0x61, 0..40),
        locking in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        for target in &TARGETS {
            run(&unlocking, &locking, target);
            run(&locking, &unlocking, target);
        }
    }

    #[test]
    fn arbitrary_opcodes_on_a_full_stack_never_panic(
        items in prop::collection::vec(prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(0x80)], 0..24), 8),
        locking in prop::collection::vec(prop::sample::select(Opcode::ALL), 1..30),
    ) {
        let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
        let bytes = transaction(2);
        let spending = Spending::new(&bytes, 0, 1).unwrap();
        for target in &TARGETS {
            run(&pushes(&items), &ops(&locking), target);
            run_spending(&pushes(&items), &ops(&locking), target, &spending);
        }
    }

    #[test]
    fn arbitrary_signatures_and_script_codes_never_panic(
        r in prop::collection::vec(any::<u8>(), 1..34),
        s in prop::collection::vec(any::<u8>(), 1..34),
        hash_type: u8,
        x: [u8; 32],
        tail in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let length = |bytes: &[u8]| bytes.len() as u8;
        let integers = [&[2, length(&r)][..], &r, &[2, length(&s)], &s].concat();
        let signature = [&[0x30, length(&integers)][..], &integers, &[hash_type]].concat();
        let key = [&[2][..], &x].concat();
        let unlocking = pushes(&[&[], &signature, &[1], &key, &[1], &signature, &key]);
        let locking = [&ops(&[CODESEPARATOR, CHECKSIG, DROP, CHECKMULTISIG, RETURN])[..], &tail].concat();
        for version in [1, 2] {
            let bytes = transaction(version);
            let spending = Spending::new(&bytes, 0, 1).unwrap();
            for target in &TARGETS {
                let outcome = run_spending(&unlocking, &locking, target, &spending);
                prop_assert!(outcome.verdict() != "OK" && outcome.verdict() != "TRANSACTION_NEEDED");
            }
        }
    }

    #[test]
    fn split_and_cat_are_inverse(data in prop::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index) {
        let position = crate::script::number::encode(&at.index(data.len() + 1).into());
        let unlocking = pushes(&[&data, &data, &position]);
        prop_assert_eq!(verdict(&unlocking, &[SPLIT, CAT, EQUAL], &POLICY), "OK");
    }
}

/// Script by script: what it takes is refused just below, and an allowance changes nothing else.
#[test]
fn work_is_limited_where_it_is_asked_for_and_nowhere_else() {
    let long = vec![1; 5000];
    for (items, opcodes) in [
        (vec![&long[..], &long[..]], vec![MUL]),
        (vec![&long[..], &long[..4000]], vec![DIV]),
        (vec![&long[..], &vec![2; 5000][..]], vec![XOR]),
        (vec![&long[..]], vec![SHA256]),
        (vec![&[1][..], &[0x40, 0x42, 0x0f]], vec![NUM2BIN]),
        (vec![&[1][..]; 40], [&[OP_16, ROLL].repeat(40)[..], &[DROP; 39]].concat()),
    ] {
        let (unlocking, locking) = (pushes(&items), ops(&opcodes));
        let within = |work| run_within(work, &unlocking, &locking, &POLICY, None);
        let unlimited = run(&unlocking, &locking, &POLICY);
        assert!(unlimited.is_ok(), "{opcodes:?}");
        // Bisection for the least that suffices.
        let (mut too_little, mut enough) = (0, 1 << 40);
        while enough - too_little > 1 {
            let middle = (too_little + enough) / 2;
            if within(middle).is_ok() { enough = middle } else { too_little = middle }
        }
        assert_eq!(within(enough), unlimited, "{opcodes:?}");
        assert_eq!(within(too_little).verdict(), "WORK_LIMIT", "{opcodes:?}");
        assert!((10..10_000_000).contains(&enough), "{opcodes:?} counts {enough}");
    }
}
