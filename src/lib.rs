//! onnx2script: a compiler from ONNX neural networks to Bitcoin Script.
//!
//! The pipeline, one direction, each stage taking what the one before it made:
//!
//! ```text
//! ONNX bytes → onnx → graph → quant → ir → passes → codegen → bignum → stack → script → bytes
//!                                                                                ↓
//!                                                                              interp
//! ```
//!
//! [`compile`] runs it. [`ir::eval`] defines what a contract computes; [`interp`] runs the bytes as a
//! node does, and knows nothing of the rest.
//!
//! ```
//! use onnx2script::{Options, compile, interp, onnx::Model, script};
//!
//! let mut model = Model::load("models/toy_2-2-2.onnx".as_ref())?;
//! let compiled = compile(&mut model, &Options::default())?;
//!
//! // Who claims the right class for the input (0.5, 0.25) may spend the coins.
//! let input = [50_000_000, 25_000_000].map(Into::into);
//! let bytes = compiled.ir.input.encode(&input).expect("inside the input's range");
//! let items = compiled.contract.unlocking_items(&onnx2script::ir::eval(&compiled.optimised, &input), bytes);
//! let unlocking = script::code::pushes(&items);
//! assert!(interp::run(unlocking.as_bytes(), &compiled.locking().to_bytes(), &compiled.target).is_ok());
//! # Ok::<(), anyhow::Error>(())
//! ```

pub mod artifact;
pub mod auto;
pub mod bignum;
pub mod codegen;
pub mod cost;
pub mod data;
pub mod error;
mod fence;
pub mod float_model;
pub mod graph;
pub mod guard;
pub mod input;
pub mod interp;
pub mod ir;
pub mod onnx;
pub mod passes;
pub mod prediction;
pub mod quant;
pub mod report;
pub mod script;
pub mod spend;
pub mod stack;
mod stage;
pub mod target;

use num_bigint::BigInt;

use crate::bignum::Program;
use crate::codegen::{Contract, Emitted, Frame, Landmark, Lowered};
use crate::cost::Cost;
use crate::error::{Problem, Refusal};
use crate::graph::Graph;
use crate::guard::{Guard, Locking};
use crate::input::InputSpec;
use crate::ir::Ir;
use crate::onnx::Model;
use crate::prediction::Prediction;
use crate::script::Script;
pub use crate::stage::{Stage, Watch};
use crate::target::Target;

/// Everything a user can choose about a contract.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How the input is given.
    pub input: InputSpec,
    /// How weights become integers, and where they are rescaled.
    pub quant: quant::Options,
    /// Which passes run.
    pub level: passes::Level,
    /// Stop the passes after this one.
    pub stop_after: Option<String>,
    /// What the unlocking script pushes and what is made of the class.
    pub contract: Contract,
    /// Who may spend.
    pub guard: Guard,
    /// How code is generated.
    pub codegen: codegen::Options,
    /// Where the script will run.
    pub target: Target,
}

/// A model at every stage of the way.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What the model means.
    pub graph: Graph,
    /// The network in integers.
    pub ir: Ir,
    /// The same after the passes: the definition of what the contract computes.
    pub optimised: Ir,
    /// The straight-line program.
    pub program: Program,
    /// How each dense layer was emitted.
    pub layers: Vec<Emitted>,
    /// Where the program holds the values of the network.
    pub landmarks: Vec<Landmark>,
    /// Why nothing is packed, where packing was not ruled out.
    pub unpacked: Option<String>,
    /// What the cost model predicted for the network, entry and exit aside; `None` where it was not asked.
    pub predicted: Option<Cost>,
    /// The network's script, which is all of the locking script unless there is a guard: see [`Compiled::locking`].
    pub script: Script,
    /// The kind of contract.
    pub contract: Contract,
    /// Who may spend.
    pub guard: Guard,
    /// The target it was compiled for.
    pub target: Target,
}

/// Compiles a decoded model.
///
/// # Errors
/// A [`Refusal`] when the model, or a choice for it, cannot be compiled.
///
/// # Panics
/// When a stage breaks its own invariants: a defect of the compiler, caught before a script leaves it.
pub fn compile(model: &mut Model, options: &Options) -> Result<Compiled, Refusal> {
    compile_watched(model, options, &|_| ())
}

