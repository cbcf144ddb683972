//! Numbers that are linear in lanes: a constant plus lanes times constants.
//!
//! Lanes that are added or multiplied by constants may grow past their places for a while: the number
//! is still the sum it is meant to be. Only where its *bits* are read, by a split or a mask, must each
//! lane lie in its place, and [`Linear::lane`] is what proves that it does.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::bits::{Bits, MOST_BITS};
use crate::ir::Interval;

/// A lane: an unknown in an interval, at a bit offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane {
    /// Where its lowest bit lies.
    pub offset: usize,
    /// Its least value; never negative.
    pub low: i128,
    /// Its largest value.
    pub high: i128,
}

impl Lane {
    /// The bit behind the highest that it can set.
    pub(super) fn end(&self) -> usize {
        self.offset + bit_length(self.high)
    }
}

pub(super) fn bit_length(value: i128) -> usize {
    (i128::BITS - value.leading_zeros()) as usize
}

/// Lanes that share a factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) lanes: Arc<[Lane]>,
    pub(super) factor: Arc<Bits>,
}

/// `constant + Σ factor · Σ lane · 2^offset`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linear {
    pub(super) constant: BigInt,
    pub(super) groups: Vec<Group>,
}

/// Bounds of what lies below a bit, in units of 2 to the power of that bit less `width`; the upper one is exclusive.
/// They may be wider by `rounded` than what they bound.
struct Below {
    low: i128,
    high: i128,
    rounded: i128,
    width: usize,
}

impl Linear {
    /// The number that lanes make.
    pub(super) fn of_lanes(lanes: Vec<Lane>) -> Linear {
        let group = Group { lanes: lanes.into(), factor: Arc::new(Bits::new(BigInt::one())) };
        Linear { constant: BigInt::zero(), groups: vec![group] }
    }

    /// Any number of an interval: a lane above its least value.
    pub(super) fn of_interval(interval: &Interval) -> Option<Linear> {
        let high = (&interval.high - &interval.low).to_i128().filter(|high| bit_length(*high) <= MOST_BITS)?;
        Some(Linear::of_lanes(vec![Lane { offset: 0, low: 0, high }]).plus_constant(&interval.low))
    }

    pub(super) fn plus_constant(&self, constant: &BigInt) -> Linear {
        Linear { constant: &self.constant + constant, groups: self.groups.clone() }
    }

    pub(super) fn plus(&self, other: &Linear) -> Linear {
        let groups = self.groups.iter().chain(&other.groups).cloned().collect();
        Linear { constant: &self.constant + &other.constant, groups }
    }

    pub(super) fn times(&self, factor: &BigInt) -> Linear {
        let scale = |group: &Group| Group {
            lanes: Arc::clone(&group.lanes),
            factor: Arc::new(Bits::new(&group.factor.value * factor)),
        };
        Linear { constant: &self.constant * factor, groups: self.groups.iter().map(scale).collect() }
    }

    /// The quotient by `2^bits`, where all lanes and the constant lie above: nothing is cut off.
    pub(super) fn shifted_down(&self, bits: usize) -> Option<Linear> {
        let divisible = |lane: &Lane| lane.offset >= bits;
        let exact = self.constant.is_zero()
            && self.groups.iter().all(|group| group.factor.value.is_one() && group.lanes.iter().all(divisible));
        let lower = |group: &Group| Group {
            lanes: group.lanes.iter().map(|lane| Lane { offset: lane.offset - bits, ..*lane }).collect(),
            factor: Arc::clone(&group.factor),
        };
        exact.then(|| Linear { constant: BigInt::zero(), groups: self.groups.iter().map(lower).collect() })
    }

