//! Sums, products and casts of constants. Integers behave as in their type: division truncates, and
//! what leaves the type wraps around.

use super::Fold;
use crate::graph::dims;
use crate::onnx::Tensor;
use crate::onnx::tensor::{Elements, repeat};

/// Elementwise ops of two operands; Min, Max and Sum take more, one after the other.
pub(super) fn binary(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let mut result = fold.get(0)?.clone();
    for index in 1..fold.node.inputs.len() {
        let other = fold.get(index)?.clone();
        result = pair(fold, &result, &other)?;
    }
    Ok(result)
}

fn pair(fold: &mut Fold<'_>, a: &Tensor, b: &Tensor) -> Result<Tensor, String> {
    let shape = dims::broadcast(&a.shape, &b.shape)?;
    fold.room.take(&shape)?;
    let misfit = || "has operands that do not fit each other".to_owned();
    let elements = match (&a.elements, &b.elements) {
        (Elements::Int(x), Elements::Int(y)) => {
            let (x, y) = (repeat(x, &a.shape, &shape), repeat(y, &b.shape, &shape));
            let pairs = x.ok_or_else(misfit)?.into_iter().zip(y.ok_or_else(misfit)?);
            let op = |(x, y)| integers(&fold.node.op, x, y).map(|value| a.element.wrap(value));
            Elements::Int(pairs.map(op).collect::<Result<_, _>>()?)
        }
        // Only Pow may mix floats and integers: its result has the type of its base.
        _ => {
            let (x, y) = (a.broadcast_to(&shape).ok_or_else(misfit)?, b.broadcast_to(&shape).ok_or_else(misfit)?);
            let values = x.into_iter().zip(y).map(|(x, y)| floats(&fold.node.op, x, y)).collect::<Result<_, _>>()?;
            return Ok(Tensor::floats(shape, values).cast_like(a.element));
        }
    };
    Ok(Tensor { shape, element: a.element, elements })
}

fn integers(op: &str, x: i64, y: i64) -> Result<i64, String> {
    Ok(match op {
        "Add" | "Sum" => x.wrapping_add(y),
        "Sub" => x.wrapping_sub(y),
        "Mul" => x.wrapping_mul(y),
        "Div" => x.checked_div(y).ok_or("divides by zero")?,
        "Min" => x.min(y),
        "Max" => x.max(y),
        "Pow" => u32::try_from(y).ok().and_then(|power| x.checked_pow(power)).ok_or("leaves the range of integers")?,
        _ => return Err("cannot be folded for integers".into()),
    })
}

fn floats(op: &str, x: f64, y: f64) -> Result<f64, String> {
    Ok(match op {
        "Add" | "Sum" => x + y,
        "Sub" => x - y,
        "Mul" => x * y,
        "Div" => x / y,
        "Min" => x.min(y),
        "Max" => x.max(y),
        "Pow" => x.powf(y),
        _ => return Err("cannot be folded for floats".into()),
    })
}

/// Elementwise ops of one operand.
pub(super) fn unary(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let x = fold.copy()?;
    let op = fold.node.op.as_str();
    let elements = match x.elements {
        Elements::Float(values) => Elements::Float(values.into_iter().map(|x| float(op, x)).collect()),
        Elements::Int(values) => {
            let wrapped = |value| integer(op, value).map(|value| x.element.wrap(value));
            Elements::Int(values.into_iter().map(wrapped).collect::<Result<_, _>>()?)
        }
    };
    Ok(Tensor { elements, ..x })
}

fn integer(op: &str, x: i64) -> Result<i64, String> {
    Ok(match op {
        "Neg" => x.wrapping_neg(),
        "Abs" => x.wrapping_abs(),
        "Relu" => x.max(0),
        "Sign" => x.signum(),
        _ => return Err("takes floats, but is given integers".into()),
    })
}

fn float(op: &str, x: f64) -> f64 {
    match op {
        "Neg" => -x,
        "Abs" => x.abs(),
        "Sqrt" => x.sqrt(),
        "Reciprocal" => 1.0 / x,
        "Floor" => x.floor(),
        "Ceil" => x.ceil(),
        "Exp" => x.exp(),
        "Log" => x.ln(),
        "Sign" => {
            if x == 0.0 {
                0.0
            } else {
                x.signum()
            }
        }
        _ => x.max(0.0),
    }
}

/// Cast.
pub(super) fn cast(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let code = i32::try_from(fold.int("to", 0)?).unwrap_or(0);
    let x = fold.copy()?;
    x.cast(code).ok_or_else(|| "casts to a type that has no numbers".into())
}

/// CastLike: to the type of the second operand.
pub(super) fn cast_like(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let element = fold.get(1)?.element;
    Ok(fold.copy()?.cast_like(element))
}
