//! Big-number products: every input times its row of weights, all added up.
//!
//! A chunk's inputs, a row apart, are one number `X`; its rows, the last one first, another one `P`. In `X·P`
//! the block in the middle is the sum that is wanted; the others are sums of some of the same terms and
//! are cut off later. Each part of the weights (every `parts`-th, alone in its lane) has a product, and
//! its products are added up over the chunks.
//!
//! The byte 01 above each chunk's rows stays in every part: it makes the products positive, whatever the
//! weights (the inputs are not negative), so that their bytes can be read as they are.

use super::emit::{Emit, power};
use super::geometry::Geometry;
use super::weights::{Digits, first_part};
use crate::bignum::{Op, ValueId};

/// What is needed for the products of a layer.
pub(super) struct Products<'e, 'b, 'm> {
    pub(super) emit: &'e mut Emit<'b>,
    pub(super) geometry: &'e Geometry,
    pub(super) digits: &'e Digits<'m>,
}

/// What is needed of one part of the weights.
#[derive(Clone, Copy)]
struct Part {
    index: usize,
    mask: ValueId,
    /// What its zero points make of a chunk.
    zeros: Option<ValueId>,
}

impl Products<'_, '_, '_> {
    /// The masks of all parts: part `t`'s is the first one times `2^(bits · t)`, but for the byte on top.
    fn next_mask(&mut self, mask: ValueId, over: ValueId, part: usize) -> ValueId {
        self.emit.idiom("part masks");
        let moved = self.emit.with(Op::Mul, mask, power(self.geometry.bits), "moved mask");
        self.emit.nth(Op::Sub, &[moved, over], "mask", part)
    }

    fn first_mask(&mut self) -> ValueId {
        self.emit.idiom("part masks");
        let mask = self.emit.repeat_bytes(&first_part(self.geometry), self.geometry.chunk_bytes(), "mask");
        let top = self.top(1);
        let top = self.emit.builder.bytes(top);
        self.emit.nth(Op::Cat, &[mask, top], "mask", 0)
    }

    /// By how much the byte on top moves with the mask, less itself.
    fn over(&mut self) -> ValueId {
        let zeros = self.emit.zeros(self.geometry.top());
        let top = crate::script::number::encode(&(power(self.geometry.bits) - 1));
        self.emit.append(zeros, &top, "mask overflow")
    }

    /// The zero points of a chunk, a row like the others over and over.
    fn zero_rows(&mut self) -> Option<ValueId> {
        if !self.digits.has_zeros() {
            return None;
        }
        self.emit.idiom("zero points");
        let row = self.digits.zero_row(self.geometry.row);
        let rows = self.emit.repeat_bytes(&row, self.geometry.chunk_bytes(), "zero rows");
        let top = self.top(0);
        Some(self.emit.append(rows, &top, "zero rows"))
    }

    /// What lies behind a chunk's rows: zeros, and a byte on top.
    fn top(&self, byte: u8) -> Vec<u8> {
        let mut bytes = vec![0; self.geometry.top() - self.geometry.chunk_bytes()];
        bytes.push(byte);
        bytes
    }

    fn part(&mut self, index: usize, mask: ValueId, zero_rows: Option<ValueId>) -> Part {
        self.emit.idiom("zero points");
        let zeros = zero_rows.map(|rows| {
            let part = self.emit.nth(Op::And, &[rows, mask], "zero part", index);
            self.emit.nth(Op::BinToNum, &[part], "zero part", index)
        });
        Part { index, mask, zeros }
    }

    /// The sum so far and a chunk's product with one part of its weights.
    fn accumulate(&mut self, sum: Option<ValueId>, chunk: ValueId, weights: ValueId, part: Part) -> ValueId {
        self.emit.idiom("products");
        let Part { index, mask, zeros } = part;
        let mut part = self.emit.nth(Op::And, &[weights, mask], "part", index);
        if let Some(zeros) = zeros {
            part = self.emit.nth(Op::Sub, &[part, zeros], "signed part", index);
        }
        let product = self.emit.nth(Op::Mul, &[part, chunk], "product", index);
        match sum {
            Some(sum) => self.emit.nth(Op::Add, &[product, sum], "sum", index),
            None => product,
        }
    }

    /// The bytes of a chunk's weights, on the stack.
    fn weights(&mut self, index: usize, rows: &[Option<usize>]) -> ValueId {
        self.emit.idiom("weights");
        let row = self.geometry.row;
        // The last chunk's missing rows lie lowest.
        let missing = self.geometry.rows - rows.len();
        let mut bytes = match self.emit.builder.is_sketch() {
            true => vec![1; rows.len() * row],
            false => self.digits.chunk(rows, row),
        };
        bytes.extend(self.top(1));
        match missing {
            0 => {
                let bytes = self.emit.builder.bytes(bytes);
                self.emit.nth(Op::Load, &[bytes], "weights", index)
            }
            _ => {
                let (zeros, bytes) = (self.emit.zeros(missing * row), self.emit.builder.bytes(bytes));
                self.emit.nth(Op::Cat, &[zeros, bytes], "weights", index)
            }
        }
    }

    /// Chunk by chunk, all parts of each; then `finish` for each part in turn.
    pub(super) fn by_chunks(
        &mut self,
        rows: &[Option<usize>],
        mut next_chunk: impl FnMut(&mut Emit<'_>) -> ValueId,
        mut finish: impl FnMut(&mut Emit<'_>, usize, ValueId),
    ) {
        let parts = self.geometry.parts;
        let mut masks = vec![self.first_mask()];
        if parts > 1 {
            let over = self.over();
            (1..parts).for_each(|part| {
                let mask = self.next_mask(masks[part - 1], over, part);
                masks.push(mask);
            });
        }
        let zero_rows = self.zero_rows();
        let mut order: Vec<Part> =
            masks.into_iter().enumerate().map(|(index, mask)| self.part(index, mask, zero_rows)).collect();
        let mut sums: Vec<Option<ValueId>> = vec![None; parts];
        for (index, rows) in rows.chunks(self.geometry.rows).enumerate() {
            let chunk = next_chunk(self.emit);
            let weights = self.weights(index, rows);
            for &part in &order {
                sums[part.index] = Some(self.accumulate(sums[part.index], chunk, weights, part));
            }
            order.reverse();
        }
        sums.into_iter().flatten().enumerate().for_each(|(part, sum)| finish(self.emit, part, sum));
    }

    /// Part by part, over all chunks; `finish` as soon as a part is done.
    pub(super) fn by_parts(
        &mut self,
        rows: &[Option<usize>],
        mut next_chunk: impl FnMut(&mut Emit<'_>) -> ValueId,
        mut finish: impl FnMut(&mut Emit<'_>, usize, ValueId),
    ) {
        let mut chunks: Vec<(ValueId, ValueId)> = Vec::new();
        for (index, rows) in rows.chunks(self.geometry.rows).enumerate() {
            let chunk = next_chunk(self.emit);
            chunks.push((chunk, self.weights(index, rows)));
        }
        let zero_rows = self.zero_rows();
        let mut mask = self.first_mask();
        let over = (self.geometry.parts > 1).then(|| self.over());
        for part in 0..self.geometry.parts {
            if let (1.., Some(over)) = (part, over) {
                mask = self.next_mask(mask, over, part);
            }
            let this = self.part(part, mask, zero_rows);
            let mut sum = None;
            for &(chunk, weights) in &chunks {
                sum = Some(self.accumulate(sum, chunk, weights, this));
            }
            sum.into_iter().for_each(|sum| finish(self.emit, part, sum));
            chunks.reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::super::layer::{self, Purpose, Tuning};
    use super::super::testing::{Dense, Idiom, natural};
    use super::super::units::Chunks;
    use super::*;
    use crate::ir::Tie;
    use crate::script::number;

    fn layers() -> Vec<Dense> {
        let layers = [(2, 1, 0, 1), (3, 2, -1, 1), (4, 5, -8, 7), (7, 3, 0, 15), (5, 4, -15, 0), (6, 9, -128, 127)];
        layers.map(|(inputs, outputs, low, high)| Dense::new(inputs, outputs, low, high)).into()
    }

    /// All ways to emit a layer whose lanes need so many bits.
    fn tunings(bits: usize, lane: usize) -> Vec<Tuning> {
        let mut tunings = vec![];
        for bits in [bits, bits + 1, bits + 3] {
            for chunks in 1..=3 {
                for (by_parts, even) in [(false, false), (true, false), (false, true), (true, true)] {
                    let fewest = lane.div_ceil(bits);
                    tunings.extend([0, 1].map(|more| Tuning { bits, parts: fewest + more, chunks, by_parts, even }));
                }
            }
        }
        tunings
    }

    /// In a part's sum, the block in the middle is the dot products of that part's outputs, a lane each.
    #[test]
    fn the_block_in_the_middle_is_the_dot_products() {
        for dense in layers() {
            let digits = Digits::new(&dense.weights, false);
            let most = (dense.weights.rows as u64 * 255) << digits.bits;
            for tuning in tunings(digits.bits, 2 + most.ilog2() as usize) {
                let digits = Digits::new(&dense.weights, false).widened(tuning.bits);
                let mut geometry = None;
                let idiom = Idiom::new(dense.weights.rows, |emit, input| {
                    let units = dense.units(emit, input);
                    let geometry = geometry.insert(layer::geometry(&dense.stage(false), &units, tuning));
                    let (mut chunks, rows) = Chunks::new(emit, &units, geometry, tuning.even);
                    let mut sums = vec![None; tuning.parts];
                    let next = |emit: &mut Emit<'_>| chunks.next(emit);
                    let finish = |_: &mut Emit<'_>, part: usize, sum| sums[part] = Some(sum);
                    let mut products = Products { emit, geometry, digits: &digits };
                    match tuning.by_parts {
                        true => products.by_parts(&rows, next, finish),
                        false => products.by_chunks(&rows, next, finish),
                    }
                    sums.into_iter().map(Option::unwrap).collect()
                });
                let geometry = geometry.unwrap();
                idiom.demand(|input, items| {
                    let dots = dense.products(input);
                    for (part, item) in items.iter().enumerate() {
                        let below = 8 * geometry.row * (geometry.rows - 1) + part * geometry.bits;
                        // What lies below may be negative.
                        let block = match below {
                            0 => number::decode(item),
                            _ => (number::decode(item) + power(below - 1)) >> below,
                        };
                        let dot = |lane: usize| dots.get(geometry.output(part, lane)).copied().unwrap_or(0);
                        let right: BigInt =
                            (0..geometry.lanes).map(|lane| BigInt::from(dot(lane)) << (lane * geometry.stride())).sum();
                        let differ = (block - right) % power(geometry.lanes * geometry.stride());
                        assert_eq!(differ, BigInt::ZERO, "part {part} of {geometry:?}");
                    }
                });
            }
        }
    }

    #[test]
    fn lanes_hold_what_their_purpose_asks_for() {
        for dense in layers() {
            let ir = dense.ir();
            for purpose in [Purpose::Relu, Purpose::Sums, Purpose::Class(Tie::First), Purpose::Class(Tie::Last)] {
                let stage = dense.stage(purpose == Purpose::Relu);
                let content = layer::Content::new(&stage, &ir.values[0].intervals, purpose);
                let bits = Digits::new(&dense.weights, content.negated).bits;
                for tuning in tunings(bits, content.bits + 2) {
                    let stride = tuning.bits * tuning.parts;
                    let (mut made, mut row) = (None, 0);
                    let idiom = Idiom::proved(dense.weights.rows, |emit, input| {
                        let units = dense.units(emit, input);
                        row = layer::row(&stage, tuning.bits, &units, tuning.parts);
                        let (lanes, shift) = layer::lanes(emit, &ir, &stage, &units, tuning, purpose);
                        let string = lanes.string;
                        made = Some((lanes.order, shift));
                        vec![string]
                    });
                    let idiom = match idiom {
                        Ok(idiom) => idiom,
                        // A chunk's highest bit is an input's, and read as its sign: no plan for such a layer is taken.
                        Err(_) if row == 1 && !tuning.even => continue,
                        Err(reason) => panic!("{purpose:?}, {tuning:?}: {reason}"),
                    };
                    let (order, shift) = made.unwrap();
                    let mut outputs: Vec<usize> = order.iter().copied().flatten().collect();
                    outputs.sort_unstable();
                    assert_eq!(outputs, (0..dense.bias.len()).collect::<Vec<_>>());
                    idiom.demand(|input, items| {
                        let sums = dense.sums(input);
                        for (at, output) in order.iter().enumerate() {
                            let Some(output) = *output else { continue };
                            let held = (natural(&items[0]) >> (at * stride)) % power(stride);
                            let sum = BigInt::from(sums[output]);
                            let right = match purpose {
                                Purpose::Relu => sum.max(BigInt::ZERO),
                                Purpose::Sums => sum + &shift,
                                Purpose::Class(Tie::First) => (&shift - sum) * sums.len() + output,
                                Purpose::Class(Tie::Last) => (sum + &shift) * sums.len() + output,
                            };
                            assert_eq!(held, right, "{purpose:?}, {tuning:?}");
                        }
                    });
                }
            }
        }
    }
}
