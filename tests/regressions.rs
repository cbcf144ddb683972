//! Faults found by review, each as the smallest model that showed it.

#[path = "common/proto.rs"]
mod proto;

use onnx2script::error::Refusal;
use onnx2script::onnx::Model;
use onnx2script::{Compiled, Options, compile, ir, passes};
use prost::Message;
use proto::{floats, integers, model, node, with_float, with_int};
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto, tensor_proto::DataType, tensor_shape_proto, type_proto};

fn decode(proto: &ModelProto) -> Result<Model, Refusal> {
    Model::from_bytes(&proto.encode_to_vec(), "model.onnx".into(), None)
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
    // On a grid: other weights take the factors in floats, before.
    let weights: Vec<f32> = (0..64).map(|index| (index * 7 % 15 - 7) as f32).collect();
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

/// This compiler took the last one, tract the first.
#[test]
fn an_attribute_that_is_there_twice_is_refused() {
    let gemm = with_int(with_int(node("Gemm", &["x", "w"], "y"), "transB", 0), "transB", 1);
    let weights = floats("w", &[2, 2], &[1.0, 2.0, 3.0, 5.0]);
    let refused = refusal(&model((DataType::Float, &[1, 2]), vec![gemm], vec![weights]));
    assert!(refused.contains("`transB` is there twice"), "{refused}");
}

/// An ArgMax of which only the shape is used stood in the middle of the network: a broken invariant.
#[test]
fn what_the_class_does_not_depend_on_is_left_out() {
    let two = TensorProto { int64_data: vec![2], ..integers("two", DataType::Int64, &[1], &[]) };
    let nodes = vec![
        with_int(with_int(node("ArgMax", &["x"], "class"), "axis", 1), "keepdims", 0),
        node("Shape", &["class"], "batch"),
        with_int(node("Concat", &["batch", "two"], "shape"), "axis", 0),
        node("Add", &["x", "c"], "z"),
        node("Reshape", &["z", "shape"], "y"),
    ];
    let proto = model((DataType::Float, &[1, 2]), nodes, vec![two, floats("c", &[2], &[0.0, 9.0])]);
    let contract = compiled(&proto, &Options::default());
    assert_eq!(contract.graph.nodes.len(), 3);
    assert_eq!(ir::eval(&contract.optimised, &[5.into(), 4.into()]), 1.into());
}

/// Their step was rounded to a float32, and so to zero: a division by zero.
#[test]
fn weights_too_small_for_a_float32_are_on_their_grid() {
    let values: Vec<f64> = [1.0, -1.0, 0.0, 1.0, 1.0, 1.0, -1.0, 0.0].map(|weight| weight * 1e-300).to_vec();
    let weights = TensorProto {
        name: "w".into(),
        dims: vec![4, 2],
        data_type: DataType::Double as i32,
        double_data: values,
        ..Default::default()
    };
    let proto = model((DataType::Double, &[1, 4]), vec![node("MatMul", &["x", "w"], "y")], vec![weights]);
    let contract = compiled(&proto, &Options::default());
    assert_eq!(ir::eval(&contract.optimised, &[1, 0, 0, 0].map(Into::into)), 0.into());
    assert_eq!(ir::eval(&contract.optimised, &[0, 0, 7, 0].map(Into::into)), 0.into());
    assert_eq!(ir::eval(&contract.optimised, &[0, 7, 0, 0].map(Into::into)), 1.into());
}

/// Each of these took gigabytes, minutes or the stack.
#[test]
fn what_would_take_all_memory_or_time_is_refused() {
    let chain = |op: &str, operand: &[&str], length: usize| -> Vec<NodeProto> {
        let name = |step: usize| if step == 0 { "x".to_owned() } else { format!("v{step}") };
        let step = |at: usize| node(op, &[&[name(at).as_str()], operand].concat(), &name(at + 1));
        let mut nodes: Vec<NodeProto> = (0..length).map(step).collect();
        nodes.push(node("Identity", &[name(length).as_str()], "y"));
        nodes
    };
    let vector = (DataType::Float, &[1i64, 2][..]);
    let refused = refusal(&model((DataType::Float, &[1, 1 << 31]), vec![node("Relu", &["x"], "y")], vec![]));
    assert!(refused.contains("more than 262144 elements"), "{refused}");
    let refused = refusal(&model(vector, chain("Relu", &[], 20_000), vec![]));
    assert!(refused.contains("20001 nodes"), "{refused}");
    let refused = refusal(&model(vector, chain("Mul", &["c"], 1900), vec![floats("c", &[1], &[0.1])]));
    assert!(refused.contains("exact scale"), "{refused}");

    let column = floats("a", &[60_000, 1], &vec![1.0; 60_000]);
    let row = floats("b", &[1, 60_000], &vec![1.0; 60_000]);
    for op in ["Add", "MatMul"] {
        let nodes = vec![node(op, &["a", "b"], "c"), node("Add", &["x", "c"], "y")];
        let refused = refusal(&model(vector, nodes, vec![column.clone(), row.clone()]));
        assert!(refused.contains("3600000000 elements"), "{op}: {refused}");
    }
}

/// tract parses such expressions by recursion, and computes dead nodes; neither matters to the network.
#[test]
fn what_no_output_needs_is_not_shown_to_tract() {
    let size = TensorProto {
        name: "size".into(),
        dims: vec![1],
        data_type: DataType::Int64 as i32,
        int64_data: vec![1 << 36],
        ..Default::default()
    };
    let nodes = vec![node("ConstantOfShape", &["size"], "huge"), node("Relu", &["x"], "y")];
    let mut proto = model((DataType::Float, &[1, 2]), nodes, vec![size]);
    let batch = format!("{}N{}", "(".repeat(20_000), ")".repeat(20_000));
    let input = proto.graph.as_mut().and_then(|graph| graph.input.first_mut()).unwrap();
    if let Some(type_proto::Value::TensorType(tensor)) = input.r#type.as_mut().and_then(|kind| kind.value.as_mut()) {
        let symbol = tensor_shape_proto::dimension::Value::DimParam(batch);
        tensor.shape.as_mut().unwrap().dim[0].value = Some(symbol);
    }
    compiled(&proto, &Options::default());
}

