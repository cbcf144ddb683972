//! Units: a vector's elements, one behind the other in a byte string, and how they are spread to a row apart.

use num_bigint::BigInt;
use num_traits::Zero;

use super::emit::{Emit, power};
use super::geometry::Geometry;
use super::lanes::Lanes;
use crate::bignum::{Op, ValueId};
use crate::codegen::landmark::LaneForm;
use crate::input::{Encoding, InputFormat};
use crate::ir::{Interval, Ir};
use crate::script::number;

/// Up to this many chunks have their mask each; more are masked before they are cut.
const MASKED_CHUNKS: usize = 4;

/// A vector as a byte string of units of equal width.
#[derive(Debug, Clone)]
pub(in crate::codegen) struct Units {
    /// The string.
    pub(super) string: ValueId,
    /// Bytes a unit.
    pub(super) unit: usize,
    /// The element that each unit holds; `None` where it holds nothing of use.
    pub(super) order: Vec<Option<usize>>,
    /// Zero bytes behind the last unit.
    pub(super) extra: usize,
    /// What is added to each element to make its unit, which is never negative.
    pub(super) shift: BigInt,
}

impl Units {
    /// The input, as the unlocking script pushed it.
    pub(super) fn of_input(emit: &mut Emit<'_>, input: ValueId, format: &InputFormat, elements: usize) -> Units {
        emit.idiom("unpack");
        let order = (0..elements).map(Some).collect();
        match format.encoding {
            Encoding::Bits { bits: 8 } => {
                let string = emit.one(Op::View(1), &[input], "units");
                Units { string, unit: 1, order, extra: 0, shift: BigInt::ZERO }
            }
            Encoding::Bits { bits } => {
                let string = emit.one(Op::View(1), &[input], "bytes");
                // The zero byte keeps the highest bit from being a sign.
                let string = emit.append(string, &[0], "bytes");
                let order = places(format, elements);
                Lanes { string, stride: bits, order, extra: 1 }.into_units(emit, BigInt::ZERO)
            }
            Encoding::Fixed { width } => {
                let string = offset_units(emit, input, width, elements);
                Units { string, unit: width, order, extra: 1, shift: power(8 * width - 1) }
            }
        }
    }

    /// The units of a network's first layer as far as layouts need to know; `first` is the IR value that it takes.
    pub(super) fn sketch_of_input(ir: &Ir, first: usize) -> Units {
        let elements = ir.values[first].len();
        let order = if first == 0 { places(&ir.input, elements) } else { (0..elements).map(Some).collect() };
        let (unit, extra, shift) = match (first, ir.input.encoding) {
            (0, Encoding::Bits { .. }) => (1, 0, BigInt::ZERO),
            (0, Encoding::Fixed { width }) => (width, 1, power(8 * width - 1)),
            _ => Units::width_of_numbers(&ir.values[first].hull()),
        };
        Units { string: 0, unit, order, extra, shift }
    }

    /// Units that lie in their order, `shift` added to each element.
    pub(super) fn of_lanes(string: ValueId, unit: usize, count: usize, shift: BigInt) -> Units {
        Units { string, unit, order: (0..count).map(Some).collect(), extra: 0, shift }
    }

    /// Bytes a unit, zeros behind the last one and the shift for numbers of an interval.
    fn width_of_numbers(hull: &Interval) -> (usize, usize, BigInt) {
        let shift = (-&hull.low).max(BigInt::ZERO);
        (number::encoded_len(&(&hull.high + &shift)).max(1), 0, shift)
    }

