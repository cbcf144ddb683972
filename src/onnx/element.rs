//! Element types of values and constants.

use std::fmt;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::DatumType;

/// Element types that a model's input or constants may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// float16, float32 or float64.
    Float,
    /// Unsigned bytes, as pictures have them.
    Uint8,
    /// Any other integer type; booleans are integers of one bit.
    Integer {
        /// How many bits an element has.
        bits: u32,
        /// Whether one of them is a sign.
        signed: bool,
    },
}

impl ElementType {
    /// The element type of an ONNX type code; `None` for strings, complex numbers and the exotic.
    pub fn from_onnx(code: i32) -> Option<ElementType> {
        Some(match DataType::try_from(code).ok()? {
            DataType::Float16 | DataType::Float | DataType::Double => ElementType::Float,
            DataType::Uint8 => ElementType::Uint8,
            DataType::Int4 => ElementType::Integer { bits: 4, signed: true },
            DataType::Uint4 => ElementType::Integer { bits: 4, signed: false },
            DataType::Bool => ElementType::Integer { bits: 1, signed: false },
            DataType::Int8 => ElementType::Integer { bits: 8, signed: true },
            DataType::Int16 => ElementType::Integer { bits: 16, signed: true },
            DataType::Uint16 => ElementType::Integer { bits: 16, signed: false },
            DataType::Int32 => ElementType::Integer { bits: 32, signed: true },
            DataType::Uint32 => ElementType::Integer { bits: 32, signed: false },
            DataType::Int64 => ElementType::Integer { bits: 64, signed: true },
            DataType::Uint64 => ElementType::Integer { bits: 64, signed: false },
            _ => return None,
        })
    }

    /// The bits of a magnitude, and whether there is a sign beside them; `None` for floats.
    fn magnitude(self) -> Option<(u32, bool)> {
        match self {
            ElementType::Float => None,
            ElementType::Uint8 => Some((8, false)),
            ElementType::Integer { bits, signed } => Some((bits - u32::from(signed), signed)),
        }
    }

    /// Whether it has whole numbers only.
    pub fn is_integer(self) -> bool {
        self.magnitude().is_some()
    }

    /// Whether every value of the integer type `other` is a value of this integer type.
    pub fn holds(self, other: ElementType) -> bool {
        match (self.magnitude(), other.magnitude()) {
            (Some((bits, signed)), Some((other_bits, other_signed))) => bits >= other_bits && (signed || !other_signed),
            _ => false,
        }
    }

    /// Whether this type has all integers from 0 to `most`.
    pub fn counts_to(self, most: usize) -> bool {
        self.magnitude().is_none_or(|(bits, _)| usize::BITS - most.leading_zeros() <= bits)
    }

    /// Whether sums and products in this type are what they are on paper: narrow and unsigned integers
    /// wrap around on what a sample may well hold.
    pub fn computes(self) -> bool {
        self.magnitude().is_none_or(|(bits, signed)| signed && bits >= 31)
    }

    /// The type of truth values.
    pub const BOOL: ElementType = ElementType::Integer { bits: 1, signed: false };
    /// The type of shapes, axes and indices.
    pub const INT64: ElementType = ElementType::Integer { bits: 64, signed: true };

    /// The type of a tensor of tract's.
    pub(super) fn from_tract(kind: DatumType) -> ElementType {
        match kind {
            kind if kind.is_float() => ElementType::Float,
            DatumType::U8 => ElementType::Uint8,
            DatumType::Bool => ElementType::BOOL,
            DatumType::TDim => ElementType::INT64,
            kind => {
                ElementType::Integer { bits: 8 * u32::try_from(kind.size_of()).unwrap_or(8), signed: kind.is_signed() }
            }
        }
    }

    /// An integer as it is once it is stored in this type: what lies beyond wraps around.
    pub fn wrap(self, value: i64) -> i64 {
        match self {
            ElementType::BOOL => i64::from(value != 0),
            ElementType::Float | ElementType::Integer { bits: 64.., .. } => value,
            ElementType::Uint8 => value & 0xff,
            ElementType::Integer { bits, signed: false } => value & ((1 << bits) - 1),
            ElementType::Integer { bits, signed: true } => value << (64 - bits) >> (64 - bits),
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElementType::Float => f.write_str("float"),
            ElementType::Uint8 => f.write_str("uint8"),
            &ElementType::BOOL => f.write_str("bool"),
            ElementType::Integer { bits, signed: true } => write!(f, "int{bits}"),
            ElementType::Integer { bits, signed: false } => write!(f, "uint{bits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_in_their_type() {
        let int8 = ElementType::Integer { bits: 8, signed: true };
        assert_eq!((int8.wrap(127), int8.wrap(128), int8.wrap(-129)), (127, -128, 127));
        assert_eq!((ElementType::Uint8.wrap(256), ElementType::Uint8.wrap(-1)), (0, 255));
        assert_eq!((ElementType::BOOL.wrap(7), ElementType::INT64.wrap(i64::MIN)), (1, i64::MIN));
    }

    #[test]
    fn types_have_onnx_names() {
        let names: Vec<String> =
            [9, 3, 12, 2, 1, 7].map(|code| ElementType::from_onnx(code).unwrap().to_string()).into();
        assert_eq!(names, ["bool", "int8", "uint32", "uint8", "float", "int64"]);
    }
}
