//! How the unlocking script gives the input: one push, every element of the same width, in bytes or in bits.
//!
//! Invariant: *every* byte string of [`InputFormat::byte_len`] bytes is a valid input and decodes to
//! integers inside [`InputFormat::interval`]. The contract checks the length and nothing else, so no
//! unlocking script can leave the intervals that the compiler proves from here.

use std::fmt;

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
    /// So many bits of a byte, unsigned: 1, 2, 4 or 8. Element 0 has the lowest bits of byte 0; what elements leave of the
    /// last byte is ignored.
    Bits {
        /// Bits an element.
        bits: usize,
    },
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
    /// 1, 2, 4 or 8 bits an element.
    Bits {
        /// Bits an element.
        bits: usize,
        /// `None`: 1 for a model that takes integers, else what makes the largest element worth 1.
        scale: Option<BigRational>,
        /// What element 0 is worth.
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

    /// Reads `fixed[:BYTES]`, or `u1`, `u2`, `u4` or `u8` with `[:SCALE[:OFFSET]]`.
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
            Some(name @ ("u1" | "u2" | "u4" | "u8")) => {
                let bits = usize::from(name.as_bytes()[1] - b'0');
                let scale = parts.next().map(parse_rational).transpose()?;
                if scale.as_ref().is_some_and(|scale| !scale.is_positive()) {
                    return Err("the scale must be positive".into());
                }
                let offset = parts.next().map(parse_rational).transpose()?.unwrap_or_else(BigRational::zero);
                InputSpec::Bits { bits, scale, offset }
            }
            _ => {
                return Err(
                    "give fixed, fixed:BYTES, or u1, u2, u4 or u8, alone or with :SCALE or :SCALE:OFFSET, as in \
                            u8:1/255"
                        .into(),
                );
            }
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
            InputSpec::Bits { bits, scale, offset } => InputFormat {
                encoding: Encoding::Bits { bits: *bits },
                scale: scale.clone().unwrap_or_else(|| default_unit(*bits, whole_numbers)),
                offset: offset.clone(),
            },
        }
    }
}

/// What a step of an element of 1 to 8 bits is worth to a model unless the user says otherwise.
pub fn default_unit(bits: usize, whole_numbers: bool) -> BigRational {
    if whole_numbers { BigRational::one() } else { BigRational::new(1.into(), highest(bits).into()) }
}

/// The largest element of 1 to 8 bits.
pub fn highest(bits: usize) -> u8 {
    u8::MAX >> (8 - bits)
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
    /// Bytes of the shortest piece that holds whole elements.
    pub fn width(&self) -> usize {
        match self.encoding {
            Encoding::Fixed { width } => width,
            Encoding::Bits { .. } => 1,
        }
    }

    /// Elements that share a piece of [`InputFormat::width`] bytes.
    pub fn sharing(&self) -> usize {
        match self.encoding {
            Encoding::Fixed { .. } => 1,
            Encoding::Bits { bits } => 8 / bits,
        }
    }

    /// Bytes of an input of `elements` elements.
    pub fn byte_len(&self, elements: usize) -> usize {
        self.width() * elements.div_ceil(self.sharing())
    }

    /// What the bytes of an element can decode to.
    pub fn interval(&self) -> Interval {
        match self.encoding {
            Encoding::Fixed { width } => {
                let most: BigInt = (BigInt::one() << (8 * width - 1)) - 1;
                Interval { low: -most.clone(), high: most }
            }
            Encoding::Bits { bits } => Interval::new(0, highest(bits)),
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
            Encoding::Bits { .. } => "give another scale and offset, as in --input u8:1/255:0, or use --input fixed",
        };
        let value = num_traits::ToPrimitive::to_f64(value).map_or_else(|| value.to_string(), |value| value.to_string());
        OutOfRange { index, value, format: self.describe(), help }
    }

    /// The bytes of integers inside [`InputFormat::interval`].
    pub fn encode(&self, integers: &[BigInt]) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.byte_len(integers.len()));
        for piece in integers.chunks(self.sharing()) {
            match self.encoding {
                Encoding::Fixed { width } => bytes.extend(number::encode_fixed(&piece[0], width)?),
                Encoding::Bits { bits } => bytes.push(pack(piece, bits)?),
            }
        }
        Some(bytes)
    }

    /// The `elements` integers that bytes stand for.
    pub fn decode(&self, bytes: &[u8], elements: usize) -> Vec<BigInt> {
        let pieces = bytes.chunks(self.width());
        match self.encoding {
            Encoding::Fixed { .. } => pieces.map(number::decode).take(elements).collect(),
            Encoding::Bits { bits } => {
                let element = |at: usize| BigInt::from(bytes[at * bits / 8] >> (at * bits % 8) & highest(bits));
                (0..elements).map(element).collect()
            }
        }
    }

    /// The format in words.
    pub fn describe(&self) -> String {
        let scale = crate::ir::describe_scale(&self.scale);
        let elements = match self.encoding {
            Encoding::Fixed { width } => format!("{width}-byte signed integers"),
            Encoding::Bits { bits: 8 } => "bytes".to_owned(),
            Encoding::Bits { bits } => format!("{bits}-bit integers"),
        };
        match self.offset.is_zero() {
            true => format!("{elements} at scale {scale}"),
            false => format!("{elements} at scale {scale} plus {}", crate::ir::describe_scale(&self.offset)),
        }
    }
}

