//! What a user can choose about code generation.

use std::fmt;
use std::str::FromStr;

use crate::cost::Cost;

/// How layers are emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Whatever costs least, layer by layer.
    #[default]
    Auto,
    /// A push and a few instructions for every weight.
    Unrolled,
    /// Big-number products.
    Packed,
}

/// What is to be least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Optimise {
    /// Bytes.
    #[default]
    Size,
    /// A node's time.
    Speed,
    /// Both: a millisecond of a node's time counts as much as [`BALANCED_BYTES`] bytes.
    Balanced,
}

/// What a millisecond of a node's time is worth, in bytes, where both count.
pub const BALANCED_BYTES: u128 = 250;

impl Optimise {
    /// The order of costs: the least is the best.
    pub fn rank(self, cost: &Cost) -> (u128, usize) {
        let (bytes, nanoseconds) = (cost.bytes as u128, u128::from(cost.nanoseconds));
        let first = match self {
            Optimise::Size => bytes,
            Optimise::Speed => nanoseconds,
            Optimise::Balanced => bytes * 1_000_000 + nanoseconds * BALANCED_BYTES,
        };
        (first, cost.instructions)
    }
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),+; $help:literal) => {
        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok($type::$variant),)+
                    _ => Err($help.into()),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($type::$variant => $word),+ })
            }
        }
    };
}

words!(Strategy: Auto = "auto", Unrolled = "unrolled", Packed = "packed"; "give auto, unrolled or packed");
words!(Optimise: Size = "size", Speed = "speed", Balanced = "balanced"; "give size, speed or balanced");
