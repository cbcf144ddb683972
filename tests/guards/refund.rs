//! `--lock-until` and `--refund`: the funder's coins back, no sooner than said.

use bitcoin::secp256k1::constants::{CURVE_ORDER, GENERATOR_X};
use num_bigint::{BigInt, Sign};
use onnx2script::Compiled;
use onnx2script::artifact::Items;
use onnx2script::codegen::Contract;
use onnx2script::guard::{Guard, Payee, Refund};
use onnx2script::script::code;
use proptest::prelude::*;

use super::spends::{OPEN, funder, signable};
use super::transaction::{ALL, Person, Transaction};
use super::{artifact, claim, guarded, verdict};

const HEIGHT: u32 = 900_000;
const TIME: u32 = 1_800_000_000;
const HASH_TYPES: [u8; 6] = [ALL, 0x42, 0x43, 0xc1, 0xc2, 0xc3];

fn contract(lock_until: u32) -> Compiled {
    let refund = Refund { key: funder().hash(), lock_until: lock_until.to_string().parse().unwrap() };
    guarded(Contract::Claim, Guard { payee: Payee::Anyone, refund: Some(refund) })
}

fn script_code(compiled: &Compiled) -> Vec<u8> {
    let artifact = artifact(compiled);
    artifact.locking_bytes()[artifact.abi.methods[1].script_code_start..].to_vec()
}

/// The preimage of a transaction, of whichever hash type can be signed.
fn preimage(compiled: &Compiled, transaction: &Transaction) -> Option<Vec<u8>> {
    let preimages = HASH_TYPES.map(|hash_type| transaction.preimage(&script_code(compiled), hash_type));
    preimages.into_iter().find(|preimage| signable(preimage))
}

/// A transaction as asked for, its output changed until it can be signed.
fn signable_transaction(compiled: &Compiled, lock_time: u32, sequence: u32) -> (Transaction, Vec<u8>) {
    (0..)
        .find_map(|pays| {
            let transaction = Transaction { pays: vec![pays], ..Transaction::new(lock_time, sequence) };
            preimage(compiled, &transaction).map(|preimage| (transaction, preimage))
        })
        .unwrap()
}

fn unlock(compiled: &Compiled, person: &Person, signed: &Transaction, preimage: &[u8]) -> Vec<u8> {
    let items = Items::default()
        .with("signature", person.sign(&signed.preimage(&script_code(compiled), ALL)))
        .with("publicKey", person.public_key())
        .with("preimage", preimage.to_vec());
    artifact(compiled).unlocking_script("refund", &items).unwrap()
}

/// What the interpreter says of a refund by the funder.
fn refund(lock_until: u32, lock_time: u32, sequence: u32) -> &'static str {
    let compiled = contract(lock_until);
    let (transaction, preimage) = signable_transaction(&compiled, lock_time, sequence);
    verdict(&compiled, &transaction, &unlock(&compiled, &funder(), &transaction, &preimage))
}

#[test]
fn the_funder_has_to_wait() {
    for (lock_time, expected) in
        [(HEIGHT, "OK"), (HEIGHT + 1, "OK"), (499_999_999, "OK"), (HEIGHT - 1, "VERIFY"), (0, "VERIFY")]
    {
        assert_eq!(refund(HEIGHT, lock_time, OPEN), expected, "{lock_time}");
    }
    for (lock_time, expected) in [(TIME, "OK"), (u32::MAX, "OK"), (TIME - 1, "VERIFY"), (HEIGHT, "VERIFY")] {
        assert_eq!(refund(TIME, lock_time, 0), expected, "{lock_time}");
    }
}

#[test]
fn a_time_is_no_height() {
    // Second 500,000,000 was in 1985: such a transaction is final now.
    assert_eq!(refund(HEIGHT, 500_000_000, OPEN), "VERIFY");
    assert_eq!(refund(HEIGHT, TIME, OPEN), "VERIFY");
}

#[test]
fn a_transaction_that_is_final_whatever_its_lock_time_is_refused() {
    assert_eq!(refund(HEIGHT, HEIGHT, u32::MAX), "VERIFY");
}

#[test]
fn claims_and_refunds_do_not_pass_for_each_other() {
    let compiled = contract(HEIGHT);
    let (transaction, preimage) = signable_transaction(&compiled, HEIGHT, OPEN);
    let right = artifact(&compiled).unlocking_script("claim", &claim(&compiled)).unwrap();
    assert_eq!(verdict(&compiled, &transaction, &right), "OK");
    let [claims, refunds] = [right, unlock(&compiled, &funder(), &transaction, &preimage)];
    let with_selector = |script: &[u8], selector: u8| [&script[..script.len() - 1], &[selector]].concat();
    assert_ne!(verdict(&compiled, &transaction, &with_selector(&claims, 0x51)), "OK");
    assert_ne!(verdict(&compiled, &transaction, &with_selector(&refunds, 0x00)), "OK");
    assert_ne!(verdict(&compiled, &transaction, &claims[..claims.len() - 1]), "OK");
    assert_ne!(verdict(&compiled, &transaction, code::pushes(&[vec![1]]).as_bytes()), "OK");
}

#[test]
fn the_scripts_key_is_the_one_that_its_documentation_derives() {
    let number = |bytes: &[u8]| BigInt::from_bytes_be(Sign::Plus, bytes);
    let (order, r) = (number(&CURVE_ORDER), number(&GENERATOR_X));
    let complement = (BigInt::from(1) << 256) - &order;
    let inverse = r.modpow(&(&order - 2), &order);
    let key: BigInt = ((BigInt::from(1) - complement) * inverse % &order + &order) % &order;
    let secret = bitcoin::secp256k1::SecretKey::from_slice(&key.to_bytes_be().1).unwrap();
    let public = secret.public_key(&bitcoin::secp256k1::Secp256k1::new()).serialize();
    let pushed = [&[33][..], &public, &[0xad]].concat();
    assert!(contract(HEIGHT).locking().to_bytes().windows(pushed.len()).any(|window| window == pushed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever the transaction: a refund passes exactly where it is due and its preimage can be signed.
    #[test]
    fn refunds_pass_exactly_where_they_are_due(
        early in any::<bool>(),
        distance in 0u32..100_000,
        sequence in prop::sample::select(vec![0, 1, OPEN, u32::MAX]),
        hash_type in prop::sample::select(HASH_TYPES.to_vec()),
        outpoint in prop::array::uniform32(any::<u8>()),
    ) {
        let compiled = contract(HEIGHT);
        let lock_time = if early { HEIGHT - 1 - distance } else { HEIGHT + distance };
        let mut transaction = Transaction::new(lock_time, sequence);
        transaction.outpoint[..32].copy_from_slice(&outpoint);
        let preimage = transaction.preimage(&script_code(&compiled), hash_type);
        let due = !early && sequence != u32::MAX;
        let unlocking = unlock(&compiled, &funder(), &transaction, &preimage);
        prop_assert_eq!(verdict(&compiled, &transaction, &unlocking) == "OK", due && signable(&preimage));
    }
}