/// The same; `watch` hears of every stage before it begins.
///
/// # Errors
/// As [`compile`].
///
/// # Panics
/// As [`compile`].
pub fn compile_watched(model: &mut Model, options: &Options, watch: &Watch<'_>) -> Result<Compiled, Refusal> {
    watch(Stage::Reading);
    let mut graph = graph::import(model)?;
    graph.simplify(|weights| quant::grid::find(weights).is_some());
    let input = options.input.resolve(graph.input_element.is_integer());
    watch(Stage::Quantising);
    let ir = quant::quantise(&graph, input, &options.quant)?;
    options.contract.check(&ir)?;
    options.guard.check(options.contract)?;
    watch(Stage::Optimising);
    let optimised =
        passes::run(&ir, options.level, options.stop_after.as_deref()).unwrap_or_else(|defect| internal(&defect));
    if let Some(answer) = optimised.constant_answer() {
        return Err(same_answer(&optimised, &answer).into());
    }
    generate_watched(graph, ir, optimised, options, watch)
}

/// Code generation: everything behind the passes.
///
/// # Errors
/// A [`Refusal`] when a choice for the network cannot be compiled.
///
/// # Panics
/// As [`compile`].
pub fn generate(graph: Graph, ir: Ir, optimised: Ir, options: &Options) -> Result<Compiled, Refusal> {
    generate_watched(graph, ir, optimised, options, &|_| ())
}

fn generate_watched(
    graph: Graph,
    ir: Ir,
    optimised: Ir,
    options: &Options,
    watch: &Watch<'_>,
) -> Result<Compiled, Refusal> {
    watch(Stage::Generating);
    let frame = Frame { contract: options.contract, below: options.guard.below() };
    let Lowered { program, layers, landmarks, unpacked, predicted } =
        codegen::lower(&optimised, frame, &options.codegen, &options.target)?;
    watch(Stage::Proving);
    bignum::verify(&program, &options.target).map_err(too_large)?;
    watch(Stage::Scheduling);
    let script = stack::schedule(&program, options.codegen.layout);
    watch(Stage::Checking);
    if let Err(defect) = stack::check(&program, &script.to_bytes()) {
        internal(&defect);
    }
    let (contract, guard, target) = (options.contract, options.guard.clone(), options.target);
    Ok(Compiled {
        graph,
        ir,
        optimised,
        program,
        layers,
        landmarks,
        unpacked,
        predicted,
        script,
        contract,
        guard,
        target,
    })
}

impl Compiled {
    /// The locking script: the network's code, and the guard's around it.
    pub fn locking(&self) -> Locking<'_> {
        Locking::new(&self.guard, self.contract, &self.script)
    }

    /// Whether a right claim is all that it takes to spend.
    pub fn is_anybodys(&self) -> bool {
        self.contract != Contract::Class && self.guard.payee == guard::Payee::Anyone
    }
}

/// A contract that any input satisfies, or none, is a trap.
fn same_answer(ir: &Ir, answer: &BigInt) -> Problem {
    let (has, tells) = match ir.prediction(answer) {
        Some(Prediction::Value(value)) => (format!("gives the number {value}"), "inputs"),
        _ => (format!("has class {answer}"), "classes"),
    };
    let reason = format!("every input {has}: anyone could spend such coins, or nobody");
    Problem::of_model(reason).help(format!(
        "where the model does tell {tells} apart, its weights vanish at this scale (give a finer one, as in --weights \
         fixed:1e12, or more bits), or inputs in this format are too small (give another, as in --input fixed:5)",
    ))
}

/// A program that verified when it was built can only fail the target's number limit.
fn too_large(reason: String) -> Refusal {
    Problem::of_model(reason).help("use a coarser scale (--weights), a narrower --input, or --rules consensus").into()
}

fn internal(defect: &str) -> ! {
    panic!("a defect of onnx2script, please report it with the model: {defect}")
}
