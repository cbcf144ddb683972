//! The funder's coins back, from a point in time on.
//!
//! CHECKLOCKTIMEVERIFY does nothing since Genesis, so the script reads the spending transaction's nLockTime and
//! nSequence out of what signatures hash (the preimage, BIP 143), which the unlocking script pushes. That the preimage is
//! the spending transaction's own, CHECKSIG proves by a signature that the script itself makes, with a key that anyone may
//! know. ECDSA signs the hash `z` with key `d` and nonce `k` by `r = x(k·G)`, `s = (z + r·d) / k mod n`, and `n - s` serves
//! as well. With `k = 1` and `r·d = 1 - (2^256 - n)`
//!
//! ```text
//! n - s  =  n - z - 1 + 2^256 - n  =  (2^256 - 1) - z
//! ```
//!
//! which are the bits of `z`, inverted: HASH256 INVERT makes `s` of a preimage. For whatever else is pushed, the signature
//! is wrong: finding another preimage whose `z` (or `-2·r·d - z`) is that of a transaction takes 2^128 hashes.
//!
//! Since Chronicle there is another thing that signatures may hash: the transaction as it is, where the hash type has no
//! FORKID, or has the bit CHRONICLE. There nSequence stands elsewhere, and the funder would choose the bytes that are read
//! for it among the outputs; a final transaction, which never waits, would do. So the hash type's bits are looked at, too:
//! FORKID, and not CHRONICLE. Coins compiled for Genesis need it as well: a coin is of the era that it is mined in.
//!
//! Two limits follow. `s` has 32 bytes in DER and no more than half of `n` only where `z` begins with a byte from 0x80 to
//! 0xfe: every second transaction. There are six hash types to choose from, and any nSequence but the last. And nothing
//! keeps a right claim from being paid after that time: until it is spent, the coin is whoever's comes first.
//!
//! A transaction with an nLockTime in the future is not final, and in no block, unless all of its inputs have the last
//! nSequence; hence the look at this input's. The future ends behind it: the first block that may hold a refund is the one
//! after the height given, or the first whose median of the eleven blocks before lies behind the time given. Source: node 1.2.2 `validation.cpp`, `IsFinalTx`,
//! `ContextualCheckTransaction`.

use std::fmt;

use super::assembly::{code, part};
use super::{KeyHash, LockTime, Part};
use crate::script::Code;
use crate::script::opcode::Opcode::{
    AND, BIN2NUM, CAT, CHECKSIG, CHECKSIGVERIFY, CODESEPARATOR, DROP, DUP, ELSE, ENDIF, EQUAL, EQUALVERIFY,
    GREATERTHANOREQUAL, HASH160, HASH256, INVERT, NIP, NOT, SIZE, SPLIT, SUB, SWAP, TUCK, VERIFY, WITHIN,
};

/// Who gets the coins back, and from when on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The funder's key.
    pub key: KeyHash,
    /// From when on.
    pub lock_until: LockTime,
}

/// In front of `s`: a DER signature whose `r` is the x-coordinate of the curve's generator.
const SIGNATURE_HEAD: [u8; 38] = [
    0x30, 0x44, 0x02, 0x20, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b,
    0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98, 0x02, 0x20,
];
/// The public key of `d`, such that `r·d = 1 - (2^256 - n)`. Everyone can compute `d` (the tests do).
const PUBLIC_KEY: [u8; 33] = [
    0x02, 0x84, 0xf6, 0xdb, 0xc4, 0x36, 0x5b, 0x3a, 0x74, 0x88, 0xf3, 0xda, 0x4d, 0x20, 0xe1, 0x1e, 0x54, 0x3b, 0xf8,
    0xdc, 0x51, 0x17, 0x35, 0x2e, 0x66, 0xf3, 0xaf, 0xea, 0x1b, 0x29, 0xff, 0x55, 0xcd,
];
/// What the preimage ends with: nSequence (4 bytes), the hash of the outputs (32), nLockTime (4), the hash type (4).
const TAIL: usize = 44;
const SEQUENCE: usize = 4;
const OUTPUTS: usize = 32;
const LOCK_TIME: usize = 4;
/// Bits of a hash type: which of the two digests it signs.
const FORK_ID: u8 = 0x40;
const CHRONICLE: u8 = 0x20;
/// The sequence number of an input that says nothing against its transaction being final.
const FINAL: [u8; 4] = [0xff; 4];

impl Refund {
    /// Takes a signature, a public key and the preimage; leaves whether the refund is due, and the funder's.
    ///
    /// Signatures here hash the script from behind the separator on, so that preimages are short.
    pub(super) fn parts(&self) -> Vec<Part> {
        vec![
            part("refund: otherwise", code![ELSE, CODESEPARATOR]),
            part("refund: the preimage is this transaction's", preimage()),
            part("refund: the time has come", self.due()),
            part(
                "refund: a signature by the funder's key",
                code![DUP, HASH160, &self.key.0[..], EQUALVERIFY, CHECKSIG],
            ),
            part("end of claim or refund", code![ENDIF]),
        ]
    }

    /// Takes the preimage's tail; goes on where nLockTime is late enough, and of the same kind, and enforced.
    #[rustfmt::skip]
    fn due(&self) -> Vec<Code> {
        let lock_until = self.lock_until.to_consensus() as usize;
        let mut due = code![
            SEQUENCE, SPLIT, // sequence, rest
            OUTPUTS, SPLIT, NIP, LOCK_TIME, SPLIT, DROP, &[0][..], CAT, BIN2NUM, // sequence, lock time
        ];
        due.extend(match self.lock_until.bound() {
            Some(bound) => code![lock_until, bound as usize, WITHIN, VERIFY],
            None => code![lock_until, GREATERTHANOREQUAL, VERIFY],
        });
        due.extend(code![&FINAL[..], EQUAL, NOT, VERIFY]);
        due
    }
}

/// signature, key, preimage -> signature, key, the preimage's tail
#[rustfmt::skip]
fn preimage() -> Vec<Code> {
    code![
        DUP, HASH256, INVERT, &SIGNATURE_HEAD[..], SWAP, CAT, // preimage, its signature
        SWAP, SIZE, TAIL, SUB, SPLIT, NIP, // its signature, tail
        TUCK, SEQUENCE + OUTPUTS + LOCK_TIME, SPLIT, NIP, 1, SPLIT, DROP, // tail, signature, hash type
        DUP, &[CHRONICLE | FORK_ID][..], AND, &[FORK_ID][..], EQUALVERIFY,
        CAT, &PUBLIC_KEY[..], CHECKSIGVERIFY,
    ]
}

impl fmt::Display for Refund {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} on also back to the key of hash {}", self.lock_until, self.key)
    }
}
