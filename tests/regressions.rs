//! Faults found by review, each as the smallest model that showed it.

use std::path::PathBuf;

use onnx2script::error::Refusal;
use onnx2script::onnx::Model;
use onnx2script::{Compiled, Options, compile, ir};
use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, tensor_shape_proto, type_proto,
};

/// A model of one input `x` and one output `y`, written as text would: nodes, then initializers.
fn model(input: (DataType, &[i64]), nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
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

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    let name = |name: &&str| (*name).to_owned();
    NodeProto {
        op_type: op.into(),
        input: inputs.iter().map(name).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

fn with_int(mut node: NodeProto, name: &str, value: i64) -> NodeProto {
    let kind = AttributeType::Int as i32;
    node.attribute.push(AttributeProto { name: name.into(), i: value, r#type: kind, ..Default::default() });
    node
}

fn with_float(mut node: NodeProto, name: &str, value: f32) -> NodeProto {
    let kind = AttributeType::Float as i32;
    node.attribute.push(AttributeProto { name: name.into(), f: value, r#type: kind, ..Default::default() });
    node
}

fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let data_type = DataType::Float as i32;
    TensorProto { name: name.into(), dims: dims.to_vec(), data_type, float_data: values.to_vec(), ..Default::default() }
}

fn integers(name: &str, kind: DataType, dims: &[i64], values: &[i32]) -> TensorProto {
    let data_type = kind as i32;
    TensorProto { name: name.into(), dims: dims.to_vec(), data_type, int32_data: values.to_vec(), ..Default::default() }
}

fn decode(proto: &ModelProto) -> Result<Model, Refusal> {
    Model::from_bytes(&proto.encode_to_vec(), "model.onnx".into(), PathBuf::new())
}

fn compiled(proto: &ModelProto, options: &Options) -> Compiled {
    compile(&mut decode(proto).unwrap(), options).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn refusal(proto: &ModelProto) -> String {
    match decode(proto).and_then(|mut model| compile(&mut model, &Options::default())) {
        Err(refusal) => refusal.to_string(),
        Ok(_) => panic!("compiled, but should be refused"),
    }
}

/// A bias on bytes was rounded to a whole byte: at `--input u8`, `x + [0, 0.4]` was a tie wherever `x` was.
#[test]
fn constants_keep_their_digits_on_coarse_inputs() {
    let nodes = vec![cast("x", DataType::Float, "f"), node("Add", &["f", "c"], "y")];
    let proto = model((DataType::Uint8, &[1, 2]), nodes, vec![floats("c", &[2], &[0.0, 0.4])]);
    let options = Options { input: "u8".parse().unwrap(), ..Options::default() };
    let bytes = compiled(&proto, &options);
    assert_eq!(ir::eval(&bytes.optimised, &[7.into(), 7.into()]), 1.into());
    assert_eq!(ir::eval(&bytes.optimised, &[8.into(), 7.into()]), 0.into());
    // Constants that bytes can hold cost nothing.
    let nodes = vec![cast("x", DataType::Float, "f"), node("Add", &["f", "c"], "y")];
    let proto = model((DataType::Uint8, &[1, 2]), nodes, vec![floats("c", &[2], &[0.0, 4.0])]);
    let whole = compiled(&proto, &options);
    assert!(whole.optimised.values.iter().all(|value| !matches!(value.op, ir::Op::Mul { .. })));
}

/// Four weights a column times eight digits each are longer than one product an input.
#[test]
fn products_are_folded_into_weights_only_where_that_pays() {
    let weights: Vec<f32> = (0..64).map(|index| (index as f32).sin()).collect();
    let constants = |factors: &[f32]| vec![floats("c", &[4], factors), floats("w", &[4, 16], &weights)];
    let nodes = || vec![node("Mul", &["x", "c"], "z"), node("MatMul", &["z", "w"], "y")];
    let options = Options {
        quant: onnx2script::quant::Options { rescale: "none".parse().unwrap(), ..Default::default() },
        ..Options::default()
    };
    let products = |factors: &[f32]| {
        let proto = model((DataType::Float, &[1, 4]), nodes(), constants(factors));
        let values = compiled(&proto, &options).optimised.values;
        values.iter().filter(|value| matches!(value.op, ir::Op::Mul { .. })).count()
    };
    assert_eq!(products(&[0.3, 0.7, 1.9, -0.2]), 1);
    assert_eq!(products(&[-0.5, -0.5, -0.5, -0.5]), 0);
}

fn cast(from: &str, to: DataType, output: &str) -> NodeProto {
    with_int(node("Cast", &[from], output), "to", to as i64)
}

/// Integer arithmetic of ONNX wraps and truncates; the network of real numbers would give other classes.
#[test]
fn integer_arithmetic_that_is_not_that_of_real_numbers_is_refused() {
    for (op, kind) in [("Sub", DataType::Uint8), ("Add", DataType::Int8), ("Mul", DataType::Int16)] {
        let nodes = vec![node(op, &["x", "c"], "z"), cast("z", DataType::Float, "y")];
        let refused = refusal(&model((kind, &[1, 2]), nodes, vec![integers("c", kind, &[1], &[100])]));
        assert!(refused.contains("wrap around"), "{op}: {refused}");
    }
    let nodes = vec![node("Div", &["x", "c"], "z"), cast("z", DataType::Float, "y")];
    let constant = integers("c", DataType::Int32, &[1], &[7]);
    let refused = refusal(&model((DataType::Int32, &[1, 2]), nodes, vec![constant]));
    assert!(refused.contains("cuts the fraction off"), "{refused}");
}

#[test]
fn integers_are_cast_only_to_types_that_hold_them() {
    for (from, to, fits) in [
        (DataType::Uint8, DataType::Int32, true),
        (DataType::Uint8, DataType::Int16, true),
        (DataType::Uint8, DataType::Int8, false),
        (DataType::Uint8, DataType::Bool, false),
        (DataType::Int32, DataType::Int8, false),
        (DataType::Int8, DataType::Uint32, false),
        (DataType::Int32, DataType::Int64, true),
    ] {
        let proto = model((from, &[1, 2]), vec![cast("x", to, "z"), cast("z", DataType::Float, "y")], vec![]);
        let outcome = decode(&proto).and_then(|mut model| compile(&mut model, &Options::default()));
        assert_eq!(outcome.is_ok(), fits, "{from:?} to {to:?}");
    }
}

#[test]
fn a_class_is_cast_only_to_a_type_that_counts_all_classes() {
    for (to, classes, fits) in [
        (DataType::Bool, 2, true),
        (DataType::Bool, 3, false),
        (DataType::Int8, 128, true),
        (DataType::Int8, 129, false),
        (DataType::Uint8, 256, true),
        (DataType::Uint8, 257, false),
        (DataType::Int32, 257, true),
        (DataType::Float, 257, true),
    ] {
        let argmax = with_int(with_int(node("ArgMax", &["x"], "class"), "axis", 1), "keepdims", 0);
        let proto = model((DataType::Float, &[1, classes]), vec![argmax, cast("class", to, "y")], vec![]);
        let outcome = decode(&proto).and_then(|mut model| compile(&mut model, &Options::default()));
        assert_eq!(outcome.is_ok(), fits, "{classes} classes to {to:?}");
    }
}

/// The bias was silently taken for zero.
#[test]
fn a_bias_that_overflows_is_refused() {
    let gemm = with_float(node("Gemm", &["x", "w", "c"], "y"), "beta", 1e30);
    let double = |name: &str, dims: &[i64], values: &[f64]| TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Double as i32,
        double_data: values.to_vec(),
        ..Default::default()
    };
    let constants = vec![double("w", &[2, 2], &[1.0, 2.0, 3.0, 5.0]), double("c", &[2], &[0.0, 1e300])];
    let refused = refusal(&model((DataType::Double, &[1, 2]), vec![gemm], constants));
    assert!(refused.contains("range of floats"), "{refused}");
}
