//! Tensors of a model file: dimensions and data, wherever the data lies, held against each other
//! before anything is allocated.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::prelude::f16;

use super::tensor::{Elements, Tensor};
use super::{ElementType, Source, external};

/// What is wrong with a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: String,
    /// Whether its file could not be read.
    pub(super) unreadable: bool,
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Fault { reason, unreadable: false }
    }
}

impl From<&str> for Fault {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Fault { reason: error.to_string(), unreadable: true }
    }
}

/// Decodes a tensor of numbers.
pub(super) fn decode(proto: &TensorProto, source: &Source) -> Result<Tensor, Fault> {
    let kind = DataType::try_from(proto.data_type).map_err(|_| format!("has unknown type code {}", proto.data_type))?;
    let element = ElementType::from_onnx(proto.data_type);
    let (Some(element), Some(bits)) = (element, element_bits(kind)) else {
        return Err(format!("has elements of type {}", kind.as_str_name()).into());
    };
    let (shape, count) = dimensions(&proto.dims)?;
    let is_external = proto.data_location == Some(DataLocation::External as i32);
    let elements = if !proto.raw_data.is_empty() || is_external {
        let expected = (count * bits).div_ceil(8);
        let outside = if proto.raw_data.is_empty() { external::read(proto, source, expected)? } else { vec![] };
        let bytes = if proto.raw_data.is_empty() { &outside } else { &proto.raw_data };
        if bytes.len() != expected {
            return Err(another_length(count).into());
        }
        from_bytes(bytes, kind, count)?
    } else {
        from_fields(proto, kind, count)?
    };
    let len = match &elements {
        Elements::Float(values) => values.len(),
        Elements::Int(values) => values.len(),
    };
    if len != count {
        return Err(another_length(count).into());
    }
    Ok(Tensor { shape, element, elements }.finite()?)
}

/// Decodes a tensor of strings: class labels are the only use that networks have for them.
pub(super) fn strings(proto: &TensorProto) -> Option<Vec<String>> {
    let is_text = proto.data_type == DataType::String as i32;
    is_text.then(|| proto.string_data.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect())
}

fn another_length(count: usize) -> String {
    format!("is said to hold {count} elements but its data is of another length")
}

fn element_bits(kind: DataType) -> Option<usize> {
    Some(match kind {
        DataType::Int4 | DataType::Uint4 => 4,
        DataType::Bool | DataType::Int8 | DataType::Uint8 => 8,
        DataType::Int16 | DataType::Uint16 | DataType::Float16 => 16,
        DataType::Int32 | DataType::Uint32 | DataType::Float => 32,
        DataType::Int64 | DataType::Uint64 | DataType::Double => 64,
        _ => return None,
    })
}

/// The shape, and how many elements it has.
fn dimensions(dims: &[i64]) -> Result<(Vec<usize>, usize), String> {
    // More than this many elements is no network that a script can hold, whatever its data says.
    const MOST: usize = 1 << 32;
    let shape: Option<Vec<usize>> = dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let counted = shape.and_then(|shape| {
        let count = shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim))?;
        (count <= MOST).then_some((shape, count))
    });
    counted.ok_or_else(|| format!("has impossible dimensions {dims:?}"))
}

/// Elements of little-endian bytes, as many as they are said to hold.
fn from_bytes(bytes: &[u8], kind: DataType, count: usize) -> Result<Elements, String> {
    /// So many bytes of each element at a time.
    fn map<const WIDTH: usize, T>(bytes: &[u8], number: impl Fn([u8; WIDTH]) -> T) -> Vec<T> {
        bytes.as_chunks::<WIDTH>().0.iter().copied().map(number).collect()
    }
    Ok(match kind {
        DataType::Float16 => Elements::Float(map(bytes, |element| half(u16::from_le_bytes(element)))),
        DataType::Float => Elements::Float(map(bytes, |element| f32::from_le_bytes(element).into())),
        DataType::Double => Elements::Float(map(bytes, f64::from_le_bytes)),
        DataType::Bool => Elements::Int(map(bytes, |[element]| i64::from(element != 0))),
        DataType::Uint8 => Elements::Int(map(bytes, |[element]| element.into())),
        DataType::Int8 => Elements::Int(map(bytes, |element| i8::from_le_bytes(element).into())),
        DataType::Uint16 => Elements::Int(map(bytes, |element| u16::from_le_bytes(element).into())),
        DataType::Int16 => Elements::Int(map(bytes, |element| i16::from_le_bytes(element).into())),
        DataType::Uint32 => Elements::Int(map(bytes, |element| u32::from_le_bytes(element).into())),
        DataType::Int32 => Elements::Int(map(bytes, |element| i32::from_le_bytes(element).into())),
        DataType::Int64 => Elements::Int(map(bytes, i64::from_le_bytes)),
        DataType::Uint64 => signed(map(bytes, u64::from_le_bytes))?,
        _ => Elements::Int(nibbles(bytes.iter().copied(), kind, count)),
    })
}

