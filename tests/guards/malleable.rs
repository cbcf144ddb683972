//! Transactions above version 1, which since Chronicle may unlock with any opcodes and numbers: nobody else is paid.

use onnx2script::Compiled;
use onnx2script::artifact::Items;
use onnx2script::codegen::Contract;
use onnx2script::guard::{Guard, Payee, Refund};
use onnx2script::interp::{self, Spending};
use onnx2script::script::code;
use onnx2script::target::{Era, Rules, Target};

use super::transaction::{ALL, Person, SATOSHIS, Transaction};
use super::{artifact, guarded, input};

const IF: u8 = 0x63;
const ELSE: u8 = 0x67;
const ENDIF: u8 = 0x68;
const RETURN: u8 = 0x6a;
const TOALTSTACK: u8 = 0x6b;
const CODESEPARATOR: u8 = 0xab;

fn contract() -> Compiled {
    let refund = Refund { key: Person::new(9).hash(), lock_until: "900000".parse().unwrap() };
    guarded(Contract::Claim, Guard { payee: Payee::Key(Person::new(3).hash()), refund: Some(refund) })
}

/// What the interpreter says of a transaction of version 2, in a coin of Chronicle's.
fn verdict(compiled: &Compiled, transaction: &Transaction, unlocking: &[u8]) -> &'static str {
    let (bytes, locking) = (transaction.bytes(unlocking), compiled.locking().to_bytes());
    let spending = Spending::new(&bytes, 0, SATOSHIS).unwrap();
    let by =
        |rules| interp::run_spending(unlocking, &locking, &Target { era: Era::Chronicle, rules }, &spending).verdict();
    assert_eq!(by(Rules::Policy), by(Rules::Consensus));
    by(Rules::Policy)
}

fn transaction() -> Transaction {
    Transaction { version: 2, ..Transaction::new(0, u32::MAX) }
}

/// A claim by a person, pushed, with this class.
fn claim(compiled: &Compiled, person: &Person, class: &[u8]) -> Vec<u8> {
    let items = Items::default()
        .with("input", input(compiled).0)
        .with("claim", class.to_vec())
        .with("signature", person.sign(&transaction().preimage(&compiled.locking().to_bytes(), ALL)))
        .with("publicKey", person.public_key());
    artifact(compiled).unlocking_script("claim", &items).unwrap()
}

#[test]
fn opcodes_of_the_unlocking_script_end_with_it() {
    let compiled = contract();
    let class = onnx2script::script::number::encode(&input(&compiled).1);
    let [right, thief] = [3, 4].map(|seed| claim(&compiled, &Person::new(seed), &class));
    for (claim, passes) in [(&right, "OK"), (&thief, "EQUALVERIFY")] {
        let selector = claim.len() - 1;
        for (unlocking, expected) in [
            (claim.clone(), passes),
            ([&[CODESEPARATOR][..], claim, &[CODESEPARATOR]].concat(), passes),
            ([&claim[..], &[RETURN, 0xff]].concat(), passes),
            ([&[0x51, IF][..], claim, &[ELSE, 0x51, ENDIF]].concat(), passes),
            ([&[0x51, TOALTSTACK][..], claim].concat(), passes),
            // Negative zero, and zeros of any length, are false.
            ([&claim[..selector], &[1, 0x80]].concat(), passes),
            ([&claim[..selector], &[3, 0, 0, 0]].concat(), passes),
            // An IF that is left open fails where it stands, and so does an item too many.
            ([&claim[..], &[0x51, IF]].concat(), "UNBALANCED_CONDITIONAL"),
            ([&[0x51][..], claim].concat(), "NUMEQUALVERIFY"),
        ] {
            assert_eq!(verdict(&compiled, &transaction(), &unlocking), expected, "{unlocking:02x?}");
        }
    }
}

#[test]
fn nothing_but_a_claim_or_a_refund_leaves_true() {
    let compiled = contract();
    let short: [&[u8]; 8] = [
        &[0x51],
        &[0x51, RETURN],
        &[0x51, 0x51, RETURN],
        &[0x51, 0x00],
        &[0x51, 0x51, IF, RETURN, ENDIF],
        &[0x51, TOALTSTACK, 0x51],
        &[0x51, 0x51, 0x51, 0x51],
        &[0x51, 0x51, 0x51, 0x51, 0x00],
    ];
    for unlocking in short {
        assert_ne!(verdict(&compiled, &transaction(), unlocking), "OK", "{unlocking:02x?}");
    }
}

/// Claims are compared as bytes: a class written longer than it must be is no right claim, though the rules allow it.
#[test]
fn a_class_has_one_form_and_an_empty_signature_is_false() {
    let compiled = contract();
    let class = onnx2script::script::number::encode(&input(&compiled).1);
    let wrong = if class.is_empty() { vec![1] } else { vec![] };
    let long = |class: &[u8]| [class, &[0, 0][..]].concat();
    let of = |class: &[u8]| verdict(&compiled, &transaction(), &claim(&compiled, &Person::new(3), class));
    assert_eq!(of(&class), "OK");
    assert_eq!(of(&long(&class)), "VERIFY");
    assert_eq!(of(&long(&wrong)), "VERIFY");
    assert_eq!(of(&wrong), "VERIFY");
    // An empty signature, which may fail without ending the script, leaves false.
    let empty = code::pushes(&[vec![], Person::new(3).public_key(), class, input(&compiled).0, vec![]]);
    assert_eq!(verdict(&compiled, &transaction(), empty.as_bytes()), "EVAL_FALSE");
}
