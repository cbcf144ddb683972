//! What can be tried on a guarded contract, and whether it may pass: written from what guards are said to do. Signatures
//! are made for whatever script is given.

use bitcoin::hashes::{Hash, sha256d};
use onnx2script::Compiled;
use onnx2script::script::number;

use super::input;
use super::transaction::{ALL, Person, Transaction};

/// A sequence that leaves nLockTime in force.
pub(crate) const OPEN: u32 = u32::MAX - 1;

pub(crate) fn payee() -> Person {
    Person::new(3)
}

pub(crate) fn funder() -> Person {
    Person::new(9)
}

pub(crate) fn thief() -> Person {
    Person::new(4)
}

/// A locking script, and the part of it that a refund signs.
pub(crate) struct Script {
    pub(crate) locking: Vec<u8>,
    pub(crate) refund: Vec<u8>,
}

/// A transaction, and the items that unlock its coin.
pub(crate) type Unlocked = (Transaction, Vec<Vec<u8>>);

/// An attempt to spend.
pub(crate) struct Spend {
    pub(crate) name: String,
    pub(crate) passes: bool,
    pub(crate) make: Box<dyn Fn(&Script) -> Unlocked + Sync>,
}

pub(crate) fn spend(
    name: impl Into<String>,
    passes: bool,
    make: impl Fn(&Script) -> Unlocked + Sync + 'static,
) -> Spend {
    Spend { name: name.into(), passes, make: Box::new(make) }
}

/// The right claim, and the input that it is of.
pub(crate) fn answer(compiled: &Compiled) -> [Vec<u8>; 2] {
    let (input, class) = input(compiled);
    [number::encode(&class), input]
}

/// Another class, in its one spelling.
fn other(claim: &[u8]) -> Vec<u8> {
    if claim.is_empty() { vec![1] } else { vec![] }
}

/// A claim that `person` signs with a key that is pushed beside it; `change` has the last word.
pub(crate) fn signed(
    compiled: &Compiled,
    person: fn() -> Person,
    behind: Vec<Vec<u8>>,
    change: impl Fn(&mut Vec<Vec<u8>>, &Script) + Sync + 'static,
) -> impl Fn(&Script) -> Unlocked + Sync + 'static {
    let answer = answer(compiled);
    move |script| {
        let transaction = Transaction::new(0, u32::MAX);
        let signature = person().sign(&transaction.preimage(&script.locking, ALL));
        let mut items = vec![signature, person().public_key()];
        items.extend(answer.iter().chain(&behind).cloned());
        change(&mut items, script);
        (transaction, items)
    }
}

type Change = Box<dyn Fn(&mut Vec<Vec<u8>>, &Script) + Sync>;

/// Claims that a key guards; `behind` is what stands above the network's items.
pub(crate) fn claims(compiled: &Compiled, person: fn() -> Person, behind: &[Vec<u8>], any_key: bool) -> Vec<Spend> {
    let [claim, input] = answer(compiled);
    let of = |person, change: Change| signed(compiled, person, behind.to_vec(), change);
    let wrong = |name: String, change: Change| spend(name, false, of(person, change));
    let mut spends = vec![spend("a right claim", true, of(person, Box::new(|_, _| ())))];
    let claims = [other(&claim), vec![2], vec![0x81], vec![0x80], [&claim[..], &[0]].concat(), vec![1; 600]];
    spends.extend(claims.map(|claim| {
        wrong(
            format!("claim {:02x?}", &claim[..claim.len().min(4)]),
            Box::new(move |items, _| items[2].clone_from(&claim)),
        )
    }));
    let inputs = [input[1..].to_vec(), [&input[..], &[0]].concat(), vec![], input.repeat(2)];
    spends.extend(inputs.map(|input| {
        wrong(format!("an input of {} bytes", input.len()), Box::new(move |items, _| items[3].clone_from(&input)))
    }));
    for at in 0..4 + behind.len() {
        spends.push(wrong(format!("no item {at}"), Box::new(move |items, _| drop(items.remove(at)))));
        spends.push(wrong(format!("an item more, {at}"), Box::new(move |items, _| items.insert(at, vec![1]))));
        spends.push(wrong(format!("an empty item more, {at}"), Box::new(move |items, _| items.insert(at, vec![]))));
    }
    spends.push(wrong("no signature".into(), Box::new(|items, _| items[0].clear())));
    spends.push(wrong("key and signature exchanged".into(), Box::new(|items, _| items.swap(0, 1))));
    let signs = |person: fn() -> Person, signed: Transaction| -> Change {
        Box::new(move |items, script| items[0] = person().sign(&signed.preimage(&script.locking, ALL)))
    };
    spends.push(wrong("a signature by another key".into(), signs(thief, Transaction::new(0, u32::MAX))));
    spends.push(wrong("a signature of another transaction".into(), signs(person, Transaction::new(5, 0))));
    if !any_key {
        spends.push(spend("another's key and signature", false, of(thief, Box::new(|_, _| ()))));
    }
    spends
}

/// Claims of a contract that pays anyone, where there is a refund.
pub(crate) fn open_claims(compiled: &Compiled) -> Vec<Spend> {
    let [claim, input] = answer(compiled);
    let tries = [
        ("a right claim", true, vec![claim.clone(), input.clone(), vec![]]),
        ("a wrong claim", false, vec![other(&claim), input.clone(), vec![]]),
        ("a claim as a refund", false, vec![claim.clone(), input.clone(), vec![1]]),
        ("a short input", false, vec![claim.clone(), input[1..].to_vec(), vec![]]),
        ("an item more", false, vec![vec![1], claim, input, vec![]]),
        ("a true item", false, vec![vec![1], vec![]]),
    ];
    let of = |(name, passes, items): (&str, bool, Vec<Vec<u8>>)| {
        spend(name, passes, move |_: &Script| (Transaction::new(0, u32::MAX), items.clone()))
    };
    tries.into_iter().map(of).collect()
}

