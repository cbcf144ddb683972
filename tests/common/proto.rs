//! ONNX models made for a test.

// Each test file uses its part of this.
#![allow(dead_code)]

use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, tensor_shape_proto, type_proto,
};

/// A model of one input `x` and one output `y`, written as text would: nodes, then initializers.
pub(crate) fn model(input: (DataType, &[i64]), nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    let dim = |&size: &i64| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(size)),
        ..Default::default()
    };
    let shape = TensorShapeProto { dim: input.1.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: input.0 as i32, shape: Some(shape) };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    let graph = GraphProto {
        name: "g".into(),
        node: nodes,
        initializer,
        input: vec![ValueInfoProto { name: "x".into(), r#type: Some(kind), ..Default::default() }],
        output: vec![ValueInfoProto { name: "y".into(), ..Default::default() }],
        ..Default::default()
    };
    let opset = OperatorSetIdProto { domain: String::new(), version: 17 };
    ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..Default::default() }
}

pub(crate) fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    let name = |name: &&str| (*name).to_owned();
    NodeProto {
        op_type: op.into(),
        input: inputs.iter().map(name).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

pub(crate) fn with_int(mut node: NodeProto, name: &str, value: i64) -> NodeProto {
    let kind = AttributeType::Int as i32;
    node.attribute.push(AttributeProto { name: name.into(), i: value, r#type: kind, ..Default::default() });
    node
}

pub(crate) fn with_float(mut node: NodeProto, name: &str, value: f32) -> NodeProto {
    let kind = AttributeType::Float as i32;
    node.attribute.push(AttributeProto { name: name.into(), f: value, r#type: kind, ..Default::default() });
    node
}

pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let data_type = DataType::Float as i32;
    TensorProto { name: name.into(), dims: dims.to_vec(), data_type, float_data: values.to_vec(), ..Default::default() }
}

pub(crate) fn integers(name: &str, kind: DataType, dims: &[i64], values: &[i32]) -> TensorProto {
    let data_type = kind as i32;
    TensorProto { name: name.into(), dims: dims.to_vec(), data_type, int32_data: values.to_vec(), ..Default::default() }
}
