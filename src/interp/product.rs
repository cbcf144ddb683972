//! Products of magnitudes: 64-bit limbs, the least significant first.
//!
//! Numbers of some kilobytes are what packed networks multiply, and one factor is mostly zeros: inputs lie a row apart. Such
//! a product takes a row for each limb that is not zero. Others take rows, four at once, and Karatsuba's products
//! of halves above them; num-bigint's Toom-Cook takes over where it is no slower. BENCHMARKS.md has the race.

use num_bigint::BigUint;

use super::limbs::{add, add_carry, negate, sub};

/// From so many limbs of the shorter factor, three products of halves are faster than rows.
const KARATSUBA: usize = 32;

/// From so many on, num-bigint is at least as fast.
const TOOM_COOK: usize = 2000;

/// A factor is thin that has so many times as many limbs as limbs that are not zero: inputs spread a row apart are, and
/// powers of two.
const THIN: usize = 3;

/// The product, in as many limbs as both factors have together.
pub(super) fn product(a: &[u64], b: &[u64]) -> Vec<u64> {
    if let Some((thin, other)) = [(a, b), (b, a)].into_iter().find(|(factor, _)| is_thin(factor)) {
        return of_thin(thin, other);
    }
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut out = if short.len() < TOOM_COOK { Vec::new() } else { by_num_bigint(long, short) };
    out.resize(long.len() + short.len(), 0);
    if short.len() < TOOM_COOK {
        add_product(&mut out, long, short);
    }
    out
}

fn of_thin(thin: &[u64], other: &[u64]) -> Vec<u64> {
    let mut out = vec![0; thin.len() + other.len()];
    let rows = thin.iter().enumerate().filter(|(_, limb)| **limb != 0);
    rows.for_each(|(index, &limb)| add_row(&mut out[index..], other, limb));
    out
}

fn is_thin(factor: &[u64]) -> bool {
    factor.iter().filter(|&&limb| limb != 0).count() * THIN <= factor.len().min(TOOM_COOK)
}

fn by_num_bigint(a: &[u64], b: &[u64]) -> Vec<u64> {
    let [a, b] = [a, b].map(|limbs| {
        let halves = limbs.iter().flat_map(|&limb| [limb as u32, (limb >> 32) as u32]);
        BigUint::new(halves.collect())
    });
    (a * b).iter_u64_digits().collect()
}

/// Adds a product to zeros, or to what a piece of the same product left, so that the sum has room.
fn add_product(out: &mut [u64], long: &[u64], short: &[u64]) {
    let len = short.len();
    if len < KARATSUBA {
        return add_rows(out, long, short);
    }
    let mut square = vec![0; 2 * len];
    let mut scratch = vec![0; scratch_len(len)];
    let mut pieces = long.chunks_exact(len);
    let mut at = 0;
    for piece in &mut pieces {
        karatsuba(&mut square, piece, short, &mut scratch);
        add(&mut out[at..], &square);
        at += len;
    }
    let rest = pieces.remainder();
    if !rest.is_empty() {
        add_product(&mut out[at..], short, rest);
    }
}

/// What [`karatsuba`] needs: each level two differences and a product of halves, and the next level's or a sum.
fn scratch_len(len: usize) -> usize {
    if len < KARATSUBA { 0 } else { 4 * half(len) + 1 + scratch_len(half(len)).max(2 * half(len) + 1) }
}

/// The longer half.
fn half(len: usize) -> usize {
    len.div_ceil(2)
}

/// Sets `out` to the product of factors of equal length.
fn karatsuba(out: &mut [u64], a: &[u64], b: &[u64], scratch: &mut [u64]) {
    if a.len() < KARATSUBA {
        out.fill(0);
        return add_rows(out, a, b);
    }
    let half = half(a.len());
    let ((a_low, a_high), (b_low, b_high)) = (a.split_at(half), b.split_at(half));
    let (low, high) = out.split_at_mut(2 * half);
    karatsuba(low, a_low, b_low, scratch);
    karatsuba(high, a_high, b_high, scratch);

    let (differences, scratch) = scratch.split_at_mut(2 * half);
    let (a_difference, b_difference) = differences.split_at_mut(half);
    let below = set_difference(a_difference, a_low, a_high) != set_difference(b_difference, b_low, b_high);
    let (middle, scratch) = scratch.split_at_mut(2 * half + 1);
    karatsuba(&mut middle[..2 * half], a_difference, b_difference, scratch);
    middle[2 * half] = 0;

    // low * high + high * low = low * low + high * high - (low - high) * (low - high), each of a and of b.
    if below {
        add(middle, low);
        add(middle, high);
    } else {
        let sum = &mut scratch[..2 * half + 1];
        sum[..2 * half].copy_from_slice(low);
        sum[2 * half] = 0;
        add(sum, high);
        sub(sum, middle);
        middle.copy_from_slice(sum);
    }
    // Of the middle's limbs, those that lie above the product are zero.
    let out = &mut out[half..];
    let len = out.len().min(middle.len());
    add(out, &middle[..len]);
}

