//! A constant as two's complement, for reading any of its bits in constant time.

use num_bigint::BigInt;
use num_traits::One;

/// Most bits that one reading gives.
pub(super) const MOST_BITS: usize = 120;

/// An integer whose bits can be read at any place; above the highest they repeat the sign.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
    negative: bool,
    /// The integer itself.
    pub(super) value: BigInt,
}

impl Bits {
    /// The bits of an integer.
    pub(super) fn new(value: BigInt) -> Bits {
        let negative = value.sign() == num_bigint::Sign::Minus;
        let bytes = value.to_signed_bytes_le();
        let fill = if negative { 0xff } else { 0 };
        let word = |chunk: &[u8]| {
            let mut word = [fill; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        };
        Bits { words: bytes.chunks(8).map(word).collect(), negative, value }
    }

    fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(if self.negative { u64::MAX } else { 0 })
    }

    /// `count` bits from bit `from` on, unsigned; bits below bit 0 are zeros.
    pub(super) fn read(&self, from: isize, count: usize) -> i128 {
        debug_assert!(count <= MOST_BITS);
        if from < 0 {
            let below = from.unsigned_abs();
            return if below >= count { 0 } else { self.read(0, count - below) << below };
        }
        let from = from.unsigned_abs();
        let (index, shift) = (from / 64, from % 64);
        let low = u128::from(self.word(index)) | u128::from(self.word(index + 1)) << 64;
        let bits = match shift {
            0 => low,
            _ => low >> shift | u128::from(self.word(index + 2)) << (128 - shift),
        };
        (bits & ((1u128 << count) - 1)) as i128
    }

    /// Bit `at`, 0 or 1.
    pub(super) fn bit(&self, at: isize) -> i128 {
        self.read(at, 1)
    }

    /// The integer modulo `2^at`, of least magnitude (from `-2^(at-1)` on), in units of `2^(at - width)`, rounded down.
    pub(super) fn residue(&self, at: isize, width: usize) -> i128 {
        self.read(at - width as isize, width) - (self.bit(at - 1) << width)
    }

    /// The integer modulo `2^at`, of least magnitude.
    pub(super) fn whole_residue(&self, at: usize) -> BigInt {
        let modulus: BigInt = BigInt::one() << at;
        let residue: BigInt = &self.value & (&modulus - 1);
        if self.bit(at as isize - 1) == 1 { residue - modulus } else { residue }
    }

    /// What bits `from..to` add to the residue modulo `2^from` to make that modulo `2^to`, in units of `2^from`.
    pub(super) fn digit(&self, from: isize, to: isize) -> i128 {
        let width = (to - from).unsigned_abs();
        self.read(from, width) + self.bit(from - 1) - (self.bit(to - 1) << width)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Digits put together again are the integer: signed lanes come back as they were packed.
        #[test]
        fn digits_are_the_lanes_that_were_packed(lanes in prop::collection::vec(-500_000i64..500_000, 1..40)) {
            let packed: BigInt = lanes.iter().enumerate().map(|(at, &lane)| BigInt::from(lane) << (20 * at)).sum();
            let bits = Bits::new(packed);
            for (at, &lane) in lanes.iter().enumerate() {
                let from = 20 * at as isize;
                prop_assert_eq!(bits.digit(from, from + 20), i128::from(lane));
            }
        }

        #[test]
        fn a_residue_is_the_integer_modulo_a_power(value in any::<i64>(), at in 1isize..60) {
            let bits = Bits::new(value.into());
            let modulus = 1i128 << at;
            let residue = bits.residue(at, at as usize);
            prop_assert!(-modulus / 2 <= residue && residue < modulus / 2);
            prop_assert_eq!((i128::from(value) - residue).rem_euclid(modulus), 0);
        }
    }
}
