//! `--commit-reveal`: paid is who committed to the input, in a block deep enough.

use onnx2script::Compiled;
use onnx2script::artifact::{Commitment, Items, Pieces, Proof};
use onnx2script::codegen::Contract;
use onnx2script::guard::{CommitReveal, Guard, Payee};
use proptest::prelude::*;

use super::chain;
use super::transaction::{ALL, Person, Transaction};
use super::{artifact, claim, guarded, input, verdict};

const BLOCKS: usize = 3;

fn terms() -> CommitReveal {
    format!("{BLOCKS}:{:08x}", chain::BITS).parse().unwrap()
}

fn contract(kind: Contract) -> Compiled {
    guarded(kind, Guard { payee: Payee::Committed(terms()), refund: None })
}

fn claimant() -> Person {
    Person::new(5)
}

fn commitment(compiled: &Compiled, person: &Person) -> Commitment {
    Commitment::new(compiled.locking().sha256(), &input(compiled).0, person.hash(), &[6; 32])
}

/// A transaction that holds a commitment somewhere.
fn committing(commitment: &Commitment, before: usize, behind: usize) -> Vec<u8> {
    [&vec![1; before][..], &commitment.bytes(), &vec![2; behind]].concat()
}

fn proof(compiled: &Compiled) -> Proof {
    chain::proof(&committing(&commitment(compiled, &claimant()), 50, 10), 2, 5, BLOCKS)
}

/// What the interpreter says of a claim by `person` with these pieces of a proof.
fn spend(compiled: &Compiled, person: &Person, salt: &[u8], pieces: &Pieces) -> &'static str {
    let transaction = Transaction::new(0, u32::MAX);
    let items = with_proof(claim(compiled), salt, pieces)
        .with("signature", person.sign(&transaction.preimage(&compiled.locking().to_bytes(), ALL)))
        .with("publicKey", person.public_key());
    match artifact(compiled).unlocking_script("claim", &items) {
        Ok(unlocking) => verdict(compiled, &transaction, &unlocking),
        Err(_) => "not to be written",
    }
}

fn with_proof(items: Items, salt: &[u8], pieces: &Pieces) -> Items {
    items
        .with("salt", salt.to_vec())
        .with("transactionBefore", pieces.before.clone())
        .with("transactionBehind", pieces.behind.clone())
        .with("merkleBranch", pieces.branch.clone())
        .with("headers", pieces.headers.clone())
}

#[test]
fn who_committed_is_paid_and_nobody_else() {
    for kind in [Contract::Claim, Contract::Expect(0), Contract::Expect(1)] {
        let compiled = contract(kind);
        let right = kind != Contract::Expect(usize::from(input(&compiled).1 == 0.into()));
        let pieces = proof(&compiled).pieces(commitment(&compiled, &claimant()).bytes(), terms()).unwrap();
        let expected = if right { "OK" } else { "VERIFY" };
        assert_eq!(spend(&compiled, &claimant(), &[6; 32], &pieces), expected);
        // Another key, or another salt, makes another commitment, which is in no block.
        assert_eq!(spend(&compiled, &Person::new(4), &[6; 32], &pieces), "EQUALVERIFY");
        assert_eq!(spend(&compiled, &claimant(), &[7; 32], &pieces), "EQUALVERIFY");
    }
}

#[test]
fn a_commitment_to_another_input_does_not_pay() {
    let compiled = contract(Contract::Claim);
    let other = Commitment::new(String::new(), &[0; 10], claimant().hash(), &[6; 32]);
    let pieces = chain::proof(&committing(&other, 50, 10), 2, 5, BLOCKS).pieces(other.bytes(), terms()).unwrap();
    assert_eq!(spend(&compiled, &claimant(), &[6; 32], &pieces), "EQUALVERIFY");
}