/// A bound as a number for each rest of the input took the square of its length: 25 GB here.
#[test]
fn a_long_input_takes_memory_by_its_length() {
    let proto = model((DataType::Float, &[1, 20_000]), vec![node("Relu", &["x"], "y")], vec![]);
    let long = compiled(&proto, &Options::default());
    let numbers = long.program.values.iter().filter_map(|value| match &value.kind {
        onnx2script::bignum::Kind::Bytes { most: Some(most), .. } => Some(most.bits()),
        _ => None,
    });
    assert!(numbers.max().unwrap_or(0) <= 64);
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

/// What passes take out of the end of a network left a value behind the answer.
#[test]
fn a_number_that_later_steps_leave_as_it_is_stays_the_answer() {
    let nodes = vec![node("Add", &["x", "c"], "z"), node("Sub", &["z", "c"], "y")];
    let proto = model((DataType::Float, &[1, 1]), nodes, vec![floats("c", &[1], &[0.5])]);
    let number = compiled(&proto, &Options::default());
    assert_eq!(number.optimised.values.len(), 1);
    for x in [-7, 0, 1_234_567_890] {
        assert_eq!(ir::eval(&number.optimised, &[x.into()]), x.into());
    }
}

/// A model of one output: the sum of `x`, each with a weight, and a bias.
fn sum(weights: [f32; 2], bias: f32, end: Option<&str>) -> ModelProto {
    let mut nodes = vec![node("Gemm", &["x", "w", "c"], "z")];
    nodes.extend(end.map(|op| node(op, &["z"], "y")));
    let mut proto =
        model((DataType::Float, &[1, 2]), nodes, vec![floats("w", &[2, 1], &weights), floats("c", &[1], &[bias])]);
    if end.is_none() {
        proto.graph.as_mut().unwrap().output[0].name = "z".into();
    }
    proto
}

/// Truncated to a step of 1e-8, these logits would all be 0, and class 0; the float model has class 1 for the positive
/// ones. The division is not made before a threshold, unless the level demands every bit.
#[test]
fn a_logit_below_one_step_keeps_its_sign() {
    for (level, positive) in [(passes::Level::Full, 1), (passes::Level::Exact, 0), (passes::Level::None, 0)] {
        let binary = compiled(&sum([0.3, -0.3], 0.0, Some("Sigmoid")), &Options { level, ..Options::default() });
        for (x, class) in [([1, 0], positive), ([0, 1], 0), ([0, 0], 0), ([9, 0], 1)] {
            assert_eq!(ir::eval(&binary.optimised, &x.map(Into::into)), class.into(), "{x:?}, level {level}");
        }
    }
}

/// A number's last digit is the scale that was asked for, at every level.
#[test]
fn a_number_keeps_its_scale() {
    let unit = |options: &Options| {
        let number = compiled(&sum([0.3, -0.7], 0.25, None), options);
        (number.optimised.answer_scale().unwrap().clone(), number)
    };
    let x = [200_000_000.into(), 100_000_000.into()];
    for level in [passes::Level::None, passes::Level::Exact, passes::Level::Full] {
        let (scale, number) = unit(&Options { level, ..Options::default() });
        assert_eq!(scale, onnx2script::quant::decimal::power_of_ten(-8), "level {level}");
        // 0.3 and 0.7 are floats.
        let off = ir::eval(&number.optimised, &x) - 15_000_000;
        assert!(off >= (-3).into() && off <= 3.into(), "{off}, level {level}");
    }
    let none = onnx2script::quant::Options { rescale: "none".parse().unwrap(), ..Default::default() };
    assert_eq!(unit(&Options { quant: none, ..Options::default() }).0, onnx2script::quant::decimal::power_of_ten(-16));
}

#[test]
fn one_answer_for_every_input_is_refused() {
    for (end, said) in [(None, "gives the number 0.25"), (Some("Sigmoid"), "has class 1")] {
        let refused = refusal(&sum([0.0, 0.0], 0.25, end));
        assert!(refused.contains(&format!("every input {said}: anyone could spend")), "{refused}");
    }
    assert!(refusal(&sum([0.0, 0.0], 0.0, Some("Sigmoid"))).contains("has class 0"));
    // A logit of at most -1: no input has class 1.
    let refused = refusal(&sum([1e-4, 0.0], -1.0, Some("Sigmoid")));
    assert!(refused.contains("has class 0"), "{refused}");
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
