//! The command line as clap reads it.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use num_bigint::BigInt;
use onnx2script::codegen::{self, Contract, Optimise, Strategy};
use onnx2script::data::DataSpec;
use onnx2script::guard::{CommitReveal, Guard, KeyHash, LockTime, Payee, Refund};
use onnx2script::input::InputSpec;
use onnx2script::passes::{self, Level};
use onnx2script::prediction::Agreement;
use onnx2script::quant::{Granularity, Rescale, WeightsSpec, decimal};
use onnx2script::stack::Layout;
use onnx2script::target::{Era, Rules, Target};
use onnx2script::{Options, quant};

use super::color::ColorChoice;
use super::eval::Eval;
use super::report::Report;
use super::samples::{Data, Measure, OptionalData};

/// Compiles an ONNX neural network to a Bitcoin Script locking script: coins sent to it can be spent
/// only by who shows an input that the network classifies as claimed.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, max_term_width = 110)]
#[command(after_help = "Exit codes: 0 done; 1 the model or input was refused, or a check failed; 2 usage or I/O.")]
pub(crate) struct Cli {
    /// What to do; without a command, a model is compiled.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) compile: Compile,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile a model, run the script on a sample, and show the class or number.
    Run(Box<Run>),
    /// Write the unlocking script for a sample.
    Unlock(Box<Unlock>),
    /// Commit to a sample, for contracts made with --commit-reveal.
    Commit(Box<Commit>),
    /// Explain a contract: bytes by layer and idiom, what unlocking it takes, limits.
    Explain(Box<Explain>),
    /// Print the JSON schema of artifacts.
    Schema,
    /// Run any pair of scripts in the integrated interpreter.
    Exec(Exec),
    /// Show what is in a model: nodes, weights, grids, and what each choice of weights would cost.
    Inspect(Box<Inspect>),
    /// Run the contract on every sample of a file: accuracy, agreement with the float model, time.
    Eval(Box<Eval>),
    /// Compare the integers of the contract with the float model, layer by layer.
    Compare(Box<Measure>),
    /// List the supported ONNX ops, and what is done with each.
    Ops(Ops),
}

#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// The ONNX model.
    #[arg(required = true, value_name = "MODEL.onnx")]
    pub(crate) model: Option<PathBuf>,
    /// Write the artifact to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write all that it takes to use the contract later to FILE, as JSON: `run`, `unlock`, `commit` and `explain` read it, and
    /// wallets do (scripts/spend). The script itself is then written only where --output says so.
    #[arg(long, value_name = "FILE")]
    pub(crate) artifact: Option<PathBuf>,
    /// What the artifact calls the classes, in order (default: as the model does).
    #[arg(long, value_name = "NAME,NAME,...", requires = "artifact")]
    pub(crate) labels: Option<Labels>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Emit::Hex)]
    pub(crate) emit: Emit,
    /// Report how layers were emitted, bytes, instructions and time by layer and idiom, and limits (to standard error).
    #[arg(long)]
    pub(crate) explain: bool,
    /// Fee for the report, in satoshis per 1000 bytes.
    #[arg(long, value_name = "SAT", default_value_t = 100)]
    pub(crate) fee_rate: u64,
    /// Make a limit of the target that is exceeded an error.
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) report: Report,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

