//! What an operation makes of the lanes of its operands.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive};

use super::Detail;
use super::bits::MOST_BITS;
use super::linear::{Lane, Linear};
use super::rope::{Rope, runs};
use crate::bignum::{Definition, Kind, Op, Program, ValueId};
use crate::script::number;

/// An operand: its lanes, and its bytes where they are known.
struct Operand<'p> {
    detail: &'p Detail,
    known: Option<&'p [u8]>,
}

impl Operand<'_> {
    fn is_known(&self) -> bool {
        self.known.is_some()
    }

    fn number(&self) -> Option<BigInt> {
        self.known.map(number::decode)
    }

    fn rope(&self) -> Option<Rope> {
        match (self.detail, self.known) {
            (Detail::Rope(rope), _) => Some((**rope).clone()),
            (_, Some(bytes)) => Some(Rope::of_constant(bytes)),
            _ => None,
        }
    }
}

/// What is known of the results' bits, deepest first; `lens` are the operands' lengths where they are fixed.
///
/// # Errors
/// Where the program reads bits that a lane could have left or reached.
pub(in crate::bignum) fn detail(
    program: &Program,
    op: Op,
    operands: &[ValueId],
    lens: &[Option<usize>],
) -> Result<Vec<Detail>, String> {
    let known: Vec<Operand<'_>> =
        operands.iter().map(|&id| Operand { detail: &program.values[id].detail, known: program.known(id) }).collect();
    if op == Op::Load {
        let bytes = known[0].known.ok_or("a load of what is not the same for every input")?;
        return Ok(vec![Detail::Known(bytes.into())]);
    }
    if let (Op::View(unit), Some(len)) = (op, lens.first().copied().flatten()) {
        let rope = match known[0].detail {
            Detail::Rope(rope) if unit > 0 => rope.units(8 * unit)?,
            _ if unit == 0 || 8 * unit > MOST_BITS => {
                return Err(format!("units of {unit} bytes, which lanes cannot be"));
            }
            _ => Rope::of_units(len, unit),
        };
        return Ok(vec![Detail::Rope(Arc::new(rope))]);
    }
    if let (Op::Lane, [number]) = (op, operands)
        && let Kind::Number(interval) = &program.values[*number].kind
    {
        return Ok(vec![Linear::of_interval(interval).map(|lane| Detail::Linear(lane.into())).unwrap_or_default()]);
    }
    if !known.is_empty() && known.iter().all(Operand::is_known) {
        return Ok(fold(op, &known));
    }
    let packed = known.iter().any(|operand| *operand.detail != Detail::Nothing);
    // Programs without lanes pay nothing for them.
    if !packed && op != Op::NumToBin {
        return Ok(vec![Detail::Nothing; op.results()]);
    }
    let one = |detail: Option<Detail>| vec![detail.unwrap_or_default()];
    Ok(match op {
        Op::Add | Op::Sub | Op::Mul | Op::Div => {
            one(arithmetic(op, &known).map(|linear| Detail::Linear(linear.into())))
        }
        Op::Cat => one(cat(&known, lens)),
        Op::Split => split(&known)?,
        Op::And => one(and(program, operands, &known)?.map(|rope| Detail::Rope(rope.into()))),
        Op::BinToNum => one(bin_to_num(&known, lens[0])),
        Op::NumToBin => one(num_to_bin(&known, &program.values[operands[0]].kind)),
        _ => vec![Detail::Nothing; op.results()],
    })
}

