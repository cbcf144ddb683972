//! `dead-code`: drops values that the answer does not depend on. Keeps every bit.

use crate::ir::{Builder, Ir};

/// Drops what is not needed; the input always stays.
pub(super) fn eliminate(ir: &Ir) -> Ir {
    let mut needed = vec![false; ir.values.len()];
    needed[ir.output()] = true;
    for (id, value) in ir.values.iter().enumerate().rev() {
        if needed[id] {
            value.op.operands().iter().for_each(|&operand| needed[operand] = true);
        }
    }
    let mut builder = Builder::like(ir);
    let mut moved = vec![0; ir.values.len()];
    for (id, value) in ir.values.iter().enumerate().skip(1).filter(|(id, _)| needed[*id]) {
        moved[id] = builder.push(value.op.with_operands(|old| moved[old]), value.layer);
    }
    builder.finish()
}
