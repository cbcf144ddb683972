//! Lanes: what a layer's sums are cut into, and what is done to all of them at once.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, Zero};

use super::emit::{Emit, power};
use super::geometry::Geometry;
use super::units::Units;
use crate::bignum::{Op, ValueId};

/// A layer's outputs in lanes of equal width, in one byte string.
pub(super) struct Lanes {
    /// The string.
    pub(super) string: ValueId,
    /// Bits a lane.
    pub(super) stride: usize,
    /// The output that each lane holds; `None` where it holds nothing of use.
    pub(super) order: Vec<Option<usize>>,
    /// Zero bytes behind the last lane.
    pub(super) extra: usize,
}

/// Cuts lanes out of the sums of each part.
pub(super) struct Cut<'g> {
    geometry: &'g Geometry,
    /// What the sums are multiplied by.
    factor: BigInt,
    /// What is added to each lane, by output.
    constants: Vec<BigInt>,
    /// Zeros below the constants, shared by all parts.
    zeros: Option<ValueId>,
    string: Option<ValueId>,
    order: Vec<Option<usize>>,
}

impl<'g> Cut<'g> {
    /// Lanes are to hold the sums times `factor` plus `constants`, which must make them fit.
    pub(super) fn new(geometry: &'g Geometry, factor: BigInt, constants: Vec<BigInt>) -> Cut<'g> {
        Cut { geometry, factor, constants, zeros: None, string: None, order: Vec::new() }
    }

    /// Zero bytes below every part's constants.
    fn shared_zeros(&self) -> usize {
        (self.geometry.row * (self.geometry.rows - 1)).saturating_sub(1)
    }

    /// The bytes to be added to a part, but for the shared zeros: a bit that keeps what lies below the lanes
    /// from being negative, the lanes' constants, and a byte on top that makes the length the same for all.
    fn constant(&self, part: usize) -> Vec<u8> {
        let geometry = self.geometry;
        let mut sum = BigInt::zero();
        for lane in 0..geometry.string_lanes() {
            if let Some(constant) = self.constants.get(geometry.output(part, lane)).filter(|_| lane < geometry.lanes) {
                sum += constant << (lane * geometry.stride());
            }
        }
        let start = geometry.start(part);
        let mut bytes = vec![0; start - self.shared_zeros()];
        if let Some(guard) = bytes.last_mut() {
            *guard = 0x80;
        }
        // What is less than zero in all borrows from the byte on top, which must not become zero.
        let on_top = if sum.is_negative() { 2 } else { 1 };
        sum += BigInt::from(on_top) << (8 * geometry.string_bytes());
        debug_assert!(sum.is_positive());
        let (_, lanes) = sum.to_bytes_le();
        debug_assert_eq!(lanes.len(), geometry.string_bytes() + 1);
        bytes.extend(lanes);
        bytes
    }

    /// Cuts a part's lanes out of its sum and puts them behind those of the parts before.
    pub(super) fn part(&mut self, emit: &mut Emit<'_>, part: usize, sum: ValueId) {
        let geometry = self.geometry;
        let constant = self.constant(part);
        emit.idiom("bias, offset");
        let factor = &self.factor << geometry.alignment(part);
        let sum = if factor == BigInt::from(1) { sum } else { emit.with(Op::Mul, sum, factor, "aligned sum") };
        let addend = match self.shared_zeros() {
            0 => emit.builder.bytes(constant),
            zeros => {
                let zeros = *self.zeros.get_or_insert_with(|| emit.zeros(zeros));
                emit.append(zeros, &constant, "lane constants")
            }
        };
        let sum = emit.one(Op::Add, &[sum, addend], "offset sum");
        emit.idiom("cut lanes");
        let start = geometry.start(part);
        let lanes = emit.head(sum, start + geometry.string_bytes(), "block and below");
        let lanes = if start == 0 { lanes } else { emit.tail(lanes, start, "lanes") };
        self.string = Some(match self.string {
            None => lanes,
            Some(string) => emit.one(Op::Cat, &[string, lanes], "lanes"),
        });
        let output = |lane: usize| {
            let output = geometry.output(part, lane);
            (lane < geometry.lanes && output < self.constants.len()).then_some(output)
        };
        self.order.extend((0..geometry.string_lanes()).map(output));
    }

    /// All lanes, once every part is cut.
    pub(super) fn finish(self, emit: &mut Emit<'_>) -> Lanes {
        let string = self.string.unwrap_or_else(|| emit.builder.bytes(vec![]));
        Lanes { string, stride: self.geometry.stride(), order: self.order, extra: 0 }
    }
}

impl Lanes {
    fn bytes(&self) -> usize {
        self.order.len() * self.stride / 8
    }

    /// How many strings lanes are put into to lie on whole bytes.
    fn strings(&self) -> usize {
        8 / self.stride.gcd(&8)
    }

    /// Fewest bytes that hold whole lanes.
    fn period(&self) -> usize {
        self.stride * self.strings() / 8
    }