/// An operation on constants: done now.
fn fold(op: Op, known: &[Operand<'_>]) -> Vec<Detail> {
    let items: Vec<Vec<u8>> = known.iter().map(|operand| operand.known.unwrap_or_default().to_vec()).collect();
    let operands: Vec<usize> = (0..items.len()).collect();
    match crate::bignum::eval::step(op, &operands, &items, 0) {
        Ok(results) => results.into_iter().map(|bytes| Detail::Known(bytes.into())).collect(),
        Err(_) => vec![Detail::Nothing; op.results()],
    }
}

fn arithmetic(op: Op, operands: &[Operand<'_>]) -> Option<Linear> {
    let [a, b] = operands else { return None };
    match (op, a.detail, b.detail, a.number(), b.number()) {
        (Op::Add, Detail::Linear(x), Detail::Linear(y), ..) => Some(x.plus(y)),
        (Op::Add, Detail::Linear(x), _, _, Some(c)) | (Op::Add, _, Detail::Linear(x), Some(c), _) => {
            Some(x.plus_constant(&c))
        }
        (Op::Sub, Detail::Linear(x), Detail::Linear(y), ..) => Some(x.plus(&y.times(&-BigInt::one()))),
        (Op::Sub, Detail::Linear(x), _, _, Some(c)) => Some(x.plus_constant(&-c)),
        (Op::Sub, _, Detail::Linear(x), Some(c), _) => Some(x.times(&-BigInt::one()).plus_constant(&c)),
        (Op::Mul, Detail::Linear(x), _, _, Some(c)) | (Op::Mul, _, Detail::Linear(x), Some(c), _) => Some(x.times(&c)),
        (Op::Div, Detail::Linear(x), _, _, Some(c)) => x.shifted_down(exponent(&c)?),
        _ => None,
    }
}

/// The exponent of a power of two.
fn exponent(value: &BigInt) -> Option<usize> {
    let exponent = value.bits().checked_sub(1)?;
    (*value == BigInt::one() << exponent).then_some(exponent as usize)
}

fn cat(operands: &[Operand<'_>], lens: &[Option<usize>]) -> Option<Detail> {
    let (low, high) = (operands[0].rope()?, operands[1].rope()?);
    low.cat(lens[0]?, &high).map(|rope| Detail::Rope(rope.into()))
}

fn split(operands: &[Operand<'_>]) -> Result<Vec<Detail>, String> {
    let position = operands[1].number().and_then(|position| position.to_usize()).unwrap_or_default();
    let rope = match operands[0].detail {
        Detail::Rope(rope) => Rope::clone(rope),
        // A number that is read as the bytes it is made of; what lies above is dropped or refused later.
        Detail::Linear(number) if number.is_natural() => {
            let rope = Rope::of_number(number, usize::MAX / 16);
            let (head, _) = rope.split(position)?;
            return Ok(vec![Detail::Rope(head.into()), Detail::Nothing]);
        }
        _ => return Ok(vec![Detail::Nothing; 2]),
    };
    let (head, tail) = rope.split(position)?;
    Ok(vec![Detail::Rope(head.into()), Detail::Rope(tail.into())])
}

fn and(program: &Program, operands: &[ValueId], known: &[Operand<'_>]) -> Result<Option<Rope>, String> {
    for (this, other) in [(0, 1), (1, 0)] {
        if let (Detail::Rope(rope), Some(mask)) = (known[this].detail, known[other].known) {
            return rope.and(mask).map(Some);
        }
        if let Some(rope) = lanes_by_top(program, operands[this], operands[other])? {
            return Ok(Some(rope));
        }
    }
    Ok(None)
}

/// The idiom that keeps a lane where its top bit is set, and makes it zero elsewhere: with `tops = lanes AND
/// mask`, where the mask has one bit a lane, `lanes AND (tops - tops / 2^width)`. What lies below that
/// top bit is the lane less `2^width` where it is set. Less from the same of the mask, it keeps the others.
fn lanes_by_top(program: &Program, lanes: ValueId, keep: ValueId) -> Result<Option<Rope>, String> {
    let Some(keep) = match_keep(program, lanes, keep) else { return Ok(None) };
    let Detail::Rope(rope) = &program.values[lanes].detail else { return Ok(None) };
    let tops = runs(keep.mask);
    if tops.iter().any(|(from, to)| to - from != 1) {
        return Ok(None);
    }
    let lanes = rope.lanes_below(&tops)?;
    // Bits above all lanes are never set: such lanes are kept where the others are that have none set.
    if keep.inverted && lanes.len() != tops.len() {
        return Err("lanes are kept by bits that they do not reach".to_owned());
    }
    let mut kept = Vec::with_capacity(lanes.len());
    for (top, lane) in lanes {
        if lane.offset + keep.width != top || lane.high >> keep.width > 1 {
            return Err(format!("bit {top}, by which a lane is kept, is not the top of its lane"));
        }
        kept.push(keep.part(&lane));
    }
    Ok(Some(kept.into_iter().collect()))
}

/// What [`lanes_by_top`] matches.
struct Keep<'p> {
    mask: &'p [u8],
    width: usize,
    /// Whether lanes are kept whose top bit is clear.
    inverted: bool,
}

impl Keep<'_> {
    /// What is kept of a lane: its bits below the top, or zero.
    fn part(&self, lane: &Lane) -> Lane {
        let top = 1i128 << self.width;
        let (low, high) = match self.inverted {
            false => ((lane.low - top).max(0), (lane.high - top).max(0)),
            true if lane.high < top => (lane.low, lane.high),
            true if lane.low >= top => (0, 0),
            true => (0, top - 1),
        };
        Lane { offset: lane.offset, low, high }
    }
}

/// The operands of the instruction that made a value, if that was `op`.
fn made_by(program: &Program, id: ValueId, op: Op) -> Option<&[ValueId]> {
    match program.values[id].definition {
        Definition::Result { instruction, .. } => {
            let instruction = &program.instructions[instruction];
            (instruction.op == op).then_some(&instruction.operands[..])
        }
        _ => None,
    }
}

/// Matches `NUM2BIN(tops - tops / 2^width)`, `tops = BIN2NUM(lanes AND mask)`, or that taken from `mask - mask /
/// 2^width`.
fn match_keep(program: &Program, lanes: ValueId, keep: ValueId) -> Option<Keep<'_>> {
    let [number, _] = made_by(program, keep, Op::NumToBin)? else { return None };
    let [left, right] = made_by(program, *number, Op::Sub)? else { return None };
    let Some(all) = program.known(*left).map(number::decode) else {
        return match_bits(program, lanes, *left, *right, false);
    };
    let [left, right] = made_by(program, *right, Op::Sub)? else { return None };
    let keep = match_bits(program, lanes, *left, *right, true)?;
    let mask = number::decode(keep.mask);
    (all == &mask - (&mask >> keep.width)).then_some(keep)
}

fn match_bits(program: &Program, lanes: ValueId, tops: ValueId, quotient: ValueId, inverted: bool) -> Option<Keep<'_>> {
    let [divided, divisor] = made_by(program, quotient, Op::Div)? else { return None };
    let width = exponent(&number::decode(program.known(*divisor)?))?;
    let [masked] = made_by(program, tops, Op::BinToNum)? else { return None };
    let [first, second] = made_by(program, *masked, Op::And)? else { return None };
    let mask = program.known(if *first == lanes { *second } else { *first })?;
    // The highest bit of the string would be read as a sign.
    if mask.last().is_none_or(|top| top & 0x80 != 0) {
        return None;
    }
    (*divided == tops && (*first == lanes || *second == lanes)).then_some(Keep { mask, width, inverted })
}

fn bin_to_num(operands: &[Operand<'_>], len: Option<usize>) -> Option<Detail> {
    let Detail::Rope(rope) = operands[0].detail else { return None };
    let lanes = rope.lanes()?;
    // The highest bit of the string would be read as a sign.
    let sign = (8 * len?).checked_sub(1)?;
    let is_natural = lanes.iter().all(|lane| lane.end() <= sign);
    is_natural.then(|| Detail::Linear(Arc::new(Linear::of_lanes(lanes))))
}

fn num_to_bin(operands: &[Operand<'_>], kind: &Kind) -> Option<Detail> {
    let bytes = operands[1].number()?.to_usize()?;
    let rope = match (operands[0].detail, kind) {
        (Detail::Linear(number), _) if number.has_lanes() && number.is_natural() => Rope::of_number(number, bytes),
        // One lane alone is what its interval says.
        (_, Kind::Number(interval)) if !interval.low.is_negative() => {
            Rope::of_lane(Lane { offset: 0, low: interval.low.to_i128()?, high: interval.high.to_i128()? })
        }
        _ => return None,
    };
    Some(Detail::Rope(Arc::new(rope)))
}
