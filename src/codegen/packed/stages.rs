//! The IR as a chain of dense layers, each with what is done to its sums.

use num_bigint::BigInt;

use crate::ir::{Ir, Matrix, Op, Tie, ValueId};

/// A dense layer and the elementwise steps behind it.
pub(in crate::codegen) struct Stage<'i> {
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
    /// The last IR value before the next dense layer or the class.
    pub(in crate::codegen) last: ValueId,
}

/// Dense layers in order, and how ties are broken at the end.
pub(in crate::codegen) struct Network<'i> {
    /// The IR value that the first layer takes.
    pub(in crate::codegen) first: ValueId,
    /// The layers.
    pub(in crate::codegen) stages: Vec<Stage<'i>>,
    /// How ties are broken, where the answer is the index of the largest element.
    pub(in crate::codegen) tie: Option<Tie>,
}

/// Finds the dense layers.
///
/// # Errors
/// Why the network cannot be packed.
pub(in crate::codegen) fn network(ir: &Ir) -> Result<Network<'_>, String> {
    let chain = chain(ir);
    // What makes the answer of the last layer's elements is no part of it.
    let (tie, end) = match ir.values[ir.output()].op {
        Op::ArgMax { tie, .. } => (Some(tie), chain.len() - 1),
        Op::Positive { .. } => (None, chain.len() - 1),
        _ => (None, chain.len()),
    };
    if chain.iter().any(|&value| matches!(ir.values[value].op, Op::Products { .. } | Op::SumRows { .. })) {
        return Err("--rescale product divides every single product, and packed code has only their sums (--rescale sum divides those)".into());
    }
    let starts: Vec<usize> =
        (0..chain.len()).filter(|&at| matches!(ir.values[chain[at]].op, Op::MatMul { .. })).collect();
    let Some(&first) = starts.first() else { return Err("it has no dense layer".into()) };
    let ends = starts.iter().skip(1).copied().chain([end]);
    let stages = starts.iter().zip(ends).map(|(&start, end)| stage(ir, &chain[start..end])).collect::<Option<_>>();
    let stages = stages.ok_or("a step that packed code does not know")?;
    Ok(Network { first: chain[first - 1], stages, tie })
}

/// The values from the input to the class.
fn chain(ir: &Ir) -> Vec<ValueId> {
    let mut chain = vec![ir.output()];
    while let Some(operand) = chain.last().and_then(|&value| ir.values[value].op.operand()) {
        chain.push(operand);
    }
    chain.reverse();
    chain
}

fn stage<'i>(ir: &'i Ir, values: &[ValueId]) -> Option<Stage<'i>> {
    let (&matmul, mut rest) = values.split_first()?;
    let Op::MatMul { weights, .. } = &ir.values[matmul].op else { return None };
    let mut bias = vec![BigInt::ZERO; weights.columns];
    let mut biased = matmul;
    while let Some((&value, behind)) = rest.split_first()
        && let Op::Add { constant, .. } = &ir.values[value].op
    {
        bias.iter_mut().zip(constant).for_each(|(sum, addend)| *sum += addend);
        (biased, rest) = (value, behind);
    }
    let relu = rest.first().filter(|&&value| matches!(ir.values[value].op, Op::Relu { .. }));
    let packed = relu.copied().unwrap_or(biased);
    Some(Stage { matmul, weights, bias, biased, relu: relu.is_some(), packed, last: *values.last()? })
}
