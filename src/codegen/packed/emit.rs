//! Small idioms on byte strings and numbers that the others are made of.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::One;

use crate::bignum::{Builder, Name, Op, Origin, ValueId};
use crate::ir::{self, Ir};

/// Zeros up to this many bytes are pushed; more are made by NUM2BIN.
const PUSHED_ZEROS: usize = 3;

/// A builder, and the layer that it emits for.
pub(in crate::codegen) struct Emit<'b> {
    pub(super) builder: &'b mut Builder,
    pub(super) layer: Arc<str>,
    pub(super) onnx_node: Arc<str>,
}

impl<'b> Emit<'b> {
    /// Emits for the layer of an IR value.
    pub(in crate::codegen) fn new(builder: &'b mut Builder, ir: &Ir, value: ir::ValueId) -> Self {
        let layer = &ir.layers[ir.values[value].layer];
        Emit { builder, layer: Arc::from(layer.label.as_str()), onnx_node: Arc::from(layer.onnx_nodes.join(", ")) }
    }

    /// Says which idiom the following instructions are.
    pub(super) fn idiom(&mut self, step: &str) {
        let (layer, onnx_node) = (Arc::clone(&self.layer), Arc::clone(&self.onnx_node));
        let origin = self.builder.origin(Origin { layer, step: Arc::from(step), onnx_node });
        self.builder.enter(origin);
    }

    pub(super) fn one(&mut self, op: Op, operands: &[ValueId], name: &str) -> ValueId {
        self.builder.one(op, operands, Name::whole(&Arc::from(name)))
    }

    /// An instruction whose result is one of several of the same kind.
    pub(super) fn nth(&mut self, op: Op, operands: &[ValueId], name: &str, index: usize) -> ValueId {
        self.builder.one(op, operands, Name::element(&Arc::from(name), index))
    }

    /// An instruction with a constant number as its second operand.
    pub(super) fn with(&mut self, op: Op, value: ValueId, constant: impl Into<BigInt>, name: &str) -> ValueId {
        let constant = self.builder.number(&constant.into());
        self.one(op, &[value, constant], name)
    }

    /// A string with constant bytes behind it.
    pub(super) fn append(&mut self, string: ValueId, bytes: &[u8], name: &str) -> ValueId {
        let bytes = self.builder.bytes(bytes.to_vec());
        self.one(Op::Cat, &[string, bytes], name)
    }

    /// The first bytes of a string; the rest is dropped.
    pub(super) fn head(&mut self, string: ValueId, len: usize, name: &str) -> ValueId {
        self.split(string, len, name, "rest").0
    }

    /// A string without its first bytes.
    pub(super) fn tail(&mut self, string: ValueId, from: usize, name: &str) -> ValueId {
        self.split(string, from, "head", name).1
    }

    pub(super) fn split(&mut self, string: ValueId, at: usize, head: &str, tail: &str) -> (ValueId, ValueId) {
        let names = [head, tail].map(|name| Name::whole(&Arc::from(name)));
        self.builder.split(string, at, names)
    }

    /// Does to a string of `len` bytes what is done to it as one number, in pieces where it is too long for that. Pieces
    /// are cut between units; each is given with its length, and with as many zero bytes behind it as the whole has,
    /// `extra`; each result must have `left` bytes behind the piece's length, which are cut off but for the last.
    pub(super) fn by_pieces(
        &mut self,
        string: ValueId,
        (len, unit): (usize, usize),
        (extra, left): (usize, usize),
        mut work: impl FnMut(&mut Self, ValueId, usize) -> ValueId,
    ) -> ValueId {
        let most = self.builder.number_bytes().saturating_sub(1) / unit * unit;
        let (mut rest, mut missing, mut result): (_, _, Option<ValueId>) = (string, len, None);
        let pieces = len.div_ceil(most.max(unit));
        for left_over in (0..pieces).rev() {
            let bytes = (missing / unit).div_ceil(left_over + 1) * unit;
            missing -= bytes;
            let mut piece = rest;
            if left_over > 0 {
                (piece, rest) = self.split(rest, bytes, "piece", "more pieces");
                piece = if extra == 0 { piece } else { self.append(piece, &vec![0; extra], "piece") };
            }
            let mut done = work(self, piece, bytes);
            if left_over > 0 && left > 0 {
                done = self.head(done, bytes, "piece");
            }
            result = Some(match result {
                Some(before) => self.one(Op::Cat, &[before, done], "pieces"),
                None => done,
            });
        }
        result.unwrap_or(string)
    }

    /// So many zero bytes.
    pub(super) fn zeros(&mut self, count: usize) -> ValueId {
        if count <= PUSHED_ZEROS {
            return self.builder.bytes(vec![0; count]);
        }
        let zero = self.builder.number(&0.into());
        self.with(Op::NumToBin, zero, count, "zeros")
    }

