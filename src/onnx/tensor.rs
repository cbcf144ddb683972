//! Constant tensors: decoded by tract, held as plain vectors.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::prelude::{DatumType, Tensor as TractTensor};
use tract_onnx::tensor::load_tensor;

use super::{Source, fence};

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

/// Elements of a tensor, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// Floats of any width: f64 holds each of them exactly.
    Float(Vec<f64>),
    /// Integers of any width up to 64 bits, and booleans.
    Int(Vec<i64>),
}

/// A constant tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Dimensions, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// As many elements as the dimensions' product.
    pub elements: Elements,
}

impl Tensor {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        match &self.elements {
            Elements::Float(values) => values.len(),
            Elements::Int(values) => values.len(),
        }
    }

    /// Whether some dimension is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as floats; `None` where an integer is too large to be one exactly.
    pub fn to_floats(&self) -> Option<Vec<f64>> {
        const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
        match &self.elements {
            Elements::Float(values) => Some(values.clone()),
            Elements::Int(values) => {
                values.iter().map(|&value| (value.unsigned_abs() <= EXACT).then_some(value as f64)).collect()
            }
        }
    }

    /// The elements as integers, as shapes and axes are given.
    pub fn to_ints(&self) -> Option<&[i64]> {
        match &self.elements {
            Elements::Int(values) => Some(values),
            Elements::Float(_) => None,
        }
    }

    /// The elements of `self` repeated to `shape` by ONNX's (NumPy's) broadcasting; `None` where the
    /// shapes do not fit or `self` is not a number tensor that floats can hold.
    pub fn broadcast_to(&self, shape: &[usize]) -> Option<Vec<f64>> {
        let values = self.to_floats()?;
        if self.shape.len() > shape.len() && self.shape[..self.shape.len() - shape.len()].iter().any(|&dim| dim != 1) {
            return None;
        }
        // Walk the target row-major, the strides of broadcast dimensions being zero.
        let mut strides = vec![0; shape.len()];
        let mut stride = 1;
        for (back, &dim) in self.shape.iter().rev().enumerate() {
            let Some(axis) = shape.len().checked_sub(back + 1) else {
                break;
            };
            match dim {
                1 => {}
                _ if dim == shape[axis] => strides[axis] = stride,
                _ => return None,
            }
            stride *= dim;
        }
        let total = shape.iter().product::<usize>();
        Some((0..total).map(|flat| values[source_index(flat, shape, &strides)]).collect())
    }
}

fn source_index(mut flat: usize, shape: &[usize], strides: &[usize]) -> usize {
    let mut index = 0;
    for (&dim, &stride) in shape.iter().zip(strides).rev() {
        index += flat % dim * stride;
        flat /= dim;
    }
    index
}

