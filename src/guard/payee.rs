//! The signature behind a right claim.
//!
//! It covers what its hash type says: of NONE, anyone who sees the transaction may pay the coins elsewhere; of SINGLE, all
//! but one output; of ANYONECANPAY, inputs may be added. The script does not ask for ALL, for that is the payee's own
//! affair. No signature covers the unlocking script: a selector or a side of a branch that is as true as the one given
//! makes another transaction id, of the same payments.

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
