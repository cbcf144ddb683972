//! Unlocking scripts that want to be accepted.

use num_bigint::BigInt;
use onnx2script::codegen::Contract;
use onnx2script::script::{code, number, push};

use super::common::Lock;
use super::common::random::Random;
use super::unlocking::Attack;

/// Everything that is tried on a contract. Good inputs are for what is done to pushes; more inputs are of the right
/// length, and computed.
pub(crate) fn attacks(lock: &Lock, good: &[Vec<u8>], more: &[Vec<u8>]) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for input in good {
        let class = lock.class(input);
        attacks.extend(claims(lock, input, &class));
        attacks.extend(lengths(lock, input, &class));
        attacks.extend(numbers_of_items(lock, input, &class));
        attacks.extend(long_pushes(lock, input, &class));
        attacks.extend(opcodes(lock, input, &class));
        attacks.extend(bytes(lock, input, &class));
    }
    attacks.extend(more.iter().flat_map(|input| {
        let class = lock.class(input);
        let [right, wrong] = [class.clone(), lock.other(&class)].map(|claim| lock.items(&claim, input));
        [Attack::pushing("other inputs", &right), Attack::pushing("other inputs", &wrong)]
    }));
    attacks
}

/// The right claim, and others: by value, by encoding, or no number that anyone would give.
fn claims(lock: &Lock, input: &[u8], class: &BigInt) -> Vec<Attack> {
    let honest = Attack::pushing("the right claim", &lock.items(class, input));
    if lock.compiled.contract != Contract::Claim {
        return vec![honest];
    }
    let with = |kind, claims: Vec<Vec<u8>>| {
        claims.into_iter().map(move |claim| Attack::pushing(kind, &[claim, input.to_vec()])).collect::<Vec<_>>()
    };
    let right = number::encode(class);
    let numbers =
        |numbers: Vec<BigInt>| numbers.iter().filter(|number| *number != class).map(number::encode).collect::<Vec<_>>();
    let classes = lock.compiled.ir.classes();
    let others =
        if classes == 0 { vec![class + 1, class - 1, BigInt::ZERO] } else { (0..classes).map(BigInt::from).collect() };
    let beyond = vec![
        BigInt::from(-1),
        -class,
        BigInt::from(classes),
        class + BigInt::from(classes),
        class + (BigInt::from(1) << 64),
        BigInt::from(-1) << 4000,
    ];
    let bytes = |behind: &[u8]| [&right, behind].concat();
    let mut encodings = vec![bytes(&[0x00]), bytes(&[0x00, 0x00, 0x00]), bytes(&[0x80]), bytes(&[0; 600])];
    encodings.extend([vec![], vec![0x00], vec![0x80], vec![0x00, 0x80], vec![0xff], vec![0x03, 0x00]]);
    encodings.retain(|claim| *claim != right);
    let mut attacks = vec![honest];
    attacks.extend(with("another claim", numbers(others)));
    attacks.extend(with("a claim out of range", numbers(beyond)));
    attacks.extend(with("a claim in other bytes", encodings));
    attacks.extend(with("a huge claim", vec![vec![0xff; 520], vec![0x00; 20_000], vec![0x01; 600_000]]));
    attacks
}

fn lengths(lock: &Lock, input: &[u8], class: &BigInt) -> Vec<Attack> {
    let element = lock.compiled.ir.input.width();
    let lengths = [
        input[1..].to_vec(),
        input[..input.len() - 1].to_vec(),
        [input, &[0x00]].concat(),
        [&[0x00], input].concat(),
        [input, &[0x80]].concat(),
        input.repeat(2),
        input[element..].to_vec(),
        [input, &input[..element]].concat(),
        vec![],
        vec![0x00],
        vec![0x01; 100_000],
        vec![0x00; 600_000],
    ];
    lengths.iter().map(|wrong| Attack::pushing("another length", &lock.items(class, wrong))).collect()
}

fn numbers_of_items(lock: &Lock, input: &[u8], class: &BigInt) -> Vec<Attack> {
    let items = lock.items(class, input);
    let claim = number::encode(class);
    let with = |position: usize, item: &[u8]| {
        let mut items = items.clone();
        items.insert(position, item.to_vec());
        Attack::pushing("an item too many", &items)
    };
    let mut attacks = Vec::new();
    for extra in [&[][..], &[0x01], &claim, input] {
        attacks.extend((0..=items.len()).map(|position| with(position, extra)));
    }
    attacks.push(Attack::pushing("an item too many", &vec![vec![0x01]; 1000]));
    attacks.push(Attack::pushing("no item", &[]));
    if let [claim, input] = &items[..] {
        for few in [claim, input] {
            attacks.push(Attack::pushing("an item too few", std::slice::from_ref(few)));
        }
        for places in [[input, claim], [input, input], [claim, claim]] {
            attacks.push(Attack::pushing("items in other places", &places.map(Clone::clone)));
        }
    }
    attacks
}

/// The longer ways to push the same bytes.
fn ways(item: &[u8]) -> Vec<Vec<u8>> {
    let len = u32::try_from(item.len()).unwrap().to_le_bytes();
    let mut ways = vec![[&[push::PUSHDATA4], &len[..], item].concat(), [&[push::PUSHDATA2], &len[..2], item].concat()];
    if len[1] == 0 {
        ways.push([&[push::PUSHDATA1], &len[..1], item].concat());
    }
    if (1..=0x4b).contains(&len[0]) && len[1] == 0 {
        ways.push([&len[..1], item].concat());
    }
    ways.retain(|way| way[..] != code::pushes(&[item.to_vec()]).as_bytes()[..]);
    ways
}

