//! Checks the invariants listed in the module's documentation.

use num_bigint::BigInt;
use num_traits::Signed;

use super::builder::consequences;
use super::{Curve, Ir, Op, Value};

/// Checks an IR; the message names the value and the number of the invariant that it breaks.
///
/// # Errors
/// A defect of the compiler, never of a model: what broke, and where.
pub fn verify(ir: &Ir) -> Result<(), String> {
    if ir.values.is_empty() {
        return Err("invariant 1: there is no input".into());
    }
    for (id, value) in ir.values.iter().enumerate() {
        verify_value(ir, id, value).map_err(|reason| format!("%{id}: {reason}"))?;
    }
    Ok(())
}

fn verify_value(ir: &Ir, id: usize, value: &Value) -> Result<(), String> {
    match (&value.op, value.op.operands()) {
        (Op::Input, _) if id != 0 => return Err("invariant 1: a second input".into()),
        (Op::Input, _) => {}
        (_, []) => return Err("invariant 1: no operand".into()),
        (_, _) if id == 0 => return Err("invariant 1: value 0 is not the input".into()),
        (_, operands) => {
            if let Some(x) = operands.iter().find(|&&x| x >= id) {
                return Err(format!("invariant 1: reads %{x}, which comes later"));
            }
        }
    }
    verify_answer(ir, id, value)?;
    verify_constants(ir, &value.op)?;
    if value.is_empty() {
        return Err("invariant 3: no elements".into());
    }
    let (scale, intervals) = consequences(&value.op, &ir.values[..id.max(1)], &ir.input);
    if scale != value.scale {
        return Err(format!("invariant 3: scale {} where {scale} follows", value.scale));
    }
    if intervals != value.intervals {
        return Err("invariant 3: intervals that do not follow from the operand's".into());
    }
    if value.layer >= ir.layers.len() {
        return Err(format!("invariant 6: unknown layer {}", value.layer));
    }
    Ok(())
}

fn verify_answer(ir: &Ir, id: usize, value: &Value) -> Result<(), String> {
    let last = id + 1 == ir.values.len();
    match value.op {
        Op::ArgMax { .. } | Op::Positive { .. } if !last => Err("invariant 2: a class before the last value".into()),
        Op::Positive { x } if ir.values[x].len() != 1 => {
            Err(format!("invariant 2: a threshold for {} elements", ir.values[x].len()))
        }
        _ if last && value.len() != 1 => Err(format!("invariant 2: an answer of {} elements", value.len())),
        _ => Ok(()),
    }
}

fn verify_constants(ir: &Ir, op: &Op) -> Result<(), String> {
    let len = op.operand().map_or(0, |x| ir.values[x].len());
    match op {
        Op::Add { constant, .. } | Op::Mul { constant, .. } | Op::Max { constant, .. } | Op::Min { constant, .. }
            if constant.len() != len =>
        {
            Err(format!("invariant 4: {} constants for {len} elements", constant.len()))
        }
        Op::Round { factors, .. } if factors.len() != len => {
            Err(format!("invariant 4: {} factors for {len} elements", factors.len()))
        }
        Op::Piecewise { curves, .. } if curves.len() != 1 && curves.len() != len => {
            Err(format!("invariant 4: {} curves for {len} elements", curves.len()))
        }
        Op::MatMul { weights, .. } | Op::Products { weights, .. }
            if weights.rows != len || weights.elements.len() != weights.rows * weights.columns =>
        {
            Err(format!("invariant 4: a matrix of {} rows for {len} elements", weights.rows))
        }
        Op::SumRows { columns, .. } if *columns == 0 || !len.is_multiple_of(*columns) => {
            Err(format!("invariant 4: rows of {columns} in {len} elements"))
        }
        Op::Rescale { divisor, .. } | Op::Round { divisor, .. } if *divisor < BigInt::from(2) => {
            Err(format!("invariant 5: divisor {divisor}"))
        }
        Op::Round { factors, .. } if factors.iter().any(|factor| !factor.is_positive()) => {
            Err("invariant 5: a factor that is not positive".into())
        }
        Op::Piecewise { curves, .. } if !curves.iter().all(Curve::is_sound) => {
            Err("invariant 5: bends out of order".into())
        }
        Op::Sum { terms } => verify_joined(ir, terms, ir.values[terms[0]].len() == ir.values[terms[1]].len()),
        Op::Product { factors: [x, y] } if ir.values[*x].len() != ir.values[*y].len() => {
            Err("invariant 7: operands of the wrong length".into())
        }
        Op::Gather { parts, picks } => {
            let inside = |&(part, index): &(usize, usize)| parts.get(part).is_some_and(|&x| index < ir.values[x].len());
            verify_joined(ir, parts, picks.iter().all(inside))
        }
        _ => Ok(()),
    }
}

fn verify_joined(ir: &Ir, operands: &[usize], fit: bool) -> Result<(), String> {
    if !fit {
        return Err("invariant 7: operands of the wrong length".into());
    }
    match operands.windows(2).find(|pair| ir.values[pair[0]].scale != ir.values[pair[1]].scale) {
        Some(pair) => Err(format!("invariant 7: %{} and %{} have different scales", pair[0], pair[1])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Builder, Layer};
    use super::*;
    use crate::input::InputSpec;

    /// A network of these steps, each of which reads the one before.
    fn network(inputs: usize, steps: &[fn(usize) -> Op]) -> Ir {
        let layer = Layer {
            label: "input".into(),
            onnx_nodes: vec![],
            channels: vec![],
            storage: None,
            approximations: vec![],
        };
        let mut builder = Builder::new("test".into(), InputSpec::default().resolve(false), inputs, layer);
        for (x, step) in steps.iter().enumerate() {
            builder.push(step(x), 0);
        }
        builder.finish()
    }

    const RELU: fn(usize) -> Op = |x| Op::Relu { x };
    const POSITIVE: fn(usize) -> Op = |x| Op::Positive { x };

    #[test]
    fn the_last_value_is_one_answer() {
        for (inputs, steps) in [(1, &[RELU][..]), (1, &[RELU, POSITIVE]), (1, &[])] {
            verify(&network(inputs, steps)).unwrap();
        }
        for (inputs, steps) in [(2, &[RELU][..]), (2, &[POSITIVE]), (1, &[POSITIVE, RELU]), (2, &[])] {
            let broken = verify(&network(inputs, steps)).unwrap_err();
            assert!(broken.contains("invariant 2"), "{broken}");
        }
    }

    #[test]
    fn answers_are_classes_or_numbers_of_the_model() {
        use crate::prediction::Prediction::{Class, Value};
        let (number, class) = (network(1, &[]), network(1, &[POSITIVE]));
        let long = BigInt::from(-3) * BigInt::from(10).pow(40);
        assert_eq!(number.prediction(&long), Some(Value(-3e32)));
        assert_eq!((number.classes(), class.classes()), (0, 2));
        assert_eq!((class.prediction(&1.into()), class.prediction(&long)), (Some(Class(1)), None));
    }
}
