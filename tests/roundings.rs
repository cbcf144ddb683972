//! Roundings to the nearest integer, halves to the even one, through scripts: every operand of small intervals, against
//! fractions rounded by their definition.

mod common;

use common::networks::{End, network};
use common::{DEFAULT, Lock};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::One;
use onnx2script::input::InputSpec;
use onnx2script::ir::{Builder, Ir, Layer, Matrix, Op};
use onnx2script::passes::{self, Level};
use onnx2script::script::number;
use onnx2script::{Options, generate};

/// What results are told apart by, once they are added up.
const APART: i64 = 10_000;

/// The nearest integer; of two that are equally near, the even one.
fn rounded(quotient: &BigRational) -> BigInt {
    let below = quotient.floor().to_integer();
    let to_below = quotient - &BigRational::from(below.clone());
    let half = BigRational::new(1.into(), 2.into());
    let up = to_below > half || to_below == half && below.is_odd();
    if up { below + 1 } else { below }
}

/// A network that bounds each of its inputs, rounds them, and gives all results in one number.
fn ir(input: &str, bounds: &[(i64, i64)], factors: &[i64], divisor: i64) -> Ir {
    let layer =
        Layer { label: "input".into(), onnx_nodes: vec![], channels: vec![], storage: None, approximations: vec![] };
    let format = input.parse::<InputSpec>().unwrap().resolve(true);
    let mut builder = Builder::new("test.onnx".into(), format, factors.len(), layer);
    let low = bounds.iter().map(|(low, _)| (*low).into()).collect();
    let high = bounds.iter().map(|(_, high)| (*high).into()).collect();
    let x = builder.push(Op::Max { x: 0, constant: low }, 0);
    let x = builder.push(Op::Min { x, constant: high }, 0);
    let factors: Vec<BigInt> = factors.iter().map(|&factor| factor.into()).collect();
    let rows = factors.len();
    let x = builder.push(Op::Round { x, factors, divisor: divisor.into(), scale: BigRational::one() }, 0);
    let elements = (0..rows).map(|row| APART.pow(row as u32)).collect();
    let weights = Matrix { rows, columns: 1, elements, unit: BigRational::one() };
    builder.push(Op::MatMul { x, weights: weights.into() }, 0);
    builder.finish()
}

/// Demands the rounded quotients, of the network and of its script, at two levels; the bytes are all inputs' alike.
fn demand(input: &str, bounds: &[(i64, i64)], factors: &[i64], divisor: i64, bytes: impl Iterator<Item = u8> + Clone) {
    let ir = ir(input, bounds, factors, divisor);
    for level in [Level::None, Level::Full] {
        let optimised = passes::run(&ir, level, None).unwrap();
        let options = Options { contract: "class".parse().unwrap(), level, ..Options::default() };
        let graph = network(factors.len(), vec![], End::Value);
        let lock = Lock::new(generate(graph, ir.clone(), optimised, &options).unwrap());
        for byte in bytes.clone() {
            let input = vec![byte; lock.input_len()];
            let pushed = lock.integers(&input);
            let result = |at: usize| {
                let operand = pushed[at].clone().clamp(bounds[at].0.into(), bounds[at].1.into());
                rounded(&BigRational::new(operand * factors[at], divisor.into())) * APART.pow(at as u32)
            };
            let expected: BigInt = (0..factors.len()).map(result).sum();
            let context = || format!("{byte} within {bounds:?} times {factors:?} by {divisor} at level {level}");
            assert_eq!(lock.class(&input), expected, "{}", context());
            let outcome = lock.push(std::slice::from_ref(&input), &DEFAULT);
            assert_eq!(outcome.stack, [number::encode(&expected)], "{}", context());
        }
    }
}

#[test]
fn every_signed_byte_by_small_divisors() {
    let all = [(-127, 127); 4];
    for divisor in 2..=9 {
        for factors in [[1, 2, 3, 4], [5, 6, 7, 8], [divisor, divisor + 1, 2 * divisor - 1, 11]] {
            demand("fixed:1", &all, &factors, divisor, 0..=255);
        }
    }
}

#[test]
fn halves_at_the_ends_of_intervals() {
    for divisor in 2..=5 {
        for low in -5i64..=5 {
            for high in low..=5 {
                let bounds = [(low, high), (low - divisor, high), (-high, -low)];
                // As magnitude and sign: from the lowest operand to the highest.
                let bytes = (low - 8..=high + 1).map(|v| if v < 0 { 0x80 | v.unsigned_abs() as u8 } else { v as u8 });
                demand("fixed:1", &bounds, &[1, 1, 3], divisor, bytes);
            }
        }
    }
}

#[test]
fn every_byte_by_what_adds_a_constant_or_nearly() {
    for (factors, divisor) in [([16_777_217, 16_777_215], 16_777_216), ([999, 1001], 1000), ([509, 511], 510)] {
        for bounds in [(0, 255), (1, 255), (127, 128)] {
            demand("u8", &[bounds; 2], &factors, divisor, 0..=255);
        }
    }
}
