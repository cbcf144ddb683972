//! CHECKSIG and CHECKMULTISIG.
//!
//! A signature signs the script from behind the last CODESEPARATOR that was executed to the end. Of it,
//! pushes of signatures without FORKID are taken out, as are, in CHECKMULTISIG, those of the empty string.
//! Without a transaction everything up to the verification itself is done: the counts, the encodings, the
//! empty signature that is simply false. Where the answer would depend on a signature hash, the script
//! ends with [`ScriptError::TransactionNeeded`].
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/interpreter.cpp`: `EvalScript`, `CleanupScriptCode`,
//! `TransactionSignatureChecker::CheckSig`, and the flags of block validation, which policy adds NULLDUMMY to.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use bitcoin::secp256k1::ecdsa::Signature;
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, VerifyOnly};

use super::encoding::{check_key, check_signature};
use crate::interp::error::ScriptError;
use crate::interp::item::Item;
use crate::interp::number::NumberRules;
use crate::interp::parse;
use crate::interp::sighash::HashType;
use crate::interp::spending::{Context, Spending};
use crate::interp::stack::Stack;
use crate::script::push;

type Result<T = ()> = std::result::Result<T, ScriptError>;

/// Longest count CHECKMULTISIG reads, whatever the era.
const COUNT_BYTES: usize = 4;

static SECP: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

/// What signatures are checked against.
pub(in crate::interp) struct Verifier<'s> {
    context: Context<'s>,
    code: ScriptCode<'s>,
}

/// The part of a script that is signed, and the hash that was last made of it.
struct ScriptCode<'s> {
    bytes: Cow<'s, [u8]>,
    digest: Option<(HashType, [u8; 32])>,
}

impl<'s> Verifier<'s> {
    pub(in crate::interp) fn new(context: Context<'s>) -> Self {
        Verifier { context, code: ScriptCode::new(Cow::Borrowed(&[])) }
    }

    /// What is signed from now on: a script, or what of it follows a CODESEPARATOR.
    pub(in crate::interp) fn begin(&mut self, script_code: &'s [u8]) {
        self.code = ScriptCode::new(Cow::Borrowed(script_code));
    }

    /// The script code without the pushes of these signatures, if that is another one.
    fn cleaned(&self, signatures: &[&[u8]]) -> Option<ScriptCode<'s>> {
        if self.context.spending.is_none() || signatures.iter().all(|signature| signature.is_empty()) {
            return None;
        }
        let stays = |signature: &[u8]| signature.last().is_some_and(|&last| HashType(last).has_fork_id());
        let unwanted: BTreeSet<Vec<u8>> =
            signatures.iter().filter(|signature| !stays(signature)).map(|signature| data_push(signature)).collect();
        if unwanted.is_empty() {
            return None;
        }
        let kept = without(&self.code.bytes, &unwanted);
        (kept.len() < self.code.bytes.len()).then(|| ScriptCode::new(Cow::Owned(kept)))
    }

    /// Fails a check that failed with a signature that is not empty.
    fn null_fail(&self, signature: &[u8]) -> Result {
        let allowed = signature.is_empty() || self.context.is_malleable();
        if allowed { Ok(()) } else { Err(ScriptError::SigNullFail) }
    }
}

impl<'s> ScriptCode<'s> {
    fn new(bytes: Cow<'s, [u8]>) -> Self {
        ScriptCode { bytes, digest: None }
    }

    fn digest(&mut self, spending: &Spending<'_>, hash_type: HashType) -> [u8; 32] {
        match self.digest {
            Some((last, digest)) if last == hash_type => digest,
            _ => self.digest.insert((hash_type, spending.digest(&self.bytes, hash_type))).1,
        }
    }

    /// Whether a signature and a key are well formed and agree.
    fn check(&mut self, signature: &[u8], key: &[u8], context: &Context<'_>) -> Result<bool> {
        let parts = signature.split_last().map(|(&last, der)| (der, HashType(last)));
        if let Some((der, hash_type)) = parts {
            check_signature(der, hash_type, context)?;
        }
        check_key(key)?;
        let Some((der, hash_type)) = parts else { return Ok(false) };
        let spending = context.spending.ok_or(ScriptError::TransactionNeeded)?;
        let Ok(key) = PublicKey::from_slice(key) else { return Ok(false) };
        Ok(verify(der, &key, self.digest(spending, hash_type)))
    }
}

/// CHECKSIG: takes a signature and a key.
pub(in crate::interp) fn check_sig(stack: &mut Stack<'_>, verifier: &mut Verifier<'_>) -> Result {
    stack.need(2)?;
    let (signature, key) = (stack.peek(1)?.bytes(), stack.peek(0)?.bytes());
    let mut cleaned = verifier.cleaned(&[signature]);
    let valid = cleaned.as_mut().unwrap_or(&mut verifier.code).check(signature, key, &verifier.context)?;
    if !valid {
        verifier.null_fail(signature)?;
    }
    stack.replace(2, Item::bool(valid))
}

/// CHECKMULTISIG: takes an item too many, signatures, their number, keys, their number.
pub(in crate::interp) fn check_multisig(
    stack: &mut Stack<'_>,
    rules: &NumberRules,
    verifier: &mut Verifier<'_>,
) -> Result {
    let keys = read_count(stack, 0, rules, ScriptError::PubkeyCount)?;
    stack.need(keys + 2)?;
    let signatures = read_count(stack, keys + 1, rules, ScriptError::SigCount)?;
    if signatures > keys {
        return Err(ScriptError::SigCount);
    }
    let first_signature = keys + 2;
    // With the item too many, which is looked at last.
    stack.need(first_signature + signatures + 1)?;

    let valid = match_signatures(stack, (first_signature, signatures), keys, verifier)?;
    for _ in 0..first_signature {
        stack.pop()?;
    }
    for _ in 0..signatures {
        if !valid {
            verifier.null_fail(stack.peek(0)?.bytes())?;
        }
        stack.pop()?;
    }
    if verifier.context.is_tidy() && stack.peek(0)?.len() != 0 {
        return Err(ScriptError::SigNullDummy);
    }
    stack.replace(1, Item::bool(valid))
}

/// Whether all signatures belong to keys, in the order of the keys. The last pushed come first; a key is
/// tried once, and none is where too few are left.
fn match_signatures(
    stack: &Stack<'_>,
    (first, count): (usize, usize),
    keys: usize,
    verifier: &mut Verifier<'_>,
) -> Result<bool> {
    let signatures = (first..first + count).map(|depth| Ok(stack.peek(depth)?.bytes())).collect::<Result<Vec<_>>>()?;
    let mut cleaned = verifier.cleaned(&signatures);
    let code = cleaned.as_mut().unwrap_or(&mut verifier.code);
    let (mut left, mut key) = (&signatures[..], 0);
    while let [signature, others @ ..] = left {
        if left.len() > keys - key {
            return Ok(false);
        }
        key += 1;
        if code.check(signature, stack.peek(key)?.bytes(), &verifier.context)? {
            left = others;
        }
    }
    Ok(true)
}

/// The count `depth` below the top; `negative` where it is less than zero.
fn read_count(stack: &Stack<'_>, depth: usize, rules: &NumberRules, negative: ScriptError) -> Result<usize> {
    let rules = NumberRules { max_len: COUNT_BYTES, ..*rules };
    usize::try_from(rules.read(stack.peek(depth)?)?.saturate()).map_err(|_| negative)
}

/// Verifies a signature that is strict DER. Integers that reach the order of the group make it false.
fn verify(der: &[u8], key: &PublicKey, digest: [u8; 32]) -> bool {
    Signature::from_der_lax(der).is_ok_and(|mut signature| {
        // The library takes low S only; what is high and allowed means the same.
        signature.normalize_s();
        SECP.verify_ecdsa(&Message::from_digest(digest), &signature, key).is_ok()
    })
}

/// The push of a signature, by its length alone.
fn data_push(signature: &[u8]) -> Vec<u8> {
    let mut script = Vec::new();
    push::append_data(&mut script, signature);
    script
}

/// A script without these instructions.
fn without(script: &[u8], unwanted: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < script.len() {
        let Some((_, next)) = parse::read(script, at) else { break };
        if !unwanted.contains(&script[at..next]) {
            kept.extend_from_slice(&script[at..next]);
        }
        at = next;
    }
    kept.extend_from_slice(&script[at..]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interp::run;
    use crate::script::push;
    use crate::target::{Era, Rules, Target};

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

    #[test]
    fn signatures_are_taken_out_where_they_are_pushed() {
        let unwanted: BTreeSet<Vec<u8>> = [&[][..], &[7, 8], &[1]].map(data_push).into();
        assert_eq!(unwanted, [vec![0], vec![1, 1], vec![2, 7, 8]].into());
        let cases: [(&[u8], &[u8]); 6] = [
            (&[0x51, 2, 7, 8, 0x52], &[0x51, 0x52]),
            (&[0, 2, 7, 8, 1, 1, 2, 7, 8], &[]),
            // Another push, and the same bytes inside of one.
            (&[0x4c, 2, 7, 8, 3, 2, 7, 8], &[0x4c, 2, 7, 8, 3, 2, 7, 8]),
            // Behind a push that runs past the end nothing is found.
            (&[0, 9, 2, 7, 8], &[9, 2, 7, 8]),
            (&[2, 7], &[2, 7]),
            (&[], &[]),
        ];
        for (script, kept) in cases {
            assert_eq!(without(script, &unwanted), kept, "{script:02x?}");
        }
    }

    #[test]
    fn only_signatures_without_fork_id_leave_another_script_code() {
        let raw = [&[1, 0, 0, 0, 1][..], &[0; 36], &[0], &[0; 4], &[0], &[0; 4]].concat();
        let spending = Spending::new(&raw, 0, 0).unwrap();
        let script = [0, 1, 0x41, 1, 0x81, 0xae];
        let cleaned = |spending, signatures: &[&[u8]]| {
            let mut verifier = Verifier::new(Context { target: GENESIS, spending });
            verifier.begin(&script);
            verifier.cleaned(signatures).map(|code| code.bytes.into_owned())
        };
        assert_eq!(cleaned(Some(&spending), &[&[0x41]]), None);
        assert_eq!(cleaned(Some(&spending), &[&[]]), None);
        assert_eq!(cleaned(Some(&spending), &[&[0x82]]), None);
        assert_eq!(cleaned(Some(&spending), &[&[0x81]]), Some(vec![0, 1, 0x41, 0xae]));
        assert_eq!(cleaned(Some(&spending), &[&[0x41], &[]]), Some(vec![1, 0x41, 1, 0x81, 0xae]));
        assert_eq!(cleaned(None, &[&[0x81]]), None);
    }
}
