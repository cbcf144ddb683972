//! What the test files share: models with their samples, compiling them, and spending the contract.

// Each test file is a crate of its own and uses its part of this.
#![allow(dead_code)]

pub(crate) mod lanes;
pub(crate) mod mutate;
pub(crate) mod networks;
pub(crate) mod oracle;
pub(crate) mod proto;
pub(crate) mod random;

use std::path::{Path, PathBuf};

use ndarray_npy::ReadableElement;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive};
use onnx2script::bignum;
use onnx2script::codegen::Contract;
use onnx2script::input::InputSpec;
use onnx2script::interp::{self, Outcome};
use onnx2script::onnx::Model;
use onnx2script::prediction::{Agreement, Prediction};
use onnx2script::quant::{self, Rescale, decimal};
use onnx2script::script::{code, number};
use onnx2script::target::{Era, Rules, Target};
use onnx2script::{Compiled, Options, compile, ir};
use serde::Deserialize;

/// Bytes of an item that a failure shows.
const SHOWN: usize = 64;

/// Both eras, under policy and under consensus rules.
pub(crate) const TARGETS: [Target; 4] = [
    target(Era::Genesis, Rules::Policy),
    target(Era::Genesis, Rules::Consensus),
    target(Era::Chronicle, Rules::Policy),
    target(Era::Chronicle, Rules::Consensus),
];

/// Where the compiler aims unless told otherwise.
pub(crate) const DEFAULT: Target = TARGETS[0];

const fn target(era: Era, rules: Rules) -> Target {
    Target { era, rules }
}

/// The `.json` beside a model; it has classes, or values where the model gives a number.
#[derive(Deserialize)]
struct Sidecar {
    samples: String,
    unit: Option<String>,
    #[serde(flatten)]
    answers: Answers,
}

/// What a framework says of samples.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answers {
    Classes(Vec<u64>),
    Values(Vec<f64>),
}

impl Answers {
    pub(crate) fn predictions(&self) -> Vec<Prediction> {
        match self {
            Answers::Classes(classes) => classes.iter().copied().map(Prediction::Class).collect(),
            Answers::Values(values) => values.iter().copied().map(Prediction::Value).collect(),
        }
    }
}

/// How far a number may be from a framework's, which computes in f32: a share of the range of all of them.
pub(crate) const TOLERANCE: f64 = 1e-6;

/// A model of `models/` with its samples.
pub(crate) struct Sampled {
    /// The file's name without its ending.
    pub(crate) name: String,
    pub(crate) model: Model,
    /// Exact numbers, one row a sample.
    pub(crate) samples: Vec<Vec<BigRational>>,
    /// What a framework says of each sample.
    pub(crate) answers: Vec<Prediction>,
    /// What a byte of the samples is worth, where they are bytes.
    pub(crate) unit: Option<String>,
}

/// The files of a folder below the package's with this ending, by name.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no .{ending} in {}", folder.display());
    files
}

/// Every model of `models/`.
pub(crate) fn models() -> Vec<Sampled> {
    files("models", "onnx").iter().map(|path| Sampled::load(path)).collect()
}

/// The model of `models/` with this name.
pub(crate) fn model(name: &str) -> Sampled {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name).with_extension("onnx");
    Sampled::load(&path)
}

