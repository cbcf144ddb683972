//! How signatures and public keys must be encoded before anything is verified.
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/interpreter.cpp`: `CheckSignatureEncoding`,
//! `CheckPubKeyEncoding`.

use crate::interp::error::ScriptError;
use crate::interp::sighash::HashType;
use crate::interp::spending::Context;
use crate::target::Era;

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

/// Judges a signature that is not empty, in the node's order.
pub(super) fn check_signature(der: &[u8], hash_type: HashType, context: &Context<'_>) -> Result<(), ScriptError> {
    let (r, s) = parse_der(der).ok_or(ScriptError::SigDer)?;
    if is_high(r, s) && !context.is_malleable() {
        return Err(ScriptError::SigHighS);
    }
    if !hash_type.is_defined() {
        return Err(ScriptError::SigHashtype);
    }
    if context.target.era == Era::Genesis && hash_type.has_chronicle() {
        return Err(ScriptError::IllegalChronicle);
    }
    if context.target.era == Era::Genesis && !hash_type.has_fork_id() {
        return Err(ScriptError::MustUseForkid);
    }
    Ok(())
}

/// Judges a public key: its form, not whether it is on the curve.
pub(super) fn check_key(key: &[u8]) -> Result<(), ScriptError> {
    if is_key(key) { Ok(()) } else { Err(ScriptError::PubkeyType) }
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
