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

#[cfg(test)]
mod tests {
    use super::super::testing::Idiom;
    use super::*;
    use crate::ir::Interval;
    use crate::script::number;

    /// The class of bytes as scores; `places` says which score each unit holds, and where there is none.
    fn idiom(classes: usize, places: &[Option<usize>], tie: Tie) -> Idiom {
        Idiom::new(classes + 1, |emit, input| {
            let mut rest = emit.one(Op::View(1), &[input], "scores");
            let mut scores = vec![];
            for index in 0..classes {
                let score;
                (score, rest) = emit.split(rest, 1, "score", "more scores");
                let score = emit.append(score, &[0], "score");
                let score = emit.one(Op::BinToNum, &[score], "score");
                let score = if is_negated(tie) { emit.one(Op::Negate, &[score], "score") } else { score };
                let score = emit.with(Op::Add, score, 255, "score");
                let score = emit.with(Op::Mul, score, classes, "score");
                scores.push(emit.with(Op::Add, score, index, "score"));
            }
            // What holds no score would win.
            let most = 511 * classes;
            let useless = emit.builder.number(&if is_negated(tie) { BigInt::ZERO } else { most.into() });
            let numbers: Vec<ValueId> = places.iter().map(|place| place.map_or(useless, |at| scores[at])).collect();
            let hull = Interval::new(0, most);
            let units = Units { order: places.to_vec(), ..Units::of_numbers(emit, &numbers, &hull) };
            vec![class(emit, &units, classes, tie)]
        })
    }

    #[test]
    fn the_class_is_the_largest_score_whatever_the_tie() {
        let places: [&[Option<usize>]; 6] = [
            &[Some(0)],
            &[Some(0), Some(1), Some(2)],
            &[Some(2), Some(0), Some(1)],
            &[Some(1), None, Some(0), Some(2), None, None],
            &[None, Some(3), Some(1), None, Some(2), Some(0)],
            &[Some(0), Some(1), Some(2), Some(3), Some(4), None],
        ];
        for places in places {
            let classes = places.iter().flatten().count();
            for tie in [Tie::First, Tie::Last] {
                let idiom = idiom(classes, places, tie);
                let demand = |input: &[u8], items: &[Vec<u8>]| {
                    let scores = &input[..classes];
                    let best = scores.iter().max();
                    let right = match tie {
                        Tie::First => scores.iter().position(|score| Some(score) == best),
                        Tie::Last => scores.iter().rposition(|score| Some(score) == best),
                    };
                    assert_eq!(number::decode(&items[0]), BigInt::from(right.unwrap()), "{tie:?} of {scores:?}");
                };
                idiom.demand(demand);
                // Every tie of two or more.
                for ties in 0..1u32 << classes {
                    let input: Vec<u8> = (0..=classes).map(|at| if ties >> at & 1 == 1 { 200 } else { 199 }).collect();
                    demand(&input, &idiom.items(&input));
                }
            }
        }
    }
}