/// What a contract can be made of.
#[derive(Debug, Args)]
#[command(next_help_heading = "Contract")]
pub(crate) struct Choices {
    /// What the unlocking script pushes: `claim` a class, then an input; `expect:N` an input of class N; `class` an
    /// input, the class being left on the stack. Of a model that gives a number, that number takes the place of a class.
    #[arg(long, value_name = "claim|expect:N|class", default_value = "claim")]
    pub(crate) contract: Contract,
    /// Ask for a signature, too, by the key of this hash or address: only its owner is paid.
    #[arg(long, value_name = "PUBKEYHASH|ADDRESS", conflicts_with = "commit_reveal")]
    pub(crate) pay_to: Option<KeyHash>,
    /// Pay who committed to the input beforehand, in a transaction that lies under BLOCKS blocks, each with a hash of
    /// at most BITS (as block headers have it): whoever sees a claim on its way cannot make it theirs.
    #[arg(long, value_name = "BLOCKS:BITS")]
    pub(crate) commit_reveal: Option<CommitReveal>,
    /// Give the coins back to --refund from this block or time (seconds since 1970) on.
    #[arg(long, value_name = "HEIGHT|TIME", requires = "refund")]
    pub(crate) lock_until: Option<LockTime>,
    /// Whose key gets the coins back after --lock-until.
    #[arg(long, value_name = "PUBKEYHASH|ADDRESS", requires = "lock_until")]
    pub(crate) refund: Option<KeyHash>,
    /// How the input is given: `fixed[:BYTES]`, integers at scale 10^8 (5 bytes hold ±5497); `u8[:SCALE[:OFFSET]]`,
    /// bytes worth SCALE·byte+OFFSET (default 1/255, or 1 if the model takes integers); `u4`, `u2`, `u1`, the same with
    /// integers of fewer bits (default 1/15, 1/3, 1).
    #[arg(long, value_name = "FORMAT", default_value = "fixed")]
    pub(crate) input: InputSpec,
    /// Which of the model's outputs the contract is about, where it has several [default: the only one that is a class
    /// label].
    #[arg(long, value_name = "NAME")]
    pub(crate) model_output: Option<String>,
    /// How weights become integers: `fixed:SCALE`, multiples of 1/SCALE; `intK`, integers of K bits (1 to 16); several,
    /// separated by commas, one a dense layer; `auto`, the fewest bits that --calibrate allows. Weights that lie on a
    /// grid of their own are kept as they are.
    #[arg(long, value_name = "fixed:SCALE|intK|auto", default_value = "fixed:1e8")]
    pub(crate) weights: WeightsSpec,
    /// Samples to round weights by (error feedback), and to choose bits by; not those you test with.
    #[arg(long, value_name = "FILE[@A..B]")]
    pub(crate) calibrate: Option<DataSpec>,
    /// What a step of one in the calibration data is worth to the model, as in 1/255 (default: as for --data).
    #[arg(long, value_name = "NUMBER", value_parser = decimal::parse_rational, requires = "calibrate")]
    pub(crate) calibrate_unit: Option<num_rational::BigRational>,
    /// For --weights auto: the least share of samples on which contract and float model agree [default: 0.995].
    #[arg(long, value_name = "SHARE", conflicts_with = "max_bytes", value_parser = share)]
    pub(crate) min_agreement: Option<f64>,
    /// For models that give a number: how far from the float model's it may be to agree with it, as a share of the range of
    /// the float model's numbers on the samples.
    #[arg(long, value_name = "SHARE", default_value_t = Agreement::TOLERANCE, value_parser = share)]
    pub(crate) tolerance: f64,
    /// For --weights auto: the best agreement in a script of at most so many bytes.
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_bytes: Option<usize>,
    /// How many scales integer weights have: one a layer, or one for each output.
    #[arg(long, value_enum, default_value_t = GranularityChoice::Channel)]
    pub(crate) granularity: GranularityChoice,
    /// Let the levels of integer weights lie evenly around zero, instead of a zero point for each scale.
    #[arg(long)]
    pub(crate) symmetric: bool,
    /// Where the weights' scale is divided out: after every `product`, after the `sum`, or not at all (`none`).
    #[arg(long, value_name = "product|sum|none", default_value = "sum")]
    pub(crate) rescale: Rescale,
    /// How far straight pieces may be from the smooth activations (Sigmoid, Tanh, Gelu, ...) that they stand for: a smaller
    /// error takes more pieces [default: 1e-3; 1e-4 where the answer is a number or the model is quantised].
    #[arg(long, value_name = "ERROR", value_parser = positive)]
    pub(crate) activation_error: Option<f64>,
    /// Optimisation of the network: 0 none, 1 every bit kept, 2 roundings may move or go.
    #[arg(short = 'O', long = "opt", value_name = "LEVEL", default_value = "2")]
    pub(crate) level: Level,
    /// Stop the passes after this one.
    #[arg(long, value_name = "PASS", value_parser = pass_names())]
    pub(crate) stop_after: Option<String>,
    /// How layers are emitted: `packed`, as products of big numbers, in few bytes more than their weights' own bits;
    /// `unrolled`, a push and a few instructions for every weight; `auto`, whichever costs least, layer by layer.
    /// --explain tells which, and --rescale product leaves only `unrolled`.
    #[arg(long, value_name = "auto|unrolled|packed", default_value = "auto")]
    pub(crate) codegen: Strategy,
    /// What packed code is tuned for: fewest bytes (`size`), a node's time (`speed`), or both (`balanced`).
    #[arg(long = "optimize", value_name = "size|speed|balanced", default_value = "size")]
    pub(crate) optimise: Optimise,
    /// How values are laid out on the stacks; `naive` shows what scheduling saves.
    #[arg(long, value_enum, default_value_t = LayoutChoice::Scheduled)]
    pub(crate) layout: LayoutChoice,
    #[command(flatten)]
    pub(crate) node: Node,
    /// Print no notes and warnings.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Which of these options were given, but for those that an artifact leaves open, too.
    #[arg(skip)]
    pub(crate) given: Vec<String>,
}

