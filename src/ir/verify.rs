//! Checks the invariants listed in the module's documentation.

use num_bigint::BigInt;

use super::builder::consequences;
use super::{Ir, Op, Value};

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
    match value.op.operand() {
        None if id != 0 => return Err("invariant 1: a second input".into()),
        Some(x) if x >= id => return Err(format!("invariant 1: reads %{x}, which comes later")),
        Some(_) if id == 0 => return Err("invariant 1: value 0 is not the input".into()),
        _ => {}
    }
    let last = id + 1 == ir.values.len();
    if last != matches!(value.op, Op::ArgMax { .. }) {
        return Err("invariant 2: an ArgMax is the last value and no other".into());
    }
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

fn verify_constants(ir: &Ir, op: &Op) -> Result<(), String> {
    let len = op.operand().map_or(0, |x| ir.values[x].len());
    match op {
        Op::Add { constant, .. } | Op::Mul { constant, .. } if constant.len() != len => {
            Err(format!("invariant 4: {} constants for {len} elements", constant.len()))
        }
        Op::MatMul { weights, .. } | Op::Products { weights, .. }
            if weights.rows != len || weights.elements.len() != weights.rows * weights.columns =>
        {
            Err(format!("invariant 4: a matrix of {} rows for {len} elements", weights.rows))
        }
        Op::SumRows { columns, .. } if *columns == 0 || !len.is_multiple_of(*columns) => {
            Err(format!("invariant 4: rows of {columns} in {len} elements"))
        }
        Op::Rescale { divisor, .. } if *divisor < BigInt::from(2) => Err(format!("invariant 5: divisor {divisor}")),
        _ => Ok(()),
    }
}
