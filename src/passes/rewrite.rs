//! What passes share: rebuilding a program value by value.

use crate::ir::{Builder, Ir, Op, Value, ValueId};

/// A program being rebuilt: the new program so far, and where each old value went.
pub(super) struct Rewriter {
    /// How often each old value is used.
    pub(super) uses: Vec<usize>,
    /// The new program so far.
    pub(super) builder: Builder,
    moved: Vec<ValueId>,
}

impl Rewriter {
    /// Rebuilds `ir`: `rule` sees each value of one operand with that already moved, and returns
    /// the new value that replaces it, or `None` to keep it as it is. The answer stays the last value, also where an
    /// older one replaces it.
    pub(super) fn run(ir: &Ir, rule: impl Fn(&mut Rewriter, &Value, ValueId) -> Option<ValueId>) -> Ir {
        let mut rewriter = Rewriter { uses: ir.uses(), builder: Builder::like(ir), moved: vec![0] };
        for value in &ir.values[1..] {
            let moved = value.op.operand().map(|old| rewriter.moved[old]);
            let new = match moved.and_then(|operand| rule(&mut rewriter, value, operand)) {
                Some(new) => new,
                None => rewriter.push(value.op.with_operands(|old| rewriter.moved[old]), value),
            };
            rewriter.moved.push(new);
        }
        rewriter.builder.end_at(rewriter.moved[ir.output()]);
        rewriter.builder.finish()
    }

    /// Adds a value in the layer of an old one.
    pub(super) fn push(&mut self, op: Op, like: &Value) -> ValueId {
        self.builder.push(op, like.layer)
    }

    /// The op of a new value.
    pub(super) fn op(&self, id: ValueId) -> &Op {
        &self.builder.value(id).op
    }

    /// Whether the operand of an old value has no other user: only then is a rewrite across it a gain.
    pub(super) fn sole_use(&self, value: &Value) -> bool {
        value.op.operand().is_some_and(|x| self.uses[x] == 1)
    }
}
