//! The class from the last layer's lanes: each score carries its index in its remainder by the number of
//! classes, so that one MIN or MAX chain finds both.

use num_bigint::BigInt;

use super::emit::Emit;
use super::units::Units;
use crate::bignum::{Op, ValueId};
use crate::ir::Tie;

/// Whether scores are packed negated: the lowest index wins a tie where the least one is looked for.
pub(super) fn is_negated(tie: Tie) -> bool {
    tie == Tie::First
}

/// The class, from units that hold `score · classes + index` (negated scores for [`Tie::First`]).
pub(super) fn class(emit: &mut Emit<'_>, units: &Units, classes: usize, tie: Tie) -> ValueId {
    emit.idiom("argmax");
    let scores = scores(emit, units);
    let op = if is_negated(tie) { Op::Min } else { Op::Max };
    let mut scores = scores.into_iter().rev();
    let first = scores.next();
    let best = first.map(|first| scores.fold(first, |best, score| emit.one(op, &[best, score], "best")));
    let best = best.unwrap_or_else(|| emit.builder.number(&BigInt::ZERO));
    emit.with(Op::Mod, best, classes, "class")
}

/// The units that hold scores, as numbers.
fn scores(emit: &mut Emit<'_>, units: &Units) -> Vec<ValueId> {
    let mut pieces = Vec::new();
    let mut rest = units.string;
    let last = units.order.iter().rposition(Option::is_some).unwrap_or(0);
    for (index, holds) in units.order.iter().enumerate().take(last + 1) {
        let mut piece = rest;
        if index + 1 < units.order.len() || units.extra > 0 {
            (piece, rest) = emit.split(rest, units.unit, "score", "more scores");
        }
        if holds.is_some() {
            pieces.push(piece);
        }
    }
    pieces.into_iter().map(|piece| emit.one(Op::BinToNum, &[piece], "score")).collect()
}
