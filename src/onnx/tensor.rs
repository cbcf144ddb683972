//! Constant tensors as plain vectors.

use tract_onnx::prelude::{DatumType, Tensor as TractTensor};

use super::ElementType;

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
    /// The type that the model gives the elements.
    pub element: ElementType,
    /// As many elements as the dimensions' product.
    pub elements: Elements,
}

impl Tensor {
    /// Floats in a shape.
    pub fn floats(shape: Vec<usize>, values: Vec<f64>) -> Tensor {
        Tensor { shape, element: ElementType::Float, elements: Elements::Float(values) }
    }

    /// Integers of type int64 in a shape.
    pub fn ints(shape: Vec<usize>, values: Vec<i64>) -> Tensor {
        Tensor { shape, element: ElementType::INT64, elements: Elements::Int(values) }
    }

    /// The tensor, unless some float in it is none: such numbers have no integers.
    ///
    /// # Errors
    /// Which one.
    pub(crate) fn finite(self) -> Result<Tensor, String> {
        match &self.elements {
            Elements::Float(values) => match values.iter().position(|value| !value.is_finite()) {
                Some(at) => Err(format!("holds {} at position {at}; every number must be finite", values[at])),
                None => Ok(self),
            },
            Elements::Int(_) => Ok(self),
        }
    }

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
        repeat(&self.to_floats()?, &self.shape, shape)
    }
}

/// The elements of a tensor repeated from its shape to another by ONNX's (NumPy's) broadcasting.
pub(crate) fn repeat<T: Copy>(values: &[T], from: &[usize], to: &[usize]) -> Option<Vec<T>> {
    if from.len() > to.len() && from[..from.len() - to.len()].iter().any(|&dim| dim != 1) {
        return None;
    }
    // Walk the target row-major, the strides of broadcast dimensions being zero.
    let mut strides = vec![0; to.len()];
    let mut stride = 1;
    for (back, &dim) in from.iter().rev().enumerate() {
        let Some(axis) = to.len().checked_sub(back + 1) else {
            break;
        };
        match dim {
            1 => {}
            _ if dim == to[axis] => strides[axis] = stride,
            _ => return None,
        }
        stride *= dim;
    }
    Some((0..to.iter().product()).map(|flat| values[source_index(flat, to, &strides)]).collect())
}

/// Where an element lies in a vector, by its place in a row-major tensor and the strides of the vector.
pub(crate) fn source_index(mut flat: usize, shape: &[usize], strides: &[usize]) -> usize {
    let mut index = 0;
    for (&dim, &stride) in shape.iter().zip(strides).rev() {
        index += flat % dim * stride;
        flat /= dim;
    }
    index
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
    Tensor { shape, element: ElementType::from_tract(kind), elements }.finite()
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
        Tensor::floats(shape.to_vec(), values.to_vec())
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
}