/// As `--input` has it, nothing left out.
impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.encoding {
            Encoding::Fixed { width } => write!(f, "fixed:{width}"),
            Encoding::Bits { bits } => write!(f, "u{bits}:{}:{}", self.scale, self.offset),
        }
    }
}

/// The elements of one byte, the first in its lowest bits; `None` where one does not fit.
fn pack(elements: &[BigInt], bits: usize) -> Option<u8> {
    elements.iter().rev().try_fold(0u8, |byte, element| {
        let element = u8::try_from(element).ok().filter(|element| *element <= highest(bits))?;
        // Of eight bits there is one element, and nothing to make room for.
        Some(byte.checked_shl(bits as u32).unwrap_or(0) | element)
    })
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
        assert_eq!(format("u1").scale, BigRational::one());
        assert_eq!(format("u4").scale, BigRational::new(1.into(), 15.into()));
        assert_eq!(format("u2:2/3:-1").encoding, Encoding::Bits { bits: 2 });
        for wrong in ["", "u", "u0", "u3", "u9", "u16", "fixed:0", "fixed:x", "u8:0", "u4:-1", "u8:1:2:3", "u8:1/0"] {
            assert!(wrong.parse::<InputSpec>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_outside_are_refused() {
        let huge = BigRational::from(BigInt::from(5498));
        let refusal = format("fixed").quantise(&[BigRational::zero(), huge]).unwrap_err();
        assert_eq!(refusal.index, 1);
        assert!(refusal.to_string().contains("5498"), "{refusal}");
        for format in ["u1", "u2", "u4", "u8"].map(format) {
            assert!(format.quantise(&[BigRational::from(BigInt::from(2))]).is_err());
            let highest = format.interval().high;
            assert_eq!(format.quantise(&[BigRational::one()]).unwrap()[0], highest);
            assert_eq!(format.encode(&[BigInt::ZERO, highest + 1]), None);
            assert_eq!(format.encode(&[BigInt::from(-1)]), None);
        }
    }

    #[test]
    fn elements_lie_from_the_lowest_bits_up() {
        let integers = |integers: &[u8]| integers.iter().map(|&integer| BigInt::from(integer)).collect::<Vec<_>>();
        let cases = [
            ("u1", integers(&[1, 0, 1, 1, 0, 0, 0, 0, 1, 1]), vec![0b1101, 0b11]),
            ("u2", integers(&[3, 0, 1, 2, 2]), vec![0b1001_0011, 0b10]),
            ("u4", integers(&[5, 10, 15]), vec![0xa5, 0x0f]),
            ("u8", integers(&[5, 200]), vec![5, 200]),
        ];
        for (name, integers, bytes) in cases {
            assert_eq!(format(name).encode(&integers), Some(bytes.clone()), "{name}");
            assert_eq!(format(name).decode(&bytes, integers.len()), integers, "{name}");
            assert_eq!(format(name).byte_len(integers.len()), bytes.len(), "{name}");
        }
    }

    proptest! {
        /// The invariant of this module.
        #[test]
        fn every_byte_string_is_a_valid_input(bytes in prop::collection::vec(any::<u8>(), 24), width in 1usize..7) {
            let fixed = InputSpec::Fixed { width }.resolve(false);
            for format in [fixed, format("u8")] {
                let bytes = &bytes[..bytes.len() / format.width() * format.width()];
                let elements = bytes.len() / format.width();
                let integers = format.decode(bytes, elements);
                prop_assert_eq!(format.byte_len(integers.len()), bytes.len());
                prop_assert!(integers.iter().all(|integer| format.interval().contains(integer)));
                let again = format.encode(&integers).unwrap();
                prop_assert_eq!(format.decode(&again, elements), integers);
            }
        }

        /// It holds for bits, too, whatever elements leave of the last byte.
        #[test]
        fn bits_that_no_element_has_are_ignored(
            name in prop::sample::select(vec!["u1", "u2", "u4"]),
            mut bytes in prop::collection::vec(any::<u8>(), 1..6),
            unused in 0usize..8,
            noise in any::<u8>(),
        ) {
            let format = format(name);
            let Encoding::Bits { bits } = format.encoding else { unreachable!() };
            let unused = unused % format.sharing();
            let elements = bytes.len() * format.sharing() - unused;
            let integers = format.decode(&bytes, elements);
            prop_assert_eq!(integers.len(), elements);
            prop_assert_eq!(format.byte_len(elements), bytes.len());
            prop_assert!(integers.iter().all(|integer| format.interval().contains(integer)));
            let last = bytes.last_mut().unwrap();
            *last ^= noise & !(u8::MAX >> (unused * bits));
            prop_assert_eq!(&format.decode(&bytes, elements), &integers);
            let clean = format.encode(&integers).unwrap();
            prop_assert_eq!(format.decode(&clean, elements), integers);
        }
    }
}