    /// Numbers inside `hull`, each written to as many bytes as the widest needs; not negative once shifted.
    pub(super) fn of_numbers(emit: &mut Emit<'_>, numbers: &[ValueId], hull: &Interval) -> Units {
        let (unit, extra, shift) = Units::width_of_numbers(hull);
        emit.idiom("pack");
        let mut string: Option<ValueId> = None;
        for &number in numbers {
            let shifted = if shift.is_zero() { number } else { emit.with(Op::Add, number, shift.clone(), "shifted") };
            let bytes = emit.with(Op::NumToBin, shifted, unit, "unit");
            string = Some(string.map_or(bytes, |string| emit.one(Op::Cat, &[string, bytes], "units")));
        }
        let string = string.unwrap_or_else(|| emit.builder.bytes(vec![]));
        Units { string, unit, order: (0..numbers.len()).map(Some).collect(), extra, shift }
    }

    /// How the string holds elements; each unit was multiplied by `factor` before what is below that was added.
    pub(super) fn form(&self, factor: BigInt, negated: bool) -> LaneForm {
        LaneForm { bytes: self.unit, order: self.order.clone(), shift: self.shift.clone(), factor, negated }
    }

    /// The units as numbers, the shift taken away again; in the order of the string, with their elements.
    pub(in crate::codegen) fn into_numbers(self, emit: &mut Emit<'_>) -> Vec<(usize, ValueId)> {
        emit.idiom("unpack lanes");
        let mut rest = self.string;
        let mut numbers = Vec::new();
        for (index, element) in self.order.iter().enumerate() {
            let mut piece = rest;
            if index + 1 < self.order.len() || self.extra > 0 {
                (piece, rest) = emit.split(rest, self.unit, "unit", "more units");
            }
            let Some(element) = element else { continue };
            let mut number = emit.nth(Op::BinToNum, &[piece], "element", *element);
            if !self.shift.is_zero() {
                let shift = emit.builder.number(&self.shift);
                number = emit.nth(Op::Sub, &[number, shift], "element", *element);
            }
            numbers.push((*element, number));
        }
        numbers
    }
}

/// The element at each place of an input that has one, `None` at those that are left in its last byte.
fn places(format: &InputFormat, elements: usize) -> Vec<Option<usize>> {
    let places = elements.next_multiple_of(format.sharing());
    (0..places).map(|place| (place < elements).then_some(place)).collect()
}

/// Sign-magnitude units as what they stand for plus `2^(bits - 1)`: that power and the magnitudes of the positive
/// ones, less those of the negative ones. A zero byte is left behind them.
fn offset_units(emit: &mut Emit<'_>, input: ValueId, width: usize, elements: usize) -> ValueId {
    let string = emit.one(Op::View(width), &[input], "signed units");
    emit.by_pieces(string, (width * elements, width), (0, 1), |emit, piece, bytes| {
        offset_piece(emit, piece, width, bytes)
    })
}

/// A part of such units, of so many bytes.
fn offset_piece(emit: &mut Emit<'_>, units: ValueId, width: usize, bytes: usize) -> ValueId {
    let top = 8 * width - 1;
    let string = emit.append(units, &[0], "signed units");
    let mut sign = vec![0; width];
    sign[width - 1] = 0x80;
    let signs = emit.repeat_bytes(&sign.repeat(bytes / width), bytes, "sign bits");
    let signs = emit.append(signs, &[0], "sign bits");
    let tops = emit.one(Op::And, &[string, signs], "signs");
    let tops = emit.one(Op::BinToNum, &[tops], "signs");
    let lowered = emit.with(Op::Div, tops, power(top), "signs, lowered");
    let negative_bits = emit.one(Op::Sub, &[tops, lowered], "bits of the negative ones");
    // All bits below the signs are the signs less what is left of them at the lowest bits.
    let ones = emit.with(Op::Div, signs, power(top), "lowest bits");
    let all_bits = emit.one(Op::Sub, &[signs, ones], "bits of all");
    let positive_bits = emit.one(Op::Sub, &[all_bits, negative_bits], "bits of the positive ones");
    let mut kept = |bits, name: &str| {
        let mask = emit.with(Op::NumToBin, bits, bytes + 1, name);
        let kept = emit.one(Op::And, &[string, mask], name);
        emit.one(Op::BinToNum, &[kept], name)
    };
    let negative = kept(negative_bits, "negative ones");
    let positive = kept(positive_bits, "positive ones");
    let offset = emit.one(Op::Add, &[positive, signs], "offset units");
    let offset = emit.one(Op::Sub, &[offset, negative], "offset units");
    let string = emit.with(Op::NumToBin, offset, bytes + 1, "offset units");
    emit.one(Op::View(width), &[string], "offset units")
}

