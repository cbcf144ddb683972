//! The main job: a model to an artifact.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use onnx2script::error::Refusal;
use onnx2script::onnx::Model;
use onnx2script::quant::WeightsSpec;
use onnx2script::report::{explain, limits, listing};
use onnx2script::{Compiled, Options, auto, bignum, ir};

use super::args::{Choices, Compile, Emit};
use super::calibration::{self, Fitted};
use super::progress::Progress;
use super::{Usage, Verdict, artifact, console, output};

/// What a bare contract lacks, in one line.
const ANYBODYS: &str = "whoever sees a right input can spend these coins: --pay-to asks for a signature, --commit-reveal \
                        for a commitment made before";

/// Compiles and writes.
pub(crate) fn compile(args: &Compile) -> anyhow::Result<Verdict> {
    let path = args.model.as_deref().context("no model given")?;
    let loaded = load_and_compile(path, &args.choices)?;
    let compiled = &loaded.compiled;
    check_limits(compiled, args.strict)?;
    if compiled.is_anybodys() {
        console::note(ANYBODYS);
    }
    // What cannot be measured or named is said before anything is written.
    let page = args.report.page(&loaded, &args.choices)?;
    if let Some(file) = &args.artifact {
        let artifact = artifact::of(&loaded, path, &args.choices, args.labels.as_ref())?;
        output::write(Some(file), artifact.to_json().as_bytes())?;
    }
    // Who asks for the artifact alone has the script in it.
    if args.output.is_some() || args.artifact.is_none() {
        output::write(args.output.as_deref(), &emitted(compiled, args.emit))?;
    }
    if let Some(page) = page {
        output::write(args.report.report.as_deref(), page.as_bytes())?;
    }
    if args.explain {
        console::tell(explain::explain(compiled, args.fee_rate).trim_end());
    }
    Ok(Verdict::Done)
}

/// A model, its contract, and what its weights were fitted to.
pub(crate) struct Loaded {
    pub(crate) model: Model,
    pub(crate) compiled: Compiled,
    pub(crate) fitted: Fitted,
}

/// Reads a model, and keeps the output that was chosen.
pub(crate) fn load(path: &Path, choices: &Choices) -> anyhow::Result<Model> {
    decode(path, &output::read_as("model", path)?, choices)
}

/// Decodes a model from what its file held.
fn decode(path: &Path, bytes: &[u8], choices: &Choices) -> anyhow::Result<Model> {
    let mut model = match output::is_dash(path) {
        true => Model::from_bytes(bytes, output::name(path), None)?,
        false => Model::of_file(bytes, path)?,
    };
    match model.choose_output(choices.model_output.as_deref()) {
        // Compiling says what else is wrong, too.
        Err(_) if choices.model_output.is_none() => Ok(model),
        chosen => Ok(chosen.map(|()| model)?),
    }
}

/// Reads a model and compiles it; notes go to standard error.
pub(crate) fn load_and_compile(path: &Path, choices: &Choices) -> anyhow::Result<Loaded> {
    compile_bytes(path, &output::read_as("model", path)?, choices)
}

/// Compiles what a model's file held; notes go to standard error.
pub(crate) fn compile_bytes(path: &Path, bytes: &[u8], choices: &Choices) -> anyhow::Result<Loaded> {
    let mut model = decode(path, bytes, choices)?;
    let refused = |refusal: Refusal| anyhow::anyhow!("cannot compile {}: {refusal}", output::name(path));
    let mut options = choices.options();
    check_stop_after(&options)?;
    let samples = calibration::load(&model, &options, choices)?;
    let fitted = Fitted::to(samples.as_ref());
    let (compiled, mut notes) = match (&choices.weights, samples.zip(choices.calibrate.as_ref())) {
        (WeightsSpec::Auto, Some((samples, data))) => {
            let progress = Progress::spinner("choosing weights");
            let goal = calibration::goal(choices);
            let found = auto::search(&model, &options, &samples, goal, choices.tolerance, &|weights| {
                progress.doing(format_args!("choosing weights: trying {}", calibration::in_words(weights)));
            });
            let found = found.map_err(refused)?;
            let note = calibration::describe(&found, data);
            (found.compiled, vec![note])
        }
        (WeightsSpec::Auto, None) => {
            let reason = "--weights auto chooses by samples\n  help: give some hundred with --calibrate FILE";
            return Err(Usage(reason.to_owned()).into());
        }
        (WeightsSpec::Layers(_), samples) => {
            let note = samples.as_ref().map(|(samples, data)| {
                format!("integer weights are rounded by {} samples of `{data}`", samples.floats.len())
            });
            options.quant.calibration = samples.map(|(samples, _)| Arc::new(samples));
            let progress = Progress::spinner("compiling");
            let compiled = onnx2script::compile_watched(&mut model, &options, &|stage| progress.doing(stage));
            (compiled.map_err(refused)?, note.into_iter().collect())
        }
    };
    notes.extend(compiled.ir.layers.iter().filter_map(|layer| {
        let storage = layer.storage.as_ref().filter(|storage| storage.is_unexpected())?;
        Some(format!("{}: weights are stored as {storage}", layer.label))
    }));
    notes.extend(compiled.unpacked.iter().map(|reason| format!("nothing is packed: {reason}")));
    if let Some(scale) = compiled.optimised.answer_scale() {
        notes.push(format!("the contract's number is an integer in steps of {}", ir::describe_scale(scale)));
    }
    compiled.graph.notes.iter().chain(&notes).for_each(console::note);
    Ok(Loaded { model, compiled, fitted })
}

/// A pass to stop after must be one that runs.
fn check_stop_after(options: &Options) -> anyhow::Result<()> {
    let passes: Vec<&str> = options.level.passes().iter().map(|pass| pass.name).collect();
    match options.stop_after.as_deref() {
        Some(name) if !passes.contains(&name) => {
            let runs = if passes.is_empty() { "no pass".to_owned() } else { passes.join(", ") };
            Err(Usage(format!("--stop-after {name}: level {} runs {runs}", options.level)).into())
        }
        _ => Ok(()),
    }
}

/// Says which limits the contract exceeds; an error where the user wants it to be one.
pub(crate) fn check_limits(compiled: &Compiled, strict: bool) -> anyhow::Result<()> {
    let excesses = limits::excesses(&limits::needs(compiled), &compiled.target);
    let texts: Vec<String> =
        excesses.iter().map(|excess| format!("{}\n  help: {}", excess.what, excess.help)).collect();
    if strict && !texts.is_empty() {
        bail!("{}", texts.join("\n"));
    }
    texts.iter().for_each(console::warning);
    Ok(())
}

fn emitted(compiled: &Compiled, emit: Emit) -> Vec<u8> {
    let line = |text: String| (text + "\n").into_bytes();
    match emit {
        Emit::Hex => line(output::to_hex(&compiled.locking().to_bytes())),
        Emit::Bin => compiled.locking().to_bytes(),
        Emit::Asm => line(compiled.locking().to_asm()),
        Emit::Listing => listing::listing(compiled).into_bytes(),
        Emit::Ir => ir::print(&compiled.ir).into_bytes(),
        Emit::IrOpt => ir::print(&compiled.optimised).into_bytes(),
        Emit::Bignum => bignum::print(&compiled.program).into_bytes(),
    }
}
