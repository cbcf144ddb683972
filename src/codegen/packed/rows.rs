//! The row form: each input, a number of its own, times all its weights at once.
//!
//! A row's weights are one constant, a lane each: no masks, no zero points, no spreading, but lanes as wide as
//! sums in the script itself. For layers of few weights that is the shortest form.

use num_bigint::BigInt;
use num_integer::Integer;

use super::emit::{Emit, power};
use super::lanes::Lanes;
use super::layer::{Content, Purpose};
use super::stages::Stage;
use crate::bignum::{Op, ValueId};
use crate::ir::Ir;

/// Emits a layer's sums of `inputs`, each with the element that it is; gives the lanes and what they hold too much.
pub(super) fn lanes(
    emit: &mut Emit<'_>,
    ir: &Ir,
    stage: &Stage<'_>,
    inputs: &[(usize, ValueId)],
    stride: usize,
    purpose: Purpose,
) -> (Lanes, BigInt) {
    let mut content = Content::new(stage, &ir.values[stage.biased].intervals, purpose);
    content.for_stride(stride);
    let sign = if content.negated { -1 } else { 1 };
    emit.idiom("rows");
    let mut sum: Option<ValueId> = None;
    for &(element, number) in inputs {
        let weights = stage.weights.row(element).iter().map(|&weight| BigInt::from(sign * weight) * &content.factor);
        let row = packed(weights, stride);
        if row == BigInt::ZERO {
            continue;
        }
        let lane = emit.one(Op::Lane, &[number], "input");
        let product = emit.with(Op::Mul, lane, row, "product");
        sum = Some(sum.map_or(product, |sum| emit.one(Op::Add, &[product, sum], "sum")));
    }
    emit.idiom("bias, offset");
    let count = stage.weights.columns.next_multiple_of(8 / stride.gcd(&8));
    let bytes = count * stride / 8;
    // A byte on top makes the length the same for all sums.
    let constant = packed(content.constants.iter().cloned(), stride) + power(8 * bytes);
    let sum = match sum {
        Some(sum) => emit.with(Op::Add, sum, constant, "offset sum"),
        None => emit.builder.number(&constant),
    };
    emit.idiom("cut lanes");
    let string = emit.head(sum, bytes, "lanes");
    let order = (0..count).map(|lane| (lane < stage.weights.columns).then_some(lane)).collect();
    content.hand_over(emit, Lanes { string, stride, order, extra: 0 }, purpose)
}

/// Numbers in lanes; what is negative borrows from the lane above.
fn packed(lanes: impl Iterator<Item = BigInt>, stride: usize) -> BigInt {
    lanes.enumerate().map(|(lane, value)| value << (lane * stride)).sum()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Dense, Idiom, natural};
    use super::*;

    #[test]
    fn lanes_hold_the_sums() {
        for (inputs, outputs, low, high) in [
            (1, 1, -1, -1),
            (1, 3, -7, 8),
            (4, 2, 0, 3),
            (4, 5, -128, 127),
            (3, 8, -3, 0),
            (2, 4, 0, 0),
            (6, 3, -1000, 5),
        ] {
            let dense = Dense::new(inputs, outputs, low, high);
            let (ir, content) =
                (dense.ir(), |purpose| Content::new(&dense.stage(false), &dense.ir().values[0].intervals, purpose));
            for purpose in [Purpose::Sums, Purpose::Relu] {
                for wider in [1, 2, 3, 4, 5, 9] {
                    let stride = content(purpose).bits + wider;
                    let mut made = None;
                    let idiom = Idiom::new(inputs, |emit, input| {
                        let units = dense.units(emit, input);
                        // A zero byte keeps the topmost unit's top bit from being a sign.
                        let numbers = (0..inputs)
                            .map(|at| {
                                let (_, rest) = emit.split(units.string, at, "below", "from here");
                                let byte = emit.head(rest, 1, "byte");
                                let byte = emit.append(byte, &[0], "byte");
                                (at, emit.one(Op::BinToNum, &[byte], "byte"))
                            })
                            .collect::<Vec<_>>();
                        let (lanes, shift) =
                            lanes(emit, &ir, &dense.stage(purpose == Purpose::Relu), &numbers, stride, purpose);
                        let string = lanes.string;
                        made = Some((lanes, shift));
                        vec![string]
                    });
                    let (lanes, shift) = made.unwrap();
                    idiom.demand(|input, items| {
                        let sums = dense.sums(input);
                        let right = |sum: i64| if purpose == Purpose::Relu { sum.max(0) } else { sum };
                        for (at, lane) in lanes.order.iter().enumerate() {
                            let Some(output) = lane else { continue };
                            let held = (natural(&items[0]) >> (at * stride)) % power(stride);
                            assert_eq!(held - &shift, BigInt::from(right(sums[*output])), "{purpose:?} {stride}");
                        }
                    });
                }
            }
        }
    }
}
