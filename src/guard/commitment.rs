//! Claims that nobody can snatch: whoever shows an input must have committed to it before.
//!
//! Two transactions. The first, anybody's, holds the commitment anywhere (an output `0 RETURN <commitment>`, say):
//!
//! ```text
//! commitment = SHA256(input ‖ HASH160(public key) ‖ salt)
//! ```
//!
//! Once it lies in a block, and further blocks on that, the second spends the coin: it shows input, salt, the first
//! transaction, its Merkle branch and the headers of those blocks, and is signed by the key. The script hashes all of
//! this together again: the commitment is in a transaction, that is in the first header's block, each header follows the
//! one before it, and each one's hash is at most a target fixed in the script.
//!
//! Who sees the second transaction learns the input; to be paid for it, they would have to put a commitment of their own
//! into a block, and find as many blocks as the script asks for, before the second transaction gets into one.
//!
//! What this rests on, and what it leaves open:
//! - The script sees work, not a chain. Headers of any chain that hashes as this one does will do, of a branch that was
//!   given up, too, at the target that the script was made with, whatever the difficulty has become. If blocks become
//!   easier to find than that target, few of the chain's own will do until they are harder again; if they become harder,
//!   a forged branch costs that much less than the chain's. Nobody can begin one before the input is known.
//! - The second transaction has to be mined before somebody finds as many blocks from the moment on that they saw it. With
//!   one block, a miner needs no more than to leave it out once, and to put a commitment in its place. Whoever can undo
//!   blocks can undo it, too. Where there is a refund that is due, that races with it as well.
//! - Of two who had committed to the same input both are right, whoever was first. A commitment names no contract: it opens
//!   every one that takes this input, for this key. An input that was shown once is everybody's to commit to, for coins
//!   that are left: claim them all at once.
//!
//! Invariants:
//! 1. The input that is hashed is the very item that the network takes (it is copied, not moved), and its length is
//!    checked by the network's entry; a hash has 20 bytes: three fields, of which the last alone may have any length.
//! 2. Every item of the proof is consumed. A branch or a list of headers that is too long or too short fails.
//! 3. An inner node of a Merkle tree is 64 bytes, as a transaction might be: it could only pass for one that holds a
//!    commitment to an input if the hash of that commitment's content were found by chance.

use std::fmt;
use std::str::FromStr;

use bitcoin::pow::{CompactTarget, Target};

use super::assembly::{code, part};
use super::{Item, Part};
use crate::codegen::Contract;
use crate::script::opcode::Opcode::{
    BIN2NUM, CAT, DROP, DUP, ENDIF, EQUALVERIFY, FROMALTSTACK, HASH160, HASH256, IF, LESSTHANOREQUAL, NIP, OP_0, PICK,
    ROLL, ROT, SHA256, SIZE, SPLIT, SWAP, TOALTSTACK, VERIFY,
};
use crate::script::{Code, push};

/// What a commitment must be buried under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitReveal {
    /// How many headers the proof holds: the commitment's block and those that follow it.
    blocks: usize,
    /// The hash of a header is at most this, as header fields have it (`nBits`).
    bits: u32,
}

/// The items of the proof, in the order in which they are pushed.
pub(super) const PROOF: [Item; 5] =
    [Item::Salt, Item::BeforeCommitment, Item::BehindCommitment, Item::MerkleBranch, Item::Headers];

/// Most headers that a proof may need: a day's.
const MOST_BLOCKS: usize = 144;
/// Deepest Merkle tree that a branch may come from: one of 2^28 transactions.
pub const DEEPEST_BRANCH: usize = 28;
/// A step of a branch: on which side the sibling stands (1: on the right), and its 32 bytes.
const STEP: usize = 33;
/// Bytes of a salt as `commit` makes them.
pub const SALT: usize = 32;
const HEADER: usize = 80;
const HASH: usize = 32;
/// Where a header holds the hash of the one before it.
const PREVIOUS: usize = 4;
/// Where a header holds the root of its block's Merkle tree.
const ROOT: usize = 36;

impl CommitReveal {
    /// How many headers a proof holds.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// The largest number that a header's hash may be, as compact bits.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// The same as a number, little-endian.
    pub fn target(&self) -> [u8; 32] {
        Target::from_compact(CompactTarget::from_consensus(self.bits)).to_le_bytes()
    }

    /// How many bytes the headers of a proof take.
    pub(super) fn header_bytes(&self) -> usize {
        self.blocks * HEADER
    }

    /// Most bytes that pushes of the proof take, but for the transaction.
    pub(super) fn proof_bytes(&self) -> usize {
        let pushed = |bytes: usize| push::header_len(bytes) + bytes;
        pushed(SALT) + pushed(DEEPEST_BRANCH * STEP) + pushed(self.header_bytes()) + 2
    }

