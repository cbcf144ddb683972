//! Ops that move elements: for each element of the result, where it lies in the operand.

use super::{Fold, Room};
use crate::graph::dims;
use crate::onnx::tensor::{Elements, repeat, source_index};
use crate::onnx::{Node, Tensor};

/// A shape, and for each of its elements the index of that element in the operand.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::graph) struct Moved {
    pub(in crate::graph) shape: Vec<usize>,
    pub(in crate::graph) sources: Vec<usize>,
}

/// Transpose, Slice, Expand or Gather of a constant.
pub(super) fn fold(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let shape = fold.get(0)?.shape.clone();
    let (node, opset, operands) = (fold.node, fold.opset, fold.operands);
    let moved = moved(node, opset, &shape, operands, fold.room)?;
    let x = fold.get(0)?;
    let elements = match &x.elements {
        Elements::Float(values) => Elements::Float(moved.sources.iter().map(|&source| values[source]).collect()),
        Elements::Int(values) => Elements::Int(moved.sources.iter().map(|&source| values[source]).collect()),
    };
    Ok(Tensor { shape: moved.shape, element: x.element, elements })
}

/// What one of these ops makes of an operand of some shape; operand 0 is not looked at.
pub(in crate::graph) fn moved(
    node: &Node,
    opset: i64,
    shape: &[usize],
    operands: &[Option<Tensor>],
    room: &mut Room,
) -> Result<Moved, String> {
    let plain = |problem: crate::error::Problem| problem.reason;
    let ints = |index: usize| operands.get(index).and_then(Option::as_ref).map(integers).transpose();
    match node.op.as_str() {
        "Transpose" => transpose(shape, node.ints("perm").map_err(plain)?, room),
        "Slice" if opset < 10 => {
            let (starts, ends) = (node.ints("starts").map_err(plain)?, node.ints("ends").map_err(plain)?);
            let axes = node.attributes.contains_key("axes").then(|| node.ints("axes")).transpose().map_err(plain)?;
            slice(shape, starts, ends, axes, None, room)
        }
        "Slice" => {
            let (starts, ends) = (ints(1)?.ok_or("lacks its starts")?, ints(2)?.ok_or("lacks its ends")?);
            slice(shape, starts, ends, ints(3)?, ints(4)?, room)
        }
        "Expand" => expand(shape, ints(1)?.ok_or("lacks its shape")?, room),
        _ => {
            let indices = operands.get(1).and_then(Option::as_ref).ok_or("lacks its indices")?;
            gather(shape, node.int("axis", 0).map_err(plain)?, &indices.shape, integers(indices)?, room)
        }
    }
}

