//! Programs that would read a lane where it does not lie: each was accepted once, or is one step from one that is.

use std::sync::Arc;

use crate::bignum::{Builder, Name, Op, Program, ValueId, eval, verify};
use crate::target::Target;

fn one(builder: &mut Builder, op: Op, operands: &[ValueId]) -> ValueId {
    builder.one(op, operands, Name::whole(&Arc::from("value")))
}

fn with(builder: &mut Builder, op: Op, value: ValueId, constant: i64) -> ValueId {
    let constant = builder.number(&constant.into());
    one(builder, op, &[value, constant])
}

fn and(builder: &mut Builder, value: ValueId, mask: &[u8]) -> ValueId {
    let mask = builder.bytes(mask.to_vec());
    one(builder, Op::And, &[value, mask])
}

fn cat(builder: &mut Builder, value: ValueId, behind: &[u8]) -> ValueId {
    let behind = builder.bytes(behind.to_vec());
    one(builder, Op::Cat, &[value, behind])
}

fn head(builder: &mut Builder, value: ValueId, len: usize) -> ValueId {
    builder.split(value, len, ["head", "tail"].map(|name| Name::whole(&Arc::from(name)))).0
}

/// A program on units of an input.
fn program(bytes: usize, unit: usize, make: impl FnOnce(&mut Builder, ValueId) -> ValueId) -> Result<Program, String> {
    let mut builder = Builder::new(&["input"]);
    builder.check_depth(0);
    let input = builder.inputs()[0];
    let input = one(&mut builder, Op::CheckLength(bytes), &[input]);
    let units = one(&mut builder, Op::View(unit), &[input]);
    let result = make(&mut builder, units);
    let program = builder.finish(result)?;
    verify(&program, &Target::default()).map(|()| program)
}

/// Bytes at the ends of lanes.
const BYTES: [u8; 16] = [0, 1, 2, 0x0f, 0x10, 0x1f, 0x3f, 0x40, 0x60, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xfe, 0xff];

/// Demands that the lanes proved of the result are there, and nothing else.
fn demand_lanes(program: &Program, bytes: usize) {
    for sample in 0..256 {
        let input: Vec<u8> = (0..bytes).map(|at| BYTES[sample >> (4 * (at % 2)) & 15]).collect();
        let item = eval(program, std::slice::from_ref(&input)).unwrap();
        let value = &program.values[program.result];
        let Some(lanes) = value.detail.lanes() else { continue };
        let mut left = num_bigint::BigInt::from_bytes_le(num_bigint::Sign::Plus, &item);
        for (index, lane) in lanes.iter().enumerate().rev() {
            let held = &left >> lane.offset;
            left -= &held << lane.offset;
            let inside = num_bigint::BigInt::from(lane.low) <= held && held <= num_bigint::BigInt::from(lane.high);
            assert!(inside, "lane {index} holds {held}, not {lane:?}, for {input:02x?}");
        }
        assert_eq!(left, num_bigint::BigInt::ZERO, "bits below the lanes, for {input:02x?}");
    }
}

/// A program that is refused, or has the lanes that are proved of its result.
fn demand_refused_or_right(bytes: usize, unit: usize, make: impl FnOnce(&mut Builder, ValueId) -> ValueId) -> bool {
    match program(bytes, unit, make) {
        Ok(program) => {
            demand_lanes(&program, bytes);
            false
        }
        Err(_) => true,
    }
}

/// Lanes above 2^7 or not, as the ReLU tells them: `lanes`, the mask of their top bits, and the width below these.
fn keep(builder: &mut Builder, lanes: ValueId, mask: &[u8], width: u32, inverted: bool) -> ValueId {
    let tops = and(builder, lanes, mask);
    let tops = one(builder, Op::BinToNum, &[tops]);
    let lowered = with(builder, Op::Div, tops, 1 << width);
    let mut bits = one(builder, Op::Sub, &[tops, lowered]);
    if inverted {
        let all = crate::script::number::decode(mask);
        let all = builder.number(&(&all - (&all >> width)));
        bits = one(builder, Op::Sub, &[all, bits]);
    }
    let bits = with(builder, Op::NumToBin, bits, mask.len() as i64);
    one(builder, Op::And, &[lanes, bits])
}

#[test]
fn a_top_bit_that_is_read_as_a_sign_is_no_lane() {
    // The bytes FF FF are -32767, and no lanes of 255.
    demand_refused_or_right(2, 1, |builder, units| {
        let number = one(builder, Op::BinToNum, &[units]);
        let string = with(builder, Op::NumToBin, number, 3);
        one(builder, Op::View(1), &[string])
    });
    // With a zero byte on top they are.
    let right = program(2, 1, |builder, units| {
        let string = cat(builder, units, &[0]);
        let number = one(builder, Op::BinToNum, &[string]);
        let string = with(builder, Op::NumToBin, number, 3);
        one(builder, Op::View(1), &[string])
    });
    demand_lanes(&right.unwrap(), 2);
}

