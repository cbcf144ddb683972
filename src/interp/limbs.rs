//! Long numbers as 64-bit limbs: sums, comparisons and products by one limb.
//!
//! These are linear in the length, so converting to `BigInt` and back would cost several times what
//! they do (measured on 10,000 bytes: a sum in 3.0 µs that way, in 1.3 µs this way).

use std::cmp::Ordering;

use super::product::product;

/// A number in sign and magnitude. Zero limbs at the top, and a negative zero, are allowed.
#[derive(Clone, Debug)]
pub(super) struct Limbs {
    negative: bool,
    /// Least significant first.
    magnitude: Vec<u64>,
}

impl Limbs {
    /// The value of an encoding, minimal or not.
    pub(super) fn decode(bytes: &[u8]) -> Limbs {
        let (chunks, rest) = bytes.as_chunks::<8>();
        // Room for a carry.
        let mut magnitude = Vec::with_capacity(chunks.len() + 2);
        magnitude.extend(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)));
        if !rest.is_empty() {
            let mut chunk = [0; 8];
            chunk[..rest.len()].copy_from_slice(rest);
            magnitude.push(u64::from_le_bytes(chunk));
        }
        let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
        if let (true, Some(limb)) = (negative, magnitude.last_mut()) {
            *limb ^= 0x80 << (8 * ((bytes.len() - 1) % 8));
        }
        Limbs { negative, magnitude }
    }

    /// The minimal encoding.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 * self.magnitude.len() + 1);
        for limb in &self.magnitude {
            bytes.extend_from_slice(&limb.to_le_bytes());
        }
        let zeros = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
        bytes.truncate(bytes.len() - zeros);
        if bytes.last().is_some_and(|top| top & 0x80 != 0) {
            bytes.push(0);
        }
        if let (true, Some(top)) = (self.negative, bytes.last_mut()) {
            *top |= 0x80;
        }
        bytes
    }

    pub(super) fn negate(mut self) -> Limbs {
        self.negative = !self.negative;
        self
    }

    pub(super) fn add(self, other: Limbs) -> Limbs {
        let (mut long, short) =
            if self.magnitude.len() >= other.magnitude.len() { (self, other) } else { (other, self) };
        if long.negative == short.negative {
            if add(&mut long.magnitude, &short.magnitude) {
                long.magnitude.push(1);
            }
        } else if sub(&mut long.magnitude, &short.magnitude) {
            // Below zero, and so in two's complement.
            negate(&mut long.magnitude);
            long.negative = !long.negative;
        }
        long
    }

    pub(super) fn mul_limb(mut self, factor: i64) -> Limbs {
        let by = u128::from(factor.unsigned_abs());
        let mut carry = 0;
        for limb in &mut self.magnitude {
            let product = u128::from(*limb) * by + carry;
            *limb = product as u64;
            carry = product >> 64;
        }
        self.magnitude.push(carry as u64);
        self.negative ^= factor < 0;
        self
    }

    pub(super) fn mul(&self, other: &Limbs) -> Limbs {
        let magnitude = product(self.significant(), other.significant());
        Limbs { negative: self.negative != other.negative, magnitude }
    }

    /// How many bits the magnitude has.
    pub(super) fn bits(&self) -> u64 {
        let limbs = self.significant();
        64 * limbs.len() as u64 - limbs.last().map_or(0, |top| u64::from(top.leading_zeros()))
    }

    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    /// Of a power of two, or the negative of one.
    pub(super) fn exponent(&self) -> Option<u64> {
        let (top, below) = self.significant().split_last()?;
        let is_power = top.is_power_of_two() && below.iter().all(|&limb| limb == 0);
        is_power.then(|| self.bits() - 1)
    }

    /// The quotient by a power of two, rounded toward zero.
    pub(super) fn div_power(&self, exponent: u64) -> Limbs {
        let (limbs, bits) = ((exponent / 64) as usize, exponent % 64);
        let above = self.magnitude.get(limbs..).unwrap_or(&[]);
        let next = above.iter().skip(1).copied().chain([0]);
        let magnitude = above.iter().zip(next).map(|(&limb, next)| (limb >> bits) | (next << 1 << (63 - bits)));
        Limbs { negative: self.negative, magnitude: magnitude.collect() }
    }

    /// The remainder of that division, which has the sign of the dividend.
    pub(super) fn rem_power(mut self, exponent: u64) -> Limbs {
        let (limbs, bits) = ((exponent / 64) as usize, exponent % 64);
        self.magnitude.truncate(limbs + 1);
        if let Some(top) = self.magnitude.get_mut(limbs) {
            *top &= (1 << bits) - 1;
        }
        self
    }

    pub(super) fn compare(&self, other: &Limbs) -> Ordering {
        let (a, b) = (self.significant(), other.significant());
        let by_magnitude = a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()));
        match (self.negative && !a.is_empty(), other.negative && !b.is_empty()) {
            (false, false) => by_magnitude,
            (true, true) => by_magnitude.reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }

    /// The magnitude without the zeros at its top.
    fn significant(&self) -> &[u64] {
        let zeros = self.magnitude.iter().rev().take_while(|&&limb| limb == 0).count();
        &self.magnitude[..self.magnitude.len() - zeros]
    }
}