fn integers(tensor: &Tensor) -> Result<&[i64], String> {
    tensor.to_ints().ok_or_else(|| "has an operand that should be integers".into())
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Transpose: the axes in another order, backwards where none is given.
fn transpose(shape: &[usize], perm: &[i64], room: &mut Room) -> Result<Moved, String> {
    let rank = shape.len();
    let axes: Vec<usize> = match perm.is_empty() {
        true => (0..rank).rev().collect(),
        false => perm.iter().map(|&given| dims::axis(given, rank)).collect::<Result<_, _>>()?,
    };
    if axes.len() != rank || (0..rank).any(|axis| !axes.contains(&axis)) {
        return Err(format!("orders the axes {perm:?} of a value of {rank} dimensions"));
    }
    let old = strides(shape);
    let (shape, steps): (Vec<usize>, Vec<usize>) = axes.iter().map(|&axis| (shape[axis], old[axis])).unzip();
    let count = room.take(&shape)?;
    let sources = (0..count).map(|flat| source_index(flat, &shape, &steps)).collect();
    Ok(Moved { shape, sources })
}

/// Slice: along each axis the elements from a start to before an end, in steps; both are clamped.
fn slice(
    shape: &[usize],
    starts: &[i64],
    ends: &[i64],
    axes: Option<&[i64]>,
    steps: Option<&[i64]>,
    room: &mut Room,
) -> Result<Moved, String> {
    let given = |list: Option<&[i64]>| list.is_none_or(|list| list.len() == starts.len());
    if ends.len() != starts.len() || !given(axes) || !given(steps) {
        return Err("has another number of starts, ends, axes or steps".into());
    }
    let mut picked: Vec<Vec<usize>> = vec![Vec::new(); shape.len()];
    let mut whole = vec![true; shape.len()];
    for position in 0..starts.len() {
        let axis = axes.map_or(position as i64, |axes| axes[position]);
        let axis = dims::axis(axis, shape.len())?;
        let step = steps.map_or(1, |steps| steps[position]);
        if !whole[axis] || step == 0 {
            return Err(format!("slices axis {axis} twice or in steps of 0"));
        }
        whole[axis] = false;
        // A dimension may be far longer than what is kept of it, so that only the latter takes room.
        let (first, count) = span(shape[axis], starts[position], ends[position], step);
        room.take(&[count])?;
        picked[axis] = (0..count as i64).map(|index| (first + index * step) as usize).collect();
    }
    for axis in (0..shape.len()).filter(|&axis| whole[axis]) {
        room.take(&[shape[axis]])?;
        picked[axis] = (0..shape[axis]).collect();
    }
    let result: Vec<usize> = picked.iter().map(Vec::len).collect();
    let count = room.take(&result)?;
    let old = strides(shape);
    let source = |mut flat: usize| {
        let mut index = 0;
        for (picked, stride) in picked.iter().zip(&old).rev() {
            index += picked[flat % picked.len()] * stride;
            flat /= picked.len();
        }
        index
    };
    Ok(Moved { shape: result, sources: (0..count).map(source).collect() })
}

/// The first index of a slice, and how many there are.
fn span(dim: usize, start: i64, end: i64, step: i64) -> (i64, usize) {
    let dim = dim as i64;
    let counted = |at: i64| if at < 0 { at.saturating_add(dim) } else { at };
    let (start, end) = match step > 0 {
        true => (counted(start).clamp(0, dim), counted(end).clamp(0, dim)),
        false => (counted(start).clamp(-1, dim - 1), counted(end).clamp(-1, dim - 1)),
    };
    let length = if step > 0 { end - start } else { start - end };
    let count = length.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
    (start, count as usize)
}

/// Expand: repeated to a shape by broadcasting.
fn expand(shape: &[usize], target: &[i64], room: &mut Room) -> Result<Moved, String> {
    let target: Option<Vec<usize>> = target.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let result = dims::broadcast(shape, &target.ok_or("asks for a negative dimension")?)?;
    room.take(&result)?;
    let own: Vec<usize> = (0..dims::count(shape)?).collect();
    let sources = repeat(&own, shape, &result).ok_or("has a shape that does not fit")?;
    Ok(Moved { shape: result, sources })
}

/// Gather: the entries of an axis that indices name.
fn gather(shape: &[usize], axis: i64, dims: &[usize], indices: &[i64], room: &mut Room) -> Result<Moved, String> {
    let axis = dims::axis(axis, shape.len())?;
    let dim = shape[axis];
    let named: Vec<usize> = indices
        .iter()
        .map(|&index| dims::axis(index, dim))
        .collect::<Result<_, _>>()
        .map_err(|_| format!("takes entries {indices:?} of a dimension of {dim}"))?;
    let result = [&shape[..axis], dims, &shape[axis + 1..]].concat();
    room.take(&result)?;
    let (outer, inner) = (dims::count(&shape[..axis])?, dims::count(&shape[axis + 1..])?);
    let mut sources = Vec::with_capacity(outer * named.len() * inner);
    for before in 0..outer {
        for &index in &named {
            sources.extend((0..inner).map(|behind| (before * dim + index) * inner + behind));
        }
    }
    Ok(Moved { shape: result, sources })
}

/// Concat: constants one behind the other along an axis.
pub(super) fn concat(fold: &mut Fold<'_>) -> Result<Tensor, String> {
    let parts: Vec<Tensor> =
        (0..fold.node.inputs.len()).map(|index| fold.get(index).cloned()).collect::<Result<_, _>>()?;
    let first = parts.first().ok_or("has no operands")?;
    let axis = dims::axis(fold.int("axis", 0)?, first.shape.len())?;
    let others = |part: &Tensor| dims::kept(&part.shape, |other| other != axis);
    let same_rank = parts.iter().all(|part| part.shape.len() == first.shape.len());
    if !same_rank || parts.iter().any(|part| others(part) != others(first)) {
        return Err("puts together shapes that do not fit".into());
    }
    let mut shape = first.shape.clone();
    shape[axis] = parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.shape[axis]));
    fold.room.take(&shape)?;
    let outer = dims::count(&shape[..axis])?;
    let elements = match first.elements {
        Elements::Float(_) => {
            let parts: Option<Vec<Vec<f64>>> = parts.iter().map(Tensor::to_floats).collect();
            Elements::Float(rows(&parts.ok_or("puts floats and integers together")?, outer))
        }
        Elements::Int(_) => {
            let parts: Option<Vec<Vec<i64>>> = parts.iter().map(|part| part.to_ints().map(<[i64]>::to_vec)).collect();
            Elements::Int(rows(&parts.ok_or("puts floats and integers together")?, outer))
        }
    };
    Ok(Tensor { shape, element: first.element, elements })
}