/// A layer's inputs, chunk by chunk: numbers with a unit at each row's place.
pub(super) struct Chunks {
    rest: ValueId,
    /// Chunks given so far.
    given: usize,
    count: usize,
    rows: usize,
    row: usize,
    /// Where chunks are masked one by one.
    mask: Option<ValueId>,
    /// What is put behind each chunk: a byte as high as the one above a chunk's weights. What it adds to products lies
    /// above the block that is cut out.
    top: Vec<u8>,
}

impl Chunks {
    /// Spreads units; gives the element at each row's place, too.
    pub(super) fn new(
        emit: &mut Emit<'_>,
        units: &Units,
        geometry: &Geometry,
        even: bool,
    ) -> (Chunks, Vec<Option<usize>>) {
        emit.idiom("spread");
        let spread = &geometry.spread;
        let mut string = pad(emit, units, spread.count);
        let mut made = spread.count * spread.unit;
        let skipped = spread.first * spread.unit;
        let needed = skipped + spread.slots * geometry.row;
        while made < needed {
            string = emit.one(Op::Cat, &[string, string], "repeated units");
            made *= 2;
        }
        if skipped > 0 {
            string = emit.tail(string, skipped, "repeated units");
        }
        let whole = spread.slots * geometry.row;
        if made > needed {
            string = emit.head(string, whole, "repeated units");
        }
        let mut chunks = Chunks::masked(emit, string, geometry);
        if even {
            chunks.top = vec![0; geometry.top() - geometry.chunk_bytes()];
            chunks.top.push(1);
        }
        let element = |slot: usize| units.order.get(spread.unit_at(slot)).copied().flatten();
        (chunks, (0..spread.slots).map(element).collect())
    }

    fn masked(emit: &mut Emit<'_>, string: ValueId, geometry: &Geometry) -> Chunks {
        let (rows, row) = (geometry.rows, geometry.row);
        let missing = geometry.chunks() * rows - geometry.spread.slots;
        let mut unit = vec![0xff; geometry.spread.unit];
        unit.resize(geometry.row, 0);
        let slots = geometry.spread.slots;
        let even = slots.is_multiple_of(geometry.rows);
        let by_chunk = even && geometry.spread.step > 1 && (2..=MASKED_CHUNKS).contains(&geometry.chunks());
        let masked_rows = if by_chunk { geometry.rows } else { slots };
        let mask = emit.repeat_bytes(&unit, masked_rows * geometry.row, "unit mask");
        let mut chunks =
            Chunks { rest: string, given: 0, count: geometry.chunks(), rows, row, mask: None, top: vec![] };
        if by_chunk {
            chunks.mask = Some(mask);
            return chunks;
        }
        // A unit a row leaves nothing to be masked.
        if geometry.spread.step > 1 {
            chunks.rest = emit.one(Op::And, &[string, mask], "spread units");
        }
        if missing > 0 {
            let zeros = emit.zeros(missing * row);
            chunks.rest = emit.one(Op::Cat, &[chunks.rest, zeros], "spread units");
        }
        chunks
    }

    /// The next chunk, as a number.
    pub(super) fn next(&mut self, emit: &mut Emit<'_>) -> ValueId {
        emit.idiom("chunks");
        let (mut chunk, index) = (self.rest, self.given);
        self.given += 1;
        if self.given < self.count {
            (chunk, self.rest) = emit.split(self.rest, self.rows * self.row, "chunk", "more chunks");
        }
        if let Some(mask) = self.mask {
            chunk = emit.nth(Op::And, &[chunk, mask], "chunk", index);
        }
        if !self.top.is_empty() {
            chunk = emit.append(chunk, &self.top, "even chunk");
        }
        emit.nth(Op::BinToNum, &[chunk], "chunk", index)
    }
}

