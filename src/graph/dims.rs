//! The shapes that Reshape and its kin give, by ONNX's definitions.

/// An axis counted from the front; negative ones count from the end.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let counted = if axis < 0 { axis.saturating_add_unsigned(rank as u64) } else { axis };
    let inside = usize::try_from(counted).ok().filter(|&axis| axis < rank);
    inside.ok_or_else(|| format!("axis {axis} is outside a value of {rank} dimensions"))
}

/// Several axes, in order and each once.
fn axes(given: &[i64], rank: usize) -> Result<Vec<usize>, String> {
    let mut axes = given.iter().map(|&given| axis(given, rank)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    match axes.windows(2).all(|pair| pair[0] < pair[1]) {
        true => Ok(axes),
        false => Err(format!("names an axis twice: {given:?}")),
    }
}

/// How many elements a shape has; an error where no memory could hold them.
pub(super) fn count(shape: &[usize]) -> Result<usize, String> {
    let count = shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    count.ok_or_else(|| format!("gives the impossible shape {shape:?}"))
}

/// Reshape: 0 copies a dimension unless `zeros` are meant, one -1 stands for what is left.
pub(super) fn reshape(shape: &[usize], target: &[i64], zeros: bool) -> Result<Vec<usize>, String> {
    let total = count(shape)?;
    let mut result = Vec::with_capacity(target.len());
    let mut open = None;
    for (position, &dim) in target.iter().enumerate() {
        result.push(match dim {
            -1 if open.is_none() => {
                open = Some(position);
                1
            }
            0 if !zeros => {
                *shape.get(position).ok_or_else(|| format!("copies dimension {position} of shape {shape:?}"))?
            }
            dim => usize::try_from(dim).map_err(|_| format!("asks for the impossible shape {target:?}"))?,
        });
    }
    let known = count(&result)?;
    let misfit = || format!("turns shape {shape:?} into {target:?}, which has another number of elements");
    match open {
        Some(_) if known == 0 || !total.is_multiple_of(known) => return Err(misfit()),
        Some(position) => result[position] = total / known,
        None if known != total => return Err(misfit()),
        None => {}
    }
    Ok(result)
}

/// Flatten: a matrix of all dimensions before an axis and all from it on.
pub(super) fn flatten(shape: &[usize], at: i64) -> Result<Vec<usize>, String> {
    // Here, the axis may lie behind the last dimension.
    let at = axis(at, shape.len() + usize::from(at >= 0))?;
    Ok(vec![count(&shape[..at])?, count(&shape[at..])?])
}

/// Squeeze: without some dimensions of one, or without all of them.
pub(super) fn squeeze(shape: &[usize], given: Option<&[i64]>) -> Result<Vec<usize>, String> {
    let Some(given) = given else {
        return Ok(shape.iter().copied().filter(|&dim| dim != 1).collect());
    };
    let axes = axes(given, shape.len())?;
    match axes.iter().find(|&&axis| shape[axis] != 1) {
        Some(&axis) => Err(format!("squeezes axis {axis} of shape {shape:?}, which is not 1")),
        None => Ok(kept(shape, |axis| !axes.contains(&axis))),
    }
}

/// Unsqueeze: with more dimensions of one, at places counted in the result.
pub(super) fn unsqueeze(shape: &[usize], given: &[i64]) -> Result<Vec<usize>, String> {
    let axes = axes(given, shape.len() + given.len())?;
    let mut old = shape.iter().copied();
    let rank = shape.len() + axes.len();
    Ok((0..rank).map(|axis| if axes.contains(&axis) { 1 } else { old.next().unwrap_or(1) }).collect())
}

/// The shape of an elementwise result.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let dim = |axis| match (at(a, axis), at(b, axis)) {
        (1, dim) | (dim, 1) => Ok(dim),
        (one, other) if one == other => Ok(one),
        _ => Err(format!("shapes {a:?} and {b:?} do not fit each other")),
    };
    (0..rank).map(dim).collect()
}

/// The dimensions of some axes.
pub(super) fn kept(shape: &[usize], keep: impl Fn(usize) -> bool) -> Vec<usize> {
    shape.iter().enumerate().filter(|(axis, _)| keep(*axis)).map(|(_, &dim)| dim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshape_copies_and_completes() {
        assert_eq!(reshape(&[1, 2, 3], &[0, -1], false), Ok(vec![1, 6]));
        assert_eq!(reshape(&[1, 2, 3], &[-1], false), Ok(vec![6]));
        assert_eq!(reshape(&[0, 3], &[0, 5], true), Ok(vec![0, 5]));
        assert_eq!(reshape(&[1], &[], false), Ok(vec![]));
        for wrong in [&[-1, -1][..], &[4], &[-1, 4], &[-2, 3], &[1, 2, 3, 0], &[i64::MAX, i64::MAX]] {
            assert!(reshape(&[1, 2, 3], wrong, false).is_err(), "{wrong:?}");
        }
        assert!(reshape(&[2, 0], &[-1, 0], false).is_err(), "what is left of nothing is unknown");
    }

    #[test]
    fn flatten_takes_any_axis() {
        assert_eq!(flatten(&[2, 3, 4], 1), Ok(vec![2, 12]));
        assert_eq!(flatten(&[2, 3, 4], -1), Ok(vec![6, 4]));
        assert_eq!(flatten(&[2, 3, 4], 3), Ok(vec![24, 1]));
        assert_eq!(flatten(&[2, 3, 4], 0), Ok(vec![1, 24]));
        assert!(flatten(&[2, 3, 4], 4).is_err());
    }

    #[test]
    fn squeeze_and_unsqueeze_are_inverse() {
        assert_eq!(squeeze(&[1, 4, 1], None), Ok(vec![4]));
        assert_eq!(squeeze(&[1, 4, 1], Some(&[-1])), Ok(vec![1, 4]));
        assert!(squeeze(&[1, 4, 1], Some(&[1])).is_err());
        assert!(squeeze(&[1, 4, 1], Some(&[0, -3])).is_err());
        assert_eq!(unsqueeze(&[4], &[0, -1]), Ok(vec![1, 4, 1]));
        assert_eq!(unsqueeze(&[], &[0]), Ok(vec![1]));
        assert!(unsqueeze(&[4], &[0, 0]).is_err());
        assert!(axis(i64::MIN, 3).is_err() && axis(i64::MAX, 3).is_err());
    }

    #[test]
    fn broadcasting_stretches_ones() {
        assert_eq!(broadcast(&[2, 1], &[3]), Ok(vec![2, 3]));
        assert_eq!(broadcast(&[], &[1, 0]), Ok(vec![1, 0]));
        assert!(broadcast(&[2], &[3]).is_err());
    }
}
