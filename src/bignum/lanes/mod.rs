//! What is proved of the bits of a value, beyond its interval: lanes.
//!
//! A *lane* is a field of bits inside a big number or byte string that holds a value of its own, so that
//! one instruction computes on all of them. That is sound as long as no lane is read before it lies in
//! its place. The rules here follow a program's packed values from the input's bytes on, knowing
//! nothing of the plan behind them:
//! - a byte string is a [`Rope`] of lanes that lie in their places, or of bits of a number;
//! - a number is [`Linear`] in lanes; adding, and multiplying by constants, keep it so;
//! - where bits are read (SPLIT, AND with a constant), the bounds of what lies below must prove that it
//!   stays below, for every input. Otherwise the program is refused.
//!
//! All bounds are integers: no rounding that could hide an overflow.

mod bits;
mod linear;
mod rope;
#[cfg(test)]
mod tests;
mod transfer;

use std::sync::Arc;

pub use linear::{Lane, Linear};
pub use rope::Rope;
pub(super) use transfer::detail;

use crate::ir::Interval;

/// What is known of a value's bits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Detail {
    /// No more than its kind says.
    #[default]
    Nothing,
    /// All of them: its bytes.
    Known(Arc<[u8]>),
    /// The lanes of a byte string.
    Rope(Arc<Rope>),
    /// The lanes of a number.
    Linear(Arc<Linear>),
}

/// Bounds of the number that a byte string is, where it is made of lanes.
pub(super) fn interval(detail: &Detail) -> Option<Interval> {
    detail.lanes().map(|lanes| Rope::interval(&lanes))
}

impl Detail {
    /// The lanes of a byte string, where each is known to lie in its place.
    pub fn lanes(&self) -> Option<Vec<Lane>> {
        match self {
            Detail::Rope(rope) => rope.lanes(),
            _ => None,
        }
    }
}
