//! The table of supported ONNX ops: adding one is a line here and a function in the file of its family.

use super::import::Importer;
use super::operand::Operand;
use super::{affine, dense, shape, tail};
use crate::error::Problem;
use crate::onnx::Node;

/// Imports one ONNX node: says what its first result is.
pub(super) type Import = fn(&mut Importer<'_>, &Node) -> Result<Operand, Problem>;

/// A supported op.
pub struct Supported {
    /// ONNX op type.
    pub op: &'static str,
    /// What is done with it, for the README's table.
    pub how: &'static str,
    pub(super) import: Import,
}

macro_rules! supported {
    ($($op:literal => $import:path, $how:literal;)+) => {
        /// Every supported op, by name.
        pub const SUPPORTED: &[Supported] = &[$(Supported { op: $op, how: $how, import: $import }),+];
    };
}

supported! {
    "Add" => affine::add, "with a constant";
    "ArgMax" => tail::argmax, "over all classes, at the end; keepdims and select_last_index as given";
    "Cast" => shape::cast, "between floats, from integers to floats, and behind ArgMax";
    "Concat" => shape::folded, "in shape arithmetic";
    "Constant" => shape::folded, "of numbers";
    "Div" => affine::div, "by a constant";
    "Dropout" => shape::dropout, "removed";
    "Flatten" => shape::reshape, "any axis";
    "Gather" => shape::folded, "in shape arithmetic";
    "Gemm" => dense::gemm, "B constant, C constant or absent; alpha, beta, transA, transB";
    "Identity" => shape::identity, "removed";
    "LogSoftmax" => tail::softmax, "at the end or before ArgMax: dropped, it does not change the class";
    "MatMul" => dense::matmul, "by a constant matrix on the right";
    "Mul" => affine::mul, "with a constant";
    "Relu" => affine::relu, "";
    "Reshape" => shape::reshape, "to a constant shape";
    "Shape" => shape::folded, "in shape arithmetic";
    "Sigmoid" => tail::sigmoid, "of one output, at the end: class 1 where it exceeds one half, else 0; or before ArgMax";
    "Slice" => shape::slice, "in shape arithmetic, or where it keeps everything";
    "Softmax" => tail::softmax, "at the end or before ArgMax: dropped, it does not change the class";
    "Squeeze" => shape::reshape, "";
    "Sub" => affine::sub, "with a constant";
    "Unsqueeze" => shape::reshape, "";
}

/// Looks an op up.
pub(super) fn find(op: &str) -> Option<&'static Supported> {
    SUPPORTED.iter().find(|supported| supported.op == op)
}

/// What a user can do about an op that is not supported.
pub(super) fn remedy(op: &str) -> &'static str {
    match op {
        "Conv" | "ConvTranspose" | "MaxPool" | "AveragePool" | "GlobalAveragePool" => {
            "convolutions are not supported yet: use dense layers"
        }
        "Tanh" | "Gelu" | "Elu" | "Selu" | "Softplus" | "Swish" | "HardSwish" | "LeakyRelu" | "PRelu" | "Clip"
        | "HardSigmoid" | "Erf" | "Exp" => "use ReLU as the activation of hidden layers",
        "BatchNormalization" => {
            "fold it into the layer before (torch: fuse_modules; tf2onnx and onnxsim do it by themselves)"
        }
        "If" | "Loop" | "Scan" => "export without control flow: trace the model on one sample",
        op if op.contains('.') => "only ONNX's own ops are supported: export without custom ones",
        "LSTM" | "GRU" | "RNN" | "Attention" | "MultiHeadAttention" => "use a network of dense layers",
        "QuantizeLinear" | "DequantizeLinear" | "DynamicQuantizeLinear" | "QLinearMatMul" | "MatMulInteger" => {
            "export the float model, and quantise with onnx2script"
        }
        _ => "change the model or its export so that this op is not needed",
    }
}

/// The names of all supported ops, for the end of a refusal.
pub(super) fn supported_names() -> String {
    let names: Vec<&str> = SUPPORTED.iter().map(|supported| supported.op).collect();
    format!("supported ops: {}", names.join(", "))
}
