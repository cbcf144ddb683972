//! Strategies from the IR to the bignum program.
//!
//! A contract is an entry (what the unlocking script must have pushed), the network, and an exit (what
//! is made of the answer). Only the network depends on the strategy; `unrolled` is the one for small
//! layers and the yardstick for others.
//!
//! Invariant: the program's result for an input is made from [`crate::ir::eval`]'s answer for it and
//! nothing else, for every input of the length that the entry checks.

pub mod contract;
mod unrolled;

use std::sync::Arc;

use crate::bignum::{Builder, Name, Op, Origin, Program, ValueId};
use crate::ir::Ir;
pub use contract::Contract;

/// Lowers a network to the program of its contract.
pub fn lower(ir: &Ir, contract: Contract) -> Program {
    let mut builder = Builder::new(contract.pushes());
    let input = entry(&mut builder, ir, contract);
    let answer = unrolled::network(&mut builder, ir, input);
    let result = exit(&mut builder, contract, answer);
    builder.finish(result)
}

/// Checks how many items the unlocking script left, and the length of the input.
fn entry(builder: &mut Builder, ir: &Ir, contract: Contract) -> ValueId {
    contract_origin(builder, "entry: number of items, length of the input");
    builder.check_depth(contract.pushes().len());
    let bytes = ir.input.byte_len(ir.values[0].len());
    let pushed = contract.input_index();
    let input = builder.inputs()[pushed];
    builder.one(Op::CheckLength(bytes), &[input], Name::whole(&Arc::from("input")))
}

/// Compares the answer as the contract wants it.
fn exit(builder: &mut Builder, contract: Contract, answer: ValueId) -> ValueId {
    let verdict = Name::whole(&Arc::from("verdict"));
    match contract {
        Contract::Claim => {
            contract_origin(builder, "exit: answer against claim");
            let claim = builder.inputs()[0];
            builder.one(Op::Equal, &[claim, answer], verdict)
        }
        Contract::Expect(expected) => {
            contract_origin(builder, "exit: class against the expected one");
            let expected = builder.number(&expected.into());
            builder.one(Op::Equal, &[answer, expected], verdict)
        }
        Contract::Class => answer,
    }
}

fn contract_origin(builder: &mut Builder, step: &str) {
    let origin =
        builder.origin(Origin { layer: Arc::from("contract"), step: Arc::from(step), onnx_node: Arc::from("") });
    builder.enter(origin);
}
