//! What a contract can be made of.

use clap::{Args, ValueEnum};
use onnx2script::codegen::{self, Contract, Optimise, Strategy};
use onnx2script::data::DataSpec;
use onnx2script::guard::{CommitReveal, Guard, KeyHash, LockTime, Payee, Refund};
use onnx2script::input::InputSpec;
use onnx2script::passes::Level;
use onnx2script::prediction::Agreement;
use onnx2script::quant::{Granularity, Rescale, WeightsSpec, decimal};
use onnx2script::stack::Layout;
use onnx2script::{Options, quant};

use super::Node;
use super::values::{pass_names, positive, share};

/// Headings of the help.
const WEIGHTS: &str = "Weights";
const CODE: &str = "Code";

/// What a contract can be made of.
#[derive(Debug, Args)]
#[command(next_help_heading = "Contract")]
pub(crate) struct Choices {
    /// What the unlocking script pushes.
    ///
    /// `claim`: a class, then an input; `expect:N`: an input of class N; `class`: an input, the class being left on the
    /// stack. Of a model that gives a number, that number takes the place of a class.
    #[arg(long, value_name = "claim|expect:N|class", default_value = "claim")]
    pub(crate) contract: Contract,
    /// Ask for a signature, too, by the key of this hash or address.
    ///
    /// Only its owner can be paid then: whoever sees a right input cannot use it.
    #[arg(long, value_name = "PUBKEYHASH|ADDRESS", conflicts_with = "commit_reveal")]
    pub(crate) pay_to: Option<KeyHash>,
    /// Pay who committed to the input beforehand, in a transaction that lies under BLOCKS blocks.
    ///
    /// Each of these has a hash of at most BITS (as block headers have it). Whoever sees a claim on its way cannot make
    /// it theirs.
    #[arg(long, value_name = "BLOCKS:BITS")]
    pub(crate) commit_reveal: Option<CommitReveal>,
    /// Give the coins back to --refund from this block or time (seconds since 1970) on.
    #[arg(long, value_name = "HEIGHT|TIME", requires = "refund")]
    pub(crate) lock_until: Option<LockTime>,
    /// Whose key gets the coins back after --lock-until.
    #[arg(long, value_name = "PUBKEYHASH|ADDRESS", requires = "lock_until")]
    pub(crate) refund: Option<KeyHash>,
    /// How the input is given: numbers (`fixed`), bytes (`u8`), or 4, 2 or 1 bits.
    ///
    /// `fixed[:BYTES]`: integers at scale 10^8 (5 bytes hold ±5497); `u8[:SCALE[:OFFSET]]`: bytes worth
    /// SCALE·byte+OFFSET (default 1/255, or 1 if the model takes integers); `u4`, `u2`, `u1`: the same with integers of
    /// fewer bits (default 1/15, 1/3, 1).
    #[arg(long, value_name = "FORMAT", default_value = "fixed")]
    pub(crate) input: InputSpec,
    /// Which of the model's outputs the contract is about, where it has several.
    ///
    /// By default the only one that is a class label.
    #[arg(long, value_name = "NAME")]
    pub(crate) model_output: Option<String>,
    /// How weights become integers: at a scale, of K bits, or of the fewest bits that --calibrate allows.
    ///
    /// `fixed:SCALE`: multiples of 1/SCALE; `intK`: integers of K bits (1 to 16); several, separated by commas: one a
    /// dense layer; `auto`: the fewest bits that --calibrate allows. Weights that lie on a grid of their own are kept as
    /// they are.
    #[arg(long, help_heading = WEIGHTS, value_name = "fixed:SCALE|intK|auto", default_value = "fixed:1e8")]
    pub(crate) weights: WeightsSpec,
    /// Samples to round weights by (error feedback), and to choose bits by; not those you test with.
    #[arg(long, help_heading = WEIGHTS, value_name = "FILE[@A..B]")]
    pub(crate) calibrate: Option<DataSpec>,
    /// What a step of one in the calibration data is worth to the model, as in 1/255 [default: as for --data].
    #[arg(long, help_heading = WEIGHTS, hide_short_help = true, value_name = "NUMBER", value_parser = decimal::parse_rational, requires = "calibrate")]
    pub(crate) calibrate_unit: Option<num_rational::BigRational>,
    /// For --weights auto: the least share of samples on which contract and float model agree [default: 0.995].
    #[arg(long, help_heading = WEIGHTS, hide_short_help = true, value_name = "SHARE", conflicts_with = "max_bytes", value_parser = share)]
    pub(crate) min_agreement: Option<f64>,
    /// For models that give a number: how far from the float model's it may be to agree with it.
    ///
    /// As a share of the range of the float model's numbers on the samples.
    #[arg(long, help_heading = WEIGHTS, hide_short_help = true, value_name = "SHARE", default_value_t = Agreement::TOLERANCE, value_parser = share)]
    pub(crate) tolerance: f64,
    /// For --weights auto: the best agreement in a script of at most so many bytes.
    #[arg(long, help_heading = WEIGHTS, hide_short_help = true, value_name = "BYTES")]
    pub(crate) max_bytes: Option<usize>,
    /// How many scales integer weights have: one a layer, or one for each output.
    #[arg(long, help_heading = WEIGHTS, hide_short_help = true, value_enum, default_value_t = GranularityChoice::Channel)]
    pub(crate) granularity: GranularityChoice,
    /// Let the levels of integer weights lie evenly around zero, instead of a zero point for each scale.
    #[arg(long, help_heading = WEIGHTS, hide_short_help = true)]
    pub(crate) symmetric: bool,
    /// Where the weights' scale is divided out: after every `product`, after the `sum`, or not at all (`none`).
    #[arg(long, help_heading = WEIGHTS, hide_short_help = true, value_name = "product|sum|none", default_value = "sum")]
    pub(crate) rescale: Rescale,
    /// How far straight pieces may be from the smooth activations (Sigmoid, Tanh, Gelu, ...) that they stand for.
    ///
    /// A smaller error takes more pieces. By default 1e-3; 1e-4 where the answer is a number or the model is quantised.
    #[arg(long, help_heading = WEIGHTS, hide_short_help = true, value_name = "ERROR", value_parser = positive)]
    pub(crate) activation_error: Option<f64>,
    /// Optimisation of the network: 0 none, 1 every bit kept, 2 roundings may move or go.
    #[arg(short = 'O', long = "opt", help_heading = CODE, hide_short_help = true, value_name = "LEVEL", default_value = "2")]
    pub(crate) level: Level,
    /// Stop the passes after this one.
    #[arg(long, help_heading = CODE, hide_short_help = true, value_name = "PASS", value_parser = pass_names())]
    pub(crate) stop_after: Option<String>,
    /// How layers are emitted: as big numbers, weight by weight, or whichever costs least.
    ///
    /// `packed`: as products of big numbers, in few bytes more than their weights' own bits; `unrolled`: a push and a few
    /// instructions for every weight; `auto`: whichever costs least, layer by layer. --explain tells which, and --rescale
    /// product leaves only `unrolled`.
    #[arg(long, help_heading = CODE, value_name = "auto|unrolled|packed", default_value = "auto")]
    pub(crate) codegen: Strategy,
    /// What packed code is tuned for: fewest bytes (`size`), a node's time (`speed`), or both (`balanced`).
    #[arg(long = "optimize", help_heading = CODE, value_name = "size|speed|balanced", default_value = "size")]
    pub(crate) optimise: Optimise,
    /// How values are laid out on the stacks; `naive` shows what scheduling saves.
    #[arg(long, help_heading = CODE, hide_short_help = true, value_enum, default_value_t = LayoutChoice::Scheduled)]
    pub(crate) layout: LayoutChoice,
    #[command(flatten)]
    pub(crate) node: Node,
    /// Which of these options were given, but for those that an artifact leaves open, too.
    #[arg(skip)]
    pub(crate) given: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutChoice {
    /// Idioms, operand orders, alt stack, peephole.
    Scheduled,
    /// ROLL for a last use, PICK for another.
    Naive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GranularityChoice {
    /// One scale a layer.
    Tensor,
    /// One scale for each output, where the next layer can take it up.
    Channel,
}

impl Choices {
    /// Who may spend.
    fn guard(&self) -> Guard {
        let payee = match (self.pay_to, self.commit_reveal) {
            (Some(hash), _) => Payee::Key(hash),
            (None, Some(terms)) => Payee::Committed(terms),
            (None, None) => Payee::Anyone,
        };
        let refund = self.lock_until.zip(self.refund).map(|(lock_until, key)| Refund { key, lock_until });
        Guard { payee, refund }
    }

    /// The compiler's options.
    pub(crate) fn options(&self) -> Options {
        Options {
            input: self.input.clone(),
            quant: quant::Options {
                weights: match &self.weights {
                    WeightsSpec::Layers(weights) => weights.clone(),
                    WeightsSpec::Auto => vec![],
                },
                rescale: self.rescale,
                granularity: match self.granularity {
                    GranularityChoice::Tensor => Granularity::Tensor,
                    GranularityChoice::Channel => Granularity::Channel,
                },
                zero_points: !self.symmetric,
                calibration: None,
                activation_error: self.activation_error,
            },
            level: self.level,
            stop_after: self.stop_after.clone(),
            contract: self.contract,
            guard: self.guard(),
            codegen: codegen::Options {
                strategy: self.codegen,
                optimise: self.optimise,
                layout: match self.layout {
                    LayoutChoice::Scheduled => Layout::FULL,
                    LayoutChoice::Naive => Layout::NAIVE,
                },
            },
            target: self.node.target(),
        }
    }
}
