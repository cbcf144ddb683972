//! Long numbers: between their encoding and `BigInt`.
//!
//! The same maps as [`crate::script::number`], word by word instead of byte by byte: on numbers of
//! kilobytes the conversions would otherwise cost as much as the arithmetic.

use num_bigint::{BigInt, Sign};

/// The value of an encoding, minimal or not.
pub(super) fn decode(bytes: &[u8]) -> BigInt {
    let Some(top) = bytes.last() else { return BigInt::ZERO };
    let (chunks, rest) = bytes.as_chunks::<4>();
    let mut digits = Vec::with_capacity(chunks.len() + 1);
    digits.extend(chunks.iter().map(|chunk| u32::from_le_bytes(*chunk)));
    if !rest.is_empty() {
        let mut chunk = [0; 4];
        chunk[..rest.len()].copy_from_slice(rest);
        digits.push(u32::from_le_bytes(chunk));
    }
    let sign = if top & 0x80 == 0 { Sign::Plus } else { Sign::Minus };
    if let Some(last) = digits.last_mut() {
        *last &= !(0x80 << (8 * ((bytes.len() - 1) % 4)));
    }
    BigInt::new(sign, digits)
}

/// The minimal encoding of a value.
pub(super) fn encode(value: &BigInt) -> Vec<u8> {
    let digits = value.magnitude().iter_u64_digits();
    let mut bytes = Vec::with_capacity(8 * digits.len() + 1);
    for digit in digits {
        bytes.extend_from_slice(&digit.to_le_bytes());
    }
    let zeros = bytes.iter().rev().take_while(|&&byte| byte == 0).count();
    bytes.truncate(bytes.len() - zeros);
    if bytes.last().is_some_and(|top| top & 0x80 != 0) {
        bytes.push(0);
    }
    if let (Sign::Minus, Some(top)) = (value.sign(), bytes.last_mut()) {
        *top |= 0x80;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::number;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn conversions_agree_with_the_reference(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(0x80)], 0..70)) {
            let value = decode(&bytes);
            prop_assert_eq!(&value, &number::decode(&bytes));
            prop_assert_eq!(encode(&value), number::encode(&value));
        }
    }
}