    /// Negative lanes become zero: lanes that hold a value plus `2^(stride - 1)`, whose top bit is set where the
    /// value is not negative, are kept below that bit where it is set.
    pub(super) fn relu(self, emit: &mut Emit<'_>) -> Lanes {
        emit.idiom("relu");
        let string = emit.by_pieces(self.string, (self.bytes(), self.period()), (0, 1), |emit, piece, bytes| {
            relu(emit, piece, bytes, self.stride)
        });
        Lanes { string, extra: 1, ..self }
    }

    /// Lanes as units of whole bytes: where they are not, every so many-th ends up in a string of its own.
    pub(super) fn into_units(self, emit: &mut Emit<'_>, shift: BigInt) -> Units {
        let strings = self.strings();
        if strings == 1 {
            let unit = self.period();
            let string = emit.one(Op::View(unit), &[self.string], "units");
            return Units { string, unit, order: self.order, extra: self.extra, shift };
        }
        emit.idiom("repack");
        let mut order = Vec::with_capacity(self.order.len());
        let mut rest = self.order.as_slice();
        let string =
            emit.by_pieces(self.string, (self.bytes(), self.period()), (self.extra, 0), |emit, piece, bytes| {
                let lanes;
                (lanes, rest) = rest.split_at(8 * bytes / self.stride);
                order.extend((0..strings).flat_map(|residue| lanes.iter().skip(residue).step_by(strings)));
                repack(emit, (piece, bytes, self.extra), self.stride, strings)
            });
        Units { string, unit: self.period(), order, extra: 0, shift }
    }
}

/// The lanes of a string of so many bytes, with those zero whose top bit is not set, and a zero byte.
fn relu(emit: &mut Emit<'_>, string: ValueId, bytes: usize, stride: usize) -> ValueId {
    let width = stride - 1;
    let top = (0..8 * bytes / stride).fold(BigInt::zero(), |mask, lane| mask | power(lane * stride + width));
    let (_, top) = top.to_bytes_le();
    let mask = emit.repeat_bytes(&top, bytes, "sign mask");
    let mask = emit.append(mask, &[0], "sign mask");
    let lanes = emit.append(string, &[0], "lanes");
    let tops = emit.one(Op::And, &[lanes, mask], "signs");
    let tops = emit.one(Op::BinToNum, &[tops], "signs");
    let lowered = emit.with(Op::Div, tops, power(width), "signs, lowered");
    let keep = emit.one(Op::Sub, &[tops, lowered], "bits to keep");
    let keep = emit.with(Op::NumToBin, keep, bytes + 1, "bits to keep");
    emit.one(Op::And, &[lanes, keep], "relu")
}

/// The lanes of a string with `extra` zeros behind it: first every `strings`-th, each on whole bytes, then those behind them.
fn repack(
    emit: &mut Emit<'_>,
    (string, bytes, extra): (ValueId, usize, usize),
    stride: usize,
    strings: usize,
) -> ValueId {
    let mut joined: Option<ValueId> = None;
    for residue in 0..strings {
        let units = every_so_many(emit, (string, bytes, extra), stride, (residue, strings));
        joined = Some(joined.map_or(units, |joined| emit.one(Op::Cat, &[joined, units], "units")));
    }
    joined.unwrap_or(string)
}

/// Of `strings` lanes the `residue`-th, each on whole bytes.
fn every_so_many(
    emit: &mut Emit<'_>,
    (string, bytes, extra): (ValueId, usize, usize),
    stride: usize,
    (residue, strings): (usize, usize),
) -> ValueId {
    let wide = stride * strings;
    let (_, mut pattern) = ((power(stride) - BigInt::from(1)) << (residue * stride)).to_bytes_le();
    pattern.resize(wide / 8, 0);
    let mask = emit.repeat_bytes(&pattern.repeat(8 * bytes / wide), bytes, "lane mask");
    let mask = if extra == 0 { mask } else { emit.append(mask, &vec![0; extra], "lane mask") };
    let kept = emit.one(Op::And, &[string, mask], "every so many-th lane");
    match residue {
        0 if extra == 0 => kept,
        0 => emit.head(kept, bytes, "units"),
        _ => {
            let number = emit.one(Op::BinToNum, &[kept], "every so many-th lane");
            let lowered = emit.with(Op::Div, number, power(residue * stride), "units");
            let units = emit.with(Op::NumToBin, lowered, bytes, "units");
            emit.one(Op::View(wide / 8), &[units], "units")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Spread;
    use super::super::testing::{Idiom, natural};
    use super::*;

    /// Whatever the signs, the bytes are the constants and what lies on top, which never becomes zero.
    #[test]
    fn constants_keep_their_signs() {
        let spread = Spread { unit: 1, count: 3, first: 0, step: 2, slots: 3 };
        let geometry = Geometry { bits: 2, parts: 8, lanes: 2, row: 4, rows: 3, spread };
        for lanes in [[5, 7], [-510, 0], [0, -510], [510, -1], [-1, -1], [0, 0], [-32_768, -32_768]] {
            // Part 0 has outputs 0 and 8.
            let mut constants = vec![BigInt::ZERO; 9];
            (constants[0], constants[8]) = (lanes[0].into(), lanes[1].into());
            let cut = Cut::new(&geometry, 1.into(), constants);
            let bytes = [vec![0; cut.shared_zeros()], cut.constant(0)].concat();
            let start = geometry.start(0);
            assert_eq!(bytes.len(), start + geometry.string_bytes() + 1);
            assert_eq!(bytes[start - 1], 0x80);
            assert_ne!(bytes.last(), Some(&0));
            let string = BigInt::from_bytes_le(num_bigint::Sign::Plus, &bytes[start..]);
            let sum = BigInt::from(lanes[0]) + (BigInt::from(lanes[1]) << 16);
            let on_top = string - sum;
            assert!(on_top == power(32) || on_top == power(33), "{lanes:?}");
        }
    }

    /// Bytes of the input for a lane.
    fn unit_bytes(stride: usize) -> usize {
        usize::div_ceil(stride, 8)
    }

    /// Lanes of an input's units, each cut down to so many bits of a lane.
    fn lanes(emit: &mut Emit<'_>, input: ValueId, stride: usize, bits: usize, count: usize) -> Lanes {
        let unit = unit_bytes(stride);
        let mut rest = emit.one(Op::View(unit), &[input], "units");
        let ones: BigInt = power(bits) - 1;
        let (_, mut mask) = ones.to_bytes_le();
        mask.resize(unit + 1, 0);
        let bytes = count * stride / 8;
        let mut sum = emit.builder.number(&power(8 * bytes));
        for lane in 0..count {
            let piece;
            (piece, rest) = emit.split(rest, unit, "unit", "more units");
            let piece = emit.append(piece, &[0], "unit");
            let mask = emit.builder.bytes(mask.clone());
            let piece = emit.one(Op::And, &[piece, mask], "lane");
            let number = emit.one(Op::BinToNum, &[piece], "lane");
            let number = emit.one(Op::Lane, &[number], "lane");
            let number = emit.with(Op::Mul, number, power(lane * stride), "lane");
            sum = emit.one(Op::Add, &[number, sum], "lanes");
        }
        let string = emit.head(sum, bytes, "lanes");
        Lanes { string, stride, order: (0..count).map(Some).collect(), extra: 0 }
    }

    /// What the lanes made of an input hold.
    fn held(input: &[u8], stride: usize, bits: usize) -> Vec<BigInt> {
        input.chunks(unit_bytes(stride)).map(|unit| natural(unit) % power(bits)).collect()
    }

    fn positive_part(lane: &BigInt, stride: usize) -> BigInt {
        (lane - power(stride - 1)).max(BigInt::ZERO)
    }

    #[test]
    fn relu_keeps_what_is_not_negative() {
        for (stride, count) in
            [(8, 1), (8, 5), (16, 3), (24, 2), (9, 8), (12, 2), (12, 6), (10, 4), (17, 8), (20, 4), (30, 4)]
        {
            let idiom = Idiom::new(count * unit_bytes(stride), |emit, input| {
                let lanes = lanes(emit, input, stride, stride, count);
                let relu = lanes.relu(emit);
                assert_eq!(relu.extra, 1);
                vec![relu.string]
            });
            idiom.demand(|input, items| {
                let lanes = held(input, stride, stride).into_iter().enumerate();
                let right: BigInt = lanes.map(|(at, lane)| positive_part(&lane, stride) << (at * stride)).sum();
                assert_eq!(natural(&items[0]), right, "{count} of {stride} bits: {input:02x?}");
                assert_eq!(items[0].len(), count * stride / 8 + 1);
            });
        }
    }

    #[test]
    fn lanes_become_units_in_the_order_that_is_given() {
        for (stride, count) in [(8, 3), (24, 3), (12, 2), (12, 6), (20, 2), (20, 6), (10, 4), (10, 8), (9, 8), (9, 16)]
        {
            for relu in [false, true] {
                // The top bit of a lane is a ReLU's, or clear.
                let bits = if relu { stride } else { stride - 1 };
                let (mut order, mut unit) = (vec![], 0);
                let idiom = Idiom::new(count * unit_bytes(stride), |emit, input| {
                    let lanes = lanes(emit, input, stride, bits, count);
                    let lanes = if relu { lanes.relu(emit) } else { lanes };
                    let units = lanes.into_units(emit, BigInt::ZERO);
                    (order, unit) = (units.order, units.unit);
                    assert_eq!(units.extra, usize::from(relu && stride.is_multiple_of(8)));
                    vec![units.string]
                });
                idiom.demand(|input, items| {
                    let lanes = held(input, stride, bits);
                    let units: Vec<BigInt> = items[0].chunks_exact(unit).map(natural).take(count).collect();
                    let lane = |at: &Option<usize>| match relu {
                        true => positive_part(&lanes[at.unwrap()], stride),
                        false => lanes[at.unwrap()].clone(),
                    };
                    assert_eq!(units, order.iter().map(lane).collect::<Vec<_>>(), "{count} of {stride} bits");
                });
            }
        }
    }
}