/// Whether the script's own signature of a preimage can be encoded: 32 bytes, and the smaller of the two that serve.
pub(crate) fn signable(preimage: &[u8]) -> bool {
    let inverted = sha256d::Hash::hash(preimage).to_byte_array().map(|byte| !byte);
    inverted[0] < 0x80 && (inverted[0] > 0 || inverted[1] >= 0x80)
}

/// A transaction like this one whose preimage can be signed, and that preimage. What it spends is part of any.
fn signable_like(like: &Transaction, preimage: impl Fn(&Transaction) -> Vec<u8>) -> (Transaction, Vec<u8>) {
    let mut transaction = Transaction { pays: vec![7; 40], ..like.clone() };
    loop {
        let preimage = preimage(&transaction);
        if signable(&preimage) {
            return (transaction, preimage);
        }
        transaction.outpoint[0] += 1;
    }
}

/// A refund by `person`, of a transaction and with a preimage of this hash type.
fn refund(
    person: fn() -> Person,
    like: Transaction,
    hash_type: u8,
    change: impl Fn(&mut Unlocked, &Script) + Sync + 'static,
) -> impl Fn(&Script) -> Unlocked + Sync + 'static {
    move |script| {
        let (transaction, preimage) =
            signable_like(&like, |transaction| transaction.preimage(&script.refund, hash_type));
        let signature = person().sign(&transaction.preimage(&script.refund, ALL));
        let mut unlocked = (transaction, vec![signature, person().public_key(), preimage, vec![1]]);
        change(&mut unlocked, script);
        unlocked
    }
}

/// Refunds; `from` is due, and so are all up to the one before `to`, where there is one.
pub(crate) fn refunds(from: u32, to: Option<u32>) -> Vec<Spend> {
    let at = |lock_time: u32, sequence: u32| Transaction::new(lock_time, sequence);
    let plain = |like: Transaction| refund(funder, like, ALL, |_, _| ());
    let mut spends = Vec::new();
    let last = to.map_or(u32::MAX, |to| to - 1);
    for (lock_time, passes) in
        [(from, true), (from + 1, true), (last, true), (from - 1, false), (0, false), (255, false)]
    {
        spends.push(spend(format!("a refund at {lock_time}"), passes, plain(at(lock_time, OPEN))));
    }
    for lock_time in to.into_iter().chain(to.map(|_| u32::MAX)) {
        spends.push(spend(format!("a refund at {lock_time}"), false, plain(at(lock_time, OPEN))));
    }
    for (sequence, passes) in
        [(0, true), (0x00ff_ffff, true), (0xffff_ff00, true), (0x7fff_ffff, true), (u32::MAX, false)]
    {
        spends.push(spend(format!("a refund of sequence {sequence:x}"), passes, plain(at(from, sequence))));
    }
    for hash_type in [0x42, 0x43, 0xc1, 0xc2, 0xc3] {
        spends.push(spend(
            format!("a preimage of type {hash_type:x}"),
            true,
            refund(funder, at(from, OPEN), hash_type, |_, _| ()),
        ));
    }
    let change = |name: &str, change: fn(&mut Unlocked, &Script)| {
        spend(name, false, refund(funder, at(from, OPEN), ALL, change))
    };
    spends.extend([
        spend("another's refund", false, refund(thief, at(from, OPEN), ALL, |_, _| ())),
        change("a refund of an early transaction", |(transaction, items), script| {
            transaction.lock_time = 1;
            items[0] = funder().sign(&transaction.preimage(&script.refund, ALL));
        }),
        change("a refund signed for another", |(transaction, items), script| {
            items[0] = funder().sign(&Transaction { version: 7, ..transaction.clone() }.preimage(&script.refund, ALL));
        }),
        change("a refund that another signs", |(transaction, items), script| {
            items[0] = thief().sign(&transaction.preimage(&script.refund, ALL));
        }),
        change("a refund without a signature", |(_, items), _| items[0].clear()),
        change("a refund as a claim", |(_, items), _| items[3].clear()),
        change("a refund with a false selector", |(_, items), _| items[3] = vec![0x80]),
        change("a refund without its key", |(_, items), _| drop(items.remove(1))),
        change("a damaged preimage", |(_, items), _| items[2][5] ^= 1),
        change("a longer preimage", |(_, items), _| items[2].push(0)),
        change("a short preimage", |(_, items), _| items[2] = vec![1; 43]),
    ]);
    // Since Chronicle a hash type can choose the digest from before the fork. Behind it stands what the funder makes of
    // the outputs, not nSequence: a transaction that is final whatever its nLockTime would pass for one that has to wait.
    for (hash_type, version) in [(0x01, 1), (0x21, 2), (0x61, 1), (0x61, 2), (0x81, 1), (0xe1, 2)] {
        spends.push(spend(format!("the other digest, {hash_type:x}"), false, move |script: &Script| {
            let like = Transaction { version, ..at(from, u32::MAX) };
            let (transaction, preimage) =
                signable_like(&like, |transaction| transaction.original_preimage(&script.refund, hash_type));
            let signature = funder().sign(&transaction.preimage(&script.refund, ALL));
            (transaction, vec![signature, funder().public_key(), preimage, vec![1]])
        }));
    }
    spends
}
