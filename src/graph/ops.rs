//! The table of supported ONNX ops: adding one is a line here and a function in the file of its family.

use super::import::Importer;
use super::operand::Operand;
use super::{activation, affine, dense, select, shape, tail};
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
    ($($op:literal => $import:path, $how:expr;)+) => {
        /// Every supported op, by name.
        pub const SUPPORTED: &[Supported] = &[$(Supported { op: $op, how: $how, import: $import }),+];
    };
}

/// How a function of one number that is not piecewise linear is computed.
const SMOOTH: &str = "piecewise linear, see --activation-error";

supported! {
    "Abs" => activation::abs, "";
    "Add" => affine::add, "of a constant, or of two computed values (residual connections)";
    "ArgMax" => tail::argmax, "over all classes, at the end; keepdims and select_last_index as given";
    "Cast" => shape::cast, "between floats, from integers to floats, and behind ArgMax";
    "Celu" => activation::smooth, SMOOTH;
    "Clip" => activation::clip, "constant bounds (ReLU6, hard tanh)";
    "Concat" => select::concat, "";
    "Constant" => shape::folded, "of numbers";
    "Div" => affine::div, "by a constant; of functions of one number: piecewise linear";
    "Dropout" => shape::dropout, "removed";
    "Elu" => activation::smooth, SMOOTH;
    "Erf" => activation::smooth, SMOOTH;
    "Erfc" => activation::smooth, SMOOTH;
    "Exp" => activation::smooth, SMOOTH;
    "Expand" => select::expand, "to a constant shape";
    "Flatten" => shape::reshape, "any axis";
    "Gather" => select::gather, "at constant positions";
    "Gelu" => activation::smooth, SMOOTH;
    "Gemm" => dense::gemm, "B constant, C constant or absent; alpha, beta, transA, transB";
    "HardSigmoid" => activation::hard_sigmoid, "";
    "HardSwish" => activation::smooth, SMOOTH;
    "Identity" => shape::identity, "removed";
    "LeakyRelu" => activation::leaky_relu, "";
    "Log" => activation::smooth, SMOOTH;
    "LogSoftmax" => tail::softmax, "at the end or before ArgMax: dropped, it does not change the class";
    "MatMul" => dense::matmul, "by a constant matrix on the right";
    "Max" => activation::max, "with constants; of functions of one number: piecewise linear";
    "Min" => activation::min, "with constants; of functions of one number: piecewise linear";
    "Mish" => activation::smooth, SMOOTH;
    "Mul" => affine::mul, "by a constant; of functions of one number (x * Sigmoid(x)): piecewise linear";
    "Neg" => activation::neg, "";
    "PRelu" => activation::prelu, "constant slopes";
    "Pow" => activation::pow, SMOOTH;
    "Reciprocal" => activation::smooth, SMOOTH;
    "Relu" => activation::relu, "";
    "Reshape" => shape::reshape, "to a constant shape";
    "Selu" => activation::smooth, SMOOTH;
    "Shape" => shape::folded, "in shape arithmetic";
    "Sigmoid" => tail::sigmoid, "in hidden layers piecewise linear; of one output, at the end: class 1 where it exceeds one half, else 0";
    "Slice" => select::slice, "constant bounds";
    "Softmax" => tail::softmax, "at the end or before ArgMax: dropped, it does not change the class";
    "Softplus" => activation::smooth, SMOOTH;
    "Softsign" => activation::smooth, SMOOTH;
    "Split" => select::split, "constant sizes";
    "Sqrt" => activation::smooth, SMOOTH;
    "Squeeze" => shape::reshape, "";
    "Sub" => affine::sub, "of a constant, or of two computed values";
    "Swish" => activation::smooth, SMOOTH;
    "Tanh" => activation::smooth, SMOOTH;
    "Transpose" => select::transpose, "";
    "Unsqueeze" => shape::reshape, "";
    "com.microsoft.BiasGelu" => activation::biased_gelu, SMOOTH;
    "com.microsoft.FastGelu" => activation::biased_gelu, SMOOTH;
    "com.microsoft.Gelu" => activation::smooth, SMOOTH;
    "com.microsoft.QuickGelu" => activation::smooth, SMOOTH;
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
        "ThresholdedRelu" | "Shrink" | "Sign" | "Floor" | "Ceil" | "Round" | "Mod" => {
            "it jumps from one value to another, which lines cannot follow: use a continuous activation"
        }
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