#[test]
fn units_that_do_not_fill_the_string_leave_nothing_unsaid() {
    demand_refused_or_right(2, 2, |_, units| units);
    assert!(program(4, 3, |_, units| units).is_err() || !demand_refused_or_right(4, 3, |_, units| units));
    assert!(program(4, 0, |_, units| units).is_err());
}

#[test]
fn a_number_that_is_cut_is_cut_in_its_units_too() {
    // A byte at bit 0 and at bit 16, and 256 there, which is cut off.
    demand_refused_or_right(2, 1, |builder, units| {
        let string = one(builder, Op::Cat, &[units, units]);
        let string = and(builder, string, &[0xff, 0, 0xff, 0]);
        let number = one(builder, Op::BinToNum, &[string]);
        let number = with(builder, Op::Add, number, 1 << 24);
        let string = with(builder, Op::NumToBin, number, 5);
        let string = head(builder, string, 3);
        one(builder, Op::View(2), &[string])
    });
}

#[test]
fn lanes_are_kept_by_their_top_bits_only() {
    for inverted in [false, true] {
        // One lane a byte, wider by a byte of zeros than its sign.
        let right = program(2, 1, |builder, units| {
            let string = cat(builder, units, &[0]);
            keep(builder, string, &[0x80, 0x80, 0], 7, inverted)
        });
        demand_lanes(&right.unwrap(), 2);
        // Masks that miss the tops, by every bit.
        for width in 0..12 {
            for bit in 0..15 {
                let mask = (1u16 << bit).to_le_bytes();
                for mask in [mask.to_vec(), [&mask[..], &[0]].concat(), [mask[0], mask[1] | 0x80, 0].to_vec()] {
                    demand_refused_or_right(2, 1, |builder, units| {
                        let string = if mask.len() == 3 { cat(builder, units, &[0]) } else { units };
                        keep(builder, string, &mask, width, inverted)
                    });
                    // Lanes that are known to be large, or small.
                    for (kept, added) in
                        [([0x7f, 0x00], 0), ([0x0f, 0x7f], 0), ([0x3f, 0x1f], 0x60c0), ([0x0f, 0], 0xf0)]
                    {
                        demand_refused_or_right(2, 1, |builder, units| {
                            let units = and(builder, units, &kept);
                            let number = one(builder, Op::BinToNum, &[units]);
                            let number = with(builder, Op::Add, number, added);
                            let string = with(builder, Op::NumToBin, number, mask.len() as i64);
                            let string = one(builder, Op::View(1), &[string]);
                            keep(builder, string, &mask, width, inverted)
                        });
                    }
                }
            }
        }
    }
}

#[test]
fn a_lane_with_no_room_above_is_refused() {
    // Sums of two bytes, 9 bits each, in places of `stride` bits.
    let sums = |stride: u32, offset: i64| {
        program(2, 1, move |builder, units| {
            let names = ["first", "second"].map(|name| Name::whole(&Arc::from(name)));
            let (first, second) = builder.split(units, 1, names);
            let [first, second] = [first, second].map(|byte| {
                let byte = cat(builder, byte, &[0]);
                one(builder, Op::BinToNum, &[byte])
            });
            // x + y, and x - y.
            let first = with(builder, Op::Mul, first, 1 + (1 << stride));
            let second = with(builder, Op::Mul, second, 1 - (1 << stride));
            let sum = one(builder, Op::Add, &[first, second]);
            let sum = with(builder, Op::Add, sum, offset << stride);
            let string = with(builder, Op::NumToBin, sum, 6);
            let mask = ((1u64 << stride) - 1) << stride;
            and(builder, string, &mask.to_le_bytes()[..6])
        })
    };
    assert!(sums(8, 512).unwrap_err().contains("could leave its place"));
    assert!(sums(9, 512).unwrap_err().contains("could leave its place"));
    for stride in 9..20 {
        demand_lanes(&sums(stride + 1, 512).unwrap(), 2);
        demand_lanes(&sums(stride, 255).unwrap(), 2);
        // Without an offset the difference can be negative: then nothing is said of its bits.
        for offset in [254, 1, 0] {
            let lanes = |program: Program| program.values[program.result].detail.lanes();
            assert_eq!(sums(stride, offset).ok().and_then(lanes), None);
        }
    }
}

/// What is loaded counts as known: were it the input's, any number would be proved to be zero.
#[test]
fn only_what_is_known_is_loaded() {
    let loaded = |known: bool| {
        program(1, 1, move |builder, units| {
            let string = if known { builder.bytes(vec![5, 0]) } else { cat(builder, units, &[0]) };
            let number = one(builder, Op::BinToNum, &[string]);
            one(builder, Op::Load, &[number])
        })
    };
    assert!(loaded(true).is_ok());
    assert!(loaded(false).unwrap_err().contains("not the same for every input"));
}
