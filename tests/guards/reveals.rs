//! What can be tried on a contract that pays who committed to the input: right and wrong proofs.

use bitcoin::hashes::{Hash, sha256d};
use onnx2script::Compiled;
use onnx2script::artifact::Commitment;

use super::chain;
use super::spends::{Spend, answer, claims, payee, signed, spend, thief};
use super::transaction::Person;

/// The deepest tree that a branch may come from.
const BRANCHES: usize = 28;

/// A proof of a commitment: salt, what stands before and behind it, its branch, and headers.
struct Proof {
    items: Vec<Vec<u8>>,
}

const SALT: usize = 0;
const BEHIND: usize = 2;
const BRANCH: usize = 3;
const HEADERS: usize = 4;

fn hash(bytes: &[u8]) -> [u8; 32] {
    sha256d::Hash::hash(bytes).to_byte_array()
}

impl Proof {
    /// A commitment to `input` by the payee, `depth` steps below its block's root; now left, now right.
    fn new(input: &[u8], depth: usize, blocks: usize) -> Proof {
        Proof::on(input, depth, blocks, |step| ([step as u8; 32], step % 3 != 1))
    }

    /// The same with these siblings, which stand on the right or not.
    fn on(input: &[u8], depth: usize, blocks: usize, sibling: impl Fn(usize) -> ([u8; 32], bool)) -> Proof {
        let salt = [6; 32];
        let held = Commitment::new(String::new(), input, payee().hash(), &salt).bytes();
        let (before, behind) = (vec![1; 9], vec![2; 7]);
        let mut root = hash(&[&before[..], &held, &behind].concat());
        let mut branch = Vec::new();
        for step in 0..depth {
            let (sibling, right) = sibling(step);
            branch.push(u8::from(right));
            branch.extend(sibling);
            root = if right { hash(&[root, sibling].concat()) } else { hash(&[sibling, root].concat()) };
        }
        let headers = chain::headers(root, blocks).concat();
        Proof { items: vec![salt.to_vec(), before, behind, branch, headers] }
    }

    fn with(&self, change: impl Fn(&mut Vec<Vec<u8>>)) -> Vec<Vec<u8>> {
        let mut items = self.items.clone();
        change(&mut items);
        items
    }
}

/// Claims with right and wrong proofs.
pub(crate) fn reveals(compiled: &Compiled, blocks: usize) -> Vec<Spend> {
    let [_, input] = answer(compiled);
    let right = Proof::new(&input, 3, blocks);
    let mut spends = claims(compiled, payee, &right.items, true);
    let mut with = |name: String, passes: bool, proof: Vec<Vec<u8>>, person: fn() -> Person| {
        spends.push(spend(name, passes, signed(compiled, person, proof, |_, _| ())));
    };
    with("another's claim".into(), false, right.items.clone(), thief);
    for depth in [0, 1, 2, BRANCHES] {
        with(format!("a commitment at depth {depth}"), true, Proof::new(&input, depth, blocks).items, payee);
    }
    // Zeros on the left: what is left of the branch is not empty, but false.
    let on = |sibling: fn(usize) -> ([u8; 32], bool)| Proof::on(&input, BRANCHES, blocks, sibling);
    let zeros = on(|_| ([0; 32], false));
    with("siblings on the right".into(), true, on(|step| ([step as u8; 32], true)).items, payee);
    with("siblings of zeros on the left".into(), true, zeros.items.clone(), payee);
    for more in [1, 33] {
        let longer = zeros.with(|items| items[BRANCH].resize(BRANCHES * 33 + more, 0));
        with(format!("{more} bytes behind the deepest branch"), false, longer, payee);
    }
    with("a commitment too deep".into(), false, Proof::new(&input, BRANCHES + 1, blocks).items, payee);
    with("a commitment to another input".into(), false, Proof::new(&[0; 10], 3, blocks).items, payee);
    for wrong in [blocks - 1, blocks + 1] {
        with(format!("{wrong} headers"), false, Proof::new(&input, 3, wrong).items, payee);
    }
    for (name, item) in [("salt", SALT), ("transaction", BEHIND), ("branch", BRANCH), ("headers", HEADERS)] {
        with(format!("another {name}"), false, right.with(|items| items[item][4] ^= 1), payee);
        with(format!("a longer {name}"), false, right.with(|items| items[item].push(0)), payee);
        with(format!("a shorter {name}"), false, right.with(|items| items[item] = items[item][1..].to_vec()), payee);
    }
    with("another side".into(), false, right.with(|items| items[BRANCH][0] ^= 1), payee);
    let first: [u8; 80] = right.items[HEADERS][..80].try_into().unwrap();
    let root: [u8; 32] = first[36..68].try_into().unwrap();
    let second = |previous, easy| chain::header(previous, [3; 32], easy);
    for (name, headers) in [
        ("a header that is too easy", [first, second(hash(&first), false)]),
        ("a first header that is too easy", {
            let weak = chain::header([1; 32], root, false);
            [weak, second(hash(&weak), true)]
        }),
        ("a header that follows another", [first, second([9; 32], true)]),
        ("a block of another root", [second([1; 32], true), second(hash(&second([1; 32], true)), true)]),
    ] {
        with(name.into(), false, right.with(|items| items[HEADERS] = headers.concat()), payee);
    }
    spends
}
