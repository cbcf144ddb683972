//! The contracts that are attacked: every model there is, under every kind of contract.

use std::path::Path;

use num_bigint::BigInt;
use onnx2script::codegen::Contract;
use onnx2script::graph::Tie;
use onnx2script::onnx::Model;
use onnx2script::quant::{self, Rescale, Weights};
use onnx2script::{Compiled, Options, compile, generate, ir, passes};

use super::common::networks::{End, Layer, Step, network};
use super::common::random::Random;
use super::common::{Lock, Sampled, files, options, stem};

/// More good inputs than this tell nothing new; most networks tried have fewer classes.
const MOST_INPUTS: usize = 5;
/// Networks of up to so many classes are made to expect each of them.
const FEW_CLASSES: usize = 4;

/// Bytes of a script that takes seconds to make.
const LARGE_SCRIPT: usize = 40_000;

/// A way to compile a network, before it is said what kind of contract it becomes.
pub(crate) struct Network {
    /// The model, and what was chosen for it.
    pub(crate) name: String,
    pub(crate) compiled: Compiled,
    pub(crate) options: Options,
}

impl Network {
    fn new(name: String, model: &mut Model, options: Options) -> Option<Network> {
        compile(model, &options).ok().map(|compiled| Network { name, compiled, options })
    }

    /// Its contract of a kind.
    pub(crate) fn lock(&self, contract: Contract) -> Lock {
        if contract == self.compiled.contract {
            return Lock::new(self.compiled.clone());
        }
        let Compiled { graph, ir, optimised, .. } = self.compiled.clone();
        let options = Options { contract, ..self.options.clone() };
        Lock::new(generate(graph, ir, optimised, &options).unwrap_or_else(|refusal| panic!("{}: {refusal}", self.name)))
    }

    /// Every kind of contract; where there are many classes, the first is expected, the last, and one between. A large
    /// network takes seconds to compile: its claim, and in turn one of the other kinds; that of every third in the zoo.
    pub(crate) fn contracts(&self) -> Vec<Contract> {
        let classes = self.compiled.ir.classes();
        let chance = Random(self.name.bytes().map(u64::from).sum()).next() as usize;
        let expected = match classes {
            0..=FEW_CLASSES => (0..classes).collect(),
            _ => vec![0, 1 + chance % (classes - 2), classes - 1],
        };
        let expected = expected.into_iter().map(Contract::Expect);
        let mut others: Vec<Contract> = std::iter::once(Contract::Class).chain(expected).collect();
        if self.compiled.script.byte_len() > LARGE_SCRIPT {
            let is_left_out = self.name.starts_with("zoo/") && !chance.is_multiple_of(3);
            others = if is_left_out { vec![] } else { vec![others[chance / 3 % others.len()]] };
        }
        std::iter::once(Contract::Claim).chain(others).collect()
    }
}

/// Every model of a folder: as the compiler has it unless told otherwise, and those with samples also with the inputs
/// that these allow and with eight-bit weights. What the compiler refuses is left out, which other tests judge.
pub(crate) fn networks_of(path: &Path) -> Vec<Network> {
    let in_zoo = path.parent().is_some_and(|folder| folder.ends_with("zoo"));
    if in_zoo {
        let Ok(mut model) = Model::load(path) else { return vec![] };
        let name = format!("zoo/{} fixed", stem(path));
        return Network::new(name, &mut model, options("fixed", Rescale::Sum)).into_iter().collect();
    }
    let sampled = Sampled::load(path);
    let mut inputs = sampled.inputs();
    if inputs.len() == 1 {
        inputs.push("u8:1/20:-6".into());
    }
    let with = |input: &String, weights: Vec<Weights>| {
        let mut options = options(input, Rescale::Sum);
        let name =
            weights.iter().fold(format!("{} {input}", sampled.name), |name, weights| format!("{name} {weights}"));
        if !weights.is_empty() {
            options.quant.weights = weights;
        }
        Network::new(name, &mut sampled.model.clone(), options).expect("a model that compiles")
    };
    inputs.iter().flat_map(|input| [with(input, vec![]), with(input, vec!["int8".parse().unwrap()])]).collect()
}

/// The files of all models.
pub(crate) fn model_files() -> Vec<std::path::PathBuf> {
    [files("models", "onnx"), files("models/zoo", "onnx")].concat()
}

/// A model under one choice.
pub(crate) fn network_of(name: &str, options: Options) -> Network {
    let sampled = super::common::model(name);
    let compiled = sampled.compile(&options);
    Network { name: name.to_owned(), compiled, options }
}

/// What stands between the two layers of a small network, and the op that it becomes.
fn small_steps() -> Vec<(Vec<Step>, &'static str)> {
    vec![
        (vec![Step::Sigmoid], "piecewise"),
        (vec![Step::Leaky(vec![0.1, -0.5])], "piecewise"),
        (vec![Step::Round(0.25)], "round"),
        (vec![Step::Relu, Step::Residual], "sum"),
        (vec![Step::Concat, Step::Gather], "gather"),
    ]
}

/// Networks of steps that the models have not, or not small.
pub(crate) fn networks_of_steps() -> Vec<Network> {
    small_steps().into_iter().map(|(steps, op)| network_of_step(steps, op)).collect()
}

fn network_of_step(steps: Vec<Step>, op: &str) -> Network {
    let layer = |columns: usize, before: Vec<Step>| Layer {
        before,
        columns,
        weights: vec![0.7, -1.1, 0.4, 1.3, -0.6, 0.9, -0.2],
        after: vec![Step::Add(vec![0.3, -0.2, 0.1])],
    };
    let name = format!("{steps:?}").trim_matches(['[', ']']).to_owned();
    let graph = network(3, vec![layer(4, vec![]), layer(3, steps)], End::ArgMax(Tie::First));
    let options = options("u8:1/20:-6", Rescale::Sum);
    let ir = quant::quantise(&graph, options.input.resolve(false), &options.quant).unwrap();
    let optimised = passes::run(&ir, options.level, None).unwrap();
    assert!(ir::print(&optimised).contains(&format!("= {op} ")));
    let compiled = generate(graph, ir, optimised, &options).unwrap();
    Network { name, compiled, options }
}

/// Some inputs of the right length: one for each class, or for some of the numbers, that random bytes reach.
pub(crate) fn good_inputs(lock: &Lock) -> Vec<Vec<u8>> {
    let mut random = Random(1);
    let mut inputs = vec![vec![0x7f; lock.input_len()]];
    let mut classes: Vec<BigInt> = vec![lock.class(&inputs[0])];
    for _ in 0..40 {
        let input = random.bytes(lock.input_len());
        let class = lock.class(&input);
        if !classes.contains(&class) && classes.len() < MOST_INPUTS {
            classes.push(class);
            inputs.push(input);
        }
    }
    inputs
}
