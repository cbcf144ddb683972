//! Spends that check signatures, against the interpreter of `@bsv/sdk`.
//!
//! `scripts/make_signature_cases` made the cases. The SDK in its default mode judges by policy, and relaxes its rules
//! for version 2 as Chronicle does, so the target is Chronicle's policy. Where the SDK is no node, [`DIFFERENCES`]
//! says so.

use onnx2script::interp::{self, Outcome, Spending};
use onnx2script::target::{Era, Rules, Target};
use serde::Deserialize;

const CASES: &str = include_str!("data/signature_cases.json");
const GENESIS: Target = Target { era: Era::Genesis, rules: Rules::Policy };
const POLICY: Target = Target { era: Era::Chronicle, rules: Rules::Policy };
const CONSENSUS: Target = Target { era: Era::Chronicle, rules: Rules::Consensus };

/// Cases that the SDK and a node judge differently: the node's verdict, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "CHECKSIG NOT, signature of another key, version 1",
        "SIG_NULLFAIL",
        "the SDK has NULLFAIL only under explicit flags; a node always, until version 2 lifts it",
    ),
    ("CHECKMULTISIG NOT, one not empty", "SIG_NULLFAIL", "as above"),
    (
        "P2PK, version 1, CHRONICLE",
        "OK",
        "the SDK takes a transaction of version 1 for one from before Chronicle; to a node the height tells",
    ),
    (
        "P2PK, ALL|FORKID, the signature pushed by the locking script",
        "SIG_NULLFAIL",
        "the SDK takes every signature out of the script code; a node only those without FORKID",
    ),
];

#[derive(Deserialize)]
struct Case {
    name: String,
    tx: String,
    input: usize,
    locking: String,
    satoshis: u64,
    sdk: bool,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(CASES).expect("the cases are JSON")
}

fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap_or_else(|| panic!("there is no case `{name}`"))
}

fn bytes(hex: &str) -> Vec<u8> {
    use bitcoin::hex::FromHex;
    Vec::from_hex(hex).expect("hex")
}

impl Case {
    fn run(&self, target: &Target) -> Outcome {
        let transaction = bytes(&self.tx);
        let spending = Spending::new(&transaction, self.input, self.satoshis).expect("a transaction with the input");
        interp::run_spending(spending.unlocking(), &bytes(&self.locking), target, &spending)
    }

    /// Whether another transaction is one, has the input, and may spend the coin.
    fn accepts(&self, transaction: &[u8], satoshis: u64) -> bool {
        Spending::new(transaction, self.input, satoshis).is_ok_and(|spending| {
            interp::run_spending(spending.unlocking(), &bytes(&self.locking), &GENESIS, &spending).is_ok()
        })
    }
}

#[test]
fn the_sdk_agrees_but_for_what_is_listed() {
    for case in cases() {
        let outcome = case.run(&POLICY);
        match DIFFERENCES.iter().find(|(name, ..)| *name == case.name) {
            Some((name, verdict, why)) => {
                assert_eq!(outcome.verdict(), *verdict, "{name}: {why}");
                assert_ne!(outcome.is_ok(), case.sdk, "{name} is no difference any more");
            }
            None => assert_eq!(outcome.is_ok(), case.sdk, "{}: {}", case.name, outcome.verdict()),
        }
    }
    DIFFERENCES.iter().for_each(|(name, ..)| drop(case(name)));
}

#[test]
fn the_cases_are_many_and_of_both_kinds() {
    let cases = cases();
    let accepted = cases.iter().filter(|case| case.sdk).count();
    assert_eq!((cases.len(), accepted), (200, 154));
}

#[test]
fn a_coin_from_before_chronicle_is_no_easier_to_spend() {
    for case in cases() {
        let (before, since) = (case.run(&GENESIS), case.run(&POLICY));
        assert!(!before.is_ok() || since.is_ok(), "{}: {}, then {}", case.name, before.verdict(), since.verdict());
        // Version 1 and FORKID: nothing that Chronicle changed.
        if case.tx.starts_with("01") && case.name.starts_with("P2PKH, ") {
            assert_eq!(before, since, "{}", case.name);
        }
    }
}

