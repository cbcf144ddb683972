//! Networks in integers, step by step out of bytes: whatever the IR can say, also where no model says it.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::One;
use onnx2script::input::InputFormat;
use onnx2script::ir::{Bend, Builder, Curve, Ir, Layer, Matrix, Op, Tie, ValueId};

/// Longest input.
const MOST_INPUTS: usize = 12;
/// Most columns of a matrix, and bends of a curve.
const MOST_COLUMNS: usize = 8;
const MOST_BENDS: usize = 6;
/// Most steps.
const MOST_STEPS: usize = 8;
/// Values are no longer than this, in bytes and elements: steps that would make them longer are left out.
const MOST_BYTES: usize = 200;
const MOST_ELEMENTS: usize = 100;

/// A network for inputs in this format.
pub(crate) fn network(source: &mut Unstructured<'_>, input: InputFormat) -> Result<Ir> {
    let inputs = source.int_in_range(1..=MOST_INPUTS)?;
    let mut builder = Builder::new("fuzz.onnx".into(), input, inputs, layer("input"));
    let dense = builder.layer(layer("dense 1"));
    for _ in 0..source.int_in_range(1..=MOST_STEPS)? {
        let x = operand(source, &builder)?;
        let op = step(source, &builder, x)?;
        let before = builder.ir().values.len();
        let made = builder.push(op, dense);
        let value = builder.value(made);
        let long = value.intervals.iter().any(|interval| interval.encoded_len() > MOST_BYTES);
        if long || value.intervals.len() > MOST_ELEMENTS {
            builder.end_at(before - 1);
        }
    }
    end(source, &mut builder)?;
    Ok(builder.finish())
}

fn layer(label: &str) -> Layer {
    Layer { label: label.into(), onnx_nodes: vec![], channels: vec![], storage: None, approximations: vec![] }
}

/// Most often the newest value.
fn operand(source: &mut Unstructured<'_>, builder: &Builder) -> Result<ValueId> {
    let last = builder.ir().values.len() - 1;
    Ok(if source.ratio(1, 4)? { source.int_in_range(0..=last)? } else { last })
}

/// The answer: a class, a threshold, or a number.
fn end(source: &mut Unstructured<'_>, builder: &mut Builder) -> Result<()> {
    let last = builder.ir().values.len() - 1;
    let len = builder.value(last).intervals.len();
    let kind = source.int_in_range(0..=2u8)?;
    if kind == 0 {
        let tie = *source.choose(&[Tie::First, Tie::Last])?;
        builder.push(Op::ArgMax { x: last, tie }, 1);
        return Ok(());
    }
    let pick = source.choose_index(len)?;
    let one = if len == 1 {
        last
    } else {
        builder.push(Op::Gather { parts: vec![last], picks: Arc::new(vec![(0, pick)]) }, 1)
    };
    if kind == 1 {
        builder.push(Op::Positive { x: one }, 1);
    }
    Ok(())
}

fn step(source: &mut Unstructured<'_>, builder: &Builder, x: ValueId) -> Result<Op> {
    let len = builder.value(x).intervals.len();
    Ok(match source.int_in_range(0..=12u8)? {
        0 => Op::MatMul { x, weights: matrix(source, len)? },
        1 => Op::Add { x, constant: integers(source, len)? },
        2 => Op::Mul { x, constant: integers(source, len)?, unit: BigRational::one() },
        3 => Op::Rescale { x, divisor: integer(source)?.magnitude().clone().max(2u8.into()).into() },
        4 => round(source, x, len)?,
        5 => Op::Relu { x },
        6 => Op::Max { x, constant: integers(source, len)? },
        7 => Op::Min { x, constant: integers(source, len)? },
        8 => piecewise(source, x, len)?,
        9 => Op::Sum { terms: [x, like(builder, x, true)] },
        10 => Op::Product { factors: [x, like(builder, x, false)] },
        11 => gather(source, builder, x)?,
        _ => products(source, builder, x, len)?,
    })
}

