//! `commit`: a commitment to an input, for contracts that pay who committed to it first.

use anyhow::{Context, ensure};
use onnx2script::artifact::{Commitment, Kind, Network};
use onnx2script::guard::commitment::SALT;

use super::args::Commit;
use super::artifact::load_artifact;
use super::{Verdict, console, output, progress, unlock};

/// Commits to a sample, once the contract would accept it.
pub(crate) fn commit(args: &Commit) -> anyhow::Result<Verdict> {
    let artifact = load_artifact(&args.file, &args.choices)?;
    ensure!(
        artifact.commit_reveal().is_some(),
        "this contract asks for no commitment\n  help: compile it with --commit-reveal BLOCKS:BITS"
    );
    let input = args.data.bytes(args.index, &artifact)?;
    let network = Network::new(&artifact, args.choices.node.chosen_rules());
    let answer = progress::during("running the script", || network.answer(&input));
    let answer = answer.context("the contract fails on this input")?;
    let accepted = artifact.contract.kind != Kind::Expect || network.run(&input, &answer).is_ok();
    ensure!(
        accepted,
        "the contract will not accept this input: the network gives {}",
        unlock::name(&artifact, &answer)
    );
    let commitment = Commitment::new(artifact.locking_script.sha256.clone(), &input, args.payee, &salt()?);
    output::write_private(args.output.as_deref(), (serde_json::to_string_pretty(&commitment)? + "\n").as_bytes())?;
    console::note("keep this file to yourself until the claim is mined: it holds input and salt");
    console::note(format_args!(
        "publish {} in a transaction, say as the script of an output of 0 satoshis: {}",
        commitment.commitment, commitment.output_script
    ));
    Ok(Verdict::Done)
}

/// Random bytes of the system's.
fn salt() -> anyhow::Result<[u8; SALT]> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(std::io::Error::from).context("the system gives no random bytes")?;
    Ok(salt)
}