    /// Bounds of the number.
    pub(super) fn interval(&self) -> Interval {
        let mut sum = Interval::point(self.constant.clone());
        for group in &self.groups {
            let bound = |value: fn(&Lane) -> i128| {
                group.lanes.iter().map(|lane| BigInt::from(value(lane)) << lane.offset).sum::<BigInt>()
            };
            let lanes = Interval { low: bound(|lane| lane.low), high: bound(|lane| lane.high) };
            sum = sum.add(&lanes.scale(&group.factor.value));
        }
        sum
    }

    fn lanes(&self) -> impl Iterator<Item = (&Lane, &Bits)> {
        self.groups.iter().flat_map(|group| group.lanes.iter().map(|lane| (lane, &*group.factor)))
    }

    /// Whether bit `at` parts the number cleanly (see [`Linear::carry`]).
    pub(super) fn is_clean(&self, at: usize) -> bool {
        self.carry(at).is_some()
    }

    /// How many `2^at` what lies below bit `at`, as lanes and constant were packed, makes, where that is the same for
    /// every input: the bits below are then what is left of it. Zero mostly; constants that are negative in some
    /// lane are packed with a borrow, which the lane's value pays back.
    fn carry(&self, at: usize) -> Option<i128> {
        let Below { low, high, rounded, width } = self.sum_below(at)?;
        let carry = low >> width;
        if high <= (carry + 1) << width {
            return Some(carry);
        }
        // Lanes that fill their places to the last bit are beyond rounded bounds, if not by more than was rounded.
        let most = (low + rounded) >> width;
        if high - rounded <= (most + 1) << width { self.carry_exactly(at) } else { None }
    }

    /// [`Linear::carry`] without rounding.
    fn carry_exactly(&self, at: usize) -> Option<i128> {
        let room: BigInt = BigInt::one() << at;
        let constant: BigInt = &self.constant & (&room - 1);
        let (mut low, mut high) = (constant.clone(), constant);
        for (lane, factor) in self.lanes().filter(|(lane, _)| lane.offset < at) {
            let residue = factor.whole_residue(at - lane.offset) << lane.offset;
            let (a, b) = (&residue * lane.low, &residue * lane.high);
            let (least, most) = if residue.is_negative() { (b, a) } else { (a, b) };
            low += least;
            high += most;
        }
        let carry: BigInt = low >> at;
        if high >> at == carry { carry.to_i128() } else { None }
    }

    /// Lanes of equal width, where the number's lanes all start with these and never leave them: what each
    /// holds in all.
    ///
    /// # Errors
    /// Where a lane could leave its place.
    pub(super) fn cells(&self, stride: usize, count: usize) -> Result<Vec<Lane>, String> {
        let mut cells = vec![(0i128, 0i128); count];
        let refused = || "lanes that are not where they are looked for".to_owned();
        let mask: BigInt = (BigInt::one() << stride) - 1;
        if !self.constant.is_zero() {
            for (index, cell) in cells.iter_mut().enumerate() {
                let above: BigInt = &self.constant >> (index * stride);
                let digit = (above & &mask).to_i128().ok_or_else(refused)?;
                *cell = (digit, digit);
            }
        }
        let most = 1i128 << stride.min(MOST_BITS);
        for (lane, factor) in self.lanes() {
            let factor = factor.value.to_i64().ok_or_else(refused)?;
            if !lane.offset.is_multiple_of(stride) {
                return Err(refused());
            }
            let cell = cells.get_mut(lane.offset / stride).ok_or_else(refused)?;
            let (a, b) = (lane.low.checked_mul(factor.into()), lane.high.checked_mul(factor.into()));
            let (a, b) = a.zip(b).ok_or_else(refused)?;
            let sum = cell.0.checked_add(a.min(b)).zip(cell.1.checked_add(a.max(b)));
            *cell = sum.ok_or_else(refused)?;
        }
        let place = |(index, (low, high)): (usize, (i128, i128))| match low >= 0 && high < most {
            true => Ok(Lane { offset: index * stride, low, high }),
            false => Err(format!("a lane could leave its place: lane {index} holds {low} to {high}")),
        };
        cells.into_iter().enumerate().map(place).collect()
    }

