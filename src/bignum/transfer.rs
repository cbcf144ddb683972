//! What an operation makes of what is proved of its operands.

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::{Detail, Kind, Op, Program, ValueId, lanes};
use crate::ir::Interval;
use crate::script::number;

/// The kinds of the results and what is proved of their bits, deepest first.
///
/// # Errors
/// What the operands lack (invariants 3, 5, 6 and 8 of the module).
pub(super) fn results(program: &Program, op: Op, operands: &[ValueId]) -> Result<Vec<(Kind, Detail)>, String> {
    let kinds = kinds(&Operands { program, ids: operands }, op)?;
    let fixed_len = |&id: &ValueId| match (&program.values[id].kind, program.known(id)) {
        (Kind::Bytes { len, .. }, _) => Some(*len),
        (_, known) => known.map(<[u8]>::len),
    };
    let lens: Vec<Option<usize>> = operands.iter().map(fixed_len).collect();
    let details = lanes::detail(program, op, operands, &lens).map_err(|reason| format!("invariant 8: {reason}"))?;
    Ok(kinds.into_iter().zip(details).map(|(kind, detail)| (refine(kind, &detail), detail)).collect())
}

/// The most bytes that each result can have, from those of the operands.
pub(super) fn sizes(program: &Program, op: Op, operands: &[ValueId]) -> Vec<usize> {
    let size = |index: usize| program.values[operands[index]].most_bytes();
    let constant =
        |index: usize| program.constant(operands[index]).map(number::decode).and_then(|value| value.to_usize());
    match op {
        Op::CheckDepth(_) => vec![],
        Op::CheckLength(bytes) => vec![bytes],
        Op::Split => {
            let at = constant(1).unwrap_or(0).min(size(0));
            vec![at, size(0) - at]
        }
        Op::Cat | Op::Mul => vec![size(0) + size(1)],
        Op::Add | Op::Sub => vec![size(0).max(size(1)) + 1],
        Op::Div => vec![size(0).saturating_sub(size(1)) + 1],
        Op::Mod => vec![size(1)],
        Op::NumToBin => vec![constant(1).unwrap_or(0)],
        Op::Equal | Op::GreaterThan => vec![1],
        Op::Keep | Op::Load | Op::View(_) | Op::Lane | Op::Negate | Op::BinToNum => vec![size(0)],
        Op::Min | Op::Max | Op::And => vec![size(0).max(size(1))],
    }
}

/// What the bits say of a number beyond what its operands' intervals say.
fn refine(kind: Kind, detail: &Detail) -> Kind {
    match (kind, detail) {
        (Kind::Number(_), Detail::Known(bytes)) => Kind::Number(Interval::point(number::decode(bytes))),
        (Kind::Bytes { len, most: None }, Detail::Known(bytes)) if number::is_minimal(bytes) => {
            Kind::Bytes { len, most: Some(BigInt::from_bytes_le(num_bigint::Sign::Plus, bytes)) }
        }
        (kind, _) => kind,
    }
}

/// The operands of an instruction.
struct Operands<'p> {
    program: &'p Program,
    ids: &'p [ValueId],
}

impl Operands<'_> {
    fn kind(&self, index: usize) -> &Kind {
        &self.program.values[self.ids[index]].kind
    }

    fn known(&self, index: usize) -> Option<&[u8]> {
        self.program.known(self.ids[index])
    }

    /// The interval of a number; a byte string is one where it is known and in its shortest form.
    fn number(&self, index: usize) -> Result<Interval, String> {
        match (self.kind(index), self.known(index)) {
            (Kind::Number(interval), _) => Ok(interval.clone()),
            (Kind::Bytes { .. }, Some(bytes)) if number::is_minimal(bytes) => {
                Ok(Interval::point(number::decode(bytes)))
            }
            (kind, _) => Err(format!("invariant 3: operand {index} is no number but {}", kind.describe())),
        }
    }

    /// The length of a byte string, and the most it can be.
    fn bytes(&self, index: usize) -> Result<(usize, Option<&BigInt>), String> {
        match (self.kind(index), self.known(index)) {
            (Kind::Bytes { len, most }, _) => Ok((*len, most.as_ref())),
            (Kind::Number(_), Some(bytes)) => Ok((bytes.len(), None)),
            (kind, _) => {
                Err(format!("invariant 3: operand {index} is no byte string of known length but {}", kind.describe()))
            }
        }
    }

    fn divisor(&self) -> Result<BigInt, String> {
        match self.number(1)?.as_point() {
            Some(divisor) if !divisor.is_zero() => Ok(divisor.clone()),
            _ => Err("invariant 5: the divisor is not a constant other than zero".to_owned()),
        }
    }

    /// A constant length or position.
    fn size(&self, index: usize) -> Result<usize, String> {
        let size = self.known(index).map(number::decode).and_then(|size| size.to_usize());
        size.ok_or_else(|| "invariant 3: a length or position that is not a constant".to_owned())
    }
}

