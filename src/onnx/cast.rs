//! Casts of constants, with the rounding that each of ONNX's types brings.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::f16;

use super::ElementType;
use super::tensor::{Elements, Tensor};

impl Tensor {
    /// Cast to an ONNX type code; `None` where that type has no numbers.
    pub fn cast(&self, code: i32) -> Option<Tensor> {
        let cast = self.cast_like(ElementType::from_onnx(code)?);
        let Elements::Float(values) = cast.elements else { return Some(cast) };
        let round = |value: f64| match DataType::try_from(code) {
            Ok(DataType::Float) => f64::from(value as f32),
            Ok(DataType::Float16) => f16::from_f64(value).to_f64(),
            _ => value,
        };
        Some(Tensor { elements: Elements::Float(values.into_iter().map(round).collect()), ..cast })
    }

    /// Cast to an element type; floats stay as they are, floats cast to integers lose their fraction.
    pub fn cast_like(&self, element: ElementType) -> Tensor {
        let whole = |value: f64| match element {
            ElementType::BOOL => i64::from(value != 0.0),
            _ => element.wrap(value as i64),
        };
        let elements = match (&self.elements, element) {
            (Elements::Float(values), ElementType::Float) => Elements::Float(values.clone()),
            (Elements::Int(values), ElementType::Float) => {
                Elements::Float(values.iter().map(|&value| value as f64).collect())
            }
            (Elements::Float(values), _) => Elements::Int(values.iter().copied().map(whole).collect()),
            (Elements::Int(values), _) => Elements::Int(values.iter().map(|&value| element.wrap(value)).collect()),
        };
        Tensor { shape: self.shape.clone(), element, elements }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_round_as_their_type_does() {
        let cast =
            |value: f64, kind: DataType| Tensor::floats(vec![1], vec![value]).cast(kind as i32).unwrap().elements;
        assert_eq!(cast(0.1, DataType::Float), Elements::Float(vec![f64::from(0.1f32)]));
        assert_eq!(cast(0.1, DataType::Double), Elements::Float(vec![0.1]));
        assert_eq!(cast(2049.0, DataType::Float16), Elements::Float(vec![2048.0]));
        assert_eq!(cast(-2.7, DataType::Int64), Elements::Int(vec![-2]));
        assert_eq!(cast(0.3, DataType::Bool), Elements::Int(vec![1]));
        assert_eq!(
            Tensor::ints(vec![1], vec![300]).cast(DataType::Uint8 as i32).unwrap().elements,
            Elements::Int(vec![44])
        );
        assert!(Tensor::ints(vec![1], vec![0]).cast(DataType::String as i32).is_none());
    }
}
