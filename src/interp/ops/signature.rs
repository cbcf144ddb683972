//! CHECKSIG and CHECKMULTISIG, as far as they go without a transaction.
//!
//! Everything up to the verification itself is the node's: the counts, the encodings, the empty
//! signature that is simply false. Where the answer would depend on a signature hash, the script
//! ends with [`ScriptError::TransactionNeeded`]. The spend is taken to happen in the era of the coin,
//! by a transaction of version 1.
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/interpreter.cpp`: `CheckSignatureEncoding`,
//! `CheckPubKeyEncoding`, and the flags of block validation, which policy adds NULLDUMMY to.

use crate::interp::error::ScriptError;
use crate::interp::item::Item;
use crate::interp::number::NumberRules;
use crate::interp::stack::Stack;
use crate::target::{Era, Rules, Target};

type Result<T = ()> = std::result::Result<T, ScriptError>;

/// Longest count CHECKMULTISIG reads, whatever the era.
const COUNT_BYTES: usize = 4;

const SIGHASH_ANYONECANPAY: u8 = 0x80;
const SIGHASH_FORKID: u8 = 0x40;
const SIGHASH_CHRONICLE: u8 = 0x20;

/// The order of secp256k1, big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, //
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];
/// Half that order, rounded down.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// CHECKSIG: takes a signature and a key.
pub(in crate::interp) fn check_sig(stack: &mut Stack<'_>, target: &Target) -> Result {
    stack.need(2)?;
    check(stack.peek(1)?.bytes(), stack.peek(0)?.bytes(), target)?;
    stack.replace(2, Item::bool(false))
}

/// CHECKMULTISIG: takes an item too many, signatures, their number, keys, their number.
pub(in crate::interp) fn check_multisig(stack: &mut Stack<'_>, target: &Target) -> Result {
    let keys = read_count(stack, 0, target, ScriptError::PubkeyCount)?;
    stack.need(keys + 2)?;
    let signatures = read_count(stack, keys + 1, target, ScriptError::SigCount)?;
    if signatures > keys {
        return Err(ScriptError::SigCount);
    }
    let first_signature = keys + 2;
    // With the item too many, which is looked at last.
    stack.need(first_signature + signatures + 1)?;

    if signatures > 0 {
        // None can succeed, so the first is tried on every key that leaves enough for the others.
        for key in 1..=keys + 1 - signatures {
            check(stack.peek(first_signature)?.bytes(), stack.peek(key)?.bytes(), target)?;
        }
    }
    for _ in 0..first_signature {
        stack.pop()?;
    }
    for _ in 0..signatures {
        if stack.peek(0)?.len() != 0 {
            return Err(ScriptError::SigNullFail);
        }
        stack.pop()?;
    }
    if target.rules == Rules::Policy && stack.peek(0)?.len() != 0 {
        return Err(ScriptError::SigNullDummy);
    }
    stack.replace(1, Item::bool(signatures == 0))
}

/// The count `depth` below the top; `negative` where it is less than zero.
fn read_count(stack: &Stack<'_>, depth: usize, target: &Target, negative: ScriptError) -> Result<usize> {
    let rules = NumberRules { max_len: COUNT_BYTES, ..NumberRules::new(target) };
    usize::try_from(rules.read(stack.peek(depth)?)?.saturate()).map_err(|_| negative)
}

/// Succeeds where a signature is certainly false: it is empty, and the key is well formed.
fn check(signature: &[u8], key: &[u8], target: &Target) -> Result {
    if let Some((&hash_type, der)) = signature.split_last() {
        check_signature(der, hash_type, target)?;
    }
    if !is_key(key) {
        return Err(ScriptError::PubkeyType);
    }
    if signature.is_empty() { Ok(()) } else { Err(ScriptError::TransactionNeeded) }
}

/// The encoding of a signature that is not empty.
fn check_signature(der: &[u8], hash_type: u8, target: &Target) -> Result {
    let (r, s) = parse_der(der).ok_or(ScriptError::SigDer)?;
    if is_high(r, s) {
        return Err(ScriptError::SigHighS);
    }
    let base = hash_type & !(SIGHASH_ANYONECANPAY | SIGHASH_FORKID | SIGHASH_CHRONICLE);
    if !(1..=3).contains(&base) {
        return Err(ScriptError::SigHashtype);
    }
    if target.era == Era::Genesis && hash_type & SIGHASH_CHRONICLE != 0 {
        return Err(ScriptError::IllegalChronicle);
    }
    if target.era == Era::Genesis && hash_type & SIGHASH_FORKID == 0 {
        return Err(ScriptError::MustUseForkid);
    }
    Ok(())
}

/// The two integers of a strict DER signature (BIP 66), big-endian.
fn parse_der(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x30, len, body @ ..] = der else { return None };
    if !(8..=72).contains(&der.len()) || usize::from(*len) != body.len() {
        return None;
    }
    let (r, rest) = parse_integer(body)?;
    let (s, rest) = parse_integer(rest)?;
    rest.is_empty().then_some((r, s))
}

/// A positive DER integer without needless zeros in front, and what follows it.
fn parse_integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x02, len, rest @ ..] = bytes else { return None };
    let (integer, rest) = rest.split_at_checked(usize::from(*len))?;
    let well_formed = match integer {
        [] => false,
        [0, next, ..] => next & 0x80 != 0,
        [first, ..] => first & 0x80 == 0,
    };
    well_formed.then_some((integer, rest))
}

/// Whether S is over half the order. As in libsecp256k1's lax parser, integers that reach the order
/// make the signature zero, which is low.
fn is_high(r: &[u8], s: &[u8]) -> bool {
    match (widen(r), widen(s)) {
        (Some(r), Some(s)) => r < ORDER && s < ORDER && s > HALF_ORDER,
        _ => false,
    }
}

/// A DER integer in 32 bytes, if it fits.
fn widen(integer: &[u8]) -> Option<[u8; 32]> {
    let digits = integer.strip_prefix(&[0]).unwrap_or(integer);
    let mut wide = [0; 32];
    let start = wide.len().checked_sub(digits.len())?;
    wide[start..].copy_from_slice(digits);
    Some(wide)
}

/// Whether a public key looks compressed or uncompressed.
fn is_key(key: &[u8]) -> bool {
    matches!((key.first(), key.len()), (Some(2 | 3), 33) | (Some(4), 65))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interp::run;
    use crate::script::push;

    const GENESIS: Target = Target { era: Era::Genesis, rules: Rules::Policy };
    const CONSENSUS: Target = Target { era: Era::Chronicle, rules: Rules::Consensus };
    const CHECKSIG_NOT: &[u8] = &[0xac, 0x91];

    fn pushes(items: &[&[u8]]) -> Vec<u8> {
        let mut script = Vec::new();
        items.iter().for_each(|item| push::append(&mut script, item));
        script
    }

    fn signature(s: &[u8], hash_type: u8) -> Vec<u8> {
        let len = 5 + s.len() as u8;
        [&[0x30, len, 2, 1, 1, 2, s.len() as u8][..], s, &[hash_type]].concat()
    }

    fn key() -> Vec<u8> {
        [&[2][..], &[9; 32]].concat()
    }

    #[test]
    fn checksig_goes_as_far_as_the_encodings() {
        let low = signature(&[7], 0x41);
        let high = signature(&[&[0][..], &[0xf0; 32]].concat(), 0x41);
        let cases: [(&[u8], &[u8], Target, &str); 9] = [
            (&[], &key(), GENESIS, "OK"),
            (&[], &[2, 3], GENESIS, "PUBKEYTYPE"),
            (&[1, 2, 3], &key(), GENESIS, "SIG_DER"),
            (&low, &key(), GENESIS, "TRANSACTION_NEEDED"),
            (&high, &key(), GENESIS, "SIG_HIGH_S"),
            (&signature(&[7], 0x44), &key(), GENESIS, "SIG_HASHTYPE"),
            (&signature(&[7], 0x01), &key(), GENESIS, "MUST_USE_FORKID"),
            (&signature(&[7], 0x61), &key(), GENESIS, "ILLEGAL_CHRONICLE"),
            (&signature(&[7], 0x61), &key(), CONSENSUS, "TRANSACTION_NEEDED"),
        ];
        for (signature, key, target, verdict) in cases {
            assert_eq!(run(&pushes(&[signature, key]), CHECKSIG_NOT, &target).verdict(), verdict);
        }
        assert_eq!(run(&pushes(&[&key()]), CHECKSIG_NOT, &GENESIS).verdict(), "INVALID_STACK_OPERATION");
    }

    #[test]
    fn checkmultisig_counts_before_it_checks() {
        const MULTISIG_NOT: &[u8] = &[0xae, 0x91];
        let (key, low) = (key(), signature(&[7], 0x41));
        type Case<'a> = (&'a [&'a [u8]], &'a [u8], &'a str);
        let cases: [Case<'_>; 11] = [
            (&[&[], &[], &[]], &[0xae], "OK"),
            (&[&[], &[], &[1], &key, &[1]], MULTISIG_NOT, "OK"),
            (&[&[], &[], &[], &[2], &key, &key, &key, &[3]], MULTISIG_NOT, "OK"),
            (&[&[5], &[], &[1], &key, &[1]], MULTISIG_NOT, "SIG_NULLDUMMY"),
            (&[&[], &low, &[], &[2], &key, &key, &[2]], MULTISIG_NOT, "SIG_NULLFAIL"),
            (&[&[], &low, &[1], &key, &[1]], MULTISIG_NOT, "TRANSACTION_NEEDED"),
            (&[&[], &[2], &key, &[1]], MULTISIG_NOT, "SIG_COUNT"),
            (&[&[], &[0x81], &key, &[1]], MULTISIG_NOT, "SIG_COUNT"),
            (&[&[0x81]], MULTISIG_NOT, "PUBKEY_COUNT"),
            (&[&[0, 0, 0, 0, 1]], MULTISIG_NOT, "SCRIPTNUM_OVERFLOW"),
            (&[&[], &[]], MULTISIG_NOT, "INVALID_STACK_OPERATION"),
        ];
        for (items, locking, verdict) in cases {
            assert_eq!(run(&pushes(items), locking, &GENESIS).verdict(), verdict, "{items:02x?}");
        }
        assert_eq!(run(&pushes(&[&[5], &[], &[1], &key, &[1]]), MULTISIG_NOT, &CONSENSUS).verdict(), "OK");
        assert_eq!(run(&pushes(&[&[], &[], &[1], &key, &[1]]), &[0xaf], &GENESIS).verdict(), "CHECKMULTISIGVERIFY");
        assert_eq!(run(&pushes(&[&[], &key]), &[0xad], &GENESIS).verdict(), "CHECKSIGVERIFY");
    }
}
