//! The product of two constant matrices.

use super::Fold;
use crate::onnx::Tensor;
use crate::onnx::tensor::Elements;

/// Most products of elements that are computed: seconds, not minutes.
const MOST_PRODUCTS: usize = 1 << 32;

/// MatMul of two matrices; `None` for vectors and batches.
pub(super) fn matmul(fold: &mut Fold<'_>) -> Option<Result<Tensor, String>> {
    let [Some(a), Some(b)] = fold.operands else { return None };
    let (&[rows, inner], &[same, columns]) = (a.shape.as_slice(), b.shape.as_slice()) else { return None };
    if inner != same || a.element != b.element {
        return Some(Err(format!("multiplies shape {:?} by {:?}", a.shape, b.shape)));
    }
    if let Err(reason) = fold.room.take(&[rows, columns]) {
        return Some(Err(reason));
    }
    if (rows * columns).checked_mul(inner).is_none_or(|products| products > MOST_PRODUCTS) {
        return Some(Err("multiplies constants that are too large to be folded".into()));
    }
    let size = (rows, inner, columns);
    let elements = match (&a.elements, &b.elements) {
        (Elements::Float(a), Elements::Float(b)) => Elements::Float(sums(a, b, size, |sum, a, b| sum + a * b)),
        (Elements::Int(x), Elements::Int(y)) => {
            let sum = |sum: i64, x: i64, y: i64| a.element.wrap(sum.wrapping_add(x.wrapping_mul(y)));
            Elements::Int(sums(x, y, size, sum))
        }
        _ => return None,
    };
    Some(Ok(Tensor { shape: vec![rows, columns], element: a.element, elements }))
}

fn sums<T: Copy + Default>(
    a: &[T],
    b: &[T],
    (rows, inner, columns): (usize, usize, usize),
    add: impl Fn(T, T, T) -> T,
) -> Vec<T> {
    let mut sums = vec![T::default(); rows * columns];
    for row in 0..rows {
        for at in 0..inner {
            for column in 0..columns {
                let sum = &mut sums[row * columns + column];
                *sum = add(*sum, a[row * inner + at], b[at * columns + column]);
            }
        }
    }
    sums
}
