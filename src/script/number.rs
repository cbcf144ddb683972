//! Script numbers: sign-magnitude, little-endian, the sign in the top bit of the last byte.
//!
//! Zero is the empty string; 0x80 (and 0x00, 0x0080, ...) read as zero too but are not minimal.

use num_bigint::{BigInt, Sign};

/// The minimal encoding of a number.
pub fn encode(value: &BigInt) -> Vec<u8> {
    let (sign, mut bytes) = value.to_bytes_le();
    match sign {
        Sign::NoSign => return Vec::new(),
        Sign::Plus | Sign::Minus => {}
    }
    if bytes.last().is_some_and(|top| top & 0x80 != 0) {
        bytes.push(0);
    }
    if let (Sign::Minus, Some(top)) = (sign, bytes.last_mut()) {
        *top |= 0x80;
    }
    bytes
}

/// The number that a byte string stands for; any encoding, minimal or not.
pub fn decode(bytes: &[u8]) -> BigInt {
    let Some((&top, rest)) = bytes.split_last() else {
        return BigInt::ZERO;
    };
    if top & 0x80 == 0 {
        return BigInt::from_bytes_le(Sign::Plus, bytes);
    }
    let mut magnitude = rest.to_vec();
    magnitude.push(top & 0x7f);
    BigInt::from_bytes_le(Sign::Minus, &magnitude)
}

/// Whether the last byte carries more than a sign that the byte before it could have carried.
pub fn is_minimal(bytes: &[u8]) -> bool {
    match bytes {
        [] => true,
        [top] => top & 0x7f != 0,
        [.., below, top] => top & 0x7f != 0 || below & 0x80 != 0,
    }
}

/// How many bytes the minimal encoding of `value` takes.
pub fn encoded_len(value: &BigInt) -> usize {
    match value.bits() {
        0 => 0,
        // One bit more than the magnitude, for the sign.
        bits => (bits / 8 + 1) as usize,
    }
}

/// `value` in exactly `width` bytes as NUM2BIN writes it, or `None` when it does not fit.
pub fn encode_fixed(value: &BigInt, width: usize) -> Option<Vec<u8>> {
    let mut bytes = encode(value);
    if bytes.len() > width {
        return None;
    }
    let negative = value.sign() == Sign::Minus;
    if bytes.len() < width {
        if let (true, Some(top)) = (negative, bytes.last_mut()) {
            *top &= 0x7f;
        }
        bytes.resize(width, 0);
        if let (true, Some(top)) = (negative, bytes.last_mut()) {
            *top |= 0x80;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_encodings() {
        for (value, bytes) in [
            (0i64, &[][..]),
            (1, &[1]),
            (-1, &[0x81]),
            (127, &[0x7f]),
            (128, &[0x80, 0]),
            (-128, &[0x80, 0x80]),
            (255, &[0xff, 0]),
            (-256, &[0x00, 0x81]),
        ] {
            assert_eq!(encode(&value.into()), bytes, "{value}");
            assert_eq!(decode(bytes), value.into());
        }
        assert_eq!(decode(&[0x80]), BigInt::ZERO);
        assert!(!is_minimal(&[0x80]) && !is_minimal(&[0]) && !is_minimal(&[1, 0]) && is_minimal(&[0x80, 0]));
    }

    proptest! {
        #[test]
        fn encode_then_decode_is_identity(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let value = decode(&bytes);
            let minimal = encode(&value);
            prop_assert_eq!(decode(&minimal), value.clone());
            prop_assert!(is_minimal(&minimal));
            prop_assert_eq!(minimal.len(), encoded_len(&value));
            prop_assert!(minimal.len() <= bytes.len());
            prop_assert_eq!(is_minimal(&bytes), bytes == minimal);
        }

        #[test]
        fn fixed_width_keeps_the_value(value in any::<i64>(), width in 0usize..12) {
            let value = BigInt::from(value);
            match encode_fixed(&value, width) {
                Some(bytes) => {
                    prop_assert_eq!(bytes.len(), width);
                    prop_assert_eq!(decode(&bytes), value);
                }
                None => prop_assert!(encoded_len(&value) > width),
            }
        }
    }
}
