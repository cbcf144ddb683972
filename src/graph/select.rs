//! Ops that pick elements, or join them: Slice, Gather, Transpose, Expand, Split, Concat.

use super::Op;
use super::fold::movement;
use super::import::Importer;
use super::operand::{Computed, Operand};
use super::tail::normalise;
use crate::error::Problem;
use crate::onnx::{ElementType, Node, Tensor};

/// Slice, Gather, Transpose and Expand: constants say where elements go.
pub(super) fn moved(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    let operands: Vec<Option<Tensor>> = std::iter::once(Ok(None))
        .chain((1..node.inputs.len()).map(|index| importer.constant(node, index)))
        .collect::<Result<_, _>>()?;
    let opset = importer.opset();
    let moved = movement::moved(node, opset, &x.shape, &operands, importer.room());
    let moved = moved.map_err(|reason| node.problem(reason).help("check the shapes of the model"))?;
    picked(importer, node, x, moved.shape, moved.sources)
}

/// ArrayFeatureExtractor: constant positions along the last axis.
pub(super) fn columns(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    let columns =
        importer.constant(node, 1)?.and_then(|tensor| tensor.to_ints().map(<[i64]>::to_vec)).unwrap_or_default();
    let dim = x.shape.last().copied().unwrap_or(1);
    let position = |&column: &i64| usize::try_from(column).ok().filter(|&column| column < dim);
    let outside = || node.problem(format!("takes a column outside of {dim}")).help("check the shapes of the model");
    let columns: Vec<usize> = columns.iter().map(position).collect::<Option<_>>().ok_or_else(outside)?;
    let rows = x.len() / dim.max(1);
    importer.check_room(node, rows.saturating_mul(columns.len()), 0)?;
    let sources = (0..rows).flat_map(|row| columns.iter().map(move |column| row * dim + column)).collect();
    // A vector is one row.
    let mut shape = if x.shape.len() < 2 { vec![1, 0] } else { x.shape.clone() };
    shape.pop();
    shape.push(columns.len());
    picked(importer, node, x, shape, sources)
}

/// Elements of a value in another shape.
fn picked(
    importer: &mut Importer<'_>,
    node: &Node,
    x: Computed,
    shape: Vec<usize>,
    sources: Vec<usize>,
) -> Result<Operand, Problem> {
    if sources.is_empty() {
        return Err(node.problem("leaves no element").help("check its bounds: the rest of the network needs some"));
    }
    if sources.len() == x.len() && sources.iter().enumerate().all(|(at, &source)| at == source) {
        return Ok(Operand::Computed(x.reshaped(shape)));
    }
    let x = x.for_computing(importer, node)?;
    let picks = sources.into_iter().map(|source| (0, source)).collect();
    importer.push(node, Op::Gather { parts: vec![x.node], picks }, shape, x.element).map(Operand::Computed)
}

/// Split: one result for each size.
pub(super) fn split(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let x = importer.computed(node, 0)?;
    let axis = normalise(node.int("axis", 0)?, &x, node)?;
    let (dim, results) = (x.shape[axis], node.outputs.len().max(1));
    let given = match importer.constant(node, 1)? {
        Some(sizes) => sizes.to_ints().unwrap_or_default().to_vec(),
        None => node.ints("split")?.to_vec(),
    };
    let sizes: Vec<usize> = match given.is_empty() {
        false => given.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect(),
        // As equal as can be, the last one shorter.
        true => {
            let each = dim.div_ceil(results);
            (0..results).map(|part| dim.saturating_sub(part * each).min(each)).collect()
        }
    };
    if sizes.iter().copied().fold(0, usize::saturating_add) != dim || sizes.len() < results {
        return Err(node
            .problem(format!("splits {dim} elements into {sizes:?}"))
            .help("check the model: sizes must add up to what is split, and there must be one for each result"));
    }
    let (inner, outer): (usize, usize) = (x.shape[axis + 1..].iter().product(), x.shape[..axis].iter().product());
    let (mut first, mut from) = (None, 0);
    for (part, &size) in sizes.iter().enumerate().take(results) {
        let wanted = node.outputs.get(part).is_some_and(|name| !name.is_empty());
        let row = |row: usize| (row * dim + from) * inner..(row * dim + from + size) * inner;
        let sources: Vec<usize> = (0..outer).flat_map(row).collect();
        from += size;
        if !wanted {
            continue;
        }
        let mut shape = x.shape.clone();
        shape[axis] = size;
        let piece = picked(importer, node, x.clone(), shape, sources)?;
        if part == 0 {
            first = Some(piece);
        } else {
            importer.also(node, part, piece);
        }
    }
    // A first result that nobody wants is any: it has no name.
    Ok(first.unwrap_or(Operand::Computed(x)))
}

/// Concat: computed values, and constants between them.
pub(super) fn concat(importer: &mut Importer<'_>, node: &Node) -> Result<Operand, Problem> {
    let parts = (0..node.inputs.len()).map(|index| importer.operand(node, index)).collect::<Result<Vec<_>, _>>()?;
    concat_values(importer, node, parts).map(Operand::Computed)
}

/// Values joined along the node's axis.
pub(super) fn concat_values(
    importer: &mut Importer<'_>,
    node: &Node,
    parts: Vec<Operand>,
) -> Result<Computed, Problem> {
    let any = parts.iter().find_map(|part| match part {
        Operand::Computed(value) => Some(value.clone()),
        Operand::Constant(_) => None,
    });
    let any = any.ok_or_else(|| node.problem("joins constants only, but could not be folded"))?;
    let any = any.for_computing(importer, node)?;
    let mut values = Vec::new();
    for part in parts {
        values.push(match part {
            Operand::Computed(value) => value.for_computing(importer, node)?,
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
    importer.check_room(node, values.iter().map(Computed::len).sum(), 0)?;
    let outer: usize = any.shape[..axis].iter().product();
    let row = |row: usize| {
        let part = move |(part, value): (usize, &Computed)| {
            let len = value.len() / outer;
            (row * len..(row + 1) * len).map(move |index| (part, index)).collect::<Vec<_>>()
        };
        values.iter().enumerate().flat_map(part).collect::<Vec<_>>()
    };
    let picks = (0..outer).flat_map(row).collect();
    let mut shape = any.shape.clone();
    shape[axis] = values.iter().map(|value| value.shape[axis]).sum();
    let parts = values.iter().map(|value| value.node).collect();
    importer.push(node, Op::Gather { parts, picks }, shape, any.element)
}

/// Constants as a computed value: nothing of another one, and they.
fn as_value(importer: &mut Importer<'_>, node: &Node, any: &Computed, constant: Vec<f64>) -> Result<Computed, Problem> {
    let (len, element) = (constant.len(), ElementType::Float);
    let any =
        importer.push(node, Op::Gather { parts: vec![any.node], picks: vec![(0, 0); len] }, vec![len], element)?;
    let nothing = importer.push(node, Op::Mul { x: any.node, constant: vec![0.0; len] }, vec![len], element)?;
    importer.push(node, Op::Add { x: nothing.node, constant }, vec![len], element)
}
