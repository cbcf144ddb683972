//! What is proved of a program's values, demanded of the bytes that they turn out to be.

use num_bigint::{BigInt, Sign};
use onnx2script::bignum::lanes::Lane;
use onnx2script::bignum::{self, Detail, Kind, Program, Value};
use onnx2script::script::number;

/// Whether an item is what is proved of it: its kind, its bytes, its lanes and nothing beside them.
fn demand(value: &Value, item: &[u8]) {
    match &value.kind {
        Kind::Number(interval) => {
            assert!(number::is_minimal(item) && interval.contains(&number::decode(item)), "not in {interval}");
        }
        Kind::Bytes { len, most } => {
            let number = BigInt::from_bytes_le(Sign::Plus, item);
            assert!(item.len() == *len && most.as_ref().is_none_or(|most| number <= *most), "not {:?}", value.kind);
        }
        Kind::Rest { most } => assert!(item.len() <= *most),
        Kind::Untrusted => {}
    }
    if let Detail::Known(bytes) = &value.detail {
        assert_eq!(&**bytes, item);
    }
    let mut behind = 0;
    let Some(lanes) = held(value, item) else { return };
    for (lane, held) in &lanes {
        assert!(lane.offset >= behind, "lanes over each other");
        demand_zeros(item, behind, lane.offset);
        assert!(lane.low <= *held && *held <= lane.high, "{lane:?} holds {held}");
        behind = lane.offset + width(lane);
    }
    demand_zeros(item, behind, 8 * item.len());
}

/// The bits that a lane can need.
fn width(lane: &Lane) -> usize {
    (i128::BITS - lane.high.leading_zeros()) as usize
}

/// The lanes that are proved of a value, where some are, and what they hold in an item.
pub(crate) fn held(value: &Value, item: &[u8]) -> Option<Vec<(Lane, i128)>> {
    let mut bytes = item.to_vec();
    bytes.extend([0; 32]);
    let bits = |from: usize, count: usize| -> i128 {
        let window = bytes[from / 8..from / 8 + 17].iter().rev();
        let low = window.clone().skip(1).fold(0u128, |all, &byte| all << 8 | u128::from(byte)) >> (from % 8);
        let above = u128::from(bytes[from / 8 + 16]).checked_shl((128 - from % 8) as u32).unwrap_or(0);
        ((low | above) & ((1u128 << count) - 1)) as i128
    };
    Some(value.detail.lanes()?.into_iter().map(|lane| (lane, bits(lane.offset, width(&lane)))).collect())
}

fn demand_zeros(item: &[u8], from: usize, to: usize) {
    let mut at = from;
    while at < to {
        if at.is_multiple_of(8) && at + 8 <= to {
            assert_eq!(item[at / 8], 0, "bits {at}.. are in no lane");
            at += 8;
        } else {
            assert_eq!(item[at / 8] >> (at % 8) & 1, 0, "bit {at} is in no lane");
            at += 1;
        }
    }
}

/// Demands it of every value of a program.
pub(crate) fn demand_all(program: &Program, pushes: &[Vec<u8>]) {
    for (id, item) in bignum::eval_all(program, pushes).unwrap().into_iter().enumerate() {
        let Some(item) = item else { continue };
        let value = &program.values[id];
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| demand(value, &item)));
        assert!(held.is_ok(), "%{id} {}, of {:02x?}", value.name, pushes);
    }
}
