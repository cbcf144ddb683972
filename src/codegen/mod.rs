//! Strategies from the IR to the bignum program.
//!
//! A contract is an entry (what the unlocking script must have pushed), the network, and an exit (what
//! is made of the answer). Only the network depends on the strategy; `unrolled` is the one for small
//! layers and the yardstick for others.
//!
//! Invariant: the program's result for an input is made from [`crate::ir::eval`]'s answer for it and
//! nothing else, for every input of the length that the entry checks.

pub mod contract;
mod curves;
mod emitted;
mod landmark;
pub mod options;
mod packed;
mod unrolled;

use std::sync::Arc;

pub use self::contract::Contract;
pub use self::emitted::{Emitted, Form, Products};
pub use self::landmark::{Held, Landmark, LaneForm};
pub use self::options::{Optimise, Strategy};
use self::packed::Flow;
use self::packed::plan::Planner;
use self::unrolled::Unrolled;
use crate::bignum::{self, Builder, Name, Op, Origin, Program, ValueId};
use crate::cost::Cost;
use crate::error::Problem;
use crate::ir::Ir;
use crate::stack::Layout;
use crate::target::Target;

/// A contract's program, and how it came about.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The program.
    pub program: Program,
    /// How each dense layer was emitted.
    pub layers: Vec<Emitted>,
    /// Where the program holds the values of the network.
    pub landmarks: Vec<Landmark>,
    /// Why nothing is packed, where packing was not ruled out.
    pub unpacked: Option<String>,
    /// What the cost model predicted; `None` where it was not asked.
    pub predicted: Option<Cost>,
}

/// What stands around a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    /// What the unlocking script pushes for it, and what is made of its answer.
    pub contract: Contract,
    /// How many items of a guard lie beneath those.
    pub below: usize,
}

/// What code is generated for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// How layers are emitted.
    pub strategy: Strategy,
    /// What is to be least.
    pub optimise: Optimise,
    /// How values are laid out on the stacks.
    pub layout: Layout,
}

/// Lowers a network to the program of its contract.
///
/// # Errors
/// Why it cannot be packed, where nothing else was asked for.
pub fn lower(ir: &Ir, frame: Frame, options: &Options, target: &Target) -> Result<Lowered, Problem> {
    let reason = match options.strategy {
        Strategy::Unrolled => None,
        _ => match pack(ir, frame, options, target) {
            Ok(packed) => return Ok(packed),
            Err(reason) => Some(reason),
        },
    };
    if let (Strategy::Packed, Some(reason)) = (options.strategy, &reason) {
        let problem = Problem::of_model(format!("cannot be packed: {reason}"));
        return Err(problem.help("leave --codegen out: what cannot be packed is unrolled then"));
    }
    let built = build(ir, frame, None, |unrolled, input| packed::answer(unrolled, Flow::Input(input)));
    let (program, layers, landmarks) = built.unwrap_or_else(|defect| panic!("a defect of the unrolled code: {defect}"));
    Ok(Lowered { program, layers, landmarks, unpacked: reason, predicted: None })
}

/// Lanes are made so many bits wider, at most, where proofs ask for it.
const MARGINS: usize = 3;

/// Packs what is better packed.
fn pack(ir: &Ir, frame: Frame, options: &Options, target: &Target) -> Result<Lowered, String> {
    let network = packed::stages::network(ir)?;
    let mut refusal = "its sums are too wide for lanes, or its rows for numbers".to_owned();
    for margin in 0..MARGINS {
        let planner = Planner {
            ir,
            network: &network,
            layout: options.layout,
            optimise: options.optimise,
            number_bytes: target.max_number_bytes(),
            margin,
            mixed: options.strategy == Strategy::Auto,
        };
        let Some(plan) = planner.plan() else { break };
        let built = build(ir, frame, Some(target.max_number_bytes()), |unrolled, input| {
            let flow = packed::layers(unrolled, &network, 0, &plan.choices, Flow::Input(input));
            packed::answer(unrolled, flow)
        });
        match built.and_then(|built| bignum::verify(&built.0, target).map(|()| built)) {
            Ok((program, layers, landmarks)) => {
                return Ok(Lowered { program, layers, landmarks, unpacked: None, predicted: Some(plan.predicted) });
            }
            Err(reason) => refusal = reason,
        }
    }
    Err(refusal)
}

/// A contract around a network, how the network's layers were emitted, and where its values lie. Elements may be packed into lanes where a
/// length is given that numbers must not exceed.
fn build(
    ir: &Ir,
    frame: Frame,
    number_bytes: Option<usize>,
    network: impl FnOnce(&mut Unrolled<'_>, ValueId) -> ValueId,
) -> Result<(Program, Vec<Emitted>, Vec<Landmark>), String> {
    let mut builder = Builder::new(frame.contract.pushes()).with_numbers_of(number_bytes.unwrap_or(usize::MAX));
    let input = entry(&mut builder, ir, frame);
    let mut unrolled = Unrolled::new(&mut builder, ir, number_bytes.is_some());
    let answer = network(&mut unrolled, input);
    let layers = Emitted::layers(ir, &unrolled.packed);
    let landmarks = landmark::all(&mut unrolled);
    let result = exit(&mut builder, frame.contract, answer);
    Ok((builder.finish(result)?, layers, landmarks))
}

/// Checks how many items the unlocking script left, and the length of the input.
fn entry(builder: &mut Builder, ir: &Ir, frame: Frame) -> ValueId {
    contract_origin(builder, "entry: number of items, length of the input");
    builder.check_depth(frame.below);
    let bytes = ir.input.byte_len(ir.values[0].len());
    let pushed = frame.contract.input_index();
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