/// Which node's limits count.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Node")]
pub(crate) struct Node {
    /// Rules of the chain when the coin was created.
    #[arg(long, value_enum, default_value_t = EraChoice::Genesis)]
    pub(crate) era: EraChoice,
    /// Limits of a node's default policy, or of consensus [default: policy; `run` and `eval` take consensus for a
    /// script that is too long for policy].
    #[arg(long, value_enum)]
    pub(crate) rules: Option<RulesChoice>,
}

#[derive(Debug, Args)]
#[command(mut_arg("model_output", |arg| arg.visible_alias("output")))]
pub(crate) struct Run {
    /// The contract: an artifact, or the ONNX model.
    #[arg(value_name = "ARTIFACT|MODEL.onnx")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Which sample, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) index: usize,
    /// Claim this class, or this integer for the model's number, instead of the right one.
    #[arg(long, value_name = "INTEGER", allow_negative_numbers = true)]
    pub(crate) claim: Option<BigInt>,
    /// Show the sample as a picture, the scores as bars and what a spend costs, even where nobody may see it [default: on
    /// a terminal].
    #[arg(long, conflicts_with = "json")]
    pub(crate) show: bool,
    /// Show none of that, even on a terminal.
    #[arg(long, conflicts_with = "show")]
    pub(crate) plain: bool,
    /// Whether what is shown is in colour; `auto` heeds NO_COLOR and TERM.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    /// Fee for what is shown, in satoshis per 1000 bytes.
    #[arg(long, value_name = "SAT", default_value_t = 100)]
    pub(crate) fee_rate: u64,
    /// Print what each idiom of the script makes, with values of the network as the stack holds them, in the model's units
    /// (to standard error); `all` prints every element of them.
    #[arg(long, value_enum, value_name = "first|all", num_args = 0..=1, require_equals = true, default_missing_value = "first")]
    pub(crate) trace: Option<TraceChoice>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

/// How much of each value a trace shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceChoice {
    /// The first few elements.
    First,
    /// Every element.
    All,
}

