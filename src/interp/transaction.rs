//! A raw transaction, taken apart without copying it.
//!
//! The form is Bitcoin SV's: no segwit marker, and scripts as long as the transaction. Every length is
//! held against the bytes that are there before anything is allocated for it, and must be written in
//! its shortest form, as the node requires: so what is hashed for a signature are the very bytes read.
//!
//! Source: Bitcoin SV node 1.2.2, `src/primitives/transaction.h`, and `ReadCompactSize` of `src/serialize.h`.

/// A transaction, in slices of its bytes.
#[derive(Clone, Debug)]
pub(super) struct Transaction<'t> {
    pub(super) version: u32,
    pub(super) inputs: Vec<Input<'t>>,
    /// Each output with its amount and its script's length, as hashed.
    pub(super) outputs: Vec<&'t [u8]>,
    /// The same one after the other.
    pub(super) all_outputs: &'t [u8],
    pub(super) lock_time: u32,
}

/// An input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'t> {
    /// Transaction and output that are spent, as hashed.
    pub(super) outpoint: &'t [u8],
    pub(super) unlocking: &'t [u8],
    pub(super) sequence: u32,
}

/// Why bytes are not a transaction.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TransactionError {
    /// A part is longer than what is left.
    #[error("the transaction is cut off: {what} takes {needed} bytes from byte {at} on, and {left} are there")]
    Truncated {
        /// The part.
        what: &'static str,
        /// Where it begins.
        at: usize,
        /// How long it is.
        needed: u64,
        /// How many bytes there are.
        left: usize,
    },
    /// A length or a count that is not in its shortest form.
    #[error("{what}, at byte {at}, is not written in the shortest form: no node reads such a transaction")]
    Overlong {
        /// The length or count.
        what: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// There is more than a transaction.
    #[error("the transaction takes {taken} bytes, and {given} are given: nothing may follow it")]
    Trailing {
        /// How long the transaction is.
        taken: usize,
        /// How many bytes there are.
        given: usize,
    },
}

const OUTPOINT_BYTES: usize = 36;
const AMOUNT_BYTES: usize = 8;

impl<'t> Transaction<'t> {
    /// Takes a transaction apart.
    pub(super) fn parse(bytes: &'t [u8]) -> Result<Self, TransactionError> {
        let mut reader = Reader { bytes, at: 0 };
        let version = reader.word("the version")?;
        let mut inputs = Vec::new();
        for _ in 0..reader.compact_size("the number of inputs")? {
            inputs.push(reader.input()?);
        }
        let count = reader.compact_size("the number of outputs")?;
        let (start, mut outputs) = (reader.at, Vec::new());
        for _ in 0..count {
            outputs.push(reader.output()?);
        }
        let all_outputs = &bytes[start..reader.at];
        let lock_time = reader.word("the lock time")?;
        if reader.at < bytes.len() {
            return Err(TransactionError::Trailing { taken: reader.at, given: bytes.len() });
        }
        Ok(Transaction { version, inputs, outputs, all_outputs, lock_time })
    }
}

