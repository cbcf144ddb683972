//! How large constants can become that are computed from others: tract would compute them whatever
//! memory that takes. `a[n,1] + b[1,n]` has n² elements, a Concat of many more than any file.

use std::collections::BTreeMap;

use super::{Model, Node, Tensor};

/// Most elements that a computed constant may have, whatever the file holds.
const MOST_ELEMENTS: usize = 1 << 26;
/// So many it may have in any case: seconds of compiling.
const MODEST_ELEMENTS: usize = 1 << 18;
/// And so many times what the file holds: weights are transposed, scaled and reshaped one after the other.
const STEPS: usize = 16;

/// The most elements that a Shape gives: the dimensions of a value.
const MOST_DIMENSIONS: usize = 1 << 10;

/// An upper bound of a constant's size.
#[derive(Clone)]
struct Size {
    count: usize,
    /// Its shape, where it is known.
    shape: Option<Vec<usize>>,
}

/// Most elements that constants computed from a model's may have: a file of a kilobyte is compiled as quickly as small
/// models are.
pub(crate) fn most_elements(model: &Model) -> usize {
    let held = model.constants.values().map(Tensor::len).fold(0, usize::saturating_add);
    held.saturating_mul(STEPS).clamp(MODEST_ELEMENTS, MOST_ELEMENTS)
}

/// An error for constants that may become larger than any script.
pub(super) fn check(model: &Model) -> Result<(), String> {
    let most = most_elements(model);
    let initial = |tensor: &Tensor| Size { count: tensor.len(), shape: Some(tensor.shape.clone()) };
    let mut sizes: BTreeMap<&str, Size> =
        model.constants.iter().map(|(name, tensor)| (name.as_str(), initial(tensor))).collect();
    for node in &model.nodes {
        if grows(node, &model.constants, most) {
            return Err(format!("`{}` may compute a constant of any size", node.name));
        }
        let Some(size) = size_of(node, &sizes) else { continue };
        if size.count > most {
            return Err(format!("`{}` computes a constant of up to {} elements", node.name, size.count));
        }
        for output in node.outputs.iter().filter(|name| !name.is_empty()) {
            sizes.insert(output, size.clone());
        }
    }
    Ok(())
}

/// Whether the size of a node's result depends on the value of an operand that is no constant of the file's.
fn grows(node: &Node, constants: &BTreeMap<String, Tensor>, most: usize) -> bool {
    let size = match node.op.as_str() {
        "ConstantOfShape" => 0,
        "Expand" => 1,
        "Tile" | "Range" | "Pad" | "OneHot" | "Resize" | "Upsample" | "EyeLike" | "ScatterND" | "GatherND" => {
            return true;
        }
        _ => return false,
    };
    let dims = node.input(size).and_then(|name| constants.get(name)).and_then(Tensor::to_ints);
    let count =
        dims.map(|dims| dims.iter().fold(1usize, |count, &dim| count.saturating_mul(dim.unsigned_abs() as usize)));
    count.is_none_or(|count| count > most)
}

/// A bound for the results of a node that computes with constants only; `None` for others.
fn size_of(node: &Node, sizes: &BTreeMap<&str, Size>) -> Option<Size> {
    if node.op == "Shape" {
        return Some(Size { count: MOST_DIMENSIONS, shape: None });
    }
    let present = node.inputs.iter().filter(|name| !name.is_empty());
    let operands: Vec<&Size> = present.map(|name| sizes.get(name.as_str())).collect::<Option<_>>()?;
    let known: Option<Vec<&[usize]>> = operands.iter().map(|operand| operand.shape.as_deref()).collect();
    let counts = || operands.iter().map(|operand| operand.count);
    let product = || Size { count: counts().fold(1, usize::saturating_mul), shape: None };
    Some(match (node.op.as_str(), known.as_deref()) {
        ("Add" | "Sub" | "Mul" | "Div", Some([a, b])) => {
            let shape = broadcast(a, b);
            Size { count: shape.iter().copied().fold(1, usize::saturating_mul), shape: Some(shape) }
        }
        ("MatMul", Some([[.., rows, _], [_, columns]])) if operands[0].shape.as_ref()?.len() == 2 => {
            Size { count: rows.saturating_mul(*columns), shape: Some(vec![*rows, *columns]) }
        }
        ("Add" | "Sub" | "Mul" | "Div" | "MatMul" | "Gemm" | "Gather", _) => product(),
        ("Concat", _) => Size { count: counts().fold(0, usize::saturating_add), shape: None },
        ("Identity" | "Cast" | "Relu" | "Softmax" | "LogSoftmax", Some([shape])) => {
            Size { count: operands[0].count, shape: Some(shape.to_vec()) }
        }
        // What is left keeps, reorders or drops elements of its first operand.
        _ => Size { count: counts().max().unwrap_or(0), shape: None },
    })
}

/// The shape of an elementwise result, or a larger one where the operands do not fit.
fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    (0..rank).map(|axis| at(a, axis).max(at(b, axis))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(shape: &[usize]) -> Size {
        Size { count: shape.iter().product(), shape: Some(shape.to_vec()) }
    }

    fn bound(op: &str, a: &Size, b: &Size) -> usize {
        let inputs = vec!["a".to_owned(), "b".to_owned()];
        let node = Node { name: op.into(), op: op.into(), inputs, outputs: vec![], attributes: BTreeMap::new() };
        size_of(&node, &BTreeMap::from([("a", a.clone()), ("b", b.clone())])).unwrap().count
    }

    #[test]
    fn bounds_hold_and_are_tight_where_shapes_are_known() {
        let unknown = Size { count: 300, shape: None };
        assert_eq!(bound("Add", &size(&[784, 64]), &size(&[64])), 784 * 64);
        assert_eq!(bound("Mul", &size(&[500, 1]), &size(&[1, 500])), 250_000);
        assert_eq!(bound("Mul", &size(&[500]), &unknown), 150_000);
        assert_eq!(bound("MatMul", &size(&[784, 784]), &size(&[784, 64])), 784 * 64);
        assert_eq!(bound("Concat", &size(&[500]), &unknown), 800);
        assert_eq!(bound("Gather", &size(&[20, 20]), &unknown), 120_000);
        assert_eq!(bound("Reshape", &size(&[500]), &size(&[2])), 500);
    }
}
