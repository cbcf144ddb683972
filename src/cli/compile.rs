//! The main job: a model to an artifact.

use std::path::Path;

use anyhow::{Context, bail};
use onnx2script::error::Refusal;
use onnx2script::onnx::Model;
use onnx2script::report::{explain, limits, listing};
use onnx2script::{Compiled, bignum, ir};

use super::args::{Choices, Compile, Emit};
use super::{Verdict, output};

/// Compiles and writes.
pub(crate) fn compile(args: &Compile) -> anyhow::Result<Verdict> {
    let path = args.model.as_deref().context("no model given")?;
    let (_, compiled) = load_and_compile(path, &args.choices)?;
    check_limits(&compiled, args.strict, args.choices.quiet)?;
    output::write(args.output.as_deref(), &artifact(&compiled, args.emit))?;
    if args.explain {
        eprint!("{}", explain::explain(&compiled, args.fee_rate));
    }
    Ok(Verdict::Done)
}

/// Reads a model and compiles it; notes go to standard error.
pub(crate) fn load_and_compile(path: &Path, choices: &Choices) -> anyhow::Result<(Model, Compiled)> {
    let mut model = Model::load(path)?;
    let compiled = onnx2script::compile(&mut model, &choices.options())
        .map_err(|refusal: Refusal| anyhow::anyhow!("cannot compile `{}`: {refusal}", path.display()))?;
    if !choices.quiet {
        compiled.graph.notes.iter().for_each(|note| eprintln!("note: {note}"));
    }
    Ok((model, compiled))
}

/// Says which limits the contract exceeds; an error where the user wants it to be one.
pub(crate) fn check_limits(compiled: &Compiled, strict: bool, quiet: bool) -> anyhow::Result<()> {
    let excesses = limits::excesses(&limits::needs(compiled), &compiled.target);
    let texts: Vec<String> =
        excesses.iter().map(|excess| format!("{}\n  help: {}", excess.what, excess.help)).collect();
    if strict && !texts.is_empty() {
        bail!("{}", texts.join("\n"));
    }
    if !quiet {
        texts.iter().for_each(|text| eprintln!("warning: {text}"));
    }
    Ok(())
}

fn artifact(compiled: &Compiled, emit: Emit) -> Vec<u8> {
    let line = |text: String| (text + "\n").into_bytes();
    match emit {
        Emit::Hex => line(output::to_hex(compiled.script.to_script_buf().as_bytes())),
        Emit::Bin => compiled.script.to_bytes(),
        Emit::Asm => line(compiled.script.to_asm()),
        Emit::Listing => listing::listing(compiled).into_bytes(),
        Emit::Ir => ir::print(&compiled.ir).into_bytes(),
        Emit::IrOpt => ir::print(&compiled.optimised).into_bytes(),
        Emit::Bignum => bignum::print(&compiled.program).into_bytes(),
    }
}