    /// Takes the items of the proof from above the network's, which they stand on; goes on where they hold.
    pub(super) fn parts(&self, contract: Contract) -> Vec<Part> {
        let mut parts = vec![
            part("commitment: the transaction that holds it", transaction(contract)),
            part("commitment: that transaction's way to the Merkle root", branch()),
            part("commitment: the target of headers", code![&number(self.target())[..], TOALTSTACK]),
            part("commitment: its block's header", header(ROOT)),
        ];
        parts.extend((1..self.blocks).map(|_| part("commitment: a header that follows", header(PREVIOUS))));
        parts.push(part("commitment: no more headers", code![DROP, OP_0, EQUALVERIFY, FROMALTSTACK, DROP]));
        parts
    }
}

/// key, [claim], input, salt, before, behind, branch, headers -> key, [claim], input, headers, transaction's hash, branch
#[rustfmt::skip]
fn transaction(contract: Contract) -> Vec<Code> {
    // With the input's copy on top: salt, headers, branch, behind, before, input, [claim], key.
    let key = 6 + super::network_items(contract).len();
    code![
        4, ROLL, 5, PICK, key, PICK, HASH160, CAT, SWAP, CAT, SHA256, // before, behind, branch, headers, commitment
        4, ROLL, SWAP, CAT, 3, ROLL, CAT, HASH256, ROT, // headers, hash, branch
    ]
}

/// headers, hash, branch -> headers, root
#[rustfmt::skip]
fn branch() -> Vec<Code> {
    let step = code![
        SIZE, IF, STEP, SPLIT, SWAP, 1, SPLIT, 3, ROLL, ROT, // rest, sibling, hash, side
        IF, SWAP, ENDIF, CAT, HASH256, SWAP, ENDIF,
    ];
    let mut code: Vec<Code> = (0..DEEPEST_BRANCH).flat_map(|_| step.clone()).collect();
    code.extend(code![OP_0, EQUALVERIFY]);
    code
}

/// headers, hash -> further headers, hash of the first header, which has the given hash at `place`
#[rustfmt::skip]
fn header(place: usize) -> Vec<Code> {
    code![
        SWAP, HEADER, SPLIT, SWAP, // hash, further headers, header
        DUP, place, SPLIT, NIP, HASH, SPLIT, DROP, 3, ROLL, EQUALVERIFY, // further headers, header
        HASH256, DUP, &[0][..], CAT, BIN2NUM, FROMALTSTACK, DUP, TOALTSTACK, LESSTHANOREQUAL, VERIFY,
    ]
}

/// The shortest script number of 32 bytes, little-endian.
fn number(bytes: [u8; 32]) -> Vec<u8> {
    crate::script::number::encode(&num_bigint::BigInt::from_bytes_le(num_bigint::Sign::Plus, &bytes))
}

impl FromStr for CommitReveal {
    type Err = String;

    /// Reads `BLOCKS:BITS`, as in `6:1818d5a7`.
    fn from_str(text: &str) -> Result<Self, String> {
        let help =
            "give BLOCKS:BITS, as in 6:1818d5a7: how many blocks, and the field `bits` of a header that is easy enough";
        let (blocks, bits) = text.split_once(':').ok_or(help)?;
        let blocks = blocks.parse().ok().filter(|blocks| (1..=MOST_BLOCKS).contains(blocks));
        let blocks = blocks.ok_or_else(|| format!("a proof holds 1 to {MOST_BLOCKS} blocks; {help}"))?;
        let digits = bits.len() == 8 && bits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u32::from_str_radix(bits, 16).ok().filter(|_| digits);
        let bits = bits.ok_or_else(|| format!("bits are eight hex digits; {help}"))?;
        check_bits(bits).map_err(|reason| format!("bits {bits:08x}: {reason}; {help}"))?;
        Ok(CommitReveal { blocks, bits })
    }
}

/// The last test network's target is the easiest that there is, and 0 can't be reached.
fn check_bits(bits: u32) -> Result<(), &'static str> {
    const EASIEST: u32 = 0x207f_ffff;
    let target = Target::from_compact(CompactTarget::from_consensus(bits));
    let easiest = Target::from_compact(CompactTarget::from_consensus(EASIEST));
    match () {
        () if bits & 0x0080_0000 != 0 || target == Target::ZERO => Err("no block's hash can be that small"),
        () if target > easiest => Err("that is easier than any network's blocks"),
        () => Ok(()),
    }
}

impl fmt::Display for CommitReveal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { blocks, bits } = self;
        let plural = if *blocks == 1 { "" } else { "s" };
        write!(f, "{blocks} block{plural} of bits {bits:08x} before")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_or_refused_in_words() {
        assert_eq!("6:1818d5a7".parse(), Ok(CommitReveal { blocks: 6, bits: 0x1818_d5a7 }));
        for (wrong, says) in [
            ("6", "BLOCKS:BITS"),
            ("0:1818d5a7", "1 to 144"),
            ("145:1818d5a7", "1 to 144"),
            ("6:1818d5", "eight hex digits"),
            ("6:+1818d5a", "eight hex digits"),
            ("6:18000000", "that small"),
            ("6:1898d5a7", "that small"),
            ("6:217fffff", "easier"),
        ] {
            let refusal = wrong.parse::<CommitReveal>().unwrap_err();
            assert!(refusal.contains(says), "{wrong}: {refusal}");
        }
    }
}
