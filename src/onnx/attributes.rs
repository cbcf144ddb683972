//! Attributes of ONNX nodes.

use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType;

use super::{Node, Tensor, tensor};
use crate::error::Problem;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// One integer.
    Int(i64),
    /// A list of integers.
    Ints(Vec<i64>),
    /// One float.
    Float(f32),
    /// A list of floats.
    Floats(Vec<f32>),
    /// A string.
    String(String),
    /// A tensor.
    Tensor(Tensor),
    /// A kind that no supported op has: graphs, sparse tensors, types.
    Other,
}

impl Attribute {
    /// Decodes an attribute; `Err` says what is wrong with its tensor.
    pub(super) fn decode(proto: &pb::AttributeProto, source: &super::Source) -> Result<Attribute, String> {
        Ok(match AttributeType::try_from(proto.r#type) {
            Ok(AttributeType::Int) => Attribute::Int(proto.i),
            Ok(AttributeType::Ints) => Attribute::Ints(proto.ints.clone()),
            Ok(AttributeType::Float) => Attribute::Float(proto.f),
            Ok(AttributeType::Floats) => Attribute::Floats(proto.floats.clone()),
            Ok(AttributeType::String) => Attribute::String(String::from_utf8_lossy(&proto.s).into_owned()),
            Ok(AttributeType::Tensor) => match &proto.t {
                Some(tensor) => Attribute::Tensor(tensor::decode(tensor, source)?),
                None => return Err("is said to be a tensor but holds none".into()),
            },
            _ => Attribute::Other,
        })
    }
}

impl Node {
    /// An integer attribute, or its default where it is absent.
    ///
    /// # Errors
    /// A problem when the attribute is of another kind.
    pub fn int(&self, name: &str, default: i64) -> Result<i64, Problem> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Int(value)) => Ok(*value),
            Some(_) => Err(self.problem(format!("attribute `{name}` is not an integer"))),
        }
    }

    /// A float attribute, or its default where it is absent.
    ///
    /// # Errors
    /// A problem when the attribute is of another kind or not finite.
    pub fn float(&self, name: &str, default: f32) -> Result<f64, Problem> {
        match self.attributes.get(name) {
            None => Ok(f64::from(default)),
            Some(Attribute::Float(value)) if value.is_finite() => Ok(f64::from(*value)),
            Some(_) => Err(self.problem(format!("attribute `{name}` is not a finite float"))),
        }
    }

    /// A list of integers; `None` where the attribute is absent.
    ///
    /// # Errors
    /// A problem when the attribute is of another kind.
    pub fn ints(&self, name: &str) -> Result<Option<&[i64]>, Problem> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Ints(values)) => Ok(Some(values)),
            Some(_) => Err(self.problem(format!("attribute `{name}` is no list of integers"))),
        }
    }

    /// A string attribute, or its default where it is absent.
    ///
    /// # Errors
    /// A problem when the attribute is of another kind.
    pub fn string<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str, Problem> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::String(value)) => Ok(value),
            Some(_) => Err(self.problem(format!("attribute `{name}` is no string"))),
        }
    }
}
