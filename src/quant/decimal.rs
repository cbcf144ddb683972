//! Exact numbers: decimals and fractions as users write them, floats as the rationals they are.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, Zero};

use crate::ir::round_quotient;

/// Largest exponent of ten that is read; beyond, a scale is a typing error.
const MOST_DIGITS: i32 = 100;

/// Ten to the power of `exponent`.
pub fn power_of_ten(exponent: i32) -> BigRational {
    let power = BigInt::from(10).pow(exponent.unsigned_abs());
    if exponent < 0 { BigRational::new(BigInt::one(), power) } else { BigRational::from(power) }
}

/// Reads `3`, `-0.5`, `1e-8`, `1/255` exactly.
///
/// # Errors
/// Words for whoever typed it.
pub fn parse_rational(text: &str) -> Result<BigRational, String> {
    let wrong = || format!("`{text}` is not a number: write it as 0.5, 1e-8 or 1/255");
    match text.split_once('/') {
        None => parse_decimal(text).ok_or_else(wrong),
        Some((above, below)) => {
            let (above, below) = (parse_decimal(above).ok_or_else(wrong)?, parse_decimal(below).ok_or_else(wrong)?);
            if below.is_zero() { Err(format!("`{text}` divides by zero")) } else { Ok(above / below) }
        }
    }
}

fn parse_decimal(text: &str) -> Option<BigRational> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
    let plausible = !unsigned.is_empty() && unsigned.bytes().all(|digit| digit.is_ascii_digit());
    if !plausible || digits.len() > MOST_DIGITS as usize || exponent.abs() > MOST_DIGITS {
        return None;
    }
    let integer: BigInt = digits.parse().ok()?;
    Some(BigRational::from(integer) * power_of_ten(exponent - i32::try_from(fraction.len()).ok()?))
}

/// A float as the rational it is; `None` where it is not finite.
pub fn exact(value: f64) -> Option<BigRational> {
    BigRational::from_float(value)
}

/// The nearest integer; halves go to the even one, as ONNX rounds.
pub fn round(value: &BigRational) -> BigInt {
    round_quotient(value.numer(), value.denom())
}

/// How many steps of `unit` (positive) a float is, to the nearest; exact arithmetic throughout.
pub fn steps(value: f64, unit: &BigRational) -> Option<BigInt> {
    if !value.is_finite() {
        return None;
    }
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i64;
    let fraction = bits & ((1 << 52) - 1);
    // value = significand · 2^power
    let (significand, power) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    let mut numerator = BigInt::from(significand) * unit.denom();
    let mut denominator = unit.numer().clone();
    if power < 0 {
        denominator <<= power.unsigned_abs();
    } else {
        numerator <<= power.unsigned_abs();
    }
    let magnitude = round_quotient(&numerator, &denominator);
    Some(if value.is_sign_negative() { -magnitude } else { magnitude })
}

/// The integer nearest to a positive ratio, but at least 1.
pub fn nearest_divisor(ratio: &BigRational) -> BigInt {
    if ratio.is_positive() { round(ratio).max(BigInt::one()) } else { BigInt::one() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_exactly() {
        let read = |text| parse_rational(text).unwrap();
        assert_eq!(read("1e-8"), BigRational::new(1.into(), 100_000_000.into()));
        assert_eq!(read("1e8"), BigRational::from(BigInt::from(100_000_000)));
        assert_eq!(read("-0.25"), BigRational::new((-1).into(), 4.into()));
        assert_eq!(read("1/255"), BigRational::new(1.into(), 255.into()));
        assert_eq!(read(".5"), BigRational::new(1.into(), 2.into()));
        for wrong in ["", "-", "x", "1/0", "1e", "1e999999999", "0x10", "1/2/3", "NaN", "--1"] {
            assert!(parse_rational(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn halves_go_to_even() {
        let half = |n: i64| round(&BigRational::new(n.into(), 2.into()));
        assert_eq!([half(1), half(3), half(-1), half(-3), half(5)], [0, 2, 0, -2, 2].map(BigInt::from));
    }

    proptest! {
        #[test]
        fn steps_are_the_rounded_quotient(value in any::<f64>(), digits in 0i32..12) {
            prop_assume!(value.is_finite() && value.abs() < 1e200);
            let unit = power_of_ten(-digits);
            prop_assert_eq!(steps(value, &unit), exact(value).map(|value| round(&(value / &unit))));
        }
    }
}
