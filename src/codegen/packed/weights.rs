//! Weights as bits: how many each takes, what is added to make them unsigned, and the bytes of a chunk.

use num_bigint::BigUint;
use num_traits::Zero;

use super::geometry::Geometry;
use crate::ir::Matrix;

/// A dense layer's weights, made unsigned.
pub(in crate::codegen) struct Digits<'m> {
    matrix: &'m Matrix,
    /// Whether the signs of all weights are turned round.
    negated: bool,
    /// Bits a weight.
    pub(in crate::codegen) bits: usize,
    /// What is added to each output's weights.
    pub(super) zeros: Vec<i64>,
}

impl<'m> Digits<'m> {
    /// With more bits than the fewest: wider digits make fewer parts of the same lanes.
    pub(super) fn widened(self, bits: usize) -> Digits<'m> {
        debug_assert!(bits >= self.bits);
        Digits { bits, ..self }
    }

    /// The fewest bits that hold every weight once its output's zero point is added.
    pub(in crate::codegen) fn new(matrix: &'m Matrix, negated: bool) -> Digits<'m> {
        let signed = |weight: i64| if negated { -weight } else { weight };
        let mut ranges = vec![(0i64, 0i64); matrix.columns];
        for row in 0..matrix.rows {
            for (range, &weight) in ranges.iter_mut().zip(matrix.row(row)) {
                *range = (range.0.min(signed(weight)), range.1.max(signed(weight)));
            }
        }
        let bits_of = |low: i64, high: i64| (u64::BITS - high.abs_diff(low).leading_zeros()) as usize;
        let bits = ranges.iter().map(|&(low, high)| bits_of(low, high)).max().unwrap_or(0).max(1);
        let all = ranges.iter().fold((0, 0), |all, range| (all.0.min(range.0), all.1.max(range.1)));
        // One zero point for all makes a pattern that is shorter to write.
        let zeros = match bits_of(all.0, all.1) <= bits {
            true => vec![-all.0; matrix.columns],
            false => ranges.iter().map(|range| -range.0).collect(),
        };
        Digits { matrix, negated, bits, zeros }
    }

    /// Whether some weight needs a zero point.
    pub(super) fn has_zeros(&self) -> bool {
        self.zeros.iter().any(|&zero| zero != 0)
    }

    /// The weight from an input to an output, as the contract multiplies it.
    pub(super) fn weight(&self, input: usize, output: usize) -> i64 {
        let weight = self.matrix.at(input, output);
        if self.negated { -weight } else { weight }
    }

    /// The bytes of a chunk's rows, the last row first: that order makes a product add them up. Each row is
    /// given as the input that it serves, or `None` where it serves none.
    pub(super) fn chunk(&self, rows: &[Option<usize>], row_bytes: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(rows.len() * row_bytes);
        for row in rows.iter().rev() {
            match row {
                Some(input) => {
                    // Two weights may lie up to 2^64 - 1 apart: too far for a signed sum, and one digit all the same.
                    let digit = |output: usize| {
                        (i128::from(self.weight(*input, output)) + i128::from(self.zeros[output])) as u64
                    };
                    bytes.extend(self.row((0..self.matrix.columns).map(digit), row_bytes));
                }
                // Whatever its unit holds counts nothing: weights of zero.
                None => bytes.extend(self.zero_row(row_bytes)),
            }
        }
        bytes
    }

    /// The zero points as a row.
    pub(super) fn zero_row(&self, row_bytes: usize) -> Vec<u8> {
        self.row(self.zeros.iter().map(|&zero| zero as u64), row_bytes)
    }

    fn row(&self, digits: impl Iterator<Item = u64>, row_bytes: usize) -> Vec<u8> {
        let mut bytes = pack(digits, self.bits);
        bytes.resize(row_bytes, 0);
        bytes
    }
}

/// Digits of so many bits each, the first one lowest.
fn pack(digits: impl Iterator<Item = u64>, bits: usize) -> Vec<u8> {
    let (mut bytes, mut pending, mut held) = (Vec::new(), 0u128, 0);
    for digit in digits {
        pending |= u128::from(digit) << held;
        held += bits;
        while held >= 8 {
            bytes.push(pending as u8);
            pending >>= 8;
            held -= 8;
        }
    }
    if held > 0 {
        bytes.push(pending as u8);
    }
    bytes
}

/// The bits of a row that its first part takes: what a mask keeps of it.
pub(super) fn first_part(geometry: &Geometry) -> Vec<u8> {
    let ones = (BigUint::from(1u8) << geometry.bits) - 1u8;
    let row = (0..geometry.lanes).fold(BigUint::zero(), |row, lane| row | &ones << (geometry.stride() * lane));
    let mut bytes = row.to_bytes_le();
    bytes.resize(geometry.row, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use num_rational::BigRational;

    use super::*;

    #[test]
    fn weights_become_the_fewest_unsigned_bits() {
        let unit = BigRational::from_integer(1.into());
        let matrix = Matrix { rows: 2, columns: 3, elements: vec![-3, 0, 4, 2, 1, -2], unit };
        let digits = Digits::new(&matrix, false);
        assert_eq!((digits.bits, &digits.zeros), (3, &vec![3, 3, 3]));
        // Rows -3+3, 0+3, 4+3 and 2+3, 1+3, -2+3 of three bits, the second one first.
        let bytes = digits.chunk(&[Some(0), Some(1)], 2);
        assert_eq!(bytes, [0b01_100_101, 0, 0b11_011_000, 1]);
        assert_eq!(Digits::new(&matrix, true).weight(0, 0), 3);
    }

    /// Its unit may hold anything: bits of the input that no element has.
    #[test]
    fn a_row_that_serves_no_input_weighs_nothing() {
        let unit = BigRational::from_integer(1.into());
        let matrix = Matrix { rows: 1, columns: 2, elements: vec![-3, 4], unit };
        let digits = Digits::new(&matrix, false);
        assert_eq!(digits.chunk(&[None], 1), digits.zero_row(1));
    }

    #[test]
    fn weights_may_lie_as_far_apart_as_they_can() {
        let unit = BigRational::from_integer(1.into());
        let matrix = Matrix { rows: 2, columns: 1, elements: vec![i64::MAX, -i64::MAX], unit };
        let digits = Digits::new(&matrix, false);
        assert_eq!((digits.bits, digits.zeros[0]), (64, i64::MAX));
        let bytes = digits.chunk(&[Some(0), Some(1)], 8);
        assert_eq!(bytes, [[0; 8], (u64::MAX - 1).to_le_bytes()].concat());
    }

    #[test]
    fn outputs_have_zero_points_of_their_own_where_that_saves_bits() {
        let unit = BigRational::from_integer(1.into());
        let matrix = Matrix { rows: 2, columns: 2, elements: vec![-7, 0, 0, 7], unit };
        let digits = Digits::new(&matrix, false);
        assert_eq!((digits.bits, digits.zeros), (3, vec![7, 0]));
    }
}
