//! Attributes of ONNX nodes.

use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType;

use super::{Node, Tensor, load};
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
    /// A list of strings: class labels.
    Strings(Vec<String>),
    /// A tensor.
    Tensor(Tensor),
    /// A tensor of strings: class labels.
    Labels(Vec<String>),
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
            Ok(AttributeType::String) => Attribute::String(text(&proto.s)),
            Ok(AttributeType::Strings) => Attribute::Strings(proto.strings.iter().map(|bytes| text(bytes)).collect()),
            Ok(AttributeType::Tensor) => match &proto.t {
                Some(tensor) => match load::strings(tensor) {
                    Some(strings) => Attribute::Labels(strings),
                    None => Attribute::Tensor(load::decode(tensor, source).map_err(|fault| fault.reason)?),
                },
                None => return Err("is said to be a tensor but holds none".into()),
            },
            _ => Attribute::Other,
        })
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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

    /// A string attribute, or its default where it is absent.
    ///
    /// # Errors
    /// A problem when the attribute is of another kind.
    pub fn text<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str, Problem> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::String(value)) => Ok(value),
            Some(_) => Err(self.problem(format!("attribute `{name}` is not a string"))),
        }
    }

    /// A list of integers; empty where the attribute is absent.
    ///
    /// # Errors
    /// A problem when the attribute is of another kind.
    pub fn ints(&self, name: &str) -> Result<&[i64], Problem> {
        match self.attributes.get(name) {
            None => Ok(&[]),
            Some(Attribute::Ints(values)) => Ok(values),
            Some(_) => Err(self.problem(format!("attribute `{name}` is not a list of integers"))),
        }
    }

    /// A list of strings; empty where the attribute is absent.
    ///
    /// # Errors
    /// A problem when the attribute is of another kind.
    pub fn texts(&self, name: &str) -> Result<&[String], Problem> {
        match self.attributes.get(name) {
            None => Ok(&[]),
            Some(Attribute::Strings(values)) => Ok(values),
            Some(_) => Err(self.problem(format!("attribute `{name}` is not a list of strings"))),
        }
    }

    /// A list of floats; empty where the attribute is absent.
    ///
    /// # Errors
    /// A problem when the attribute is of another kind or not all of it is finite.
    pub fn floats(&self, name: &str) -> Result<Vec<f64>, Problem> {
        match self.attributes.get(name) {
            None => Ok(vec![]),
            Some(Attribute::Floats(values)) if values.iter().all(|value| value.is_finite()) => {
                Ok(values.iter().copied().map(f64::from).collect())
            }
            Some(_) => Err(self.problem(format!("attribute `{name}` is not a list of finite floats"))),
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
}