/// One row of each part after the other, `outer` times.
fn rows<T: Copy>(parts: &[Vec<T>], outer: usize) -> Vec<T> {
    let row = |part: &Vec<T>, index: usize| {
        let len = part.len() / outer;
        part[index * len..(index + 1) * len].to_vec()
    };
    (0..outer).flat_map(|index| parts.iter().flat_map(move |part| row(part, index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Room {
        Room::new(1 << 18)
    }

    #[test]
    fn axes_change_places() {
        let moved = transpose(&[2, 3], &[], &mut room()).unwrap();
        assert_eq!(moved, Moved { shape: vec![3, 2], sources: vec![0, 3, 1, 4, 2, 5] });
        assert!(transpose(&[2, 3], &[0, 0], &mut room()).is_err());
    }

    #[test]
    fn slices_clamp_and_step() {
        let sources =
            |start, end, step| slice(&[5], &[start], &[end], Some(&[0]), Some(&[step]), &mut room()).unwrap().sources;
        assert_eq!(sources(1, i64::MAX, 2), [1, 3]);
        assert_eq!(sources(-1, i64::MIN, -2), [4, 2, 0]);
        assert_eq!(sources(3, 1, 1), [0; 0]);
        assert_eq!(sources(-100, 2, 1), [0, 1]);
        assert_eq!(sources(0, 5, i64::MAX), [0]);
        assert_eq!(sources(4, 0, i64::MIN), [4]);
        let columns = slice(&[2, 3], &[1], &[3], Some(&[-1]), None, &mut room()).unwrap();
        assert_eq!(columns, Moved { shape: vec![2, 2], sources: vec![1, 2, 4, 5] });
        assert!(slice(&[2, 3], &[0, 0], &[1, 1], Some(&[1, -1]), None, &mut room()).is_err());
    }

    #[test]
    fn gather_takes_entries_from_either_end() {
        let moved = gather(&[2, 3], 1, &[2], &[-1, 0], &mut room()).unwrap();
        assert_eq!(moved, Moved { shape: vec![2, 2], sources: vec![2, 0, 5, 3] });
        assert_eq!(gather(&[3], 0, &[], &[1], &mut room()).unwrap().shape, [0; 0]);
        assert!(gather(&[3], 0, &[1], &[3], &mut room()).is_err());
    }

    #[test]
    fn nothing_larger_than_the_room_is_made() {
        let huge = [1 << 30, 1 << 30];
        assert!(expand(&[1], &huge, &mut room()).unwrap_err().contains("more than any script"));
        assert!(expand(&[1], &[i64::MAX, i64::MAX], &mut room()).unwrap_err().contains("impossible"));
        let mut small = room();
        assert!((0..10_000).any(|_| expand(&[1], &[1 << 20], &mut small).is_err()));
    }
}
