//! Closed integer intervals: what is proved of a value at compile time.

use std::fmt;

use num_bigint::BigInt;
use num_traits::{Signed, Zero};

use crate::script::number;

/// All integers from `low` to `high`, both included; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// Smallest value.
    pub low: BigInt,
    /// Largest value.
    pub high: BigInt,
}

impl Interval {
    /// The interval between two bounds, given in either order.
    pub fn new(a: impl Into<BigInt>, b: impl Into<BigInt>) -> Self {
        let (a, b) = (a.into(), b.into());
        if a <= b { Interval { low: a, high: b } } else { Interval { low: b, high: a } }
    }

    /// One value only.
    pub fn point(value: BigInt) -> Self {
        Interval { low: value.clone(), high: value }
    }

    /// The value, where there is only one.
    pub fn as_point(&self) -> Option<&BigInt> {
        (self.low == self.high).then_some(&self.low)
    }

    /// Whether `value` lies inside.
    pub fn contains(&self, value: &BigInt) -> bool {
        self.low <= *value && *value <= self.high
    }

    /// The smallest interval around both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Interval { low: self.low.clone().min(other.low.clone()), high: self.high.clone().max(other.high.clone()) }
    }

    /// Sums of a value of each.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        Interval { low: &self.low + &other.low, high: &self.high + &other.high }
    }

    /// Differences of a value of each.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        Interval { low: &self.low - &other.high, high: &self.high - &other.low }
    }

    /// Every value plus a constant.
    #[must_use]
    pub fn shift(&self, constant: &BigInt) -> Self {
        Interval { low: &self.low + constant, high: &self.high + constant }
    }

    /// Every value times a constant.
    #[must_use]
    pub fn scale(&self, factor: &BigInt) -> Self {
        Interval::new(&self.low * factor, &self.high * factor)
    }

    /// Products of a value of each.
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        self.scale(&other.low).union(&self.scale(&other.high))
    }

    /// Every value divided by a constant other than zero, truncated toward zero as OP_DIV does.
    #[must_use]
    pub fn div(&self, divisor: &BigInt) -> Self {
        Interval::new(&self.low / divisor, &self.high / divisor)
    }

    /// Remainders by a constant other than zero, with the dividend's sign as OP_MOD gives them.
    #[must_use]
    pub fn rem(&self, divisor: &BigInt) -> Self {
        let most: BigInt = divisor.abs() - 1u8;
        let same_multiple = self.low.sign() == self.high.sign() && &self.low / divisor == &self.high / divisor;
        if same_multiple {
            return Interval::new(&self.low % divisor, &self.high % divisor);
        }
        Interval {
            low: if self.low.is_negative() { self.low.clone().max(-&most) } else { BigInt::zero() },
            high: if self.high.is_positive() { self.high.clone().min(most) } else { BigInt::zero() },
        }
    }

    /// The larger of a value of each.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        Interval { low: self.low.clone().max(other.low.clone()), high: self.high.clone().max(other.high.clone()) }
    }

    /// The smaller of a value of each.
    #[must_use]
    pub fn min(&self, other: &Self) -> Self {
        Interval { low: self.low.clone().min(other.low.clone()), high: self.high.clone().min(other.high.clone()) }
    }

    /// Most bytes that a value takes as a script number.
    pub fn encoded_len(&self) -> usize {
        number::encoded_len(&self.low).max(number::encoded_len(&self.high))
    }

    /// The largest magnitude of a value.
    pub fn magnitude(&self) -> BigInt {
        self.low.abs().max(self.high.abs())
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}]", self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inside(bounds: (i32, i32), at: i32) -> (Interval, BigInt) {
        let (low, high) = (i64::from(bounds.0.min(bounds.1)), i64::from(bounds.0.max(bounds.1)));
        (Interval::new(low, high), BigInt::from(low + i64::from(at).rem_euclid(high - low + 1)))
    }

    proptest! {
        /// Whatever an operation gives lies in what the interval operation says.
        #[test]
        fn operations_are_enclosed(a: (i32, i32), b: (i32, i32), i: i32, j: i32, c in -50i64..50) {
            let ((a, x), (b, y)) = (inside(a, i), inside(b, j));
            prop_assert!(a.add(&b).contains(&(&x + &y)));
            prop_assert!(a.sub(&b).contains(&(&x - &y)));
            prop_assert!(a.mul(&b).contains(&(&x * &y)));
            prop_assert!(a.max(&b).contains(&(&x).max(&y).clone()));
            prop_assert!(a.min(&b).contains(&(&x).min(&y).clone()));
            let c = BigInt::from(c);
            prop_assert!(a.scale(&c).contains(&(&x * &c)));
            prop_assert!(a.shift(&c).contains(&(&x + &c)));
            if !c.is_zero() {
                prop_assert!(a.div(&c).contains(&(&x / &c)));
                prop_assert!(a.rem(&c).contains(&(&x % &c)));
            }
        }

        /// The remainder's interval is exact on small intervals around zero and multiples.
        #[test]
        fn remainders_on_small_intervals(low in -40i64..40, width in 0i64..12, c in 1i64..9) {
            let interval = Interval::new(low, low + width);
            let divisor = BigInt::from(c);
            for x in low..=low + width {
                prop_assert!(interval.rem(&divisor).contains(&(BigInt::from(x) % &divisor)));
            }
        }
    }
}
