//! Reductions of constants: products and sums of dimensions.

use super::Fold;
use crate::graph::dims;
use crate::onnx::Tensor;
use crate::onnx::tensor::Elements;

/// ReduceProd, ReduceSum, ReduceMin, ReduceMax: over some axes, or over all.
pub(super) fn reduce(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let x = fold.get(0)?;
    let rank = x.shape.len();
    let given = match fold.find(1) {
        Some(axes) => axes.to_ints().ok_or("has axes that are no integers")?,
        None => fold.node.ints("axes").map_err(|problem| problem.reason)?,
    };
    let mut axes = given.iter().map(|&given| dims::axis(given, rank)).collect::<Result<Vec<_>, _>>()?;
    if axes.is_empty() && fold.int("noop_with_empty_axes", 0)? == 0 {
        axes = (0..rank).collect();
    }
    let keep = fold.int("keepdims", 1)? != 0;
    let inner: Vec<usize> = (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { x.shape[axis] }).collect();
    let op = fold.node.op.clone();
    fold.room.take(&inner)?;
    let x = fold.get(0)?;
    let elements = match &x.elements {
        Elements::Int(values) => Elements::Int(
            groups(values, &x.shape, &inner)
                .into_iter()
                .map(|group| integers(&op, group).map(|value| x.element.wrap(value)))
                .collect::<Result<_, _>>()?,
        ),
        Elements::Float(values) => Elements::Float(
            groups(values, &x.shape, &inner).into_iter().map(|group| floats(&op, group)).collect::<Result<_, _>>()?,
        ),
    };
    let shape = if keep { inner } else { dims::kept(&x.shape, |axis| !axes.contains(&axis)) };
    Ok(Tensor { shape, element: x.element, elements })
}

/// The elements that go into each element of the result.
fn groups<T: Copy>(values: &[T], shape: &[usize], inner: &[usize]) -> Vec<Vec<T>> {
    let mut groups = vec![Vec::new(); inner.iter().product()];
    for (flat, &value) in values.iter().enumerate() {
        let (mut rest, mut index, mut stride) = (flat, 0, 1);
        for (&dim, &kept) in shape.iter().zip(inner).rev() {
            index += if kept == 1 { 0 } else { rest % dim * stride };
            stride *= kept;
            rest /= dim;
        }
        groups[index].push(value);
    }
    groups
}

const NOTHING: &str = "reduces nothing";

fn integers(op: &str, group: Vec<i64>) -> Result<i64, String> {
    let group = group.into_iter();
    match op {
        "ReduceProd" => Ok(group.fold(1, i64::wrapping_mul)),
        "ReduceSum" => Ok(group.fold(0, i64::wrapping_add)),
        "ReduceMin" => group.reduce(i64::min).ok_or_else(|| NOTHING.into()),
        _ => group.reduce(i64::max).ok_or_else(|| NOTHING.into()),
    }
}

fn floats(op: &str, group: Vec<f64>) -> Result<f64, String> {
    let group = group.into_iter();
    match op {
        "ReduceProd" => Ok(group.product()),
        "ReduceSum" => Ok(group.sum()),
        "ReduceMin" => group.reduce(f64::min).ok_or_else(|| NOTHING.into()),
        _ => group.reduce(f64::max).ok_or_else(|| NOTHING.into()),
    }
}
