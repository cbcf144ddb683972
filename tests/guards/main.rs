//! Who may spend: guarded contracts, spent by right and by wrong transactions in the interpreter.

#[path = "../common/mod.rs"]
mod common;

mod chain;
mod commitment;
mod malleable;
mod mutants;
mod payee;
mod refund;
mod reveals;
mod spends;
mod transaction;

use num_bigint::BigInt;
use onnx2script::artifact::{Artifact, File, Items, Provenance, Source};
use onnx2script::codegen::Contract;
use onnx2script::guard::{Guard, KeyHash, Payee, Refund};
use onnx2script::interp::{self, Spending};
use onnx2script::script::opcode::Opcode;
use onnx2script::target::{Era, Rules, Target};
use onnx2script::{Compiled, Options, compile, ir, stack};

use transaction::{SATOSHIS, Transaction};

/// A small network behind a guard.
fn guarded(contract: Contract, guard: Guard) -> Compiled {
    let mut model = common::model("toy_2-2-2").model;
    compile(&mut model, &Options { contract, guard, ..Options::default() }).unwrap()
}

fn artifact(compiled: &Compiled) -> Artifact {
    let file = File { file: "toy.onnx".into(), sha256: String::new() };
    let model = Source { file, external_data: vec![] };
    Artifact::new(compiled, Provenance { model, options: Default::default(), labels: None })
}

/// An input, and its class by definition.
fn input(compiled: &Compiled) -> (Vec<u8>, BigInt) {
    let integers = [50_000_000, 25_000_000].map(BigInt::from);
    (compiled.ir.input.encode(&integers).unwrap(), ir::eval(&compiled.optimised, &integers))
}

/// Items of a claim, but for what a guard asks.
fn claim(compiled: &Compiled) -> Items {
    let (input, class) = input(compiled);
    Items::default().with("input", input).with("claim", onnx2script::script::number::encode(&class))
}

/// What the interpreter says of a transaction that spends a contract with an unlocking script: the same in every era and
/// by all rules.
fn verdict(compiled: &Compiled, transaction: &Transaction, unlocking: &[u8]) -> &'static str {
    let locking = compiled.locking().to_bytes();
    let bytes = transaction.bytes(unlocking);
    let spending = Spending::new(&bytes, 0, SATOSHIS).unwrap();
    let by = |era, rules| interp::run_spending(unlocking, &locking, &Target { era, rules }, &spending).verdict();
    let verdict = by(Era::Genesis, Rules::Policy);
    for (era, rules) in
        [(Era::Genesis, Rules::Consensus), (Era::Chronicle, Rules::Policy), (Era::Chronicle, Rules::Consensus)]
    {
        let other = by(era, rules);
        assert_eq!(verdict == "OK", other == "OK", "{verdict} by policy since Genesis, {other} by {rules} since {era}");
    }
    verdict
}

/// What a guard finds again behind the network, the network must not have moved or copied: the compiler's checker refuses
/// code that a node would run without a word.
#[test]
fn a_network_cannot_reach_what_lies_beneath_its_items() {
    use Opcode::{
        CODESEPARATOR, DROP, DUP, ELSE, ENDIF, FROMALTSTACK, IF, NIP, OP_1, OP_2, OP_3, PICK, RETURN, ROLL, ROT, SWAP,
    };

    let compiled = guarded(Contract::Claim, Guard { payee: Payee::Key(KeyHash([7; 20])), refund: None });
    let network = compiled.script.to_bytes();
    let check = |front: &[Opcode], back: &[Opcode]| {
        let bytes = |code: &[Opcode]| code.iter().map(|opcode| opcode.byte()).collect::<Vec<_>>();
        stack::check(&compiled.program, &[bytes(front), network.clone(), bytes(back)].concat())
    };
    // In front there are the claim and the input; behind, the answer alone.
    assert_eq!(check(&[SWAP, SWAP], &[]), Ok(()));
    assert_eq!(check(&[], &[DUP, DROP]), Ok(()));
    assert!(check(&[], &[SWAP, SWAP]).is_err());
    let reaching: [&[Opcode]; 9] = [
        &[OP_2, PICK, DROP],
        &[OP_3, PICK, DROP],
        &[OP_2, ROLL, OP_2, ROLL, OP_2, ROLL],
        &[ROT, ROT, ROT],
        &[FROMALTSTACK, DROP],
        &[OP_1, IF, ELSE, ENDIF],
        &[CODESEPARATOR],
        &[RETURN],
        &[NIP],
    ];
    for code in reaching {
        assert!(check(code, &[]).is_err(), "{code:?} in front");
        assert!(check(&[], code).is_err(), "{code:?} behind");
    }
}

/// What guards' code is, to be read.
#[test]
fn guards_are_listed_as_they_are() {
    let key = transaction::Person::new(3).hash();
    let refund = |lock_until: &str| Some(Refund { key, lock_until: lock_until.parse().unwrap() });
    let committed = Payee::Committed("2:1818d5a7".parse().unwrap());
    let guards = [
        ("pay-to", Guard { payee: Payee::Key(key), refund: None }),
        ("refund-height", Guard { payee: Payee::Anyone, refund: refund("900000") }),
        ("refund-time", Guard { payee: Payee::Key(key), refund: refund("1800000000") }),
        ("commit-reveal", Guard { payee: committed, refund: None }),
    ];
    for (name, guard) in guards {
        keep(&format!("guard.{name}"), &onnx2script::report::listing::listing(&guarded(Contract::Claim, guard)));
    }
}

/// Keeps a text in `snapshots/`.
fn keep(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
