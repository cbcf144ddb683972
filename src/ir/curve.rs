//! Continuous, piecewise linear functions of one integer.

use num_bigint::BigInt;
use num_traits::Zero;

use super::Interval;

/// `slope·v + offset + Σ change·max(v - at, 0)`, in steps of the operand's scale times the unit of slopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// The slope below all bends.
    pub slope: BigInt,
    /// The value that the first piece has at 0.
    pub offset: BigInt,
    /// Where the slope changes, in ascending order.
    pub bends: Vec<Bend>,
}

/// A change of slope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bend {
    /// Where.
    pub at: BigInt,
    /// By how much.
    pub change: BigInt,
}

impl Curve {
    /// The value at `v`.
    pub fn at(&self, v: &BigInt) -> BigInt {
        let hinge = |bend: &Bend| if *v > bend.at { (v - &bend.at) * &bend.change } else { BigInt::zero() };
        &self.slope * v + &self.offset + self.bends.iter().map(hinge).sum::<BigInt>()
    }

    /// The values of an interval: an end or a bend has the least, and one the greatest.
    pub fn over(&self, interval: &Interval) -> Interval {
        let inside = self.bends.iter().map(|bend| &bend.at).filter(|at| interval.contains(at));
        let ends = Interval::new(self.at(&interval.low), self.at(&interval.high));
        inside.fold(ends, |values, at| values.union(&Interval::point(self.at(at))))
    }

    /// Whether its bends lie in ascending order, and each bends.
    pub(super) fn is_sound(&self) -> bool {
        self.bends.windows(2).all(|pair| pair[0].at < pair[1].at)
            && self.bends.iter().all(|bend| !bend.change.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_lie_in_what_is_said_of_them(
            slope in -9i64..9, offset in -9i64..9,
            bends in proptest::collection::btree_map(-30i64..30, (1i64..9, any::<bool>()), 0..5),
            low in -40i64..40, width in 0i64..60,
        ) {
            let change = |(size, down): (i64, bool)| BigInt::from(if down { -size } else { size });
            let bends = bends.into_iter().map(|(at, by)| Bend { at: at.into(), change: change(by) }).collect();
            let curve = Curve { slope: slope.into(), offset: offset.into(), bends };
            prop_assert!(curve.is_sound());
            let values: Vec<BigInt> = (low..=low + width).map(|v| curve.at(&v.into())).collect();
            let said = curve.over(&Interval::new(low, low + width));
            prop_assert_eq!(&said.low, values.iter().min().unwrap());
            prop_assert_eq!(&said.high, values.iter().max().unwrap());
        }
    }
}