/// The name of a file without folder and ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// Reads the JSON beside a model.
pub(crate) fn sidecar<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let path = path.with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Sampled {
    /// Reads a model and what lies beside it.
    pub(crate) fn load(path: &Path) -> Sampled {
        let sidecar: Sidecar = sidecar(path);
        let unit = match &sidecar.unit {
            Some(unit) => decimal::parse_rational(unit).unwrap(),
            None => BigRational::one(),
        };
        let samples = read_npy(&path.with_file_name(&sidecar.samples), &unit);
        let answers = sidecar.answers.predictions();
        assert_eq!(samples.len(), answers.len(), "{}", path.display());
        Sampled { name: stem(path), model: Model::load(path).unwrap(), samples, answers, unit: sidecar.unit }
    }

    /// Compiles the model.
    pub(crate) fn compile(&self, options: &Options) -> Compiled {
        compile(&mut self.model.clone(), options).unwrap_or_else(|refusal| panic!("{}: {refusal}", self.name))
    }

    /// The inputs worth trying: fixed point, and bytes where the samples are bytes.
    pub(crate) fn inputs(&self) -> Vec<String> {
        let bytes = self.unit.iter().map(|unit| format!("u8:{unit}"));
        std::iter::once("fixed".to_owned()).chain(bytes).collect()
    }

    /// Samples and their answers.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&[BigRational], Prediction)> {
        self.samples.iter().map(Vec::as_slice).zip(self.answers.iter().copied())
    }

    /// When an answer is a framework's.
    pub(crate) fn agreement(&self) -> Agreement {
        Agreement::new(&self.answers, TOLERANCE)
    }
}

/// Rows of any shape and of the element types that numpy users have, times `unit`.
pub(crate) fn read_npy(path: &Path, unit: &BigRational) -> Vec<Vec<BigRational>> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    npy_rows::<u8>(&bytes, |value| BigRational::from(BigInt::from(value)))
        .or_else(|| npy_rows::<f32>(&bytes, |value| exact(f64::from(value))))
        .or_else(|| npy_rows::<f64>(&bytes, exact))
        .unwrap_or_else(|| panic!("{}: neither bytes nor floats", path.display()))
        .into_iter()
        .map(|row| row.into_iter().map(|value| value * unit).collect())
        .collect()
}

fn npy_rows<T: ReadableElement + Copy>(
    bytes: &[u8],
    number: impl Fn(T) -> BigRational,
) -> Option<Vec<Vec<BigRational>>> {
    use ndarray_npy::ReadNpyExt;
    let array = ndarray::ArrayD::<T>::read_npy(bytes).ok()?;
    let row = |row: ndarray::ArrayViewD<'_, T>| row.iter().map(|&value| number(value)).collect();
    Some(array.outer_iter().map(row).collect())
}

/// A float as the rational it is.
pub(crate) fn exact(value: f64) -> BigRational {
    decimal::exact(value).unwrap_or_else(|| panic!("{value} is not finite"))
}

/// A sample as floats, for the float model.
pub(crate) fn floats(sample: &[BigRational]) -> Vec<f64> {
    sample.iter().map(|value| value.to_f64().unwrap()).collect()
}

/// The options that the command line would make of these.
pub(crate) fn options(input: &str, rescale: Rescale) -> Options {
    Options {
        input: input.parse::<InputSpec>().unwrap(),
        quant: quant::Options { rescale, ..quant::Options::default() },
        ..Options::default()
    }
}

/// A compiled model with its locking script as bytes.
pub(crate) struct Lock {
    pub(crate) compiled: Compiled,
    pub(crate) bytes: Vec<u8>,
}

impl Lock {
    pub(crate) fn new(compiled: Compiled) -> Lock {
        Lock { bytes: compiled.script.to_bytes(), compiled }
    }

    /// The bytes that a sample is pushed as.
    pub(crate) fn encode(&self, sample: &[BigRational]) -> Vec<u8> {
        let format = &self.compiled.ir.input;
        let integers = format.quantise(sample).unwrap();
        format.encode(&integers).unwrap()
    }

    /// How many bytes the input has.
    pub(crate) fn input_len(&self) -> usize {
        let ir = &self.compiled.ir;
        ir.input.byte_len(ir.values[0].len())
    }

    /// The class, or number, that the contract must compute for these bytes: the definition.
    pub(crate) fn class(&self, input: &[u8]) -> BigInt {
        ir::eval(&self.compiled.optimised, &self.integers(input))
    }