#[test]
fn every_byte_of_the_proof_counts() {
    let compiled = contract(Contract::Claim);
    let right = proof(&compiled).pieces(commitment(&compiled, &claimant()).bytes(), terms()).unwrap();
    let refused = |change: &dyn Fn(&mut Pieces)| {
        let mut pieces = right.clone();
        change(&mut pieces);
        assert_ne!(spend(&compiled, &claimant(), &[6; 32], &pieces), "OK");
    };
    assert_eq!(spend(&compiled, &claimant(), &[6; 32], &right), "OK");
    refused(&|pieces| pieces.before[3] ^= 1);
    refused(&|pieces| pieces.behind.push(0));
    for at in 1..33 {
        refused(&|pieces| pieces.branch[at] ^= 1);
    }
    refused(&|pieces| pieces.branch[0] ^= 1);
    refused(&|pieces| pieces.branch.truncate(33));
    refused(&|pieces| pieces.branch.truncate(pieces.branch.len() - 1));
    refused(&|pieces| pieces.branch.extend([0; 33]));
    refused(&|pieces| pieces.branch.extend([0; 33 * 40]));
    for at in 0..80 {
        refused(&|pieces| pieces.headers[at] ^= 0x10);
    }
    refused(&|pieces| pieces.headers.truncate(160));
    refused(&|pieces| pieces.headers.truncate(239));
    refused(&|pieces| pieces.headers.extend([0; 80]));
}

#[test]
fn headers_must_follow_each_other_and_be_hard_enough_to_find() {
    let compiled = contract(Contract::Claim);
    let commitment = commitment(&compiled, &claimant());
    let right = proof(&compiled).pieces(commitment.bytes(), terms()).unwrap();
    let first: [u8; 80] = right.headers[..80].try_into().unwrap();
    let hash = |header: &[u8]| {
        bitcoin::hashes::Hash::to_byte_array(<bitcoin::hashes::sha256d::Hash as bitcoin::hashes::Hash>::hash(header))
    };
    let second = chain::header(hash(&first), [3; 32], true);
    let chains = [
        ([first, second, chain::header(hash(&second), [3; 32], true)], "OK", "OK"),
        ([first, second, chain::header(hash(&second), [3; 32], false)], "VERIFY", "easier"),
        ([first, second, chain::header(hash(&first), [3; 32], true)], "EQUALVERIFY", "does not follow"),
        ([second, first, second], "EQUALVERIFY", "Merkle root"),
    ];
    for (headers, verdict, words) in chains {
        let pieces = Pieces { headers: headers.concat(), ..right.clone() };
        assert_eq!(spend(&compiled, &claimant(), &[6; 32], &pieces), verdict);
        let hex = |header: &[u8; 80]| header.iter().map(|byte| format!("{byte:02x}")).collect();
        let told = Proof { headers: headers.iter().map(hex).collect(), ..proof(&compiled) };
        let told = told.pieces(commitment.bytes(), terms()).map_or_else(|error| error.to_string(), |_| "OK".into());
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn proofs_that_would_fail_are_refused_in_words() {
    let compiled = contract(Contract::Claim);
    let commitment = commitment(&compiled, &claimant()).bytes();
    let told = |proof: Proof| proof.pieces(commitment, terms()).unwrap_err().to_string();
    let right = proof(&compiled);
    assert!(told(Proof { tx_or_id: "00".into(), ..right.clone() }).contains("does not hold the commitment"));
    assert!(told(Proof { tx_or_id: "xy".into(), ..right.clone() }).contains("in hex"));
    assert!(told(Proof { index: 3, ..right.clone() }).contains("Merkle root"));
    assert!(told(Proof { nodes: vec!["*".into(); 29], ..right.clone() }).contains("takes 28"));
    assert!(told(Proof { nodes: vec!["ab".into()], ..right.clone() }).contains("node `ab`"));
    assert!(
        told(Proof { headers: right.headers[..2].to_vec(), ..right.clone() })
            .contains("2 headers, the contract takes 3")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Wherever the commitment stands, in its transaction and in its block.
    #[test]
    fn commitments_are_found_wherever_they_are(
        (transactions, index) in (1usize..40).prop_flat_map(|count| (Just(count), 0..count)),
        before in 0usize..300,
        behind in 0usize..300,
    ) {
        let compiled = contract(Contract::Claim);
        let commitment = commitment(&compiled, &claimant());
        let proof = chain::proof(&committing(&commitment, before, behind), index, transactions, BLOCKS);
        let pieces = proof.pieces(commitment.bytes(), terms()).unwrap();
        prop_assert_eq!(spend(&compiled, &claimant(), &[6; 32], &pieces), "OK");
    }
}