#[test]
fn refusals_have_the_names_of_the_node() {
    let verdicts = |name: &str| {
        let case = case(name);
        [GENESIS, POLICY, CONSENSUS].map(|target| case.run(&target).verdict())
    };
    let everywhere = [
        ("P2PK, signed by another key", "SIG_NULLFAIL"),
        ("CHECKSIGVERIFY, signed by another key", "SIG_NULLFAIL"),
        ("P2PKH, another key", "EQUALVERIFY"),
        ("P2PK, bit flipped in the length of r", "SIG_DER"),
        ("P2PK, no hash type", "SIG_DER"),
        ("P2PK, bit flipped in s", "SIG_NULLFAIL"),
        ("P2PK, high S, version 1", "SIG_HIGH_S"),
        ("P2PK, undefined hash type, version 1", "SIG_HASHTYPE"),
        ("P2PK, hybrid key", "PUBKEYTYPE"),
        ("P2PK, empty signature, version 1", "EVAL_FALSE"),
        ("2 of 3, bob alice", "SIG_NULLFAIL"),
        ("2 of 3, one signature empty", "SIG_NULLFAIL"),
        ("P2PK, NOP in the unlocking script, version 1", "SIG_PUSHONLY"),
    ];
    for (name, verdict) in everywhere {
        assert_eq!(verdicts(name), [verdict; 3], "{name}");
    }
    let by_target = [
        ("1 of 2, extra item not empty, version 1", ["SIG_NULLDUMMY", "SIG_NULLDUMMY", "OK"]),
        ("P2PK, an item left over, version 1", ["CLEANSTACK", "CLEANSTACK", "OK"]),
        ("P2PK, a push not minimal, version 1", ["MINIMALDATA", "MINIMALDATA", "OK"]),
        ("P2PK, version 1, without FORKID", ["MUST_USE_FORKID", "OK", "OK"]),
        ("P2PK, version 1, CHRONICLE", ["ILLEGAL_CHRONICLE", "OK", "OK"]),
        ("VER, version 2", ["BAD_OPCODE", "OK", "OK"]),
        // What version 2 lifts since Chronicle.
        ("P2PK, high S, version 2", ["SIG_HIGH_S", "OK", "OK"]),
        ("CHECKSIG NOT, signature of another key, version 2", ["SIG_NULLFAIL", "OK", "OK"]),
        ("1 of 2, extra item not empty, version 2", ["SIG_NULLDUMMY", "OK", "OK"]),
        ("P2PK, an item left over, version 2", ["CLEANSTACK", "OK", "OK"]),
        ("P2PK, a push not minimal, version 2", ["MINIMALDATA", "OK", "OK"]),
        ("P2PK, NOP in the unlocking script, version 2", ["SIG_PUSHONLY", "OK", "OK"]),
        ("CHECKSIG in the unlocking script, version 2", ["SIG_PUSHONLY", "OK", "OK"]),
        ("P2PK, undefined hash type, version 2", ["SIG_HASHTYPE"; 3]),
    ];
    for (name, expected) in by_target {
        assert_eq!(verdicts(name), expected, "{name}");
    }
}

#[test]
fn without_a_transaction_a_signature_stays_unchecked() {
    let case = case("P2PK");
    let transaction = bytes(&case.tx);
    let spending = Spending::new(&transaction, case.input, case.satoshis).unwrap();
    let outcome = interp::run(spending.unlocking(), &bytes(&case.locking), &GENESIS);
    assert_eq!(outcome.verdict(), "TRANSACTION_NEEDED");
}

#[test]
fn every_bit_of_the_transaction_and_the_coin_is_signed() {
    for name in ["P2PKH, ALL|FORKID", "2 of 3, alice carol", "CODESEPARATOR behind", "P2PK, version 2"] {
        let case = case(name);
        let transaction = bytes(&case.tx);
        assert!(case.accepts(&transaction, case.satoshis), "{name}");
        let unlocking = Spending::new(&transaction, case.input, 0).unwrap().unlocking().to_vec();
        let start = transaction.windows(unlocking.len()).position(|window| window == unlocking).unwrap();
        for at in (0..start).chain(start + unlocking.len()..transaction.len()) {
            for bit in 0..8 {
                let mut other = transaction.clone();
                other[at] ^= 1 << bit;
                assert!(!case.accepts(&other, case.satoshis), "{name}: bit {bit} of byte {at}");
            }
        }
        for bit in 0..64 {
            assert!(!case.accepts(&transaction, case.satoshis ^ (1 << bit)), "{name}: bit {bit} of the amount");
        }
    }
}
