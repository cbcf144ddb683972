//! Constant folding: the arithmetic on shapes and weights that exporters leave in a graph.
//!
//! Every op here computes with constants only, by ONNX's definition of it. What they may make together
//! is bounded, so that no file takes the compiler's memory.

mod arithmetic;
mod logic;
pub(super) mod movement;
mod product;
mod reduce;

use super::{dims, quantised};
use crate::onnx::tensor::Elements;
use crate::onnx::{ElementType, Node, Tensor};

/// What is left of the elements that all folded constants of a model may have together.
#[derive(Debug)]
pub(super) struct Room(usize);

impl Room {
    /// The room for so many.
    pub(super) fn new(elements: usize) -> Room {
        Room(elements)
    }

    /// Takes room for a tensor, before it is made.
    pub(super) fn take(&mut self, shape: &[usize]) -> Result<usize, String> {
        let count = dims::count(shape)?;
        // An index or a rank costs something, too.
        let left = self.0.checked_sub(count.max(1));
        self.0 =
            left.ok_or_else(|| format!("computes a constant of {count} elements, more than any script can use"))?;
        Ok(count)
    }
}

/// The operands of a node of constants.
pub(super) struct Fold<'a> {
    pub(super) node: &'a Node,
    pub(super) opset: i64,
    /// One for each input; `None` where it is left out.
    pub(super) operands: &'a [Option<Tensor>],
    pub(super) room: &'a mut Room,
}

/// Computes the first result of a node; `None` where its op is not one of those.
pub(super) fn fold(mut fold: Fold<'_>) -> Option<Result<Tensor, String>> {
    let computed = match fold.node.op.as_str() {
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "Sum" => arithmetic::binary(&mut fold),
        "Neg" | "Abs" | "Sqrt" | "Reciprocal" | "Floor" | "Ceil" | "Exp" | "Log" | "Relu" | "Sign" => {
            arithmetic::unary(&mut fold)
        }
        "Cast" => arithmetic::cast(&mut fold),
        "CastLike" => arithmetic::cast_like(&mut fold),
        "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "And" | "Or" | "Xor" => {
            logic::compare(&mut fold)
        }
        "Not" => logic::not(&mut fold),
        "Where" => logic::choose(&mut fold),
        "Identity" | "Dropout" => fold.copy(),
        "Shape" => fold.get(0).and_then(|x| shape_of(fold.node, &x.shape)),
        "Size" => fold.get(0).map(|x| scalar(x.len())),
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => fold.reshape(),
        "Transpose" | "Slice" | "Expand" | "Gather" => movement::fold(&mut fold),
        "Concat" => movement::concat(&mut fold),
        "DequantizeLinear" | "com.microsoft.DequantizeLinear" => fold.dequantised(),
        "ConstantOfShape" => fold.filled(),
        "Range" => fold.range(),
        "ReduceProd" | "ReduceSum" | "ReduceMin" | "ReduceMax" => reduce::reduce(&mut fold),
        "MatMul" => product::matmul(&mut fold)?,
        _ => return None,
    };
    Some(computed.and_then(Tensor::finite))
}

/// Shape: the dimensions from `start` to `end`, both clamped.
pub(super) fn shape_of(node: &Node, shape: &[usize]) -> Result<Tensor, String> {
    let rank = shape.len() as i64;
    let bound = |name: &str, default: i64| -> Result<usize, String> {
        let at = node.int(name, default).map_err(|problem| problem.reason)?;
        let counted = if at < 0 { at.saturating_add(rank) } else { at };
        Ok(counted.clamp(0, rank) as usize)
    };
    let (start, end) = (bound("start", 0)?, bound("end", rank)?);
    let dims: Vec<i64> = shape[start..end.max(start)].iter().map(|&dim| dim as i64).collect();
    Ok(Tensor::ints(vec![dims.len()], dims))
}

/// A number of elements, as Size gives it.
pub(super) fn scalar(count: usize) -> Tensor {
    Tensor::ints(vec![], vec![count as i64])
}