    fn sum_below(&self, at: usize) -> Option<Below> {
        let widest = self.lanes().map(|(lane, _)| bit_length(lane.high)).max().unwrap_or(0);
        let count = self.groups.iter().map(|group| group.lanes.len()).sum::<usize>() + 1;
        let width = MOST_BITS.checked_sub(widest + bit_length(count as i128))?.min(at);
        if width < 16.min(at) {
            return None;
        }
        // Below the bits that are read lies less than one unit for the constant and for each lane's factor.
        let constant = Bits::new_residue(&self.constant, at, width);
        let (mut low, mut high, mut rounded) = (constant, constant + 1, 1);
        for (lane, factor) in self.lanes() {
            let Some(place) = at.checked_sub(lane.offset).filter(|&place| place > 0) else { continue };
            if factor.value.bits() as usize + bit_length(lane.high) + width <= place {
                // Less than one unit in all, of the factor's sign.
                if factor.value.is_negative() {
                    low -= 1
                } else {
                    high += 1
                }
                continue;
            }
            let least = factor.residue(place as isize, width);
            let most = if place > width { least + 1 } else { least };
            low += least * if least >= 0 { lane.low } else { lane.high };
            high += most * if most >= 0 { lane.high } else { lane.low };
            rounded += lane.high;
        }
        Some(Below { low, high, rounded, width })
    }

    /// Bounds of what lies between two clean bits, in units of the lower one.
    ///
    /// # Errors
    /// Where a bit is not clean, or too much lies between: lanes that could leave their places.
    pub(super) fn lane(&self, from: usize, to: usize) -> Result<(i128, i128), String> {
        let carry = |at: usize| {
            self.carry(at).ok_or_else(|| format!("a lane could leave its place: what lies below bit {at} may reach it"))
        };
        let carries = (carry(from)?, carry(to)?);
        self.digit(from, to, carries)
            .ok_or_else(|| format!("the lane from bit {from} to bit {to} is too wide to be proved"))
    }

    fn digit(&self, from: usize, to: usize, carries: (i128, i128)) -> Option<(i128, i128)> {
        if to - from > MOST_BITS {
            return None;
        }
        let above: BigInt = &self.constant >> from;
        let mask: BigInt = (BigInt::one() << (to - from)) - 1;
        let constant = (above & mask).to_i128()?;
        let room = 1i128 << (to - from);
        let carried = carries.0.checked_sub(carries.1.checked_mul(room)?)?;
        let (mut low, mut high) = (constant.checked_add(carried)?, constant.checked_add(carried)?);
        for (lane, factor) in self.lanes() {
            let place = |bit: usize| bit as isize - lane.offset as isize;
            if place(to) <= 0 {
                continue;
            }
            let digit = factor.digit(place(from), place(to));
            let (a, b) = (digit.checked_mul(lane.low)?, digit.checked_mul(lane.high)?);
            low = low.checked_add(a.min(b))?;
            high = high.checked_add(a.max(b))?;
        }
        // Clean bits hold a lane to its width, whatever the sum of the bounds says.
        Some((low.max(0), high.min(room - 1)))
    }

    /// Whether it has more lanes than one.
    pub(super) fn has_lanes(&self) -> bool {
        self.lanes().nth(1).is_some()
    }

    /// Whether the number never is negative.
    pub(super) fn is_natural(&self) -> bool {
        !self.interval().low.is_negative()
    }
}

impl Bits {
    /// An integer modulo `2^at`, not negative, in units of `2^(at - width)`, rounded down.
    fn new_residue(value: &BigInt, at: usize, width: usize) -> i128 {
        let shifted: BigInt = value >> (at - width);
        let mask: BigInt = (BigInt::one() << width) - 1;
        (shifted & mask).to_i128().unwrap_or(i128::MAX >> 8)
    }
}