/// The string with as many units as given, zeros behind those there are.
fn pad(emit: &mut Emit<'_>, units: &Units, count: usize) -> ValueId {
    let (have, want) = (units.order.len() * units.unit + units.extra, count * units.unit);
    match want.checked_sub(have) {
        Some(0) => units.string,
        Some(missing) => {
            let zeros = emit.zeros(missing);
            emit.one(Op::Cat, &[units.string, zeros], "padded units")
        }
        None => emit.head(units.string, want, "units"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Spread;
    use super::super::testing::{Idiom, format, natural};
    use super::*;

    /// Units spread `step` of them apart, in so many chunks: every row has the unit that it is said to have, every
    /// element has a row, and nothing lies between.
    fn demand_spread(elements: usize, unit: usize, step: usize, chunks: usize, padded: bool, even: bool) {
        let what = format!("{elements} of {unit}, {step} apart, {chunks} chunks, {padded} {even}");
        let extra = usize::from(padded);
        let row = step * unit;
        let spread = Spread::new(elements, unit, row, padded);
        let rows = spread.slots.div_ceil(chunks);
        let geometry = Geometry { bits: 3, parts: 5, lanes: 1, row, rows, spread };
        let mut order = vec![];
        let idiom = Idiom::new(elements * unit, |emit, input| {
            let string = emit.one(Op::View(unit), &[input], "units");
            let string = if padded { emit.append(string, &[0], "units") } else { string };
            // Elements in another order than units.
            let units = Units { string, unit, order: (0..elements).rev().map(Some).collect(), extra, shift: 0.into() };
            let (mut chunks, rows) = Chunks::new(emit, &units, &geometry, even);
            order = rows;
            (0..geometry.chunks()).map(|_| chunks.next(emit)).collect()
        });
        let mut seen: Vec<usize> = order.iter().copied().flatten().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..elements).collect::<Vec<_>>(), "{what}");
        idiom.demand(|input, items| {
            for (chunk, item) in order.chunks(rows).zip(items) {
                let mut bytes = vec![];
                for element in chunk {
                    bytes.extend(
                        element.map_or(vec![0; unit], |at| input[(elements - 1 - at) * unit..][..unit].to_vec()),
                    );
                    bytes.resize(bytes.len().next_multiple_of(row), 0);
                }
                bytes.resize(rows * row, 0);
                if even {
                    bytes.resize(geometry.top(), 0);
                    bytes.push(1);
                }
                assert_eq!(number::decode(item), number::decode(&bytes), "{what}, {input:02x?}");
            }
        });
    }

    #[test]
    fn units_come_to_lie_a_row_apart() {
        for (elements, unit) in [(1, 1), (2, 1), (5, 1), (6, 1), (7, 2), (8, 3), (16, 1), (12, 2), (9, 5)] {
            for step in [1, 2, 3, 4, 6, 7, 12] {
                for chunks in [1, 2, 3, 5] {
                    for (padded, even) in [(false, false), (true, false), (false, true), (true, true)] {
                        demand_spread(elements, unit, step, chunks, padded, even);
                    }
                }
            }
        }
    }

    #[test]
    fn bytes_of_an_input_are_its_units() {
        let idiom = Idiom::new(5, |emit, input| {
            let units = Units::of_input(emit, input, &format(Encoding::Bits { bits: 8 }), 5);
            assert_eq!((units.unit, units.extra, &units.shift), (1, 0, &BigInt::ZERO));
            vec![units.string]
        });
        idiom.demand(|input, items| assert_eq!(items, [input]));
    }

    #[test]
    fn bits_of_an_input_become_a_unit_each() {
        for (bits, elements) in [(1, 1), (1, 8), (1, 13), (2, 4), (2, 9), (4, 2), (4, 7)] {
            let len = usize::div_ceil(bits * elements, 8);
            let mut order = vec![];
            let idiom = Idiom::new(len, |emit, input| {
                let units = Units::of_input(emit, input, &format(Encoding::Bits { bits }), elements);
                assert_eq!((units.unit, &units.shift), (1, &BigInt::ZERO));
                order = units.order;
                vec![units.string]
            });
            let mut seen: Vec<usize> = order.iter().copied().flatten().collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..elements).collect::<Vec<_>>());
            idiom.demand(|input, items| {
                for (unit, element) in items[0].iter().zip(&order) {
                    let Some(at) = element.map(|element| element * bits) else { continue };
                    assert_eq!(*unit, input[at / 8] >> (at % 8) & ((1 << bits) - 1), "{bits} bits of {input:02x?}");
                }
            });
        }
    }

    #[test]
    fn signed_inputs_become_offset_units_whatever_their_sign() {
        for (width, elements) in [(1, 1), (1, 2), (1, 7), (2, 1), (2, 4), (3, 3), (5, 4), (8, 2)] {
            let shift = power(8 * width - 1);
            let idiom = Idiom::new(width * elements, |emit, input| {
                let units = Units::of_input(emit, input, &format(Encoding::Fixed { width }), elements);
                assert_eq!((units.unit, units.extra, &units.shift), (width, 1, &shift));
                vec![units.string]
            });
            idiom.demand(|input, items| {
                assert_eq!((items[0].len(), items[0].last()), (width * elements + 1, Some(&0)));
                for (given, unit) in input.chunks(width).zip(items[0].chunks(width)) {
                    // A negative zero is zero, too.
                    assert_eq!(natural(unit), number::decode(given) + &shift, "{given:02x?}");
                }
            });
        }
    }

    #[test]
    fn numbers_are_packed_and_unpacked() {
        // Bytes, less what makes some of them negative and others not.
        for (less, width) in [(0, 2), (100, 2), (255, 2), (-50, 2), (-32_512, 2), (-32_513, 3)] {
            let mut elements = vec![];
            let idiom = Idiom::new(4, |emit, input| {
                let bytes = Units::of_input(emit, input, &format(Encoding::Bits { bits: 8 }), 4);
                let bytes = Units { string: emit.append(bytes.string, &[0], "bytes"), extra: 1, ..bytes };
                let numbers: Vec<ValueId> = bytes
                    .order
                    .iter()
                    .map(|element| {
                        let byte = emit.split(bytes.string, element.unwrap_or(0), "below", "from here").1;
                        let byte = emit.head(byte, 1, "byte");
                        let byte = emit.append(byte, &[0], "byte");
                        let byte = emit.one(Op::BinToNum, &[byte], "byte");
                        emit.with(Op::Sub, byte, less, "number")
                    })
                    .collect();
                let units = Units::of_numbers(emit, &numbers, &Interval::new(-less, 255 - less));
                assert_eq!(units.unit, width, "{less}");
                let string = units.string;
                let units = Units { order: vec![Some(3), None, Some(0), Some(1)], ..units };
                let numbers = units.into_numbers(emit);
                elements = numbers.iter().map(|(element, _)| *element).collect();
                numbers.into_iter().map(|(_, number)| number).chain([string]).collect()
            });
            assert_eq!(elements, [3, 0, 1]);
            idiom.demand(|input, items| {
                for (item, at) in items.iter().zip([0, 2, 3]) {
                    assert_eq!(number::decode(item), BigInt::from(i64::from(input[at]) - less));
                }
                let shifted = |byte: u8| BigInt::from(i64::from(byte) - less + less.max(0));
                let units: Vec<BigInt> = items[3].chunks(width).map(natural).collect();
                assert_eq!(units, input.iter().copied().map(shifted).collect::<Vec<_>>());
            });
        }
    }
}
