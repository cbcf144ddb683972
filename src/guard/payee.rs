//! The signature behind a right claim.

use super::assembly::{code, part};
use super::{Part, Payee};
use crate::script::opcode::Opcode::{CHECKSIG, DUP, EQUALVERIFY, HASH160, VERIFY};

/// Takes the network's verdict, a public key and a signature; leaves whether that is the payee's.
///
/// Who had committed to an input has committed to the key beside it, too: any key, but no other.
pub(super) fn part_of(payee: &Payee) -> Option<Part> {
    match payee {
        Payee::Anyone => None,
        Payee::Key(hash) => {
            let code = code![VERIFY, DUP, HASH160, &hash.0[..], EQUALVERIFY, CHECKSIG];
            Some(part("payee: a signature by the key of this hash", code))
        }
        Payee::Committed(_) => {
            Some(part("payee: a signature by the key that was committed to", code![VERIFY, CHECKSIG]))
        }
    }
}
