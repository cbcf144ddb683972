//! What an operation makes of what is proved of its operands.

use num_bigint::BigInt;
use num_traits::{One, ToPrimitive, Zero};

use super::{Kind, Op};
use crate::ir::Interval;
use crate::script::number;

/// An operand: what is proved of it, and its bytes where it is a constant.
pub(super) type Operand<'a> = (&'a Kind, Option<&'a [u8]>);

/// The kinds of the results, deepest first.
///
/// # Errors
/// What the operands lack (invariants 3, 5 and 6 of the module).
pub(super) fn results(op: Op, operands: &[Operand<'_>]) -> Result<Vec<Kind>, String> {
    let number = |index: usize| match operands[index].0 {
        Kind::Number(interval) => Ok(interval),
        kind => Err(format!("invariant 3: operand {index} is no number but {kind:?}")),
    };
    let bytes = |index: usize| match operands[index].0 {
        Kind::Bytes { len, most } => Ok((*len, most.as_ref())),
        kind => Err(format!("invariant 3: operand {index} is no byte string of known length but {kind:?}")),
    };
    let divisor = || match number(1)?.as_point() {
        Some(divisor) if !divisor.is_zero() => Ok(divisor.clone()),
        _ => Err("invariant 5: the divisor is not a constant other than zero".to_owned()),
    };
    let kind = match op {
        Op::CheckDepth(_) => return Ok(vec![]),
        Op::CheckLength(len) => Kind::bytes(len),
        Op::Keep => Kind::Number(number(0)?.clone()),
        Op::Add => Kind::Number(number(0)?.add(number(1)?)),
        Op::Sub => Kind::Number(number(0)?.sub(number(1)?)),
        Op::Mul => Kind::Number(number(0)?.mul(number(1)?)),
        Op::Div => Kind::Number(number(0)?.div(&divisor()?)),
        Op::Mod => Kind::Number(number(0)?.rem(&divisor()?)),
        Op::Negate => Kind::Number(number(0)?.scale(&BigInt::from(-1))),
        Op::Max => Kind::Number(number(0)?.max(number(1)?)),
        Op::Equal => Kind::Number(Interval::new(0, 1)),
        Op::Split => {
            let position = operands[1].1.map(number::decode).and_then(|position| position.to_usize());
            return split(bytes(0)?, position.ok_or("invariant 3: the position of a split is not a constant")?);
        }
        Op::Cat => {
            let ((low_len, low), (high_len, high)) = (bytes(0)?, bytes(1)?);
            let most = high.map(|high| (high << (8 * low_len)) + low.map_or_else(|| largest(low_len), BigInt::clone));
            Kind::Bytes { len: low_len + high_len, most }
        }
        Op::BinToNum => Kind::Number(read_number(bytes(0)?)),
        Op::GreaterThan => {
            number(0).and(number(1))?;
            Kind::Number(Interval::new(0, 1))
        }
    };
    Ok(vec![kind])
}

/// The most that so many bytes can be.
fn largest(len: usize) -> BigInt {
    (BigInt::one() << (8 * len)) - 1
}

fn split((len, most): (usize, Option<&BigInt>), position: usize) -> Result<Vec<Kind>, String> {
    if position > len {
        return Err(format!("invariant 3: a split at {position} of {len} bytes"));
    }
    let Some(most) = most else {
        return Ok(vec![Kind::bytes(position), Kind::bytes(len - position)]);
    };
    let tail = most >> (8 * position);
    let head = tail.is_zero().then(|| most.clone());
    Ok(vec![Kind::Bytes { len: position, most: head }, Kind::Bytes { len: len - position, most: Some(tail) }])
}

/// Bytes read as a number: the top bit is a sign wherever it can be set.
fn read_number((len, most): (usize, Option<&BigInt>)) -> Interval {
    let Some(bits) = (8 * len).checked_sub(1) else {
        return Interval::new(0, 0);
    };
    let sign: BigInt = BigInt::one() << bits;
    match most {
        Some(most) if *most < sign => Interval::new(0, most.clone()),
        _ => Interval::new(1 - &sign, sign - 1),
    }
}
