//! Bytes changed as a fuzzer changes them, the same on every run.

use crate::common::random::Random;

/// Values at which lengths and counts go wrong if they do.
const NUMBERS: [u64; 12] =
    [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 40, i64::MAX as u64, u64::MAX];
/// Inputs become no longer than this.
const MOST_BYTES: usize = 4096;

/// One to four changes; `other` is what parts are taken from.
pub(crate) fn mutated(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.next() % 4 {
        change(&mut bytes, other, random);
        bytes.truncate(MOST_BYTES);
    }
    bytes
}

fn below(random: &mut Random, most: usize) -> usize {
    (random.next() % most.max(1) as u64) as usize
}

/// A part of some bytes, at most 32 long.
fn part<'b>(bytes: &'b [u8], random: &mut Random) -> &'b [u8] {
    let start = below(random, bytes.len());
    let len = below(random, 33).min(bytes.len() - start);
    &bytes[start..start + len]
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = below(random, bytes.len());
    match random.next() % 8 {
        0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (random.next() % 8)),
        1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.next() as u8),
        2 => bytes.truncate(at),
        3 => replace(bytes, at, 0, part(other, random)),
        4 => replace(bytes, at, 32, part(other, random)),
        5 => {
            let copy = part(bytes, random).to_vec();
            replace(bytes, at, 0, &copy);
        }
        6 => {
            let cut = part(bytes, random).len();
            replace(bytes, at, cut, &[]);
        }
        _ => number(bytes, at, random),
    }
}

/// Puts something in the place of so many bytes.
fn replace(bytes: &mut Vec<u8>, at: usize, cut: usize, by: &[u8]) {
    let end = (at + cut).min(bytes.len());
    drop(bytes.splice(at..end, by.iter().copied()));
}

/// Puts a number there, as a varint of protobuf, or of one to eight bytes of either order.
fn number(bytes: &mut Vec<u8>, at: usize, random: &mut Random) {
    let number = NUMBERS[below(random, NUMBERS.len())];
    let width = 1 << below(random, 4);
    let written = match random.next() % 3 {
        0 => varint(number),
        1 => number.to_le_bytes()[..width].to_vec(),
        _ => number.to_be_bytes()[8 - width..].to_vec(),
    };
    let cut = if random.next().is_multiple_of(2) { written.len() } else { 1 };
    replace(bytes, at, cut, &written);
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
