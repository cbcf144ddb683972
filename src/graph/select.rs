//! Ops that pick elements, or join them: Slice, Split, Gather, Transpose, Concat, Expand.

use super::Op;
use super::import::Importer;
use super::operand::{Computed, Operand};
use super::tail::normalise;
use crate::error::Problem;
use crate::onnx::{ElementType, Node};

/// Most elements that a selection may have: expansion must not make more of them than any script holds.
const MOST_ELEMENTS: usize = 1 << 20;

/// Slice: starts, ends, axes and steps by attributes in old operator sets, by constant operands since.
pub(super) fn slice(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    let starts = ints(importer, node, 1, "starts")?.unwrap_or_default();
    let ends = ints(importer, node, 2, "ends")?.unwrap_or_default();
    let axes = ints(importer, node, 3, "axes")?.unwrap_or((0..starts.len() as i64).collect());
    let steps = ints(importer, node, 4, "steps")?.unwrap_or(vec![1; starts.len()]);
    if starts.len() != ends.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return Err(node.problem("has different numbers of starts, ends, axes and steps"));
    }
    let mut ranges: Vec<Vec<usize>> = x.shape.iter().map(|&dim| (0..dim).collect()).collect();
    for (index, &axis) in axes.iter().enumerate() {
        let axis = normalise(axis, &x, node)?;
        ranges[axis] = range(x.shape[axis], starts[index], ends[index], steps[index])
            .ok_or_else(|| node.problem("has a step of 0"))?;
    }
    pick(importer, node, x, &ranges)
}

/// The positions from `start` to `end`, both counted from the end where negative, and cut to what there is.
fn range(len: usize, start: i64, end: i64, step: i64) -> Option<Vec<usize>> {
    let len = len as i64;
    let counted = |at: i64| if at < 0 { at.saturating_add(len) } else { at };
    Some(match step {
        0 => return None,
        1.. => {
            let (start, end) = (counted(start).clamp(0, len), counted(end).clamp(0, len));
            (start..end).step_by(usize::try_from(step).unwrap_or(usize::MAX)).map(|at| at as usize).collect()
        }
        _ => {
            let (start, end) = (counted(start).clamp(-1, len - 1), counted(end).clamp(-1, len - 1));
            let back = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
            (end + 1..=start).rev().step_by(back).map(|at| at as usize).collect()
        }
    })
}

/// The elements at the given positions along each axis.
fn pick(importer: &mut Importer<'_>, node: &Node, x: Computed, ranges: &[Vec<usize>]) -> Result<Operand, Problem> {
    let shape: Vec<usize> = ranges.iter().map(Vec::len).collect();
    if shape.contains(&0) {
        return Err(node.problem("leaves no element").help("check its bounds: the rest of the network needs some"));
    }
    let source = x.shape.clone();
    select(importer, node, x, shape, |at| {
        at.iter().zip(ranges).zip(&source).fold(0, |flat, ((&at, range), &dim)| flat * dim + range[at])
    })
}

