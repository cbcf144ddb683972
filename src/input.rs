//! How the unlocking script gives the input: one push, every element of the same width.
//!
//! Invariant: *every* byte string of [`InputFormat::byte_len`] bytes is a valid input and decodes to
//! integers inside [`InputFormat::interval`]. The contract checks the length and nothing else, so no
//! unlocking script can leave the intervals that the compiler proves from here.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

use crate::ir::Interval;
use crate::quant::decimal::{self, parse_rational, round};
use crate::script::number;

/// Default width of a fixed-point element: ±5497 at scale 10^8.
pub const FIXED_WIDTH: usize = 5;

/// How one element is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A script number of exactly `width` bytes: sign-magnitude, little-endian.
    Fixed {
        /// Bytes an element.
        width: usize,
    },
    /// One byte, 0 to 255.
    Byte,
}

/// How the input is written, and what it means: element `v` is worth `v·scale + offset` to the model.
#[derive(Debug, Clone, PartialEq)]
pub struct InputFormat {
    /// How one element is written.
    pub encoding: Encoding,
    /// What a step of one is worth; positive.
    pub scale: BigRational,
    /// What zero is worth.
    pub offset: BigRational,
}

/// The format a user asks for; what is left out depends on the model.
#[derive(Debug, Clone, PartialEq)]
pub enum InputSpec {
    /// Fixed-width integers at scale 10^8.
    Fixed {
        /// Bytes an element.
        width: usize,
    },
    /// One byte an element.
    Byte {
        /// `None`: 1 for a model that takes integers, else 1/255.
        scale: Option<BigRational>,
        /// What byte 0 is worth.
        offset: BigRational,
    },
}

impl Default for InputSpec {
    fn default() -> Self {
        InputSpec::Fixed { width: FIXED_WIDTH }
    }
}

impl std::str::FromStr for InputSpec {
    type Err = String;

    /// Reads `fixed[:BYTES]` or `u8[:SCALE[:OFFSET]]`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let spec = match parts.next() {
            Some("fixed") => {
                let width = match parts.next() {
                    None => FIXED_WIDTH,
                    Some(bytes) => bytes.parse().ok().filter(|width| (1..=16).contains(width)).ok_or_else(|| {
                        format!("`{bytes}` is not a width: give 1 to 16 bytes an element, as in fixed:5")
                    })?,
                };
                InputSpec::Fixed { width }
            }
            Some("u8") => {
                let scale = parts.next().map(parse_rational).transpose()?;
                if scale.as_ref().is_some_and(|scale| !scale.is_positive()) {
                    return Err("the scale must be positive".into());
                }
                let offset = parts.next().map(parse_rational).transpose()?.unwrap_or_else(BigRational::zero);
                InputSpec::Byte { scale, offset }
            }
            _ => return Err("give fixed, fixed:BYTES, u8, u8:SCALE or u8:SCALE:OFFSET, as in u8:1/255".into()),
        };
        match parts.next() {
            None => Ok(spec),
            Some(rest) => Err(format!("`{rest}` is one part too many")),
        }
    }
}

impl InputSpec {
    /// The format for a model; `whole_numbers` when its own input is of an integer type.
    pub fn resolve(&self, whole_numbers: bool) -> InputFormat {
        match self {
            InputSpec::Fixed { width } => InputFormat {
                encoding: Encoding::Fixed { width: *width },
                scale: decimal::power_of_ten(-8),
                offset: BigRational::zero(),
            },
            InputSpec::Byte { scale, offset } => InputFormat {
                encoding: Encoding::Byte,
                scale: scale.clone().unwrap_or_else(|| default_byte_unit(whole_numbers)),
                offset: offset.clone(),
            },
        }
    }
}

/// What a byte is worth to a model unless the user says otherwise.
pub fn default_byte_unit(whole_numbers: bool) -> BigRational {
    if whole_numbers { BigRational::one() } else { BigRational::new(1.into(), 255.into()) }
}

/// Why an element cannot be given to the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("element {index} is {value}, outside what {format} can hold\n  help: {help}")]
pub struct OutOfRange {
    /// Which element.
    pub index: usize,
    /// Its value to the model.
    pub value: String,
    /// The format.
    pub format: String,
    /// What to do about it.
    pub help: &'static str,
}

impl InputFormat {
    /// Bytes an element.
    pub fn width(&self) -> usize {
        match self.encoding {
            Encoding::Fixed { width } => width,
            Encoding::Byte => 1,
        }
    }

    /// Bytes of an input of `elements` elements.
    pub fn byte_len(&self, elements: usize) -> usize {
        self.width() * elements
    }

