//! ONNX files of chains of nodes, out of bytes: most are near to what is compiled.

use arbitrary::{Result, Unstructured};
use prost::Message;
use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto, attribute_proto::AttributeType, tensor_proto::DataType};

use super::choices;
use crate::common::proto;

/// Most nodes, the last ones aside.
const MOST_NODES: usize = 6;
/// Longest input, and widest layer.
const WIDEST: usize = 8;

/// Ops of one operand.
const UNARY: &[&str] = &[
    "Relu",
    "Sigmoid",
    "Tanh",
    "LeakyRelu",
    "Neg",
    "Abs",
    "Elu",
    "Selu",
    "Softplus",
    "Softsign",
    "HardSigmoid",
    "HardSwish",
    "Erf",
    "Exp",
    "Log",
    "Sqrt",
    "Reciprocal",
    "Gelu",
    "Mish",
    "Celu",
    "Identity",
    "Flatten",
    "Dropout",
    "Softmax",
    "LogSoftmax",
    "Clip",
    "Transpose",
    "Squeeze",
    "Cast",
    "ArgMax",
    "ArgMin",
    "Not",
    "Shape",
    "Size",
    "Floor",
    "TopK",
    "Split",
    "Swish",
    "ConstantOfShape",
    "ReduceProd",
    "Bitcast",
];
/// Ops of two operands that are as long as each other, or nearly.
const BINARY: &[&str] = &[
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Max",
    "Min",
    "Pow",
    "PRelu",
    "Concat",
    "Where",
    "Equal",
    "Less",
    "Greater",
    "And",
    "BitwiseAnd",
    "CastLike",
];
/// Ops whose second operand is whole numbers.
const SHAPING: &[&str] = &["Reshape", "Gather", "Expand", "Unsqueeze", "Slice", "Tile", "Pad", "Range", "Split"];
/// What a network may end in.
const ENDS: &[&[&str]] = &[&["ArgMax"], &["Softmax", "ArgMax"], &["Sigmoid"], &["Identity"], &["ArgMin"], &["TopK"]];

/// A file under construction: a chain, each of whose nodes reads what the one before made, and others.
struct Chain {
    nodes: Vec<NodeProto>,
    tensors: Vec<TensorProto>,
    /// Values so far, and what is thought to be the length of the newest.
    values: Vec<String>,
    width: usize,
}

/// The bytes of a model's file.
pub(crate) fn file(source: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let inputs = source.int_in_range(1..=WIDEST)?;
    let mut chain = Chain { nodes: vec![], tensors: vec![], values: vec!["x".into()], width: inputs };
    for _ in 0..source.int_in_range(0..=MOST_NODES)? {
        chain.step(source)?;
    }
    for op in *source.choose(ENDS)? {
        chain.node(source, op, vec![])?;
    }
    let last = chain.values.last().cloned().unwrap_or_default();
    chain.nodes.push(proto::node("Identity", &[&last], "y"));
    let dims = [vec![1, inputs as i64], vec![inputs as i64], vec![1, 1, inputs as i64]];
    let kinds = [DataType::Float, DataType::Float, DataType::Double, DataType::Uint8, DataType::Int64];
    let input = (*source.choose(&kinds)?, source.choose(&dims)?.as_slice());
    let mut model = proto::model(input, chain.nodes, chain.tensors);
    model.opset_import[0].version = *source.choose(&[17, 7, 11, 13, 18, 20, 21])?;
    Ok(model.encode_to_vec())
}

impl Chain {
    fn step(&mut self, source: &mut Unstructured<'_>) -> Result<()> {
        match source.int_in_range(0..=9u8)? {
            0..=2 => self.dense(source),
            3..=5 => {
                let op = source.choose(UNARY)?;
                self.node(source, op, vec![])
            }
            6..=8 => {
                let op = source.choose(BINARY)?;
                let other = if source.ratio(3, 4)? { self.constant(source)? } else { self.earlier(source)? };
                self.node(source, op, vec![other])
            }
            _ => {
                let op = source.choose(SHAPING)?;
                let count = source.int_in_range(1..=3)?;
                let numbers = self.numbers(source, count)?;
                self.node(source, op, vec![numbers])
            }
        }
    }