/// A value of the given shape, whose element at some coordinates is the one that `source` tells.
fn select(
    importer: &mut Importer<'_>,
    node: &Node,
    x: Computed,
    shape: Vec<usize>,
    source: impl Fn(&[usize]) -> usize,
) -> Result<Operand, Problem> {
    let count = shape.iter().copied().fold(1, usize::saturating_mul);
    if count > MOST_ELEMENTS {
        return Err(node.problem(format!("makes {count} elements")).help("use fewer: a script cannot hold as many"));
    }
    let mut picks: Vec<(usize, usize)> = Vec::with_capacity(count);
    let mut at = vec![0; shape.len()];
    for _ in 0..count {
        picks.push((0, source(&at)));
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            if at[axis] < shape[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
    let whole = picks.len() == x.len() && picks.iter().enumerate().all(|(index, &(_, from))| index == from);
    if whole {
        return Ok(Operand::Computed(x.reshaped(shape)));
    }
    let x = x.for_computing(node)?;
    importer.push(node, Op::Gather { parts: vec![x.node], picks }, shape, x.element).map(Operand::Computed)
}

/// Gather: constant positions along one axis.
pub(super) fn gather(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    let Operand::Constant(indices) = importer.operand(node, 1)? else {
        return Err(node
            .problem("looks elements up at a computed position")
            .help("look up at constant positions only"));
    };
    let axis = normalise(node.int("axis", 0)?, &x, node)?;
    let dim = x.shape[axis];
    let position = |&index: &i64| {
        let counted = if index < 0 { index + dim as i64 } else { index };
        usize::try_from(counted).ok().filter(|&at| at < dim)
    };
    let outside = || node.problem(format!("looks up a position outside of {dim} elements"));
    let positions: Vec<usize> =
        indices.to_ints().unwrap_or_default().iter().map(position).collect::<Option<_>>().ok_or_else(outside)?;
    if positions.is_empty() {
        return Err(node.problem("looks no element up"));
    }
    let mut shape = x.shape[..axis].to_vec();
    shape.extend(&indices.shape);
    shape.extend(&x.shape[axis + 1..]);
    let (source, rank) = (x.shape.clone(), indices.shape.len());
    let index_shape = indices.shape.clone();
    select(importer, node, x, shape, move |at| {
        let index = at[axis..axis + rank].iter().zip(&index_shape).fold(0, |flat, (&at, &dim)| flat * dim + at);
        let before = at[..axis].iter().zip(&source).fold(0, |flat, (&at, &dim)| flat * dim + at);
        let behind = at[axis + rank..].iter().zip(&source[axis + 1..]);
        behind.fold(before * source[axis] + positions[index], |flat, (&at, &dim)| flat * dim + at)
    })
}

/// Transpose.
pub(super) fn transpose(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    let reversed: Vec<i64> = (0..x.shape.len() as i64).rev().collect();
    let order = node.ints("perm")?.unwrap_or(&reversed);
    let mut axes: Vec<usize> = order.iter().filter_map(|&axis| usize::try_from(axis).ok()).collect();
    let shape: Option<Vec<usize>> = axes.iter().map(|&axis| x.shape.get(axis).copied()).collect();
    let shape = shape.filter(|shape| shape.len() == x.shape.len());
    let shape = shape.ok_or_else(|| node.problem(format!("has the order {order:?} for shape {:?}", x.shape)))?;
    let mut strides: Vec<usize> = x.shape.iter().map(|_| 1).collect();
    for axis in (1..x.shape.len()).rev() {
        strides[axis - 1] = strides[axis] * x.shape[axis];
    }
    axes.iter_mut().for_each(|axis| *axis = strides[*axis]);
    select(importer, node, x, shape, |at| at.iter().zip(&axes).map(|(at, stride)| at * stride).sum())
}

/// Expand: ONNX's broadcasting to a constant shape.
pub(super) fn expand(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    let wanted = ints(importer, node, 1, "shape")?.unwrap_or_default();
    let rank = wanted.len().max(x.shape.len());
    let mut source = vec![1; rank - x.shape.len()];
    source.extend(&x.shape);
    let mut shape = source.clone();
    for (back, &dim) in wanted.iter().rev().enumerate() {
        let axis = rank - 1 - back;
        shape[axis] = match (source[axis], usize::try_from(dim).unwrap_or(0)) {
            (have, 1) => have,
            (have, dim) if have == dim || (have == 1 && dim > 1) => dim,
            _ => return Err(node.problem(format!("does not broadcast shape {:?} to {wanted:?}", x.shape))),
        };
    }
    let of = source.clone();
    let x = x.reshaped(source);
    select(importer, node, x, shape, move |at| {
        at.iter().zip(&of).fold(0, |flat, (&at, &dim)| flat * dim + if dim == 1 { 0 } else { at })
    })
}

/// Split: the first result is returned, the others are noted.
pub(super) fn split(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    let axis = normalise(node.int("axis", 0)?, &x, node)?;
    let dim = x.shape[axis];
    let sizes: Vec<usize> = match ints(importer, node, 1, "split")? {
        Some(sizes) => sizes.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect(),
        None => {
            // As equal as can be, the last one shorter.
            let each = dim.div_ceil(node.outputs.len().max(1));
            (0..node.outputs.len()).map(|part| dim.saturating_sub(part * each).min(each)).collect()
        }
    };
    if sizes.iter().sum::<usize>() != dim || sizes.len() < node.outputs.len() {
        return Err(node.problem(format!("splits {dim} elements into {sizes:?}")));
    }
    let (mut first, mut from) = (None, 0);
    for (part, output) in node.outputs.iter().enumerate() {
        let mut ranges: Vec<Vec<usize>> = x.shape.iter().map(|&dim| (0..dim).collect()).collect();
        ranges[axis] = (from..from + sizes[part]).collect();
        from += sizes[part];
        if output.is_empty() {
            continue;
        }
        let piece = pick(importer, node, x.clone(), &ranges)?;
        match part {
            0 => first = Some(piece),
            _ => importer.set_result(output, piece),
        }
    }
    // A first result that nobody wants is any: it has no name.
    Ok(first.unwrap_or(Operand::Computed(x)))
}

/// Concat: computed values, and constants between them.
pub(super) fn concat(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let mut values = Vec::new();
    let all = (0..node.inputs.len()).map(|index| importer.operand(node, index)).collect::<Result<Vec<_>, _>>()?;
    let any = all.iter().find_map(|operand| match operand {
        Operand::Computed(value) => Some(value.clone()),
        Operand::Constant(_) => None,
    });
    let any = any.ok_or_else(|| node.problem("joins constants only, but could not be folded"))?.for_computing(node)?;
    for operand in all {
        values.push(match operand {
            Operand::Computed(value) => value.for_computing(node)?,
            Operand::Constant(tensor) => {
                let floats = tensor.to_floats().ok_or_else(|| node.problem("joins integers beyond 2^53"))?;
                if floats.is_empty() {
                    continue;
                }
                as_value(importer, node, &any, floats)?.reshaped(tensor.shape)
            }
        });
    }
    let axis = normalise(node.int("axis", 0)?, &any, node)?;
    let fits = |value: &Computed| {
        value.shape.len() == any.shape.len()
            && (0..any.shape.len()).all(|other| other == axis || value.shape[other] == any.shape[other])
    };
    if let Some(value) = values.iter().find(|value| !fits(value)) {
        return Err(node
            .problem(format!("joins shapes {:?} and {:?} along axis {axis}", any.shape, value.shape))
            .help("check the shapes of the model: all but the joined axis must be equal"));
    }
    let outer: usize = any.shape[..axis].iter().product();
    let mut picks = Vec::new();
    for row in 0..outer {
        for (part, value) in values.iter().enumerate() {
            let len = value.len() / outer;
            picks.extend((row * len..(row + 1) * len).map(|index| (part, index)));
        }
    }
    let mut shape = any.shape.clone();
    shape[axis] = values.iter().map(|value| value.shape[axis]).sum();
    let parts = values.iter().map(|value| value.node).collect();
    importer.push(node, Op::Gather { parts, picks }, shape, any.element).map(Operand::Computed)
}

/// Constants as a computed value: nothing of another one, and they.
fn as_value(importer: &mut Importer<'_>, node: &Node, any: &Computed, constant: Vec<f64>) -> Result<Computed, Problem> {
    let (len, element) = (constant.len(), ElementType::Float);
    let any =
        importer.push(node, Op::Gather { parts: vec![any.node], picks: vec![(0, 0); len] }, vec![len], element)?;
    let nothing = importer.push(node, Op::Mul { x: any.node, constant: vec![0.0; len] }, vec![len], element)?;
    importer.push(node, Op::Add { x: nothing.node, constant }, vec![len], element)
}

/// Constant integers, as an operand or (in old operator sets) an attribute; nothing where they are left out.
fn ints(importer: &Importer<'_>, node: &Node, index: usize, name: &str) -> Result<Option<Vec<i64>>, Problem> {
    if node.input(index).is_none() {
        return Ok(node.ints(name)?.map(<[i64]>::to_vec));
    }
    match importer.operand(node, index)? {
        Operand::Constant(tensor) => {
            let ints = tensor.to_ints().ok_or_else(|| node.problem(format!("`{name}` are no integers")))?;
            Ok(Some(ints.to_vec()))
        }
        Operand::Computed(_) => {
            Err(node.problem(format!("`{name}` is computed from the sample")).help("make it a constant"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_numpys() {
        assert_eq!(range(5, 1, 4, 2), Some(vec![1, 3]));
        assert_eq!(range(5, -2, i64::MAX, 1), Some(vec![3, 4]));
        assert_eq!(range(5, -1, i64::MIN, -2), Some(vec![4, 2, 0]));
        assert_eq!(range(5, 4, -6, -3), Some(vec![4, 1]));
        assert_eq!(range(5, 3, 2, 1), Some(vec![]));
        assert_eq!(range(5, 0, 5, 0), None);
    }
}
