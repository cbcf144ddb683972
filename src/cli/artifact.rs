//! Contracts as files: artifacts read, or made of a model.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use bitcoin::hashes::{Hash, sha256};
use onnx2script::artifact::{self, Artifact, Provenance};
use onnx2script::onnx::Model;

use super::args::{Choices, Labels};
use super::compile::{self, Loaded};
use super::{Verdict, output};

/// What a command is given: an artifact, or a model that was compiled.
pub(crate) enum Given {
    /// As the file has it.
    Artifact(Box<Artifact>),
    /// Just compiled.
    Model(Box<Loaded>),
}

impl Given {
    /// Whether a right claim is not all that a spend takes, or not the only way.
    pub(crate) fn is_guarded(&self) -> bool {
        match self {
            Given::Artifact(artifact) => artifact.below() > 0 || artifact.contract.refund.is_some(),
            Given::Model(loaded) => !loaded.compiled.guard.is_none(),
        }
    }
}

/// Reads an artifact, or compiles a model. Whatever begins with a brace is no ONNX file.
pub(crate) fn load(path: &Path, choices: &Choices) -> anyhow::Result<Given> {
    let json = output::read(path)?;
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Ok(Given::Model(Box::new(compile::compile_bytes(path, &json, choices)?)));
    }
    ensure!(
        choices.given.is_empty(),
        "{} is an artifact, compiled with options of its own: {} would change nothing\n  help: leave that out, or give the \
         model",
        output::name(path),
        choices.given.join(", ")
    );
    let artifact = Artifact::from_json(&json).with_context(|| output::name(path))?;
    Ok(Given::Artifact(Box::new(artifact)))
}

/// The same; a model's artifact, without labels of the user's.
pub(crate) fn load_artifact(path: &Path, choices: &Choices) -> anyhow::Result<Artifact> {
    match load(path, choices)? {
        Given::Artifact(artifact) => Ok(*artifact),
        Given::Model(loaded) => of(&loaded, path, choices, None),
    }
}

/// The artifact of a model that was compiled from `path`.
pub(crate) fn of(loaded: &Loaded, path: &Path, choices: &Choices, labels: Option<&Labels>) -> anyhow::Result<Artifact> {
    let provenance = Provenance {
        model: source(&loaded.model, path)?,
        options: options(loaded, choices)?,
        labels: labels.map(|labels| labels.0.clone()),
    };
    let classes = loaded.compiled.optimised.classes();
    if let Some(Labels(labels)) = labels.filter(|labels| labels.0.len() != classes) {
        bail!("--labels names {} classes, the model has {classes}", labels.len());
    }
    Ok(Artifact::new(&loaded.compiled, provenance))
}

/// The model's files, and what they held.
fn source(model: &Model, path: &Path) -> anyhow::Result<artifact::Source> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let external = model.external_files.iter().map(|name| {
        let bytes = output::read(&folder.join(name))?;
        Ok(artifact::File { file: name.clone(), sha256: sha256::Hash::hash(&bytes).to_string() })
    });
    Ok(artifact::Source {
        file: artifact::File { file: model.file_name.clone(), sha256: model.sha256.clone() },
        external_data: external.collect::<anyhow::Result<_>>()?,
    })
}

/// The options that make the contract again.
fn options(loaded: &Loaded, choices: &Choices) -> anyhow::Result<BTreeMap<String, String>> {
    let (compiled, codegen) = (&loaded.compiled, choices.options().codegen);
    let mut options = BTreeMap::new();
    let mut set = |name: &str, value: String| options.insert(name.to_owned(), value);
    set("contract", choices.contract.to_string());
    set("input", compiled.ir.input.to_string());
    set("weights", choices.weights.to_string());
    set("granularity", value_name(choices.granularity));
    set("symmetric", choices.symmetric.to_string());
    set("rescale", choices.rescale.to_string());
    set("opt", choices.level.to_string());
    set("codegen", codegen.strategy.to_string());
    set("optimize", codegen.optimise.to_string());
    set("layout", value_name(choices.layout));
    set("era", compiled.target.era.to_string());
    set("rules", compiled.target.rules.to_string());
    let optional = [
        ("model-output", choices.model_output.clone()),
        ("activation-error", choices.activation_error.map(|error| error.to_string())),
        ("stop-after", choices.stop_after.clone()),
        ("calibrate-unit", choices.calibrate_unit.as_ref().map(ToString::to_string)),
        ("min-agreement", choices.min_agreement.map(|share| share.to_string())),
        ("max-bytes", choices.max_bytes.map(|bytes| bytes.to_string())),
        ("pay-to", choices.pay_to.map(|hash| hash.to_string())),
        ("commit-reveal", choices.commit_reveal.map(|terms| format!("{}:{:08x}", terms.blocks(), terms.bits()))),
        ("lock-until", choices.lock_until.map(|time| time.to_consensus().to_string())),
        ("refund", choices.refund.map(|hash| hash.to_string())),
    ];
    optional.into_iter().filter_map(|(name, value)| Some((name, value?))).for_each(|(name, value)| {
        set(name, value);
    });
    if let Some(data) = &choices.calibrate {
        // What came from standard input is not there to be read again.
        let samples = match output::is_dash(&data.path) {
            true => "standard input".to_owned(),
            false => format!("sha256:{}", sha256::Hash::hash(&output::read(&data.path)?)),
        };
        set("calibrate", format!("{samples}, rows {}", data.rows));
    }
    Ok(options)
}

/// Prints the JSON schema of artifacts.
pub(crate) fn schema() -> anyhow::Result<Verdict> {
    output::print(&(serde_json::to_string_pretty(&artifact::schema())? + "\n"))?;
    Ok(Verdict::Done)
}

/// What clap calls a value.
fn value_name(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