impl ElementType {
    /// The element type of an ONNX type code; `None` for strings, complex numbers and the exotic.
    pub fn from_onnx(code: i32) -> Option<ElementType> {
        Some(match DataType::try_from(code).ok()? {
            DataType::Float16 | DataType::Float | DataType::Double => ElementType::Float,
            DataType::Uint8 => ElementType::Uint8,
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
}

/// Decodes a tensor, after checking what would make a decoder allocate or read beyond its data.
pub(super) fn decode(proto: &TensorProto, source: &Source) -> Result<Tensor, String> {
    let kind = DataType::try_from(proto.data_type).map_err(|_| format!("has unknown type code {}", proto.data_type))?;
    let width = element_width(kind).ok_or_else(|| format!("has elements of type {}", kind.as_str_name()))?;
    let count = element_count(&proto.dims).ok_or_else(|| format!("has impossible dimensions {:?}", proto.dims))?;
    if let Some(have) = stored_elements(proto, kind, width)
        && have != Some(count)
    {
        return Err(format!("is said to hold {count} elements but its data is of another length"));
    }
    let folder = source.folder.to_str();
    let tensor = fence("decoding a tensor", || {
        let provider = tract_onnx::data_resolver::MmapDataResolver;
        load_tensor(&provider, proto, folder).map_err(|error| match external_file(proto) {
            Some(file) => format!("cannot be read from the file `{file}`: {}", error.root_cause()),
            None => format!("cannot be read: {error:#}"),
        })
    })?;
    let tensor = from_tract(&tensor)?;
    match tensor.len() == count {
        true => Ok(tensor),
        false => Err(format!("is said to hold {count} elements but its data is of another length")),
    }
}

/// The file that holds the elements, where they do not lie in the message itself.
fn external_file(proto: &TensorProto) -> Option<&str> {
    proto.external_data.iter().find(|entry| entry.key == "location").map(|entry| entry.value.as_str())
}

/// How many elements lie in the message itself: `None` when they lie in another file, `Some(None)`
/// when the raw bytes are not a whole number of elements.
fn stored_elements(proto: &TensorProto, kind: DataType, width: usize) -> Option<Option<usize>> {
    if !proto.raw_data.is_empty() {
        return Some(proto.raw_data.len().is_multiple_of(width).then_some(proto.raw_data.len() / width));
    }
    if proto.data_location == Some(DataLocation::External as i32) {
        return None;
    }
    Some(Some(match kind {
        DataType::Float => proto.float_data.len(),
        DataType::Double => proto.double_data.len(),
        DataType::Int64 | DataType::Uint64 => proto.int64_data.len().max(proto.uint64_data.len()),
        _ => proto.int32_data.len(),
    }))
}

fn element_width(kind: DataType) -> Option<usize> {
    Some(match kind {
        DataType::Bool | DataType::Int8 | DataType::Uint8 => 1,
        DataType::Int16 | DataType::Uint16 | DataType::Float16 => 2,
        DataType::Int32 | DataType::Uint32 | DataType::Float => 4,
        DataType::Int64 | DataType::Uint64 | DataType::Double => 8,
        _ => return None,
    })
}

fn element_count(dims: &[i64]) -> Option<usize> {
    // More than this many elements is no network that a script can hold, whatever its data says.
    const MOST: usize = 1 << 32;
    dims.iter()
        .try_fold(1usize, |product, &dim| product.checked_mul(usize::try_from(dim).ok()?))
        .filter(|&count| count <= MOST)
}

/// A tract tensor as plain vectors.
pub(super) fn from_tract(tensor: &TractTensor) -> Result<Tensor, String> {
    let shape = tensor.shape().to_vec();
    let kind = tensor.datum_type();
    let elements = if kind.is_float() {
        Elements::Float(cast_to_vec::<f64>(tensor)?)
    } else if kind.is_integer() || kind == DatumType::Bool || kind == DatumType::TDim {
        Elements::Int(cast_to_vec::<i64>(tensor)?)
    } else {
        return Err(format!("has elements of type {kind:?}"));
    };
    if let Elements::Float(values) = &elements
        && let Some(position) = values.iter().position(|value| !value.is_finite())
    {
        return Err(format!("holds {} at position {position}; every number must be finite", values[position]));
    }
    Ok(Tensor { shape, elements })
}

fn cast_to_vec<T: tract_onnx::prelude::Datum + Copy>(tensor: &TractTensor) -> Result<Vec<T>, String> {
    let cast = tensor.cast_to::<T>().map_err(|error| format!("cannot be converted: {error:#}"))?;
    let view = cast.to_plain_array_view::<T>().map_err(|error| format!("cannot be read: {error:#}"))?;
    Ok(view.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(shape: &[usize], values: &[f64]) -> Tensor {
        Tensor { shape: shape.to_vec(), elements: Elements::Float(values.to_vec()) }
    }

    #[test]
    fn broadcasting_follows_numpy() {
        let row = floats(&[3], &[1., 2., 3.]);
        assert_eq!(row.broadcast_to(&[2, 3]), Some(vec![1., 2., 3., 1., 2., 3.]));
        let column = floats(&[2, 1], &[1., 2.]);
        assert_eq!(column.broadcast_to(&[2, 3]), Some(vec![1., 1., 1., 2., 2., 2.]));
        assert_eq!(floats(&[], &[7.]).broadcast_to(&[1, 2]), Some(vec![7., 7.]));
        assert_eq!(floats(&[1, 1, 3], &[1., 2., 3.]).broadcast_to(&[3]), Some(vec![1., 2., 3.]));
        assert_eq!(row.broadcast_to(&[2]), None);
        assert_eq!(floats(&[2, 1], &[1., 2.]).broadcast_to(&[3]), None);
    }

    #[test]
    fn impossible_dimensions_are_counted_before_anything_is_allocated() {
        assert_eq!(element_count(&[784, 64]), Some(50_176));
        assert_eq!(element_count(&[]), Some(1));
        assert_eq!(element_count(&[-1, 2]), None);
        assert_eq!(element_count(&[1 << 40]), None);
        assert_eq!(element_count(&[i64::MAX, i64::MAX]), None);
    }
}
