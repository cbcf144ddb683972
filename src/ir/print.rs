//! The IR as text: small constants whole, large ones by range and hash.

use std::fmt::Write;

use bitcoin::hashes::{Hash, sha256};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive};

use super::{Curve, Ir, Matrix, Op, Tie, Value};

/// Constants with at most this many elements are printed whole.
const WHOLE: usize = 12;

/// Prints a network, layer by layer.
pub fn print(ir: &Ir) -> String {
    let mut text = format!("network {}\ninput   {} elements, {}\n", ir.name, ir.values[0].len(), ir.input.describe());
    let mut layer = usize::MAX;
    for (id, value) in ir.values.iter().enumerate() {
        if value.layer != layer {
            layer = value.layer;
            let label = &ir.layers[layer];
            let _ = writeln!(text, "\nlayer {} ({})", label.label, label.onnx_nodes.join(", "));
            if let Some(storage) = &label.storage {
                let _ = writeln!(text, "  weights: {storage}");
            }
            for approximation in &label.approximations {
                let _ = writeln!(text, "  {approximation}");
            }
        }
        let _ = writeln!(text, "  %{id} = {}", describe(&value.op));
        let _ = writeln!(text, "       : {}", describe_type(value));
    }
    text
}

fn describe(op: &Op) -> String {
    match op {
        Op::Input => "input".into(),
        Op::MatMul { x, weights } => format!("matmul %{x}, {}", describe_matrix(weights)),
        Op::Products { x, weights } => format!("products %{x}, {}", describe_matrix(weights)),
        Op::SumRows { x, columns } => format!("sum_rows %{x}, columns {columns}"),
        Op::Add { x, constant } => format!("add %{x}, {}", describe_constant(constant)),
        Op::Mul { x, constant, unit } => {
            format!("mul %{x}, {}, unit {}", describe_constant(constant), describe_scale(unit))
        }
        Op::Rescale { x, divisor } => format!("rescale %{x}, divisor {divisor} toward zero"),
        Op::Round { x, factors, divisor, .. } => {
            format!("round %{x} times {}, divisor {divisor} half to even", describe_constant(factors))
        }
        Op::Relu { x } => format!("relu %{x}"),
        Op::Max { x, constant } => format!("max %{x}, {}", describe_constant(constant)),
        Op::Min { x, constant } => format!("min %{x}, {}", describe_constant(constant)),
        Op::Piecewise { x, curves, unit } => {
            format!("piecewise %{x}, {}, unit {}", describe_curves(curves), describe_scale(unit))
        }
        Op::Sum { terms: [x, y] } => format!("sum %{x}, %{y}"),
        Op::Product { factors: [x, y] } => format!("product %{x}, %{y}"),
        Op::Gather { parts, picks } => {
            let parts: Vec<String> = parts.iter().map(|part| format!("%{part}")).collect();
            format!("gather {}, {}", parts.join(", "), describe_picks(picks))
        }
        Op::ArgMax { x, tie: Tie::First } => format!("argmax %{x}, lowest index of equals"),
        Op::ArgMax { x, tie: Tie::Last } => format!("argmax %{x}, highest index of equals"),
        Op::Positive { x } => format!("positive %{x}"),
    }
}

fn describe_type(value: &Value) -> String {
    format!("{} x {}, scale {}", value.len(), value.hull(), describe_scale(&value.scale))
}

fn describe_matrix(weights: &Matrix) -> String {
    let size = format!("{}x{} unit {}", weights.rows, weights.columns, describe_scale(&weights.unit));
    if weights.elements.len() <= WHOLE {
        let rows: Vec<String> = (0..weights.rows).map(|row| format!("{:?}", weights.row(row))).collect();
        return format!("[{}] {size}", rows.join(", "));
    }
    let low = weights.elements.iter().min().copied().unwrap_or(0);
    let high = weights.elements.iter().max().copied().unwrap_or(0);
    let bytes: Vec<u8> = weights.elements.iter().flat_map(|weight| weight.to_le_bytes()).collect();
    format!("[{low} .. {high}] {size} #{}", short_hash(&bytes))
}

fn describe_constant(constant: &[BigInt]) -> String {
    let first = constant.first().cloned().unwrap_or_default();
    if constant.len() > 1 && constant.iter().all(|value| *value == first) {
        return format!("[{first}; {}]", constant.len());
    }
    let texts: Vec<String> = constant.iter().map(ToString::to_string).collect();
    if constant.len() <= WHOLE {
        return format!("[{}]", texts.join(", "));
    }
    let low = constant.iter().min().cloned().unwrap_or_default();
    let high = constant.iter().max().cloned().unwrap_or_default();
    format!("[{low} .. {high}; {}] #{}", constant.len(), short_hash(texts.join(",").as_bytes()))
}

fn describe_curves(curves: &[Curve]) -> String {
    let whole: Vec<String> = curves.iter().map(describe_curve).collect();
    match whole.as_slice() {
        [one] => one.clone(),
        several => {
            format!("{} curves, the first {} #{}", several.len(), several[0], short_hash(several.join(" ").as_bytes()))
        }
    }
}

fn describe_curve(curve: &Curve) -> String {
    let mut text = format!("{}·v + {}", curve.slope, curve.offset);
    for bend in &curve.bends {
        let _ = write!(text, " + {}·max(v - {}, 0)", bend.change, bend.at);
    }
    text
}

fn describe_picks(picks: &[(usize, usize)]) -> String {
    let texts: Vec<String> = picks.iter().map(|(part, index)| format!("{part}.{index}")).collect();
    match picks.len() <= WHOLE {
        true => format!("[{}]", texts.join(", ")),
        false => format!("[{} elements] #{}", picks.len(), short_hash(texts.join(",").as_bytes())),
    }
}

/// A scale as a reader knows it: `1`, `1e-8`, `1/255`, or a fraction with its size.
pub fn describe_scale(scale: &BigRational) -> String {
    if scale.is_integer() {
        return scale.numer().to_string();
    }
    let denominator = scale.denom().to_string();
    if scale.numer().is_one() && denominator.starts_with('1') && denominator[1..].bytes().all(|digit| digit == b'0') {
        return format!("1e-{}", denominator.len() - 1);
    }
    let fraction = format!("{}/{denominator}", scale.numer());
    match scale.to_f64() {
        Some(size) if fraction.len() > 24 => format!("{fraction} (about {size:.4e})"),
        _ => fraction,
    }
}

fn short_hash(bytes: &[u8]) -> String {
    sha256::Hash::hash(bytes).to_string()[..8].to_owned()
}
