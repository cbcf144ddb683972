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
    /// With so many bends, one curve for all elements is computed for all of them at once.
    pub const MANY_BENDS: usize = 3;

    /// The value at `v`.
    pub fn at(&self, v: &BigInt) -> BigInt {
        let hinge = |bend: &Bend| if *v > bend.at { (v - &bend.at) * &bend.change } else { BigInt::zero() };
        &self.slope * v + &self.offset + self.bends.iter().map(hinge).sum::<BigInt>()
    }

    /// The values of an interval: an end or a bend has the least, and one the greatest.
    pub fn over(&self, interval: &Interval) -> Interval {
        let inside = self.within(interval);
        let (mut at, mut slope) = (interval.low.clone(), inside.slope);
        let mut value = &slope * &at + inside.offset;
        let mut values = Interval::point(value.clone());
        let end = Bend { at: interval.high.clone(), change: BigInt::zero() };
        for bend in inside.bends.into_iter().chain([end]) {
            value += &slope * (&bend.at - &at);
            values = values.union(&Interval::point(value.clone()));
            slope += bend.change;
            at = bend.at;
        }
        values
    }

    /// The part of the curve over an interval: bends outside of it are no bends.
    #[must_use]
    pub fn within(&self, interval: &Interval) -> Curve {
        let (mut slope, mut offset, mut bends) = (self.slope.clone(), self.offset.clone(), Vec::new());
        for bend in &self.bends {
            if bend.at <= interval.low {
                slope += &bend.change;
                offset -= &bend.change * &bend.at;
            } else if bend.at < interval.high {
                bends.push(bend.clone());
            }
        }
        Curve { slope, offset, bends }
    }

    /// Whether its bends lie in ascending order, and each bends.
    pub(crate) fn is_sound(&self) -> bool {
        self.bends.windows(2).all(|pair| pair[0].at < pair[1].at)
            && self.bends.iter().all(|bend| !bend.change.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_part_of_a_curve_is_the_curve_there() {
        let bend = |at: i64, change: i64| Bend { at: at.into(), change: change.into() };
        let bends = vec![bend(-5, 3), bend(0, -2), bend(7, 4)];
        let curve = Curve { slope: 1.into(), offset: 2.into(), bends };
        for (low, high) in [(-9, 9), (-5, 7), (0, 3), (8, 20), (-20, -6)] {
            let part = curve.within(&Interval::new(low, high));
            assert!((low..=high).all(|v| part.at(&v.into()) == curve.at(&v.into())));
        }
        assert_eq!(curve.within(&Interval::new(1, 6)).bends, []);
    }

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
