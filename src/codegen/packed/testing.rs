//! What the idioms' tests share: an idiom alone in a program, run on inputs worth trying.

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::emit::Emit;
use super::stages::Stage;
use super::units::Units;
use crate::bignum::{self, Builder, Name, Op, Program, ValueId};
use crate::input::{Encoding, InputFormat};
use crate::ir::{self, Interval, Ir, Matrix};
use crate::target::Target;

/// A program that is one idiom.
pub(super) struct Idiom {
    program: Program,
    /// The values that are looked at.
    shown: Vec<ValueId>,
    /// Bytes of the input.
    len: usize,
}

impl Idiom {
    /// What `make` emits, on an input of `len` bytes; it gives the values to be looked at.
    pub(super) fn new(len: usize, make: impl FnOnce(&mut Emit<'_>, ValueId) -> Vec<ValueId>) -> Idiom {
        Idiom::proved(len, make).unwrap()
    }

    /// The same, or why the program is refused.
    pub(super) fn proved(
        len: usize,
        make: impl FnOnce(&mut Emit<'_>, ValueId) -> Vec<ValueId>,
    ) -> Result<Idiom, String> {
        let mut builder = Builder::new(&["input"]);
        builder.check_depth(0);
        let name = || Name::whole(&Arc::from("input"));
        let input = builder.one(Op::CheckLength(len), &[builder.inputs()[0]], name());
        let mut emit = Emit { builder: &mut builder, layer: Arc::from("test"), onnx_node: Arc::from("") };
        let shown = make(&mut emit, input);
        // Comparing all values keeps them from being pruned.
        let all = shown.iter().fold(input, |all, &value| builder.one(Op::Equal, &[all, value], name()));
        let program = builder.finish(all)?;
        bignum::verify(&program, &Target::default())?;
        Ok(Idiom { program, shown, len })
    }

    /// The items that the values shown are for an input.
    pub(super) fn items(&self, input: &[u8]) -> Vec<Vec<u8>> {
        let items = bignum::eval_all(&self.program, &[input.to_vec()]).unwrap();
        self.shown.iter().map(|&id| items[id].clone().unwrap()).collect()
    }

    /// Hands inputs to `demand`, each with what the values shown are for it.
    pub(super) fn demand(&self, mut demand: impl FnMut(&[u8], &[Vec<u8>])) {
        for input in inputs(self.len) {
            demand(&input, &self.items(&input));
        }
    }
}

/// Bytes all alike, bytes that alternate, and mixed ones.
pub(super) fn inputs(len: usize) -> Vec<Vec<u8>> {
    let mut inputs: Vec<Vec<u8>> = [0, 0xff, 0x80, 0x7f, 1].map(|byte| vec![byte; len]).to_vec();
    inputs.push((0..len).map(|at| if at.is_multiple_of(2) { 0 } else { 0x80 }).collect());
    inputs.push((0..len).map(|at| if at.is_multiple_of(3) { 0xff } else { 0 }).collect());
    for seed in 0..6u32 {
        let mixed = |at: usize| (at as u32 * 16 + seed + 1).wrapping_mul(0x9e37_79b9);
        inputs.push((0..len).map(|at| (mixed(at) ^ mixed(at) >> 13) as u8).collect());
    }
    inputs
}

/// Bytes as a number that is not negative.
pub(super) fn natural(bytes: &[u8]) -> BigInt {
    BigInt::from_bytes_le(num_bigint::Sign::Plus, bytes)
}

/// An input of bytes.
pub(super) fn format(encoding: Encoding) -> InputFormat {
    let [scale, offset] = [1, 0].map(|value| BigRational::from_integer(value.into()));
    InputFormat { encoding, scale, offset }
}

/// A dense layer that takes bytes.
pub(super) struct Dense {
    pub(super) weights: Matrix,
    pub(super) bias: Vec<i64>,
}

impl Dense {
    /// Weights from `low` to `high`, mixed; the first output has the lowest alone, and the second one the highest.
    pub(super) fn new(inputs: usize, outputs: usize, low: i64, high: i64) -> Dense {
        let mixed = |at: usize| low + (at as i64 * 7919 + 13) * 31 % (high - low + 1);
        let weight = |at: usize| match at % outputs {
            0 => low,
            1 => high,
            _ => mixed(at),
        };
        let unit = BigRational::from_integer(1.into());
        let elements = (0..inputs * outputs).map(weight).collect();
        let bias = (0..outputs).map(|output| 100 * mixed(output)).collect();
        Dense { weights: Matrix { rows: inputs, columns: outputs, elements, unit }, bias }
    }

    /// The sums without the bias.
    pub(super) fn products(&self, input: &[u8]) -> Vec<i64> {
        let product = |at: usize, output: usize| i64::from(input[at]) * self.weights.at(at, output);
        (0..self.bias.len()).map(|output| (0..self.weights.rows).map(|at| product(at, output)).sum()).collect()
    }

    /// The sums with the bias.
    pub(super) fn sums(&self, input: &[u8]) -> Vec<i64> {
        self.products(input).iter().zip(&self.bias).map(|(product, bias)| product + bias).collect()
    }

    /// An IR whose one value has the bounds of the sums.
    pub(super) fn ir(&self) -> Ir {
        let bounds = |output: usize| {
            let weights = (0..self.weights.rows).map(|at| 255 * self.weights.at(at, output));
            let (low, high) = weights.fold((0, 0), |(low, high), most| (low + most.min(0), high + most.max(0)));
            Interval::new(low + self.bias[output], high + self.bias[output])
        };
        let intervals = (0..self.bias.len()).map(bounds).collect();
        let scale = BigRational::from_integer(1.into());
        let value = ir::Value { op: ir::Op::Input, scale, intervals, layer: 0 };
        Ir { name: "test".into(), input: format(Encoding::Bits { bits: 8 }), layers: vec![], values: vec![value] }
    }

    /// The layer as a stage of that IR.
    pub(super) fn stage(&self, relu: bool) -> Stage<'_> {
        let bias = self.bias.iter().map(|&bias| bias.into()).collect();
        Stage { input: 0, matmul: 0, weights: &self.weights, bias, biased: 0, relu, packed: 0, leaves_numbers: false }
    }

    /// The input's units.
    pub(super) fn units(&self, emit: &mut Emit<'_>, input: ValueId) -> Units {
        Units::of_input(emit, input, &format(Encoding::Bits { bits: 8 }), self.weights.rows)
    }
}