    /// What the bytes of an element can decode to.
    pub fn interval(&self) -> Interval {
        match self.encoding {
            Encoding::Fixed { width } => {
                let most: BigInt = (BigInt::one() << (8 * width - 1)) - 1;
                Interval { low: -most.clone(), high: most }
            }
            Encoding::Byte => Interval::new(0, 255),
        }
    }

    /// The integers nearest to a sample's numbers.
    ///
    /// # Errors
    /// The first element that does not fit.
    pub fn quantise(&self, sample: &[BigRational]) -> Result<Vec<BigInt>, OutOfRange> {
        let interval = self.interval();
        let quantise = |(index, value): (usize, &BigRational)| {
            let integer = round(&((value - &self.offset) / &self.scale));
            if interval.contains(&integer) { Ok(integer) } else { Err(self.out_of_range(index, value)) }
        };
        sample.iter().enumerate().map(quantise).collect()
    }

    fn out_of_range(&self, index: usize, value: &BigRational) -> OutOfRange {
        let help = match self.encoding {
            Encoding::Fixed { .. } => "give wider elements, as in --input fixed:6",
            Encoding::Byte => "give another scale and offset, as in --input u8:1/255:0, or use --input fixed",
        };
        let value = num_traits::ToPrimitive::to_f64(value).map_or_else(|| value.to_string(), |value| value.to_string());
        OutOfRange { index, value, format: self.describe(), help }
    }

    /// The bytes of integers inside [`InputFormat::interval`].
    pub fn encode(&self, integers: &[BigInt]) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.byte_len(integers.len()));
        for integer in integers {
            match self.encoding {
                Encoding::Fixed { width } => bytes.extend(number::encode_fixed(integer, width)?),
                Encoding::Byte => bytes.push(u8::try_from(integer).ok()?),
            }
        }
        Some(bytes)
    }

    /// The integers that bytes stand for.
    pub fn decode(&self, bytes: &[u8]) -> Vec<BigInt> {
        match self.encoding {
            Encoding::Fixed { width } => bytes.chunks(width).map(number::decode).collect(),
            Encoding::Byte => bytes.iter().map(|&byte| BigInt::from(byte)).collect(),
        }
    }

    /// The format in words.
    pub fn describe(&self) -> String {
        let scale = crate::ir::describe_scale(&self.scale);
        match self.encoding {
            Encoding::Fixed { width } => format!("{width}-byte signed integers at scale {scale}"),
            Encoding::Byte if self.offset.is_zero() => format!("bytes at scale {scale}"),
            Encoding::Byte => format!("bytes at scale {scale} plus {}", crate::ir::describe_scale(&self.offset)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn format(text: &str) -> InputFormat {
        text.parse::<InputSpec>().unwrap().resolve(false)
    }

    #[test]
    fn specs_are_read_or_refused_in_words() {
        assert_eq!(format("fixed").encoding, Encoding::Fixed { width: 5 });
        assert_eq!(format("u8").scale, BigRational::new(1.into(), 255.into()));
        assert_eq!("u8".parse::<InputSpec>().unwrap().resolve(true).scale, BigRational::one());
        assert_eq!(format("u8:0.5:-1").offset, BigRational::from(BigInt::from(-1)));
        for wrong in ["", "u9", "fixed:0", "fixed:x", "u8:0", "u8:-1", "u8:1:2:3", "u8:1/0"] {
            assert!(wrong.parse::<InputSpec>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_outside_are_refused() {
        let huge = BigRational::from(BigInt::from(5498));
        let refusal = format("fixed").quantise(&[BigRational::zero(), huge]).unwrap_err();
        assert_eq!(refusal.index, 1);
        assert!(refusal.to_string().contains("5498"), "{refusal}");
        assert!(format("u8").quantise(&[BigRational::from(BigInt::from(2))]).is_err());
    }

    proptest! {
        /// The invariant of this module.
        #[test]
        fn every_byte_string_is_a_valid_input(bytes in prop::collection::vec(any::<u8>(), 24), width in 1usize..7) {
            let fixed = InputSpec::Fixed { width }.resolve(false);
            for format in [fixed, format("u8")] {
                let bytes = &bytes[..bytes.len() / format.width() * format.width()];
                let integers = format.decode(bytes);
                prop_assert_eq!(format.byte_len(integers.len()), bytes.len());
                prop_assert!(integers.iter().all(|integer| format.interval().contains(integer)));
                let again = format.encode(&integers).unwrap();
                prop_assert_eq!(format.decode(&again), integers);
            }
        }
    }
}