#[derive(Debug, Args)]
#[command(mut_arg("model_output", |arg| arg.visible_alias("output")))]
pub(crate) struct Inspect {
    /// The ONNX model.
    #[arg(value_name = "MODEL.onnx")]
    pub(crate) model: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

#[derive(Debug, Args)]
#[command(mut_arg("model_output", |arg| arg.visible_alias("output-name")))]
pub(crate) struct Unlock {
    /// The contract: an artifact, or the ONNX model.
    #[arg(value_name = "ARTIFACT|MODEL.onnx")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: OptionalData,
    /// Which sample, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) index: usize,
    /// Claim this class (or its label), or this integer for the model's number, instead of the right one.
    #[arg(long, value_name = "CLASS", allow_hyphen_values = true)]
    pub(crate) claim: Option<String>,
    /// Write the script even where the contract would refuse it.
    #[arg(long)]
    pub(crate) force: bool,
    /// The payee's signature of the spending transaction, its hash type behind it, in hex.
    #[arg(long, value_name = "HEX", requires = "public_key")]
    pub(crate) signature: Option<Hex>,
    /// The key that it is by, in hex.
    #[arg(long, value_name = "HEX", requires = "signature")]
    pub(crate) public_key: Option<Hex>,
    /// What `commit` wrote; holds an input, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) commitment: Option<PathBuf>,
    /// That the commitment is in the chain, as JSON: txOrId (the whole transaction in hex), index, nodes, and headers.
    #[arg(long, value_name = "FILE", requires = "commitment")]
    pub(crate) proof: Option<PathBuf>,
    /// Write the script to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

#[derive(Debug, Args)]
pub(crate) struct Commit {
    /// The contract: an artifact, or the ONNX model.
    #[arg(value_name = "ARTIFACT|MODEL.onnx")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Which sample, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) index: usize,
    /// Whose key will sign the claim.
    #[arg(long, value_name = "PUBKEYHASH|ADDRESS")]
    pub(crate) payee: KeyHash,
    /// Write the commitment, and what opens it, to FILE instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The contract: an artifact, or the ONNX model.
    #[arg(value_name = "ARTIFACT|MODEL.onnx")]
    pub(crate) file: PathBuf,
    /// Fee for the report, in satoshis per 1000 bytes.
    #[arg(long, value_name = "SAT", default_value_t = 100)]
    pub(crate) fee_rate: u64,
    #[command(flatten)]
    pub(crate) choices: Choices,
}

/// Bytes in hex.
#[derive(Debug, Clone)]
pub(crate) struct Hex(pub(crate) Vec<u8>);

impl FromStr for Hex {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        use bitcoin::hex::FromHex;
        Vec::from_hex(text).map(Hex).map_err(|error| error.to_string())
    }
}

/// What classes are called.
#[derive(Debug, Clone)]
pub(crate) struct Labels(pub(crate) Vec<String>);

impl FromStr for Labels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let labels: Vec<String> = text.split(',').map(|label| label.trim().to_owned()).collect();
        match labels.iter().any(String::is_empty) {
            true => Err("a label is empty".into()),
            false => Ok(Labels(labels)),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Ops {
    /// Print one JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// Run a file of test vectors (tab-separated: era, rules, unlocking, locking, error, top of stack).
    #[arg(long, value_name = "FILE.tsv", conflicts_with_all = ["unlock", "lock", "tx", "trace", "json"])]
    pub(crate) vectors: Option<PathBuf>,
    /// The unlocking script, in hex.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["vectors", "tx"], requires = "lock")]
    pub(crate) unlock: Option<PathBuf>,
    /// The locking script, in hex.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["vectors", "tx"], requires = "unlock")]
    pub(crate) lock: Option<PathBuf>,
    /// The transaction that spends, as hex or a file of hex: takes the unlocking script from it and checks signatures.
    #[arg(long, value_name = "HEX|FILE", requires = "utxo", conflicts_with_all = ["unlock", "lock"])]
    pub(crate) tx: Option<String>,
    /// Which input of the transaction spends, counted from 0.
    #[arg(long, value_name = "I", default_value_t = 0, requires = "tx", allow_negative_numbers = true)]
    pub(crate) input_index: usize,
    /// The coin that is spent: its locking script, as hex or a file of hex, a colon, and its satoshis.
    #[arg(long, value_name = "SCRIPT:SATS", requires = "tx", value_parser = super::exec::parse_utxo)]
    pub(crate) utxo: Option<super::exec::Utxo>,
    /// Print every instruction and the top of the stack before it (to standard error).
    #[arg(long)]
    pub(crate) trace: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) node: Node,
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// The locking script in hex.
    Hex,
    /// The locking script's bytes.
    Bin,
    /// The locking script as opcode names and pushes.
    Asm,
    /// Every instruction with its offset, value, stack, layer and ONNX node.
    Listing,
    /// The network in integers.
    Ir,
    /// The network in integers, after the passes.
    IrOpt,
    /// The straight-line program.
    Bignum,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EraChoice {
    /// Since February 2020.
    Genesis,
    /// Since April 2026.
    Chronicle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RulesChoice {
    /// What a node relays and mines by default.
    Policy,
    /// What a block may hold.
    Consensus,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(error) if (1e-9..=1.0).contains(&error) => Ok(error),
        _ => Err("give a number from 1e-9 to 1, as in 1e-3".into()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "give a share from 0 to 1, as in 0.995".into())
}

fn pass_names() -> PossibleValuesParser {
    PossibleValuesParser::new(passes::ALL.iter().map(|pass| pass.name))
}

impl Node {
    /// The target that the interpreter and the compiler know.
    pub(crate) fn target(self) -> Target {
        let era = match self.era {
            EraChoice::Genesis => Era::Genesis,
            EraChoice::Chronicle => Era::Chronicle,
        };
        Target { era, rules: self.chosen_rules().unwrap_or(Rules::Policy) }
    }

    /// The rules, where the user asked for some.
    pub(crate) fn chosen_rules(self) -> Option<Rules> {
        self.rules.map(|rules| match rules {
            RulesChoice::Policy => Rules::Policy,
            RulesChoice::Consensus => Rules::Consensus,
        })
    }
}

impl Cli {
    /// Reads the command line; clap prints usage errors itself and exits with 2.
    pub(crate) fn read() -> Cli {
        let matches = Cli::command().get_matches();
        let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let choices = match &mut cli.command {
            Some(Command::Unlock(unlock)) => Some(&mut unlock.choices),
            Some(Command::Commit(commit)) => Some(&mut commit.choices),
            Some(Command::Explain(explain)) => Some(&mut explain.choices),
            _ => None,
        };
        if let Some((choices, (_, matches))) = choices.zip(matches.subcommand()) {
            choices.given = given(matches);
        }
        cli
    }
}

/// Options that say how a model is compiled, as far as the user gave them.
fn given(matches: &ArgMatches) -> Vec<String> {
    const LEFT_OPEN: [&str; 2] = ["rules", "quiet"];
    let choices = Choices::augment_args(clap::Command::new(""));
    let given = |arg: &&Arg| {
        let id = arg.get_id().as_str();
        !LEFT_OPEN.contains(&id) && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    choices.get_arguments().filter(given).filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect()
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
