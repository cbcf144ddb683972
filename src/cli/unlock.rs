//! `unlock`: the unlocking script for a sample.

use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use num_bigint::BigInt;
use onnx2script::artifact::{Answer, Artifact, Commitment, Items, Kind, Network, Proof};
use onnx2script::guard::KeyHash;
use onnx2script::report::printable;
use onnx2script::script::number;

use super::args::Unlock;
use super::artifact::load_artifact;
use super::{Usage, Verdict, console, output, progress};

const NO_SIGNATURE: &str = "--signature: that is no signature in DER with its hash type behind it, as in 3044...41";

/// Makes an unlocking script, and writes it.
pub(crate) fn unlock(args: &Unlock) -> anyhow::Result<Verdict> {
    let artifact = load_artifact(&args.file, &args.choices)?;
    let commitment = args.commitment.as_deref().map(|path| read_commitment(path, &artifact)).transpose()?;
    let input = input(args, &artifact, commitment.as_ref())?;
    let claim = claim(args, &artifact, &input)?;
    let items = Items::default().with("input", input).with("claim", number::encode(&claim));
    let items = prove(args, &artifact, commitment.as_ref(), sign(args, &artifact, commitment.as_ref(), items)?)?;
    let script = artifact.unlocking_script("claim", &items).context("this contract")?;
    output::write(args.output.as_deref(), format!("{}\n", output::to_hex(&script)).as_bytes())?;
    Ok(Verdict::Done)
}

/// The input's bytes: a sample's, or those that were committed to.
fn input(args: &Unlock, artifact: &Artifact, commitment: Option<&Commitment>) -> anyhow::Result<Vec<u8>> {
    match (args.data.get(), commitment) {
        (None, Some(commitment)) => Ok(commitment.input_bytes()),
        (None, None) => {
            Err(Usage("no input is given\n  help: give --data FILE, or --commitment FILE, which holds one".to_owned())
                .into())
        }
        (Some(data), _) => {
            let input = data.bytes(args.index, artifact)?;
            let committed = commitment.is_none_or(|commitment| commitment.input_bytes() == input);
            ensure!(committed, "the sample is not the input that --commitment commits to");
            Ok(input)
        }
    }
}

/// The claim that the contract will accept, or the one that the user forces.
fn claim(args: &Unlock, artifact: &Artifact, input: &[u8]) -> anyhow::Result<BigInt> {
    let network = Network::new(artifact, args.choices.node.chosen_rules());
    let answer = progress::during("running the script", || network.answer(input));
    let claim = args.claim.as_deref().map(|claim| read_claim(claim, artifact)).transpose()?;
    let claim = match (claim, &answer) {
        (Some(claim), _) => claim,
        (None, Some(answer)) => answer.clone(),
        (None, None) => bail!(
            "the contract fails on this input by {} rules ({})",
            network.rules(),
            network.run(input, &BigInt::ZERO).verdict()
        ),
    };
    let outcome = progress::during("running the script", || network.run(input, &claim));
    if outcome.is_ok() || artifact.contract.kind == Kind::Class || args.force {
        return Ok(claim);
    }
    let answer = answer.map_or("nothing".to_owned(), |answer| name(artifact, &answer));
    let asked = match artifact.contract.expected {
        Some(expected) => format!("expects {}", name(artifact, &expected.into())),
        None => format!("is asked to accept {}", name(artifact, &claim)),
    };
    bail!(
        "the contract {asked}, but the network gives {answer} ({})\n  help: show another input; --force writes the script all \
         the same",
        outcome.verdict()
    )
}

/// A claim as the user writes it: a class or an integer, or a class's label.
pub(crate) fn read_claim(text: &str, artifact: &Artifact) -> anyhow::Result<BigInt> {
    let labels = match &artifact.abi.answer {
        Answer::Class { labels: Some(labels), .. } => labels.as_slice(),
        _ => &[],
    };
    let by_label = labels.iter().position(|label| label == text).map(BigInt::from);
    by_label.or_else(|| text.parse().ok()).ok_or_else(|| match labels {
        [] => anyhow!("--claim {text}: give an integer"),
        labels => anyhow!("--claim {text}: give a class number or one of the labels {}", printable(&labels.join(", "))),
    })
}