    /// A byte and zeros behind it, as long as given.
    pub(super) fn padded(&mut self, bytes: &[u8], len: usize) -> ValueId {
        let zeros = len - bytes.len();
        // A number without a sign bit can be written to any length.
        let mut number = bytes.to_vec();
        if number.last().is_some_and(|top| top & 0x80 != 0) {
            number.push(0);
        }
        if zeros <= PUSHED_ZEROS + 1 || number.len() > len {
            let mut bytes = bytes.to_vec();
            bytes.resize(len, 0);
            return self.builder.bytes(bytes);
        }
        let number = self.builder.bytes(number);
        self.with(Op::NumToBin, number, len, "pattern")
    }

    /// A pattern over and over, `len` bytes in all: doubled by DUP CAT, and cut where it is too long.
    pub(super) fn repeat(&mut self, pattern: ValueId, period: usize, len: usize, name: &str) -> ValueId {
        let mut string = self.one(Op::Load, &[pattern], name);
        let mut made = period;
        while made < len {
            string = self.one(Op::Cat, &[string, string], name);
            made *= 2;
        }
        if made > len { self.head(string, len, name) } else { string }
    }

    /// `len` bytes that repeat with the period of `bytes`.
    pub(super) fn repeat_bytes(&mut self, bytes: &[u8], len: usize, name: &str) -> ValueId {
        let period = shortest_period(bytes);
        let pattern = self.trimmed(&bytes[..period]);
        self.repeat(pattern, period, len, name)
    }

    /// Bytes by the shortest code, where they end in many zeros.
    fn trimmed(&mut self, bytes: &[u8]) -> ValueId {
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if used == 0 { self.zeros(bytes.len()) } else { self.padded(&bytes[..used], bytes.len()) }
    }
}

/// The length of the shortest prefix whose repetition a string is.
pub(super) fn shortest_period(bytes: &[u8]) -> usize {
    let repeats = |period: &usize| {
        bytes.len().is_multiple_of(*period) && bytes.chunks(*period).all(|chunk| chunk == &bytes[..*period])
    };
    (1..=bytes.len()).find(repeats).unwrap_or(bytes.len())
}

/// `2^exponent`.
pub(super) fn power(exponent: usize) -> BigInt {
    BigInt::one() << exponent
}

#[cfg(test)]
mod tests {
    use super::super::testing::Idiom;
    use super::*;

    #[test]
    fn patterns_are_repeated_to_any_length() {
        let patterns: [&[u8]; 9] = [
            &[0],
            &[0xff],
            &[0x80, 0],
            &[1, 2, 3],
            &[0, 0, 0x80],
            &[0xff, 0, 0, 0, 0, 0],
            &[0x80, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0],
            &[7, 7, 7, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ];
        for pattern in patterns {
            for len in (0..=9 * pattern.len()).chain([64, 100]) {
                let idiom = Idiom::new(1, |emit, _| {
                    // The period is found, however often the bytes repeat.
                    vec![emit.repeat_bytes(pattern, len, "once"), emit.repeat_bytes(&pattern.repeat(3), len, "thrice")]
                });
                let right: Vec<u8> = pattern.iter().copied().cycle().take(len).collect();
                assert_eq!(idiom.items(&[0]), [right.clone(), right], "{pattern:?} to {len} bytes");
            }
        }
    }

    #[test]
    fn zeros_are_as_many_as_asked_for() {
        for len in 0..40 {
            let idiom = Idiom::new(1, |emit, _| {
                let zeros = emit.zeros(len);
                vec![emit.one(Op::Load, &[zeros], "zeros")]
            });
            assert_eq!(idiom.items(&[0]), [vec![0; len]]);
        }
    }

    #[test]
    fn bytes_are_padded_whatever_their_top_bit() {
        let heads: [&[u8]; 6] = [&[1], &[0x7f], &[0x80], &[0xff], &[0, 0x80], &[0xff, 0xff, 0x7f]];
        for bytes in heads {
            for zeros in 0..20 {
                let len = bytes.len() + zeros;
                let idiom = Idiom::new(1, |emit, _| vec![emit.padded(bytes, len)]);
                assert_eq!(idiom.items(&[0]), [[bytes, &vec![0; zeros]].concat()]);
            }
        }
    }

    #[test]
    fn periods_are_the_shortest() {
        for (bytes, period) in [(&b"abab"[..], 2), (b"aba", 3), (b"aaaa", 1), (b"abcabd", 6), (b"", 0)] {
            assert_eq!(shortest_period(bytes), period);
        }
    }
}
