//! What a spend is judged in: a target, and the spending transaction where there is one.
//!
//! Without a transaction a spend is judged as one by a transaction of version 1, up to the first
//! signature whose hash is needed. The transaction is taken to be mined in the era of the coin: a coin
//! from before Chronicle is spent by the rules from before Chronicle, which are the stricter ones.
//!
//! Source: Bitcoin SV node 1.2.2, `EnforceNonMalleability` of `src/script/interpreter.cpp`, as other implementations
//! cite it and its eight uses; the SDK's cases agree.

use std::sync::OnceLock;

use super::sighash::{self, HashType};
use super::transaction::{Input, Transaction, TransactionError};
use crate::target::{Era, Rules, Target};

/// Most satoshis there can be.
/// Source: node 1.2.2 `amount.h`, `MAX_MONEY`.
pub const MAX_SATOSHIS: u64 = 2_100_000_000_000_000;

/// A version that VER pushes and the rules assume where there is no transaction.
const DEFAULT_VERSION: u32 = 1;

/// The transaction that spends a coin: which of its inputs does, and what the coin is worth.
///
/// It keeps the hashes that its signatures share, so one is best used for all runs of an input.
#[derive(Clone, Debug)]
pub struct Spending<'t> {
    pub(super) transaction: Transaction<'t>,
    pub(super) index: usize,
    pub(super) satoshis: u64,
    hashes: [OnceLock<[u8; 32]>; 3],
}

/// Why a transaction cannot spend a coin.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpendingError {
    /// The bytes are not a transaction.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The transaction has too few inputs.
    #[error("the transaction has no input {index}: {}", inputs_there(*.count))]
    NoInput {
        /// The input asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The coin is worth more than can be.
    #[error("{satoshis} satoshis are more than there are: {MAX_SATOSHIS} at most")]
    Amount {
        /// What it is said to be worth.
        satoshis: u64,
    },
}

fn inputs_there(count: usize) -> String {
    match count {
        0 => "it has none (a transaction with a segwit marker reads as one without inputs: BSV has no segwit)".into(),
        1 => "it has one, input 0".into(),
        _ => format!("it has {count}, input 0 to input {}", count - 1),
    }
}

impl<'t> Spending<'t> {
    /// Reads a raw transaction, whose input `index` (from 0) spends a coin worth `satoshis`.
    ///
    /// # Errors
    /// When the bytes are not one transaction and nothing else, it has no such input, or there are not
    /// that many satoshis.
    pub fn new(transaction: &'t [u8], index: usize, satoshis: u64) -> Result<Self, SpendingError> {
        let transaction = Transaction::parse(transaction)?;
        let count = transaction.inputs.len();
        if index >= count {
            return Err(SpendingError::NoInput { index, count });
        }
        if satoshis > MAX_SATOSHIS {
            return Err(SpendingError::Amount { satoshis });
        }
        Ok(Spending { transaction, index, satoshis, hashes: Default::default() })
    }

    /// The version of the transaction.
    pub fn version(&self) -> u32 {
        self.transaction.version
    }

    /// The unlocking script in the transaction.
    pub fn unlocking(&self) -> &'t [u8] {
        self.input().unlocking
    }

    pub(super) fn input(&self) -> &Input<'t> {
        &self.transaction.inputs[self.index]
    }

    /// What signatures sign, given the script code.
    pub(super) fn digest(&self, script_code: &[u8], hash_type: HashType) -> [u8; 32] {
        if hash_type.has_fork_id() && !hash_type.has_chronicle() {
            sighash::fork_id(self, script_code, hash_type)
        } else {
            sighash::original(self, script_code, hash_type)
        }
    }

    /// The hash of all outpoints.
    pub(super) fn hash_outpoints(&self) -> &[u8; 32] {
        let outpoints = || sighash::hash(self.transaction.inputs.iter().map(|input| input.outpoint));
        self.hashes[0].get_or_init(outpoints)
    }

    /// The hash of all sequence numbers.
    pub(super) fn hash_sequences(&self) -> &[u8; 32] {
        let sequences = || sighash::hash(self.transaction.inputs.iter().map(|input| input.sequence.to_le_bytes()));
        self.hashes[1].get_or_init(sequences)
    }

    /// The hash of all outputs.
    pub(super) fn hash_outputs(&self) -> &[u8; 32] {
        self.hashes[2].get_or_init(|| sighash::hash([self.transaction.all_outputs]))
    }
}

/// What the scripts of a spend are judged in.
#[derive(Clone, Copy)]
pub(super) struct Context<'s> {
    pub(super) target: Target,
    pub(super) spending: Option<&'s Spending<'s>>,
}

impl Context<'_> {
    pub(super) fn version(&self) -> u32 {
        self.spending.map_or(DEFAULT_VERSION, Spending::version)
    }

    /// Whether spends may be malleable: the spender's choice since Chronicle, made by a version above 1,
    /// as a signed number. It lifts push-only unlocking scripts, MINIMALDATA, CLEANSTACK, low S, NULLFAIL
    /// and NULLDUMMY, but not policy's care for NOPs.
    pub(super) fn is_malleable(&self) -> bool {
        self.target.era == Era::Chronicle && self.version().cast_signed() > 1
    }

    /// Whether policy's rules against malleability hold: MINIMALDATA, CLEANSTACK, NULLDUMMY.
    pub(super) fn is_tidy(&self) -> bool {
        self.target.rules == Rules::Policy && !self.is_malleable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_spent_is_told() {
        let input = [&[0; 36][..], &[1, 0x51], &[0xff; 4]].concat();
        let one = [&[2, 0, 0, 0, 1][..], &input, &[0], &[0; 4]].concat();
        let two = [&[2, 0, 0, 0, 2][..], &input, &input, &[0], &[0; 4]].concat();
        let spending = Spending::new(&one, 0, MAX_SATOSHIS).unwrap();
        assert_eq!((spending.version(), spending.unlocking()), (2, &[0x51][..]));
        let told = |bytes, index, satoshis| Spending::new(bytes, index, satoshis).unwrap_err().to_string();
        assert_eq!(told(&one, 1, 0), "the transaction has no input 1: it has one, input 0");
        assert_eq!(told(&two, 2, 0), "the transaction has no input 2: it has 2, input 0 to input 1");
        assert!(told(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0, 0).contains("segwit"));
        assert_eq!(
            told(&one, 0, MAX_SATOSHIS + 1),
            "2100000000000001 satoshis are more than there are: 2100000000000000 at most"
        );
        assert!(told(&one[..40], 0, 0).contains("cut off"));
    }

    #[test]
    fn only_chronicle_and_a_positive_version_above_one_are_lenient() {
        let raw = |version: u32| [&version.to_le_bytes()[..], &[1], &[0; 36], &[0], &[0; 4], &[0], &[0; 4]].concat();
        for (version, era, malleable) in [
            (1, Era::Chronicle, false),
            (2, Era::Chronicle, true),
            (0x7fff_ffff, Era::Chronicle, true),
            (0x8000_0002, Era::Chronicle, false),
            (2, Era::Genesis, false),
        ] {
            let bytes = raw(version);
            let spending = Spending::new(&bytes, 0, 0).unwrap();
            let target = Target { era, rules: Rules::Policy };
            let context = Context { target, spending: Some(&spending) };
            assert_eq!((context.is_malleable(), context.is_tidy()), (malleable, !malleable), "{version:#x} {era}");
        }
        let context = Context { target: Target { era: Era::Chronicle, rules: Rules::Policy }, spending: None };
        assert_eq!((context.version(), context.is_malleable()), (1, false));
    }
}
