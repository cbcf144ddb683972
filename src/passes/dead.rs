//! `dead-code`: drops values that the answer does not depend on. Keeps every bit.

use crate::ir::{Builder, Ir};

/// Drops what is not needed; the input always stays.
pub(super) fn eliminate(ir: &Ir) -> Ir {
    let mut needed = vec![false; ir.values.len()];
    let mut next = Some(ir.output());
    while let Some(id) = next {
        needed[id] = true;
        next = ir.values[id].op.operand();
    }
    let mut builder = Builder::like(ir);
    let mut moved = vec![0; ir.values.len()];
    for (id, value) in ir.values.iter().enumerate().skip(1).filter(|(id, _)| needed[*id]) {
        let operand = value.op.operand().map_or(0, |x| moved[x]);
        moved[id] = builder.push(value.op.with_operand(operand), value.layer);
    }
    builder.finish()
}
