//! `--pay-to`: a right claim, and the payee's signature.

use onnx2script::codegen::Contract;
use onnx2script::guard::{Guard, Payee};

use super::transaction::{ALL, Person, Transaction};
use super::{artifact, claim, guarded, input, verdict};

fn payee() -> Person {
    Person::new(3)
}

fn guard() -> Guard {
    Guard { payee: Payee::Key(payee().hash()), refund: None }
}

#[test]
fn the_payee_alone_is_paid_for_a_right_claim() {
    for contract in [Contract::Claim, Contract::Expect(1), Contract::Expect(0)] {
        let compiled = guarded(contract, guard());
        let right = contract != Contract::Expect(usize::from(input(&compiled).1 == 0.into()));
        let locking = compiled.locking().to_bytes();
        let transaction = Transaction::new(0, u32::MAX);
        let unlock = |person: &Person, signed: &Transaction| {
            let items = claim(&compiled)
                .with("signature", person.sign(&signed.preimage(&locking, ALL)))
                .with("publicKey", person.public_key());
            artifact(&compiled).unlocking_script("claim", &items).unwrap()
        };
        let right_verdict = if right { "OK" } else { "VERIFY" };
        assert_eq!(verdict(&compiled, &transaction, &unlock(&payee(), &transaction)), right_verdict);
        if right {
            let thief = Person::new(4);
            assert_eq!(verdict(&compiled, &transaction, &unlock(&thief, &transaction)), "EQUALVERIFY");
            let elsewhere = Transaction { pays: vec![0x52], ..transaction.clone() };
            assert_eq!(verdict(&compiled, &elsewhere, &unlock(&payee(), &transaction)), "SIG_NULLFAIL");
        }
    }
}

#[test]
fn contracts_that_only_leave_the_class_take_no_guard() {
    let refusal = guard().check(Contract::Class).unwrap_err().to_string();
    assert!(refusal.contains("--contract class") && refusal.contains("help:"), "{refusal}");
}