/// Bytes, and how far they have been read.
struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    fn input(&mut self) -> Result<Input<'t>, TransactionError> {
        let outpoint = self.take("an input's outpoint", OUTPOINT_BYTES as u64)?;
        let len = self.compact_size("the length of an unlocking script")?;
        let unlocking = self.take("an unlocking script", len)?;
        Ok(Input { outpoint, unlocking, sequence: self.word("an input's sequence number")? })
    }

    fn output(&mut self) -> Result<&'t [u8], TransactionError> {
        let start = self.at;
        self.take("an output's amount", AMOUNT_BYTES as u64)?;
        let len = self.compact_size("the length of a locking script")?;
        self.take("a locking script", len)?;
        Ok(&self.bytes[start..self.at])
    }

    fn take(&mut self, what: &'static str, needed: u64) -> Result<&'t [u8], TransactionError> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(needed).ok().and_then(|needed| rest.get(..needed));
        let taken = taken.ok_or(TransactionError::Truncated { what, at: self.at, needed, left: rest.len() })?;
        self.at += taken.len();
        Ok(taken)
    }

    fn word(&mut self, what: &'static str) -> Result<u32, TransactionError> {
        Ok(self.little_endian(what, 4)? as u32)
    }

    /// An integer of up to eight bytes.
    fn little_endian(&mut self, what: &'static str, len: u64) -> Result<u64, TransactionError> {
        let bytes = self.take(what, len)?;
        Ok(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    fn compact_size(&mut self, what: &'static str) -> Result<u64, TransactionError> {
        let at = self.at;
        let (len, least) = match self.little_endian(what, 1)? {
            0xfd => (2, 0xfd),
            0xfe => (4, 1 << 16),
            0xff => (8, 1 << 32),
            small => return Ok(small),
        };
        let value = self.little_endian(what, len)?;
        if value < least { Err(TransactionError::Overlong { what, at }) } else { Ok(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Version 1, two inputs, two outputs, lock time 9.
    fn sample() -> Vec<u8> {
        let input = |script: &[u8], sequence: u8| {
            [&[7; 32][..], &[1, 0, 0, 0, script.len() as u8], script, &[sequence, 0, 0, 0x80]].concat()
        };
        let inputs = [input(&[0x51, 0x52], 5), input(&[], 6)].concat();
        let outputs = [&[1, 0, 0, 0, 0, 0, 0, 0, 1, 0x51][..], &[2, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
        [&[1, 0, 0, 0, 2][..], &inputs, &[2], &outputs, &[9, 0, 0, 0]].concat()
    }

    #[test]
    fn a_transaction_is_taken_apart() {
        let bytes = sample();
        let transaction = Transaction::parse(&bytes).unwrap();
        assert_eq!((transaction.version, transaction.lock_time), (1, 9));
        assert_eq!(transaction.inputs[0].unlocking, [0x51, 0x52]);
        assert_eq!(transaction.inputs[1].sequence, 0x8000_0006);
        assert_eq!(transaction.inputs[1].outpoint[30..], [7, 7, 1, 0, 0, 0]);
        assert_eq!(transaction.outputs, [&[1, 0, 0, 0, 0, 0, 0, 0, 1, 0x51][..], &[2, 0, 0, 0, 0, 0, 0, 0, 0]]);
        assert_eq!(transaction.all_outputs, transaction.outputs.concat());
    }

    #[test]
    fn a_script_may_be_longer_than_other_decoders_take() {
        let script = vec![0x61; 10_000_000];
        let len = (script.len() as u32).to_le_bytes();
        let output = [&[0; 8][..], &[0xfe], &len, &script].concat();
        let bytes = [&[1, 0, 0, 0, 0, 1][..], &output, &[0; 4]].concat();
        assert_eq!(Transaction::parse(&bytes).unwrap().outputs, [output]);
    }

    #[test]
    fn whatever_is_cut_off_or_follows_is_told() {
        let bytes = sample();
        for len in 0..bytes.len() {
            let error = Transaction::parse(&bytes[..len]).unwrap_err();
            assert!(matches!(error, TransactionError::Truncated { .. }), "{len}: {error}");
        }
        let longer = [&bytes[..], &[0, 0]].concat();
        let expected = TransactionError::Trailing { taken: bytes.len(), given: bytes.len() + 2 };
        assert_eq!(Transaction::parse(&longer).unwrap_err(), expected);
    }

    #[test]
    fn a_count_or_length_that_cannot_be_is_refused_without_allocating() {
        let huge = [&[1, 0, 0, 0, 0xff][..], &[0xff; 8], &[0; 41]].concat();
        assert!(
            Transaction::parse(&huge).unwrap_err().to_string().starts_with("the transaction is cut off: an input's")
        );
        let script = [&[1, 0, 0, 0, 1][..], &[0; 36], &[0xff], &u64::MAX.to_le_bytes(), &[0; 9]].concat();
        assert_eq!(
            Transaction::parse(&script).unwrap_err().to_string(),
            "the transaction is cut off: an unlocking script takes 18446744073709551615 bytes from byte 50 on, \
             and 9 are there"
        );
        for overlong in [&[0xfd, 0xfc, 0][..], &[0xfe, 0xff, 0xff, 0, 0], &[0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]] {
            let bytes = [&[1, 0, 0, 0][..], overlong].concat();
            let expected = TransactionError::Overlong { what: "the number of inputs", at: 4 };
            assert_eq!(Transaction::parse(&bytes).unwrap_err(), expected);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..3], 0..200)) {
            let _ = Transaction::parse(&bytes);
        }
    }
}
