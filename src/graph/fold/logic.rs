//! Comparisons, truth values and choices of constants.

use super::Fold;
use crate::graph::dims;
use crate::onnx::tensor::{Elements, repeat};
use crate::onnx::{ElementType, Tensor};

/// Comparisons, and the connectives of two truth values (0 and 1).
pub(super) fn compare(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let shape = dims::broadcast(&fold.get(0)?.shape, &fold.get(1)?.shape)?;
    fold.room.take(&shape)?;
    let op = fold.node.op.as_str();
    let (a, b) = (fold.get(0)?, fold.get(1)?);
    let misfit = || "has operands that do not fit each other".to_owned();
    let truths: Vec<bool> = match (&a.elements, &b.elements) {
        (Elements::Int(x), Elements::Int(y)) => {
            let (x, y) = (repeat(x, &a.shape, &shape), repeat(y, &b.shape, &shape));
            let pairs = x.ok_or_else(misfit)?.into_iter().zip(y.ok_or_else(misfit)?);
            pairs.map(|(x, y)| connective(op, x != 0, y != 0).unwrap_or_else(|| holds(op, &x, &y))).collect()
        }
        _ => {
            let (x, y) = (a.broadcast_to(&shape), b.broadcast_to(&shape));
            x.ok_or_else(misfit)?.iter().zip(&y.ok_or_else(misfit)?).map(|(x, y)| holds(op, x, y)).collect()
        }
    };
    Ok(bools(shape, truths))
}

fn connective(op: &str, x: bool, y: bool) -> Option<bool> {
    match op {
        "And" => Some(x && y),
        "Or" => Some(x || y),
        "Xor" => Some(x != y),
        _ => None,
    }
}

fn holds<T: PartialOrd>(op: &str, x: &T, y: &T) -> bool {
    match op {
        "Less" => x < y,
        "LessOrEqual" => x <= y,
        "Greater" => x > y,
        "GreaterOrEqual" => x >= y,
        _ => x == y,
    }
}

/// Not.
pub(super) fn not(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let x = fold.copy()?;
    let truths = x.to_ints().ok_or("takes truth values")?.iter().map(|&value| value == 0).collect();
    Ok(bools(x.shape.clone(), truths))
}

/// Where: one of two operands for each truth value.
pub(super) fn choose(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let shapes = dims::broadcast(&fold.get(1)?.shape, &fold.get(2)?.shape)?;
    let shape = dims::broadcast(&fold.get(0)?.shape, &shapes)?;
    fold.room.take(&shape)?;
    let misfit = || "has operands that do not fit each other".to_owned();
    let (x, y) = (fold.get(1)?, fold.get(2)?);
    let truths = repeat(fold.ints(0)?, &fold.get(0)?.shape, &shape).ok_or_else(misfit)?;
    let elements = match (&x.elements, &y.elements) {
        (Elements::Int(a), Elements::Int(b)) => {
            let (a, b) = (repeat(a, &x.shape, &shape), repeat(b, &y.shape, &shape));
            Elements::Int(chosen(&truths, a.ok_or_else(misfit)?, b.ok_or_else(misfit)?))
        }
        _ => {
            let (a, b) = (x.broadcast_to(&shape), y.broadcast_to(&shape));
            Elements::Float(chosen(&truths, a.ok_or_else(misfit)?, b.ok_or_else(misfit)?))
        }
    };
    Ok(Tensor { shape, element: x.element, elements })
}

fn chosen<T>(truths: &[i64], a: Vec<T>, b: Vec<T>) -> Vec<T> {
    truths.iter().zip(a.into_iter().zip(b)).map(|(&truth, (a, b))| if truth != 0 { a } else { b }).collect()
}

fn bools(shape: Vec<usize>, truths: Vec<bool>) -> Tensor {
    let elements = Elements::Int(truths.into_iter().map(i64::from).collect());
    Tensor { shape, element: ElementType::BOOL, elements }
}