    /// The integers that these bytes are.
    pub(crate) fn integers(&self, input: &[u8]) -> Vec<BigInt> {
        let ir = &self.compiled.ir;
        ir.input.decode(input, ir.values[0].len())
    }

    /// The same as a framework says it.
    pub(crate) fn prediction(&self, input: &[u8]) -> Option<Prediction> {
        self.compiled.optimised.prediction(&self.class(input))
    }

    /// A claim that is wrong where `answer` is right: the next class, or number.
    pub(crate) fn other(&self, answer: &BigInt) -> BigInt {
        match self.compiled.ir.classes() {
            0 => answer + 1,
            classes => (answer + 1) % classes,
        }
    }

    /// The items of an honest unlocking script.
    pub(crate) fn items(&self, claim: &BigInt, input: &[u8]) -> Vec<Vec<u8>> {
        self.compiled.contract.unlocking_items(claim, input.to_vec())
    }

    /// Runs an unlocking script that pushes these items.
    pub(crate) fn push(&self, items: &[Vec<u8>], target: &Target) -> Outcome {
        interp::run(code::pushes(items).as_bytes(), &self.bytes, target)
    }

    /// Whether the contract must accept what was pushed, and what it must leave if the script
    /// reaches its end. Written from the contract's description, not from its code.
    pub(crate) fn expected(&self, items: &[Vec<u8>]) -> Expected {
        let input = match (self.compiled.contract, items) {
            (Contract::Claim, [_, input]) | (Contract::Expect(_) | Contract::Class, [input]) => input,
            _ => return Expected::Fails,
        };
        if input.len() != self.input_len() {
            return Expected::Fails;
        }
        let class = self.class(input);
        Expected::Leaves(match self.compiled.contract {
            Contract::Claim => truth(items[0] == number::encode(&class)),
            Contract::Expect(expected) => truth(BigInt::from(expected) == class),
            Contract::Class => number::encode(&class),
        })
    }

    /// Demands of the script what [`Lock::expected`] says, and the same of the bignum program.
    pub(crate) fn demand(&self, items: &[Vec<u8>], targets: &[Target]) {
        let expected = self.expected(items);
        let shown = |item: &Vec<u8>| format!("{} bytes {:02x?}", item.len(), &item[..item.len().min(SHOWN)]);
        let context = || format!("{} of {:?}", self.compiled.contract, items.iter().map(shown).collect::<Vec<_>>());
        let computed = bignum::eval(&self.compiled.program, items).ok();
        assert_eq!(computed, expected.item(), "bignum::eval, {}", context());
        for target in targets {
            let outcome = self.push(items, target);
            let verdict = outcome.verdict();
            let context = || format!("{verdict} under {target:?}, {}", context());
            assert_eq!(outcome.is_ok(), expected.is_accepted(), "{}", context());
            if let Expected::Leaves(item) = &expected {
                assert_eq!(outcome.stack, std::slice::from_ref(item), "{}", context());
            }
        }
    }
}

/// What a contract must do with an unlocking script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The script fails before its end.
    Fails,
    /// The script leaves this item alone: the spend is valid when it is true.
    Leaves(Vec<u8>),
}

impl Expected {
    /// What is left, unless the script fails.
    pub(crate) fn item(&self) -> Option<Vec<u8>> {
        match self {
            Expected::Fails => None,
            Expected::Leaves(item) => Some(item.clone()),
        }
    }

    /// Whether the spend is valid.
    pub(crate) fn is_accepted(&self) -> bool {
        self.item().is_some_and(|item| is_true(&item))
    }
}

fn truth(value: bool) -> Vec<u8> {
    number::encode(&BigInt::from(value))
}

/// Script's truth: any byte but zero, and a last byte other than 0x80.
pub(crate) fn is_true(item: &[u8]) -> bool {
    match item.split_last() {
        None => false,
        Some((last, rest)) => rest.iter().any(|&byte| byte != 0) || *last & 0x7f != 0,
    }
}
