//! How a layer's weights are stored.

use std::fmt;

use num_rational::BigRational;

use super::describe_scale;

/// How a layer's weights became integers, and what that lost. Reports only: no later stage computes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// Multiples of one unit.
    Fixed {
        /// What a step of one is worth.
        unit: BigRational,
        /// How many weights other than zero became zero.
        vanished: usize,
    },
    /// Integers of so many bits, at the scales that lose least.
    Int {
        /// Bits a weight.
        bits: u32,
        /// Whether each output has a scale of its own.
        by_output: bool,
        /// Whether each scale has a zero point.
        zero_points: bool,
        /// Whether samples chose the roundings.
        calibrated: bool,
    },
    /// The grid on which the model's weights lie already: without loss.
    Grid {
        /// Levels of the grid.
        levels: usize,
        /// Bits a weight.
        bits: u32,
        /// Whether each output has a step of its own.
        by_output: bool,
    },
}

impl Storage {
    /// Whether it is something else than what was asked for, or lost weights: worth a note.
    pub fn is_unexpected(&self) -> bool {
        match self {
            Storage::Fixed { vanished, .. } => *vanished > 0,
            Storage::Int { .. } => false,
            Storage::Grid { .. } => true,
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Storage::Fixed { unit, vanished } => {
                write!(f, "multiples of {}", describe_scale(unit))?;
                match vanished {
                    0 => Ok(()),
                    count => write!(f, "; {count} weights other than zero vanish at this scale"),
                }
            }
            Storage::Int { bits, by_output, zero_points, calibrated } => {
                write!(f, "int{bits}, {}", if *by_output { "a scale for each output" } else { "one scale" })?;
                f.write_str(if *zero_points { ", zero points" } else { "" })?;
                f.write_str(if *calibrated { ", rounded by calibration" } else { "" })
            }
            Storage::Grid { levels, bits, by_output } => {
                let steps = if *by_output { ", a step for each output" } else { "" };
                write!(f, "grid of {levels} levels, {bits} bits{steps}: stored without loss")
            }
        }
    }
}