/// An answer with its label, where it has one.
pub(crate) fn name(artifact: &Artifact, answer: &BigInt) -> String {
    match &artifact.abi.answer {
        Answer::Class { labels, .. } => {
            let label = labels.iter().zip(usize::try_from(answer)).find_map(|(labels, class)| labels.get(class));
            format!("class {answer}{}", label.map(|label| format!(" ({})", printable(label))).unwrap_or_default())
        }
        Answer::Number { scale } => format!("the number {answer}, in steps of {scale}"),
    }
}

/// Adds what the payee signs with.
fn sign(args: &Unlock, artifact: &Artifact, commitment: Option<&Commitment>, items: Items) -> anyhow::Result<Items> {
    let (Some(signature), Some(key)) = (&args.signature, &args.public_key) else {
        ensure!(
            artifact.below() == 0,
            "this contract asks for a signature\n  help: sign the spending transaction for this locking script (SHA-256 {}), \
             then give --signature and --public-key; scripts/spend does so by @bsv/sdk",
            artifact.locking_script.sha256
        );
        return Ok(items);
    };
    ensure!(
        artifact.below() > 0,
        "this contract asks for no signature\n  help: leave --signature and --public-key out"
    );
    check_signature(&signature.0)?;
    let payee =
        artifact.contract.pay_to.as_deref().or(commitment.map(|commitment| commitment.public_key_hash.as_str()));
    let hash = KeyHash::of(&key.0).to_string();
    ensure!(
        payee.is_none_or(|payee| payee == hash),
        "the contract pays to the key of hash {}, not to this one, of hash {hash}",
        payee.unwrap_or_default()
    );
    Ok(items.with("signature", signature.0.clone()).with("publicKey", key.0.clone()))
}

/// Refuses what is no signature, and says where one leaves open what others may change.
fn check_signature(signature: &[u8]) -> anyhow::Result<()> {
    // Which outputs are signed, and whether all inputs are: all of both.
    const SIGNED: u8 = 0x9f;
    const ALL: u8 = 0x01;
    let [0x30, length, body @ .., hash_type] = signature else { bail!(NO_SIGNATURE) };
    ensure!(usize::from(*length) == body.len(), NO_SIGNATURE);
    if hash_type & SIGNED != ALL {
        console::warning(format_args!(
            "hash type {hash_type:02x} does not sign all inputs and outputs: whoever sees the transaction may \
             change the others, and take the coins where no output is signed"
        ));
    }
    Ok(())
}

/// Adds the proof that the input was committed to.
fn prove(args: &Unlock, artifact: &Artifact, commitment: Option<&Commitment>, items: Items) -> anyhow::Result<Items> {
    let Some(terms) = artifact.commit_reveal() else {
        ensure!(
            commitment.is_none(),
            "this contract asks for no commitment\n  help: leave --commitment and --proof out"
        );
        return Ok(items);
    };
    let (Some(commitment), Some(path)) = (commitment, args.proof.as_deref()) else {
        bail!(
            "this contract pays who committed to the input beforehand\n  help: make a commitment with `onnx2script commit`, \
             publish it, and give --commitment and --proof once it lies under {} blocks",
            terms.blocks()
        )
    };
    let proof = Proof::from_json(&output::read(path)?).and_then(|proof| proof.pieces(commitment.bytes(), terms));
    let pieces = proof.with_context(|| output::name(path))?;
    Ok(items
        .with("salt", commitment.salt_bytes())
        .with("transactionBefore", pieces.before)
        .with("transactionBehind", pieces.behind)
        .with("merkleBranch", pieces.branch)
        .with("headers", pieces.headers))
}

/// Reads a commitment to this contract.
fn read_commitment(path: &Path, artifact: &Artifact) -> anyhow::Result<Commitment> {
    let commitment = Commitment::from_json(&output::read(path)?).with_context(|| output::name(path))?;
    ensure!(
        commitment.locking_script_sha256 == artifact.locking_script.sha256,
        "{} commits to another contract, of SHA-256 {}",
        output::name(path),
        printable(&commitment.locking_script_sha256)
    );
    Ok(commitment)
}