/// Adds a product row by row.
fn add_rows(out: &mut [u64], long: &[u64], short: &[u64]) {
    let (fours, rest) = short.as_chunks::<4>();
    for (index, four) in fours.iter().enumerate() {
        add_four_rows(&mut out[4 * index..], long, *four);
    }
    for (index, &limb) in rest.iter().enumerate() {
        add_row(&mut out[4 * fours.len() + index..], long, limb);
    }
}

/// Adds the product with one limb.
fn add_row(out: &mut [u64], long: &[u64], limb: u64) {
    let (low, high) = out.split_at_mut(long.len());
    let mut carry = 0;
    for (limb_out, &factor) in low.iter_mut().zip(long) {
        (*limb_out, carry) = mul_add(factor, limb, *limb_out, carry);
    }
    add_carry(high, carry);
}

/// Adds the products with four limbs: each limb of the result is read and written once for all of them.
fn add_four_rows(out: &mut [u64], long: &[u64], by: [u64; 4]) {
    let (low, high) = out.split_at_mut(long.len());
    let mut carries = [0; 4];
    // The limbs that the second to fourth row multiply for the same limb of the result.
    let mut before = [0; 3];
    let mut column = |sum: u64, limb: u64| {
        let mut sum = sum;
        (sum, carries[0]) = mul_add(limb, by[0], sum, carries[0]);
        (sum, carries[1]) = mul_add(before[0], by[1], sum, carries[1]);
        (sum, carries[2]) = mul_add(before[1], by[2], sum, carries[2]);
        (sum, carries[3]) = mul_add(before[2], by[3], sum, carries[3]);
        before = [limb, before[0], before[1]];
        sum
    };
    for (limb_out, &limb) in low.iter_mut().zip(long) {
        *limb_out = column(*limb_out, limb);
    }
    // Where the rows end, one after the other: what they multiply further is zero.
    for limb_out in &mut high[..3] {
        *limb_out = column(*limb_out, 0);
    }
    for carry in carries {
        add_carry(&mut high[3..], carry);
    }
}

/// The limbs of `a * b + c + d`, lower first; never more than two: `(2^64 - 1)^2 + 2 * (2^64 - 1) = 2^128 - 1`.
#[inline(always)]
fn mul_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let sum = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
    (sum as u64, (sum >> 64) as u64)
}

/// Sets `out` to the magnitude of `a - b`, where `a` has no fewer limbs; whether the difference is below zero.
fn set_difference(out: &mut [u64], a: &[u64], b: &[u64]) -> bool {
    out.copy_from_slice(a);
    let below = sub(out, b);
    if below {
        negate(out);
    }
    below
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn big(limbs: &[u64]) -> BigUint {
        BigUint::from_bytes_le(&limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect::<Vec<u8>>())
    }

    /// Limbs of carries that run far, and of none.
    fn limbs(lens: impl Strategy<Value = usize>) -> impl Strategy<Value = Vec<u64>> {
        let limb = prop_oneof![4 => any::<u64>(), 2 => Just(u64::MAX), 2 => Just(0), 1 => Just(1 << 63)];
        lens.prop_flat_map(move |len| prop::collection::vec(limb.clone(), len))
    }

    fn len() -> impl Strategy<Value = usize> {
        prop_oneof![0usize..12, KARATSUBA - 3..KARATSUBA + 4, 2 * KARATSUBA - 3..2 * KARATSUBA + 4, 100usize..300]
    }

    fn demand(a: &[u64], b: &[u64]) {
        assert_eq!(big(&product(a, b)), big(a) * big(b), "{} by {} limbs", a.len(), b.len());
    }

    #[test]
    fn the_largest_factors_of_every_length() {
        for len in (0..3 * KARATSUBA).chain([TOOM_COOK - 1, TOOM_COOK]) {
            for other in [len, len / 2, 1] {
                demand(&vec![u64::MAX; len], &vec![u64::MAX; other]);
            }
        }
    }

    proptest! {
        #[test]
        fn products_of_thin_factors(a in limbs(len()), b in limbs(0usize..8), apart in 3usize..90) {
            let thin: Vec<u64> = b.iter().flat_map(|&limb| [vec![0; apart], vec![limb]].concat()).collect();
            demand(&a, &thin);
            demand(&thin, &a);
        }

        #[test]
        fn products_agree_with_num_bigint(a in limbs(len()), b in limbs(len())) {
            demand(&a, &b);
            // Equal halves, whose difference is zero.
            demand(&[&a[..], &a[..]].concat(), &[&b[..], &b[..]].concat());
        }
    }
}
