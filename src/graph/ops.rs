//! The table of supported ONNX ops: adding one is a line here and a function in the file of its family.

use super::import::Importer;
use super::operand::Operand;
use super::{
    activation, affine, compose, dense, normalise, quantised, relabel, select, shape, sign, sklearn, smooth, tail,
};
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
        /// Every supported op, by name; those that are only folded come last.
        pub const SUPPORTED: &[Supported] = &[$(Supported { op: $op, how: $how, import: $import }),+];
    };
}

/// How a function of one number that is not piecewise linear is computed.
const SMOOTH: &str = "piecewise linear, see --activation-error";

/// How quantised values are computed.
const EXACT: &str = "exact: half to even, saturated";

/// Where ops stand that are folded away, and are known for nothing else.
const CONSTANTS: &str = "of constants";
const SHAPES: &str = "in shape arithmetic";

supported! {
    "Abs" => activation::abs, "";
    "Add" => affine::add, "of a constant, or of two computed values (residual connections)";
    "And" => sign::and, "of constants, and in Keras's guard against negative zeros before an ArgMax";
    "ArgMax" => tail::argmax, "over all classes, at the end; keepdims and select_last_index as given";
    "ArgMin" => tail::argmin, "as ArgMax";
    "BatchNormalization" => normalise::batch, "as in inference";
    "Bitcast" => sign::bitcast, "in Keras's guard against negative zeros before an ArgMax";
    "BitwiseAnd" => sign::bitwise_and, "in Keras's guard against negative zeros before an ArgMax";
    "Cast" => shape::cast, "between floats, from integers to floats, and behind ArgMax";
    "Celu" => smooth::smooth, SMOOTH;
    "Clip" => activation::clip, "constant bounds (ReLU6, hard tanh)";
    "Concat" => select::concat, "";
    "DequantizeLinear" => quantised::dequantize_linear, "exact; of weights per tensor, per channel or per block";
    "Div" => affine::div, "by a constant; of functions of one number: piecewise linear";
    "Dropout" => shape::dropout, "removed";
    "Elu" => smooth::smooth, SMOOTH;
    "Equal" => sign::equal, "of constants, and in Keras's guard against negative zeros before an ArgMax";
    "Erf" => smooth::smooth, SMOOTH;
    "Erfc" => smooth::smooth, SMOOTH;
    "Exp" => smooth::smooth, SMOOTH;
    "Expand" => select::moved, "to a constant shape";
    "Flatten" => shape::reshape, "any axis";
    "Gather" => select::moved, "at constant positions, and of class labels";
    "Gelu" => smooth::smooth, SMOOTH;
    "Gemm" => dense::gemm, "A or B constant, C constant or absent; alpha, beta, transA, transB";
    "Greater" => compose::compare, "for a Where between functions of the same number";
    "GreaterOrEqual" => compose::compare, "for a Where between functions of the same number";
    "HardSigmoid" => activation::hard_sigmoid, "";
    "HardSwish" => smooth::smooth, SMOOTH;
    "Identity" => shape::identity, "removed";
    "LeakyRelu" => activation::leaky_relu, "";
    "Less" => sign::less, "for a Where between functions of the same number, and in Keras's guard against negative zeros";
    "LessOrEqual" => compose::compare, "for a Where between functions of the same number";
    "Log" => smooth::smooth, SMOOTH;
    "LogSoftmax" => tail::softmax, "at the end or before ArgMax: dropped, it does not change the class";
    "MatMul" => dense::matmul, "by a constant matrix on either side";
    "MatMulInteger" => quantised::matmul_integer, "with static zero points";
    "Max" => activation::max, "with constants; of functions of one number: piecewise linear";
    "Min" => activation::min, "with constants; of functions of one number: piecewise linear";
    "Mish" => smooth::smooth, SMOOTH;
    "Mul" => affine::mul, "by a constant, or of two computed values; of functions of one number (x * Sigmoid(x)): piecewise linear";
    "Neg" => activation::neg, "";
    "Not" => compose::not, "of a comparison for a Where, and in Keras's guard against negative zeros";
    "PRelu" => activation::prelu, "constant slopes";
    "Pow" => smooth::pow, SMOOTH;
    "QLinearMatMul" => quantised::qlinear_matmul, EXACT;
    "QuantizeLinear" => quantised::quantize_linear, "exact, per tensor: half to even, saturated";
    "Reciprocal" => smooth::smooth, SMOOTH;
    "Relu" => activation::relu, "";
    "Reshape" => shape::reshape, "to a constant shape";
    "Selu" => smooth::smooth, SMOOTH;
    "Sigmoid" => tail::sigmoid, "in hidden layers piecewise linear; of one output, at the end: class 1 where it exceeds one half, else 0";
    "Slice" => select::moved, "constant bounds";
    "Softmax" => tail::softmax, "at the end or before ArgMax: dropped, it does not change the class";
    "Softplus" => smooth::smooth, SMOOTH;
    "Softsign" => smooth::smooth, SMOOTH;
    "Split" => select::split, "constant sizes";
    "Sqrt" => smooth::smooth, SMOOTH;
    "Squeeze" => shape::reshape, "";
    "Sub" => affine::sub, "of a constant, or of two computed values";
    "Swish" => smooth::smooth, SMOOTH;
    "Tanh" => smooth::smooth, SMOOTH;
    "TopK" => tail::top_k, "with k = 1, for the index of the largest";
    "Transpose" => select::moved, "";
    "Unsqueeze" => shape::reshape, "";
    "Where" => compose::choose, "by a comparison, between functions of the same number: piecewise linear";
    "ai.onnx.ml.ArrayFeatureExtractor" => relabel::extracted, "of class labels, and of constant columns";
    "ai.onnx.ml.Imputer" => sklearn::imputer, "of NaNs: removed, a contract's input has none";
    "ai.onnx.ml.LabelEncoder" => relabel::encoder, "behind a class";
    "ai.onnx.ml.LinearClassifier" => sklearn::linear_classifier, "its label; its scores where there is one a class";
    "ai.onnx.ml.LinearRegressor" => sklearn::linear_regressor, "of one number";
    "ai.onnx.ml.Normalizer" => sklearn::normalizer, "at the end: dropped, it does not change the class";
    "ai.onnx.ml.Scaler" => sklearn::scaler, "";
    "ai.onnx.ml.ZipMap" => sklearn::zip_map, "at the end: dropped";
    "com.microsoft.BiasGelu" => smooth::biased_gelu, SMOOTH;
    "com.microsoft.DequantizeLinear" => quantised::dequantize_linear, EXACT;
    "com.microsoft.FastGelu" => smooth::biased_gelu, SMOOTH;
    "com.microsoft.FusedGemm" => dense::fused_gemm, "with an activation";
    "com.microsoft.FusedMatMul" => dense::fused_matmul, "as MatMul; alpha, transA, transB";
    "com.microsoft.Gelu" => smooth::smooth, SMOOTH;
    "com.microsoft.QGemm" => quantised::qgemm, EXACT;
    "com.microsoft.QLinearAdd" => quantised::qlinear_add, EXACT;
    "com.microsoft.QLinearConcat" => quantised::qlinear_concat, EXACT;
    "com.microsoft.QLinearLeakyRelu" => quantised::qlinear_activation, EXACT;
    "com.microsoft.QLinearMul" => quantised::qlinear_mul, EXACT;
    "com.microsoft.QLinearSigmoid" => quantised::qlinear_activation, SMOOTH;
    "com.microsoft.QLinearSoftmax" => quantised::qlinear_softmax, "at the end: dropped";
    "com.microsoft.QuantizeLinear" => quantised::quantize_linear, EXACT;
    "com.microsoft.QuickGelu" => smooth::smooth, SMOOTH;
    // Those that no computed value goes through come last.
    "CastLike" => shape::folded, CONSTANTS;
    "Ceil" => shape::folded, CONSTANTS;
    "Constant" => shape::folded, "of numbers";
    "Floor" => shape::folded, CONSTANTS;
    "Or" => sign::folded, CONSTANTS;
    "ConstantOfShape" => shape::folded, SHAPES;
    "Range" => shape::folded, SHAPES;
    "ReduceProd" => shape::folded, SHAPES;
    "Shape" => shape::shape, SHAPES;
    "Size" => shape::size, SHAPES;
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
        "LayerNormalization"
        | "InstanceNormalization"
        | "LpNormalization"
        | "GroupNormalization"
        | "MeanVarianceNormalization"
        | "RMSNormalization"
        | "SimplifiedLayerNormalization" => {
            "it divides by a spread or a length that it computes from the sample itself, which a contract cannot do: use \
             BatchNormalization, whose statistics are constants, or normalise the data before it goes into the model"
        }
        op if op.starts_with("ai.onnx.ml.") => {
            "of scikit-learn, only linear models and MLPs are supported, behind a Scaler; do what comes before that \
             outside the model"
        }
        "If" | "Loop" | "Scan" => "export without control flow: trace the model on one sample",
        op if op.contains('.') => "only ONNX's own ops are supported: export without custom ones",
        "LSTM" | "GRU" | "RNN" | "Attention" | "MultiHeadAttention" => "use a network of dense layers",
        "DynamicQuantizeLinear" | "com.microsoft.DynamicQuantizeMatMul" | "com.microsoft.DynamicQuantizeLSTM" => {
            "its scale is computed from each sample while the model runs, and a contract's scales are fixed: quantise \
             statically, with calibration data (onnxruntime.quantization.quantize_static), or give the float model and \
             let onnx2script quantise it (--weights int8)"
        }
        _ => "change the model or its export so that this op is not needed",
    }
}

/// Where the supported ops are listed, for the end of a refusal.
pub(super) const LISTED: &str = "`onnx2script ops` lists the supported ops";
