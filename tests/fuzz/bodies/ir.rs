//! Bytes to a network in integers, and that to contracts: passes keep what they say, and every way of generating
//! code gives a contract that accepts exactly what the definition says.

use arbitrary::{Result, Unstructured};
use num_bigint::BigInt;
use onnx2script::codegen::Strategy;
use onnx2script::graph::{Answer, Graph, Labels};
use onnx2script::ir::{self, Ir};
use onnx2script::onnx::ElementType;
use onnx2script::passes::{self, Keeps, Level};
use onnx2script::{Compiled, Options, bignum, codegen, generate, quant};

use super::{choices, integers, network, spend};
use crate::common::oracle;
use crate::common::random::{Random, extremes};

/// Whether the bytes were a network with a contract.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let mut source = Unstructured::new(bytes);
    made(&mut source).unwrap_or(None).is_some_and(|(graph, ir, options)| check(&graph, &ir, &options, &mut source))
}

/// A network and what a user wants of it; `None` where it is refused.
fn made(source: &mut Unstructured<'_>) -> Result<Option<(Graph, Ir, Options)>> {
    let options = choices::options(source)?;
    let input = options.input.resolve(false);
    if source.arbitrary()? {
        return Ok(Some((bare(), integers::network(source, input)?, options)));
    }
    let Some(graph) = network::graph(source)? else { return Ok(None) };
    let quantised = quant::quantise(&graph, input, &options.quant);
    Ok(quantised.ok().map(|ir| (graph, ir, options)))
}

/// The graph of a network that was never one.
fn bare() -> Graph {
    Graph {
        name: "fuzz.onnx".into(),
        input_name: "x".into(),
        input_shape: vec![1],
        input_element: ElementType::Float,
        nodes: vec![],
        answer: Answer::Class,
        labels: Labels::Indices,
        notes: vec![],
    }
}

fn check(graph: &Graph, ir: &Ir, options: &Options, source: &mut Unstructured<'_>) -> bool {
    ir::verify(ir).unwrap();
    let text = ir::print(ir);
    assert!(text == ir::print(&ir.clone()) && text.lines().all(|line| line == line.trim_end()), "{text}");
    if options.contract.check(ir).is_err() {
        return false;
    }
    check_passes(ir, source);
    let optimised = passes::run(ir, options.level, None).unwrap();
    if optimised.constant_answer().is_some() {
        return false;
    }
    let mut contracts = 0;
    let chosen = options.codegen.strategy;
    let packing = (chosen != Strategy::Unrolled).then_some(chosen);
    for strategy in [Strategy::Unrolled].into_iter().chain(packing) {
        let codegen = codegen::Options { strategy, ..options.codegen };
        let options = Options { codegen, ..options.clone() };
        match generate(graph.clone(), ir.clone(), optimised.clone(), &options) {
            Ok(compiled) => {
                check_texts(&compiled);
                contracts += usize::from(spend::demand(compiled, source));
            }
            Err(refusal) => assert!(strategy == Strategy::Packed || is_long(&refusal.to_string()), "{refusal}"),
        }
    }
    contracts > 0
}

/// What is not packed can only be refused for the length of its numbers.
fn is_long(refusal: &str) -> bool {
    refusal.contains("bytes") && refusal.contains("use a coarser scale")
}

/// Each pass on its own, and those that keep every bit together.
fn check_passes(ir: &Ir, source: &mut Unstructured<'_>) {
    let inputs = inputs(ir, source);
    let exact = passes::run(ir, Level::Exact, None).unwrap();
    oracle::demand_kept(Keeps::EveryBit, ir, &exact, &inputs);
    for pass in passes::ALL {
        oracle::demand_kept(pass.keeps, ir, &pass.apply(ir).unwrap(), &inputs);
    }
}

fn inputs(ir: &Ir, source: &mut Unstructured<'_>) -> Vec<Vec<BigInt>> {
    let elements = ir.values[0].intervals.len();
    let len = ir.input.byte_len(elements);
    // Few: the oracle computes with fractions.
    let mut inputs: Vec<Vec<u8>> = extremes(len, ir.input.width()).into_iter().step_by(5).collect();
    inputs.push(Random(source.arbitrary().unwrap_or(0)).bytes(len));
    inputs.iter().map(|bytes| ir.input.decode(bytes, elements)).collect()
}

/// What is printed of a contract is the same again.
fn check_texts(compiled: &Compiled) {
    let texts = |compiled: &Compiled| [ir::print(&compiled.optimised), bignum::print(&compiled.program)];
    assert_eq!(texts(compiled), texts(&compiled.clone()));
}