/// What Reshape, Flatten, Squeeze or Unsqueeze makes of a shape; `operand` is the second, where there is one.
pub(super) fn reshaped(
    node: &Node,
    opset: i64,
    shape: &[usize],
    operand: Option<&Tensor>,
) -> Result<Vec<usize>, String> {
    let int = |name: &str, default: i64| node.int(name, default).map_err(|problem| problem.reason);
    // In old operator sets shapes and axes are attributes.
    let attribute = |name: &str| -> Result<Option<Vec<i64>>, String> {
        let given = node.attributes.contains_key(name);
        given.then(|| node.ints(name).map(<[i64]>::to_vec)).transpose().map_err(|problem| problem.reason)
    };
    let given = |name: &str| match operand {
        Some(tensor) => {
            let ints = tensor.to_ints().filter(|_| tensor.shape.len() <= 1);
            ints.map(|ints| Some(ints.to_vec())).ok_or_else(|| "its second operand is no list of integers".to_owned())
        }
        None => attribute(name),
    };
    match node.op.as_str() {
        "Flatten" => dims::flatten(shape, int("axis", 1)?),
        "Squeeze" => dims::squeeze(shape, given("axes")?.as_deref()),
        "Unsqueeze" => dims::unsqueeze(shape, &given("axes")?.ok_or("lacks its axes")?),
        _ => {
            let zeros = opset >= 14 && int("allowzero", 0)? != 0;
            dims::reshape(shape, &given("shape")?.ok_or("lacks its shape")?, zeros)
        }
    }
}

impl Fold<'_> {
    /// The operand at `index`, which must be there.
    fn get(&self, index: usize) -> Result<&Tensor, String> {
        self.find(index).ok_or_else(|| format!("lacks operand {index}"))
    }

    /// The operand at `index`, if it is there.
    fn find(&self, index: usize) -> Option<&Tensor> {
        self.operands.get(index).and_then(Option::as_ref)
    }

    /// The integers of an operand: a shape, axes, indices.
    fn ints(&self, index: usize) -> Result<&[i64], String> {
        self.get(index)?.to_ints().ok_or_else(|| format!("operand {index} has no integers"))
    }

    fn int(&self, name: &str, default: i64) -> Result<i64, String> {
        self.node.int(name, default).map_err(|problem| problem.reason)
    }

    fn copy(&mut self) -> Result<Tensor, String> {
        let x = self.get(0)?.clone();
        self.room.take(&x.shape)?;
        Ok(x)
    }

    fn reshape(&mut self) -> Result<Tensor, String> {
        let shape = reshaped(self.node, self.opset, &self.get(0)?.shape, self.find(1))?;
        Ok(Tensor { shape, ..self.copy()? })
    }

    /// Integers of a quantised model as what they stand for, exact in 64-bit floats.
    fn dequantised(&mut self) -> Result<Tensor, String> {
        let shape = self.get(0)?.shape.clone();
        self.room.take(&shape)?;
        quantised::reals(self.node, self.get(0)?, self.get(1)?, self.operands.get(2).and_then(Option::as_ref))
    }

    /// ConstantOfShape: zeros, or an element that is given.
    fn filled(&mut self) -> Result<Tensor, String> {
        use crate::onnx::Attribute;
        let dims: Option<Vec<usize>> = self.ints(0)?.iter().map(|&dim| usize::try_from(dim).ok()).collect();
        let shape = dims.ok_or("asks for a negative dimension")?;
        let count = self.room.take(&shape)?;
        let value = match self.node.attributes.get("value") {
            None => Tensor::floats(vec![1], vec![0.0]),
            Some(Attribute::Tensor(tensor)) if tensor.len() == 1 => tensor.clone(),
            Some(_) => return Err("attribute `value` is not one number".into()),
        };
        let elements = match value.elements {
            Elements::Float(values) => Elements::Float(vec![values[0]; count]),
            Elements::Int(values) => Elements::Int(vec![values[0]; count]),
        };
        Ok(Tensor { shape, element: value.element, elements })
    }

    /// Range: from `start` in steps of `delta` to before `limit`.
    fn range(&mut self) -> Result<Tensor, String> {
        let element = self.get(0)?.element;
        if element == ElementType::Float {
            let one = |tensor: &Tensor| tensor.to_floats().filter(|values| values.len() == 1).map(|values| values[0]);
            let (start, limit, delta) = self.bounds(one)?;
            let steps = ((limit - start) / delta).ceil().max(0.0);
            if !steps.is_finite() {
                return Err(NO_STEP.into());
            }
            let count = self.room.take(&[steps as usize])?;
            return Ok(Tensor::floats(vec![count], (0..count).map(|step| start + step as f64 * delta).collect()));
        }
        let one =
            |tensor: &Tensor| tensor.to_ints().filter(|values| values.len() == 1).map(|values| i128::from(values[0]));
        let (start, limit, delta) = self.bounds(one)?;
        if delta == 0 {
            return Err(NO_STEP.into());
        }
        let (length, step) = ((limit - start) * delta.signum(), delta.abs());
        let steps = (length.max(0) + step - 1) / step;
        let count = self.room.take(&[usize::try_from(steps).unwrap_or(usize::MAX)])?;
        let values = (0..count as i128).map(|step| (start + step * delta) as i64).collect();
        Ok(Tensor { shape: vec![count], element, elements: Elements::Int(values) })
    }

    /// The three bounds of a Range.
    fn bounds<T>(&self, one: impl Fn(&Tensor) -> Option<T>) -> Result<(T, T, T), String> {
        let number = |index| self.get(index).and_then(|x| one(x).ok_or_else(|| "has a bound that is no number".into()));
        Ok((number(0)?, number(1)?, number(2)?))
    }
}