/// Adds a magnitude to one at least as long; whether a carry is left over.
pub(super) fn add(long: &mut [u64], short: &[u64]) -> bool {
    let (low, high) = long.split_at_mut(short.len());
    let mut carry = false;
    for (limb, &other) in low.iter_mut().zip(short) {
        (*limb, carry) = carrying_add(*limb, other, carry);
    }
    add_carry(high, u64::from(carry))
}

/// Adds one limb; whether a carry is left over.
pub(super) fn add_carry(limbs: &mut [u64], mut carry: u64) -> bool {
    for limb in limbs {
        if carry == 0 {
            return false;
        }
        let (sum, over) = limb.overflowing_add(carry);
        (*limb, carry) = (sum, u64::from(over));
    }
    carry != 0
}

/// Subtracts a magnitude from one at least as long; whether the difference is below zero.
pub(super) fn sub(long: &mut [u64], short: &[u64]) -> bool {
    let (low, high) = long.split_at_mut(short.len());
    let mut borrow = false;
    for (limb, &other) in low.iter_mut().zip(short) {
        let (difference, under) = limb.overflowing_sub(other);
        let (difference, under_again) = difference.overflowing_sub(u64::from(borrow));
        *limb = difference;
        borrow = under | under_again;
    }
    for limb in high {
        if !borrow {
            return false;
        }
        (*limb, borrow) = limb.overflowing_sub(1);
    }
    borrow
}

/// Two's complement: inverts and adds one.
pub(super) fn negate(limbs: &mut [u64]) {
    let mut carry = true;
    for limb in limbs {
        (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
    }
}

fn carrying_add(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, over) = a.overflowing_add(b);
    let (sum, over_again) = sum.overflowing_add(u64::from(carry));
    (sum, over | over_again)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::number;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    fn encoding() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![2 => any::<u8>(), 1 => Just(0u8), 1 => Just(0x80), 2 => Just(0xff)];
        prop::collection::vec(byte, 0..50)
    }

    proptest! {
        #[test]
        fn division_by_powers_agrees_with_big_integers(a in encoding(), exponent in 0u32..500, negative: bool) {
            let (x, power) = (number::decode(&a), BigInt::from(if negative { -1 } else { 1 }) << exponent);
            let (a, divisor) = (Limbs::decode(&a), Limbs::decode(&number::encode(&power)));
            prop_assert_eq!(divisor.exponent(), Some(exponent.into()));
            let quotient = a.div_power(exponent.into());
            let quotient = if divisor.is_negative() { quotient.negate() } else { quotient };
            prop_assert_eq!(quotient.encode(), number::encode(&(&x / &power)));
            prop_assert_eq!(a.rem_power(exponent.into()).encode(), number::encode(&(&x % &power)));
            prop_assert_eq!(Limbs::decode(&number::encode(&(power * 3))).exponent(), None);
        }

        #[test]
        fn limbs_agree_with_big_integers(a in encoding(), b in encoding(), factor: i64, delta in -1i64..2) {
            let (x, y) = (number::decode(&a), number::decode(&b));
            let (a, b) = (Limbs::decode(&a), Limbs::decode(&b));
            prop_assert_eq!(a.encode(), number::encode(&x));
            prop_assert_eq!(a.compare(&b), x.cmp(&y));
            prop_assert_eq!(a.clone().add(b.clone()).encode(), number::encode(&(&x + &y)));
            prop_assert_eq!(a.mul(&b).encode(), number::encode(&(&x * &y)));
            prop_assert_eq!(a.bits(), x.bits());
            prop_assert_eq!(a.clone().mul_limb(factor).encode(), number::encode(&(&x * factor)));
            // Neighbours, whose difference cancels almost everything.
            let near = &x + delta;
            let other = Limbs::decode(&number::encode(&near));
            prop_assert_eq!(a.compare(&other), x.cmp(&near));
            prop_assert_eq!(a.add(other.negate()).encode(), number::encode(&BigInt::from(-delta)));
        }
    }
}