/// The oldest value that has as many elements, and the same scale where that is wanted.
fn like(builder: &Builder, x: ValueId, scale: bool) -> ValueId {
    let wanted = builder.value(x);
    let fits = |id: &ValueId| {
        let value = builder.value(*id);
        value.intervals.len() == wanted.intervals.len() && (!scale || value.scale == wanted.scale)
    };
    (0..x).find(fits).unwrap_or(x)
}

fn round(source: &mut Unstructured<'_>, x: ValueId, len: usize) -> Result<Op> {
    let positive = |value: &BigInt| BigInt::from(value.magnitude().clone().max(1u8.into()));
    Ok(Op::Round {
        x,
        factors: integers(source, len)?.iter().map(positive).collect(),
        divisor: positive(&integer(source)?) + 1,
        scale: BigRational::one(),
    })
}

fn piecewise(source: &mut Unstructured<'_>, x: ValueId, len: usize) -> Result<Op> {
    let count = if source.arbitrary()? { 1 } else { len };
    let curves = (0..count).map(|_| curve(source)).collect::<Result<Vec<Curve>>>()?;
    Ok(Op::Piecewise { x, curves: Arc::new(curves), unit: BigRational::one() })
}

fn curve(source: &mut Unstructured<'_>) -> Result<Curve> {
    let bends = source.int_in_range(0..=MOST_BENDS)?;
    let mut places = integers(source, bends)?;
    places.sort();
    places.dedup();
    let bend = |at: BigInt| Ok(Bend { at, change: integer(source)? });
    let mut bends = places.into_iter().map(bend).collect::<Result<Vec<Bend>>>()?;
    bends.retain(|bend| bend.change != BigInt::ZERO);
    Ok(Curve { slope: integer(source)?, offset: integer(source)?, bends })
}

/// Elements of the value, and of another of its scale.
fn gather(source: &mut Unstructured<'_>, builder: &Builder, x: ValueId) -> Result<Op> {
    let scale = &builder.value(x).scale;
    let other = (0..x).find(|&id| builder.value(id).scale == *scale);
    let parts: Vec<ValueId> = [x].into_iter().chain(other).collect();
    let count = source.int_in_range(1..=2 * MOST_COLUMNS)?;
    let mut pick = || {
        let part = source.choose_index(parts.len())?;
        Ok((part, source.choose_index(builder.value(parts[part]).intervals.len())?))
    };
    let picks = (0..count).map(|_| pick()).collect::<Result<Vec<_>>>()?;
    Ok(Op::Gather { parts, picks: Arc::new(picks) })
}

/// Single products, and the sum of rows of what products are.
fn products(source: &mut Unstructured<'_>, builder: &Builder, x: ValueId, len: usize) -> Result<Op> {
    if let Op::Products { weights, .. } = &builder.value(x).op {
        return Ok(Op::SumRows { x, columns: weights.columns });
    }
    Ok(Op::Products { x, weights: matrix(source, len)? })
}

fn matrix(source: &mut Unstructured<'_>, rows: usize) -> Result<Arc<Matrix>> {
    let columns = source.int_in_range(1..=MOST_COLUMNS)?;
    let bits = *source.choose(&[1, 2, 4, 8, 16, 32, 50])?;
    let weight = |_| Ok(source.arbitrary::<i64>()? >> (64 - bits));
    let elements = (0..rows * columns).map(weight).collect::<Result<_>>()?;
    Ok(Arc::new(Matrix { rows, columns, elements, unit: BigRational::one() }))
}

fn integers(source: &mut Unstructured<'_>, count: usize) -> Result<Vec<BigInt>> {
    (0..count).map(|_| integer(source)).collect()
}

/// Small, at the end of so many bits, or anything.
fn integer(source: &mut Unstructured<'_>) -> Result<BigInt> {
    let byte: u8 = source.arbitrary()?;
    let power = |bits: u8| BigInt::one() << usize::from(bits);
    Ok(match byte {
        0..128 => BigInt::from(byte as i8 - 64),
        128..168 => power(byte - 128),
        168..208 => -power(byte - 168),
        208..240 => power(byte - 208) - 1,
        _ => BigInt::from(source.arbitrary::<i64>()?),
    })
}
