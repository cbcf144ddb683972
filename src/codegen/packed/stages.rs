//! The IR as dense layers in order, each with what is done to its sums.

use num_bigint::BigInt;

use crate::ir::{Ir, Matrix, Op, Tie, ValueId};

/// A dense layer and the elementwise steps behind it that packed code makes with it.
pub(in crate::codegen) struct Stage<'i> {
    /// The IR value that the layer takes.
    pub(in crate::codegen) input: ValueId,
    /// The IR value that the products make.
    pub(in crate::codegen) matmul: ValueId,
    /// Its weights.
    pub(in crate::codegen) weights: &'i Matrix,
    /// What is added to the sums before anything else is done to them.
    pub(in crate::codegen) bias: Vec<BigInt>,
    /// The IR value that the bias makes, or the matmul where there is none.
    pub(in crate::codegen) biased: ValueId,
    /// Whether what is negative becomes zero next.
    pub(in crate::codegen) relu: bool,
    /// The last IR value that packed code makes: the biased sums, or the ReLU.
    pub(in crate::codegen) packed: ValueId,
    /// Whether anything but the next layer, or the class behind the last one, reads what packed code makes.
    pub(in crate::codegen) leaves_numbers: bool,
}

/// Dense layers in order, and how ties are broken at the end.
pub(in crate::codegen) struct Network<'i> {
    /// The layers.
    pub(in crate::codegen) stages: Vec<Stage<'i>>,
    /// How ties are broken, where the answer is the index of the largest element.
    pub(in crate::codegen) tie: Option<Tie>,
    /// Whether every value is made of the one before it alone.
    pub(in crate::codegen) is_chain: bool,
    /// Whether anything but dense layers reads the input.
    pub(in crate::codegen) unpacks_input: bool,
}

/// Finds the dense layers.
///
/// # Errors
/// Why the network cannot be packed.
pub(in crate::codegen) fn network(ir: &Ir) -> Result<Network<'_>, String> {
    if ir.values.iter().any(|value| matches!(value.op, Op::Products { .. } | Op::SumRows { .. })) {
        return Err("--rescale product divides every single product, and packed code has only their sums (--rescale sum divides those)".into());
    }
    let readers = readers(ir);
    let mut stages: Vec<Stage<'_>> = (0..ir.values.len()).filter_map(|value| stage(ir, &readers, value)).collect();
    if stages.is_empty() {
        return Err("it has no dense layer".into());
    }
    for index in 0..stages.len() {
        let next = stages.get(index + 1).map_or(ir.output(), |next| next.matmul);
        let answers = |value: ValueId| matches!(ir.values[value].op, Op::ArgMax { .. });
        let last = index + 1 == stages.len();
        let handed_on = readers[stages[index].packed] == [next] && (!last || answers(next));
        stages[index].leaves_numbers = !handed_on;
    }
    let tie = match ir.values[ir.output()].op {
        Op::ArgMax { tie, .. } => Some(tie),
        _ => None,
    };
    let is_chain = ir.values.iter().skip(1).all(|value| value.op.operand().is_some())
        && readers.iter().all(|readers| readers.len() <= 1);
    let is_dense = |&reader: &ValueId| matches!(ir.values[reader].op, Op::MatMul { .. });
    Ok(Network { stages, tie, is_chain, unpacks_input: !readers[0].iter().all(is_dense) })
}

/// The values that read each value.
fn readers(ir: &Ir) -> Vec<Vec<ValueId>> {
    let mut readers = vec![vec![]; ir.values.len()];
    for (reader, value) in ir.values.iter().enumerate() {
        for &operand in value.op.operands() {
            readers[operand].push(reader);
        }
    }
    readers
}

fn stage<'i>(ir: &'i Ir, readers: &[Vec<ValueId>], matmul: ValueId) -> Option<Stage<'i>> {
    let Op::MatMul { x: input, weights } = &ir.values[matmul].op else { return None };
    let only_reader = |value: ValueId| match readers[value].as_slice() {
        &[reader] => Some((reader, &ir.values[reader].op)),
        _ => None,
    };
    let mut bias = vec![BigInt::ZERO; weights.columns];
    let mut biased = matmul;
    while let Some((sum, Op::Add { constant, .. })) = only_reader(biased) {
        bias.iter_mut().zip(constant).for_each(|(sum, addend)| *sum += addend);
        biased = sum;
    }
    let relu = match only_reader(biased) {
        Some((relu, Op::Relu { .. })) => Some(relu),
        _ => None,
    };
    let packed = relu.unwrap_or(biased);
    Some(Stage { input: *input, matmul, weights, bias, biased, relu: relu.is_some(), packed, leaves_numbers: true })
}