fn long_pushes(lock: &Lock, input: &[u8], class: &BigInt) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for claim in [class, &lock.other(class)] {
        let items = lock.items(claim, input);
        for at in 0..items.len() {
            let (below, above) = (code::pushes(&items[..at]), code::pushes(&items[at + 1..]));
            let script = |way: Vec<u8>| [below.as_bytes(), &way, above.as_bytes()].concat();
            attacks.extend(ways(&items[at]).into_iter().map(|way| Attack::new("a longer push", script(way), None)));
        }
    }
    attacks
}

/// Unlocking scripts that do more than push; what they leave where that is allowed.
fn opcodes(lock: &Lock, input: &[u8], class: &BigInt) -> Vec<Attack> {
    const KIND: &str = "opcodes";
    let items = lock.items(class, input);
    let honest = code::pushes(&items).into_bytes();
    let last = items.last().unwrap().clone();
    let mut doubled = items.clone();
    doubled.push(last.clone());
    let below = items[..items.len() - 1].to_vec();
    let with = |front: &[u8], back: &[u8], leaves: Option<Vec<Vec<u8>>>| {
        Attack::new(KIND, [front, &honest, back].concat(), leaves)
    };
    let (nop, verify, ret, to_alt, from_alt, drop, dup, size) = (0x61, 0x69, 0x6a, 0x6b, 0x6c, 0x75, 0x76, 0x82);
    let (num_to_bin, cat, negate, one_add, separator, depth) = (0x80, 0x7e, 0x8f, 0x8b, 0xab, 0x74);
    let (if_, else_, endif, unassigned) = (0x63, 0x67, 0x68, 0xfe);
    let mut attacks = vec![
        with(&[nop], &[nop], Some(items.clone())),
        with(&[separator], &[separator], Some(items.clone())),
        with(&[0x51, to_alt], &[], Some(items.clone())),
        with(&[], &[to_alt, from_alt], Some(items.clone())),
        with(&[], &[ret, unassigned], Some(items.clone())),
        with(&[0x51, if_], &[else_, 0x51, endif], Some(items.clone())),
        with(&[0x00, if_], &[else_, 0x51, endif], Some(vec![vec![1]])),
        with(&[], &[0x51, if_], None),
        with(&[unassigned], &[], None),
        with(&[], &[unassigned], None),
        with(&[], &[dup], Some(doubled)),
        with(&[], &[dup, drop], Some(items.clone())),
        with(&[], &[drop], Some(below.clone())),
        with(&[], &[to_alt], Some(below.clone())),
        with(&[depth], &[], Some([vec![vec![]], items.clone()].concat())),
        with(&[], &[size, drop], Some(items.clone())),
        with(&[], &[0x00, cat], Some(items.clone())),
        with(&[], &[0x51, cat], Some([below.clone(), vec![[&last[..], &[1]].concat()]].concat())),
        with(&[], &[0x51, verify], Some(items.clone())),
        with(&[], &[0x00, verify], None),
        Attack::new(KIND, vec![0x51, ret], Some(vec![vec![1]])),
        Attack::new(KIND, vec![0x51, 0x51, ret], Some(vec![vec![1]; 2])),
        Attack::new(KIND, vec![0x51, 0x51, if_, ret, endif], Some(vec![vec![1]])),
        Attack::new(KIND, [&honest[..], &[0x51, ret]].concat(), Some([items.clone(), vec![vec![1]]].concat())),
    ];
    // The claim, computed: in its one spelling, or in another.
    if let [claim, input] = &items[..] {
        let tail = code::pushes(std::slice::from_ref(input)).into_bytes();
        let script = |front: &[Vec<u8>], opcodes: &[u8]| [code::pushes(front).as_bytes(), opcodes, &tail].concat();
        let before = number::encode(&(class - 1));
        let opposite = number::encode(&-class);
        let wide = number::encode_fixed(class, 9).unwrap_or_default();
        attacks.extend([
            Attack::new(KIND, script(&[before], &[one_add]), Some(items.clone())),
            Attack::new(KIND, script(&[opposite], &[negate]), Some(items.clone())),
            Attack::new(
                KIND,
                script(std::slice::from_ref(claim), &[0x59, num_to_bin]),
                Some(vec![wide, input.clone()]),
            ),
        ]);
    }
    attacks
}

/// Bytes that are no script, or not the one that was meant.
fn bytes(lock: &Lock, input: &[u8], class: &BigInt) -> Vec<Attack> {
    const KIND: &str = "damaged bytes";
    let honest = code::pushes(&lock.items(class, input)).into_bytes();
    let mut attacks: Vec<Attack> =
        [&[0x4c][..], &[0x4b], &[0x4c, 0xff], &[0x4d, 0xff], &[0x4e, 0xff, 0xff, 0xff, 0xff]]
            .iter()
            .map(|unfinished| Attack::new(KIND, [&honest[..], unfinished].concat(), None))
            .collect();
    attacks.extend([1, honest.len() / 2, honest.len() - 1].map(|cut| Attack::new(KIND, honest[..cut].to_vec(), None)));
    // RESERVED counts as a push until it is executed.
    attacks.push(Attack::new(KIND, [&honest[..], &[0x50]].concat(), None));
    attacks.push(Attack::new(KIND, [&[0x50], &honest[..]].concat(), None));
    // A flipped bit: most often of the input, and then another input.
    let mut random = Random(honest.len() as u64);
    for flip in 0..24 {
        let bit = if flip < 8 { flip } else { random.next() as usize % (8 * honest.len()) };
        let mut flipped = honest.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let attack = Attack::new("a flipped bit", flipped, None);
        // What opcodes it may have become is not worth the guess.
        if attack.push_only {
            attacks.push(attack);
        }
    }
    attacks
}