fn kinds(operands: &Operands<'_>, op: Op) -> Result<Vec<Kind>, String> {
    let number = |index: usize| operands.number(index);
    let kind = match op {
        Op::CheckDepth(_) => return Ok(vec![]),
        Op::CheckLength(len) => Kind::bytes(len),
        Op::Keep | Op::Lane => Kind::Number(number(0)?),
        Op::Load => operands.kind(0).clone(),
        Op::View(_) => Kind::bytes(operands.bytes(0)?.0),
        Op::Add => Kind::Number(number(0)?.add(&number(1)?)),
        Op::Sub => Kind::Number(number(0)?.sub(&number(1)?)),
        Op::Mul => Kind::Number(number(0)?.mul(&number(1)?)),
        Op::Div => Kind::Number(number(0)?.div(&operands.divisor()?)),
        Op::Mod => Kind::Number(number(0)?.rem(&operands.divisor()?)),
        Op::Negate => Kind::Number(number(0)?.scale(&BigInt::from(-1))),
        Op::Min => Kind::Number(number(0)?.min(&number(1)?)),
        Op::Max => Kind::Number(number(0)?.max(&number(1)?)),
        Op::Equal => Kind::Number(Interval::new(0, 1)),
        Op::Split => return split(operands),
        Op::Cat => {
            let ((low_len, low), (high_len, high)) = (operands.bytes(0)?, operands.bytes(1)?);
            let most = high.map(|high| (high << (8 * low_len)) + low.map_or_else(|| largest(low_len), BigInt::clone));
            Kind::Bytes { len: low_len + high_len, most }
        }
        Op::GreaterThan => {
            number(0).and(number(1))?;
            Kind::Number(Interval::new(0, 1))
        }
        Op::BinToNum => Kind::Number(read_number(operands)?),
        Op::NumToBin => {
            let (interval, len) = (number(0)?, operands.size(1)?);
            if interval.encoded_len() > len {
                return Err(format!("invariant 3: a number of {} bytes written to {len}", interval.encoded_len()));
            }
            Kind::bytes(len)
        }
        Op::And => {
            let (a, b) = (operands.bytes(0)?.0, operands.bytes(1)?.0);
            if a != b {
                return Err(format!("invariant 3: AND of {a} and {b} bytes"));
            }
            Kind::bytes(a)
        }
    };
    Ok(vec![kind])
}

/// The most that so many bytes can be.
fn largest(len: usize) -> BigInt {
    (BigInt::one() << (8 * len)) - 1
}

fn split(operands: &Operands<'_>) -> Result<Vec<Kind>, String> {
    let position = operands.size(1)?;
    if let (Kind::Number(interval), None) = (operands.kind(0), operands.known(0)) {
        return split_number(interval, position);
    }
    let (len, most) = operands.bytes(0)?;
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

/// A number that is never negative and never shorter than the position: its lowest bytes, and a rest.
fn split_number(interval: &Interval, position: usize) -> Result<Vec<Kind>, String> {
    let (shortest, longest) = (number::encoded_len(&interval.low), interval.encoded_len());
    if interval.low.is_negative() || position > shortest {
        return Err(format!("invariant 3: a split at {position} of a number that may be shorter, or negative"));
    }
    Ok(vec![Kind::bytes(position), Kind::Rest { most: longest - position }])
}

/// Bytes read as a number: the top bit is a sign wherever it can be set.
fn read_number(operands: &Operands<'_>) -> Result<Interval, String> {
    let (len, most) = operands.bytes(0)?;
    let Some(bits) = (8 * len).checked_sub(1) else {
        return Ok(Interval::new(0, 0));
    };
    let sign: BigInt = BigInt::one() << bits;
    if let Some(interval) = lanes::interval(&operands.program.values[operands.ids[0]].detail)
        && interval.high < sign
    {
        return Ok(interval);
    }
    Ok(match most {
        Some(most) if *most < sign => Interval::new(0, most.clone()),
        _ => Interval::new(1 - &sign, sign - 1),
    })
}