/// Elements of the message's typed fields. Small types lie in `int32_data`, by their bits where they are floats.
fn from_fields(proto: &TensorProto, kind: DataType, count: usize) -> Result<Elements, String> {
    let small = || proto.int32_data.iter();
    Ok(match kind {
        DataType::Float16 => Elements::Float(small().map(|&bits| half(bits as u16)).collect()),
        DataType::Float => Elements::Float(proto.float_data.iter().copied().map(f64::from).collect()),
        DataType::Double => Elements::Float(proto.double_data.clone()),
        DataType::Int64 => Elements::Int(proto.int64_data.clone()),
        DataType::Uint64 | DataType::Uint32 if !proto.uint64_data.is_empty() => signed(proto.uint64_data.clone())?,
        DataType::Uint64 => Elements::Int(proto.int64_data.clone()),
        DataType::Int4 | DataType::Uint4 => Elements::Int(nibbles(small().map(|&pair| pair as u8), kind, count)),
        _ => Elements::Int(small().map(|&value| value.into()).collect()),
    })
}

fn half(bits: u16) -> f64 {
    f16::from_bits(bits).to_f64()
}

fn signed(values: Vec<u64>) -> Result<Elements, String> {
    let cast: Option<Vec<i64>> = values.into_iter().map(|value| i64::try_from(value).ok()).collect();
    cast.map(Elements::Int).ok_or_else(|| "holds integers of 2^63 or more".into())
}

/// Two elements a byte, the first in the low half; the last byte may hold only one.
fn nibbles(bytes: impl Iterator<Item = u8>, kind: DataType, count: usize) -> Vec<i64> {
    let signed = |nibble: u8| if kind == DataType::Int4 { i64::from(nibble ^ 8) - 8 } else { nibble.into() };
    bytes.flat_map(|byte| [byte & 15, byte >> 4]).map(signed).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_dimensions_are_counted_before_anything_is_allocated() {
        let count = |dims: &[i64]| dimensions(dims).ok().map(|(_, count)| count);
        assert_eq!(count(&[784, 64]), Some(50_176));
        assert_eq!(count(&[]), Some(1));
        assert_eq!(count(&[-1, 2]), None);
        assert_eq!(count(&[1 << 40]), None);
        assert_eq!(count(&[i64::MAX, i64::MAX]), None);
    }

    fn decoded(proto: TensorProto) -> Result<Elements, Fault> {
        let source = Source { proto: Default::default(), folder: None };
        decode(&proto, &source).map(|tensor| tensor.elements)
    }

    fn proto(kind: DataType, dims: &[i64]) -> TensorProto {
        TensorProto { data_type: kind as i32, dims: dims.to_vec(), ..Default::default() }
    }

    #[test]
    fn small_types_lie_in_int32_data() {
        let halves = TensorProto { int32_data: vec![0x3c00, 0xc000, 0x3800], ..proto(DataType::Float16, &[3]) };
        assert_eq!(decoded(halves), Ok(Elements::Float(vec![1.0, -2.0, 0.5])));
        let bytes = TensorProto { int32_data: vec![-128, 127], ..proto(DataType::Int8, &[2]) };
        assert_eq!(decoded(bytes), Ok(Elements::Int(vec![-128, 127])));
    }

    #[test]
    fn unsigned_integers_lie_in_uint64_data() {
        let uint32 = TensorProto { uint64_data: vec![4_000_000_000], ..proto(DataType::Uint32, &[1]) };
        assert_eq!(decoded(uint32), Ok(Elements::Int(vec![4_000_000_000])));
        let huge = TensorProto { uint64_data: vec![u64::MAX], ..proto(DataType::Uint64, &[1]) };
        assert_eq!(decoded(huge), Err("holds integers of 2^63 or more".into()));
    }

    #[test]
    fn nibbles_come_in_pairs_the_low_one_first() {
        let signed = TensorProto { raw_data: vec![0x8f, 0x07], ..proto(DataType::Int4, &[3]) };
        assert_eq!(decoded(signed), Ok(Elements::Int(vec![-1, -8, 7])));
        let unsigned = TensorProto { int32_data: vec![0x8f, 0x07], ..proto(DataType::Uint4, &[3]) };
        assert_eq!(decoded(unsigned), Ok(Elements::Int(vec![15, 8, 7])));
        let short = TensorProto { raw_data: vec![0x8f], ..proto(DataType::Uint4, &[3]) };
        assert!(decoded(short).is_err());
    }
}
