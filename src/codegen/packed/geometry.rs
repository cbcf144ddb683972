//! How a dense layer is laid out in big numbers. All lengths that idioms use come from here.
//!
//! A *row* holds the weights from one input to all outputs, `bits` bits each, one behind the other. Part
//! `t` of a row is every `parts`-th weight from the `t`-th on: alone in a *lane* of `bits · parts` bits. A
//! *chunk* is so many rows; one product per part adds them all up.

use num_integer::Integer;

use crate::codegen::Products;

/// The layout of a dense layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Geometry {
    /// Bits a weight.
    pub(super) bits: usize,
    /// Parts of a row.
    pub(super) parts: usize,
    /// Lanes of a part that are in use.
    pub(super) lanes: usize,
    /// Bytes a row.
    pub(super) row: usize,
    /// Rows a chunk.
    pub(super) rows: usize,
    /// How inputs get to the rows' places.
    pub(super) spread: Spread,
}

/// How units that lie one behind the other come to lie a row apart: the string, repeated often enough, has
/// some unit at every row's start; with a number of units that has no divisor in common with the units a
/// row, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spread {
    /// Bytes a unit.
    pub(super) unit: usize,
    /// Units of the string, with the zeros behind it.
    pub(super) count: usize,
    /// The unit at the first row.
    pub(super) first: usize,
    /// Units a row.
    pub(super) step: usize,
    /// Rows that get a unit each.
    pub(super) slots: usize,
}

impl Spread {
    /// For `units` units to lie `row` bytes apart; `padded` where zeros are to follow them in any case.
    pub(super) fn new(units: usize, unit: usize, row: usize, padded: bool) -> Spread {
        let step = row / unit;
        let least = units + usize::from(padded);
        let count = (least..).find(|count| count.gcd(&step) == 1).unwrap_or(least);
        // The last of the zeros would lie at the last row: that row need not be.
        match count > units {
            true => Spread { unit, count, first: (step - 1) % count, step, slots: count - 1 },
            false => Spread { unit, count, first: 0, step, slots: count },
        }
    }

    /// The unit that lies at a row's place.
    pub(super) fn unit_at(&self, slot: usize) -> usize {
        (self.first + slot * self.step) % self.count
    }
}

impl Geometry {
    /// Bits a lane.
    pub(super) fn stride(&self) -> usize {
        self.bits * self.parts
    }

    /// How many chunks there are.
    pub(super) fn chunks(&self) -> usize {
        self.spread.slots.div_ceil(self.rows)
    }

    /// The layout as reports tell it.
    pub(super) fn products(&self, by_parts: bool) -> Products {
        let (lane_bits, chunks) = (self.stride(), self.chunks());
        Products {
            bits: self.bits,
            lane_bits,
            parts: self.parts,
            row_bytes: self.row,
            rows: self.rows,
            chunks,
            by_parts,
        }
    }

    /// Bytes a chunk.
    pub(super) fn chunk_bytes(&self) -> usize {
        self.rows * self.row
    }

    /// The byte behind a chunk's rows that makes its products positive: above the lanes that reach beyond the
    /// rows, those of the last part furthest.
    pub(super) fn top(&self) -> usize {
        self.chunk_bytes() + ((self.parts - 1) * self.bits).div_ceil(8)
    }

    /// Lanes of a part's string, so many that they fill its bytes.
    pub(super) fn string_lanes(&self) -> usize {
        let whole = 8 / self.stride().gcd(&8);
        self.lanes.next_multiple_of(whole)
    }

    /// Bytes of a part's lanes.
    pub(super) fn string_bytes(&self) -> usize {
        self.string_lanes() * self.stride() / 8
    }

    /// By how many bits a part's sums must be moved up for its lanes to start at a byte.
    pub(super) fn alignment(&self, part: usize) -> usize {
        (part * self.bits).next_multiple_of(8) - part * self.bits
    }

    /// The byte of a part's product, moved up, at which its lanes start.
    pub(super) fn start(&self, part: usize) -> usize {
        self.row * (self.rows - 1) + (part * self.bits).div_ceil(8)
    }

    /// The output that a lane of a part holds.
    pub(super) fn output(&self, part: usize, lane: usize) -> usize {
        lane * self.parts + part
    }
}

/// The least row, in bytes, that keeps lanes of neighbouring rows apart: a multiple of the unit.
pub(super) fn row_bytes(outputs: usize, bits: usize, parts: usize, unit: usize) -> usize {
    let lanes = outputs.div_ceil(parts);
    let stride = bits * parts;
    let whole = 8 / stride.gcd(&8);
    (lanes.next_multiple_of(whole) * stride / 8).next_multiple_of(unit)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_unit_gets_a_row_of_its_own() {
        for (units, unit, row, padded) in
            [(784, 1, 64, false), (784, 1, 63, false), (64, 4, 12, true), (5, 3, 3, false), (16, 1, 40, true)]
        {
            let spread = Spread::new(units, unit, row, padded);
            let seen: BTreeSet<usize> = (0..spread.slots).map(|slot| spread.unit_at(slot)).collect();
            assert_eq!(seen.len(), spread.slots, "{spread:?}");
            assert!((0..units).all(|unit| seen.contains(&unit)), "{spread:?}");
        }
    }
}