    /// A matrix, with or without a bias.
    fn dense(&mut self, source: &mut Unstructured<'_>) -> Result<()> {
        let columns = source.int_in_range(1..=WIDEST)?;
        let gemm = source.arbitrary()?;
        let (rows, width) = (self.width as i64, columns as i64);
        let weights = self.tensor(source, &[rows, width])?;
        let mut operands = vec![weights];
        if gemm {
            operands.push(self.tensor(source, &[width])?);
        }
        self.node(source, if gemm { "Gemm" } else { "MatMul" }, operands)?;
        self.width = columns;
        Ok(())
    }

    /// A node that reads the newest value first, or last.
    fn node(&mut self, source: &mut Unstructured<'_>, op: &str, others: Vec<String>) -> Result<()> {
        let mut operands: Vec<String> = self.values.last().cloned().into_iter().chain(others).collect();
        if source.ratio(1, 16)? {
            operands.reverse();
        }
        let made = format!("v{}", self.nodes.len());
        let names: Vec<&str> = operands.iter().map(String::as_str).collect();
        let mut node = proto::node(op, &names, &made);
        for _ in 0..source.int_in_range(0..=7u8)?.saturating_sub(5) {
            node.attribute.push(attribute(source)?);
        }
        self.nodes.push(node);
        self.values.push(made);
        Ok(())
    }

    fn earlier(&self, source: &mut Unstructured<'_>) -> Result<String> {
        Ok(source.choose(&self.values)?.clone())
    }

    /// Something that may fit the newest value.
    fn constant(&mut self, source: &mut Unstructured<'_>) -> Result<String> {
        let width = self.width as i64;
        let dims = [vec![width], vec![1], vec![], vec![1, width], vec![width, 1], vec![2, width]];
        let dims = source.choose(&dims)?.clone();
        self.tensor(source, &dims)
    }

    fn tensor(&mut self, source: &mut Unstructured<'_>, dims: &[i64]) -> Result<String> {
        let count = dims.iter().product::<i64>() as usize;
        let values =
            (0..count).map(|_| choices::float(source).map(|value| value as f32)).collect::<Result<Vec<_>>>()?;
        let name = format!("c{}", self.tensors.len());
        self.tensors.push(proto::floats(&name, dims, &values));
        Ok(name)
    }

    fn numbers(&mut self, source: &mut Unstructured<'_>, count: usize) -> Result<String> {
        let wide = [0, 1, -1, 2, self.width as i64, 1 << 20, 1 << 40, i64::MAX, i64::MIN];
        let values = (0..count).map(|_| source.choose(&wide).copied()).collect::<Result<Vec<i64>>>()?;
        let name = format!("c{}", self.tensors.len());
        let data_type = DataType::Int64 as i32;
        let dims = vec![count as i64];
        self.tensors.push(TensorProto {
            name: name.clone(),
            dims,
            data_type,
            int64_data: values,
            ..Default::default()
        });
        Ok(name)
    }
}

fn attribute(source: &mut Unstructured<'_>) -> Result<AttributeProto> {
    const INTEGERS: &[&str] = &["axis", "transA", "transB", "keepdims", "to", "select_last_index", "largest"];
    const FLOATS: &[&str] = &["alpha", "beta", "gamma", "max", "min", "epsilon"];
    const LISTS: &[&str] = &["perm", "axes", "starts", "ends", "split", "shape"];
    let attribute = |name: &str, kind: AttributeType| AttributeProto {
        name: name.into(),
        r#type: kind as i32,
        ..Default::default()
    };
    Ok(match source.int_in_range(0..=2u8)? {
        0 => AttributeProto {
            i: *source.choose(&[0, 1, -1, 2, 7, 9, i64::MAX, i64::MIN])?,
            ..attribute(source.choose(INTEGERS)?, AttributeType::Int)
        },
        1 => AttributeProto {
            f: choices::float(source)? as f32,
            ..attribute(source.choose(FLOATS)?, AttributeType::Float)
        },
        _ => {
            let count = source.int_in_range(0..=3)?;
            let ints = (0..count).map(|_| source.choose(&[0, 1, -1, 2, i64::MAX, i64::MIN]).copied());
            let ints = ints.collect::<Result<Vec<i64>>>()?;
            AttributeProto { ints, ..attribute(source.choose(LISTS)?, AttributeType::Ints) }
        }
    })
}