const NO_STEP: &str = "has a step of zero";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::onnx::Attribute;

    fn folded(op: &str, operands: &[Tensor], attributes: &[(&str, i64)]) -> Result<Tensor, String> {
        let inputs = (0..operands.len()).map(|index| index.to_string()).collect();
        let attributes: BTreeMap<String, Attribute> =
            attributes.iter().map(|&(name, value)| (name.to_owned(), Attribute::Int(value))).collect();
        let node = Node { name: op.into(), op: op.into(), inputs, outputs: vec!["y".into()], attributes };
        let operands: Vec<Option<Tensor>> = operands.iter().cloned().map(Some).collect();
        fold(Fold { node: &node, opset: 17, operands: &operands, room: &mut Room::new(1 << 18) }).unwrap()
    }

    fn ints(values: &[i64]) -> Tensor {
        Tensor::ints(vec![values.len()], values.to_vec())
    }

    fn floats(values: &[f64]) -> Tensor {
        Tensor::floats(vec![values.len()], values.to_vec())
    }

    fn bools(values: &[i64]) -> Tensor {
        Tensor { element: ElementType::BOOL, ..ints(values) }
    }

    #[test]
    fn integers_divide_and_wrap_as_onnx_says() {
        assert_eq!(folded("Div", &[ints(&[-7, 7]), ints(&[2])], &[]), Ok(ints(&[-3, 3])));
        assert!(folded("Div", &[ints(&[1]), ints(&[0])], &[]).unwrap_err().contains("by zero"));
        assert_eq!(folded("Mul", &[ints(&[i64::MAX]), ints(&[2])], &[]), Ok(ints(&[-2])));
        let byte = |value| Tensor { element: ElementType::Uint8, ..ints(&[value]) };
        assert_eq!(folded("Add", &[byte(200), byte(100)], &[]), Ok(byte(44)));
        assert_eq!(folded("Neg", &[ints(&[3])], &[]), Ok(ints(&[-3])));
    }

    #[test]
    fn floats_that_are_none_are_refused() {
        assert!(folded("Reciprocal", &[floats(&[0.0])], &[]).unwrap_err().contains("must be finite"));
        assert!(folded("Sqrt", &[floats(&[-1.0])], &[]).is_err());
        assert_eq!(folded("Pow", &[floats(&[3.0]), ints(&[2])], &[]), Ok(floats(&[9.0])));
        assert_eq!(folded("Max", &[floats(&[1.0, 5.0]), floats(&[3.0])], &[]), Ok(floats(&[3.0, 5.0])));
    }

    #[test]
    fn truth_values_choose() {
        let less = folded("Less", &[ints(&[1, 5]), ints(&[3])], &[]).unwrap();
        assert_eq!(less, bools(&[1, 0]));
        assert_eq!(folded("And", &[less.clone(), bools(&[1])], &[]), Ok(bools(&[1, 0])));
        assert_eq!(folded("Not", std::slice::from_ref(&less), &[]), Ok(bools(&[0, 1])));
        assert_eq!(folded("Where", &[less, ints(&[7]), ints(&[8, 9])], &[]), Ok(ints(&[7, 9])));
        assert_eq!(folded("Equal", &[floats(&[0.0]), floats(&[-0.0])], &[]), Ok(bools(&[1])));
    }

    #[test]
    fn shapes_are_computed_with() {
        let matrix = Tensor::ints(vec![2, 3], (0..6).collect());
        assert_eq!(folded("Shape", std::slice::from_ref(&matrix), &[]), Ok(ints(&[2, 3])));
        assert_eq!(folded("Shape", std::slice::from_ref(&matrix), &[("start", -1), ("end", 100)]), Ok(ints(&[3])));
        assert_eq!(folded("Shape", std::slice::from_ref(&matrix), &[("start", 2), ("end", 1)]), Ok(ints(&[])));
        assert_eq!(folded("Size", std::slice::from_ref(&matrix), &[]), Ok(Tensor::ints(vec![], vec![6])));
        assert_eq!(folded("ReduceProd", &[ints(&[2, 3])], &[("keepdims", 0)]), Ok(Tensor::ints(vec![], vec![6])));
        assert_eq!(folded("Concat", &[ints(&[1]), ints(&[2, 3])], &[("axis", 0)]), Ok(ints(&[1, 2, 3])));
        let columns = folded("Concat", &[matrix.clone(), matrix], &[("axis", -1)]).unwrap();
        assert_eq!(columns, Tensor::ints(vec![2, 6], vec![0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]));
    }

    #[test]
    fn ranges_end_before_their_limit() {
        let number = |value| Tensor::ints(vec![], vec![value]);
        let range = |start, limit, delta| folded("Range", &[number(start), number(limit), number(delta)], &[]);
        assert_eq!(range(1, 7, 3), Ok(ints(&[1, 4])));
        assert_eq!(range(5, 0, -2), Ok(ints(&[5, 3, 1])));
        assert_eq!(range(5, 0, 1), Ok(ints(&[])));
        assert!(range(0, 1, 0).is_err());
        assert!(range(0, i64::MAX, 1).unwrap_err().contains("more than any script"));
    }

    #[test]
    fn nothing_is_filled_without_bounds() {
        assert_eq!(folded("ConstantOfShape", &[ints(&[2])], &[]), Ok(floats(&[0.0, 0.0])));
        assert!(folded("ConstantOfShape", &[ints(&[1 << 36])], &[]).unwrap_err().contains("more than any script"));
        assert!(folded("ConstantOfShape", &[ints(&[-1])], &[]).unwrap_err().contains("negative"));
    }

    #[test]
    fn matrices_multiply() {
        let product =
            folded("MatMul", &[Tensor::ints(vec![1, 2], vec![3, 4]), Tensor::ints(vec![2, 1], vec![5, 6])], &[]);
        assert_eq!(product, Ok(Tensor::ints(vec![1, 1], vec![39])));
    }
}
