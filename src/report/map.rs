//! The report on an artifact: what it is, and where its bytes go by the source map.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::limits::grouped;
use super::printable;
use crate::artifact::{Answer, Artifact, Kind, Method, Range};

/// What one step of a layer, or a layer, takes.
#[derive(Debug, Default, Clone, Copy)]
struct Share {
    bytes: usize,
    instructions: usize,
}

/// The report; `fee_rate` in satoshis per 1000 bytes.
pub fn report(artifact: &Artifact, fee_rate: u64) -> String {
    let mut text = head(artifact);
    text += &tables(artifact);
    text += "\nunlocking script, first push first\n";
    artifact.abi.methods.iter().for_each(|method| text += &pushes(method));
    text += "\noptions\n";
    for (name, value) in &artifact.options {
        let _ = writeln!(text, "  --{:<16} {}", printable(name), printable(value));
    }
    text + &limits(artifact, fee_rate)
}

fn head(artifact: &Artifact) -> String {
    let (input, terms, script) = (&artifact.abi.input, &artifact.contract, &artifact.locking_script);
    let target = crate::target::Target::from(artifact.target);
    let kind = match (terms.kind, terms.expected) {
        (Kind::Expect, Some(class)) => format!("expect:{class}"),
        (Kind::Class, _) => "class".to_owned(),
        _ => "claim".to_owned(),
    };
    let mut text = format!(
        "{}: contract {kind}, {} rules of the {} era, by {} {}\n",
        printable(&artifact.model.file.file),
        target.rules,
        target.era,
        printable(&artifact.compiler.name),
        printable(&artifact.compiler.version)
    );
    let _ = writeln!(text, "model: sha256 {}", printable(&artifact.model.file.sha256));
    let _ = writeln!(text, "locking script: {} bytes, sha256 {}", grouped(script.bytes as u64), script.sha256);
    let _ = writeln!(
        text,
        "input: {} elements in {} bytes, {}",
        input.elements,
        input.bytes,
        artifact.input_format().describe()
    );
    let _ = writeln!(text, "answer: {}", answer(&artifact.abi.answer));
    if let Some(hash) = &terms.pay_to {
        let _ = writeln!(text, "pays: the key of hash {hash}");
    }
    if let Some(terms) = artifact.commit_reveal() {
        let _ = writeln!(text, "pays: who committed to the input, {terms}");
    }
    if let Some(refund) = &terms.refund {
        let _ = writeln!(
            text,
            "refund: to the key of hash {}, at an nLockTime from {} on",
            refund.key_hash, refund.lock_until
        );
    }
    text
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Number { scale } => format!("a number, in steps of {scale}"),
        Answer::Class { classes, labels: None } => format!("one of {classes} classes"),
        Answer::Class { labels: Some(labels), .. } => format!("one of {}", printable(&labels.join(", "))),
    }
}

/// Bytes and instructions by layer, then by step; both in the order in which they first come.
fn tables(artifact: &Artifact) -> String {
    let total = artifact.locking_script.bytes.max(1);
    let row = |name: &str, share: Share| {
        let percent = 100.0 * share.bytes as f64 / total as f64;
        let (bytes, instructions) = (grouped(share.bytes as u64), grouped(share.instructions as u64));
        format!("  {name:<46} {bytes:>9} {percent:>6.1}% {instructions:>13}\n")
    };
    let mut text = format!("\n{:<48} {:>9} {:>7} {:>13}\n", "layers", "bytes", "share", "instructions");
    for (layer, share) in sums(&artifact.source_map, |range| printable(&range.layer)) {
        text += &row(&layer, share);
    }
    let _ = writeln!(text, "\n{:<48} {:>9} {:>7} {:>13}", "idioms", "bytes", "share", "instructions");
    for (step, share) in sums(&artifact.source_map, |range| printable(&format!("{:<10} {}", range.layer, range.step))) {
        text += &row(&step, share);
    }
    text
}

fn sums(map: &[Range], key: impl Fn(&Range) -> String) -> Vec<(String, Share)> {
    let mut sums: Vec<(String, Share)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for range in map {
        let key = key(range);
        let place = *places.entry(key.clone()).or_insert(sums.len());
        if place == sums.len() {
            sums.push((key, Share::default()));
        }
        let share = &mut sums[place].1;
        share.bytes += range.end - range.start;
        share.instructions += range.instructions;
    }
    sums
}

fn pushes(method: &Method) -> String {
    let item = |push: &crate::artifact::Push| match (push.bytes, push.value) {
        (_, Some(value)) => value.to_string(),
        (Some(bytes), None) => format!("{} ({bytes} bytes)", push.name),
        (None, None) => push.name.clone(),
    };
    format!("  {:<10} {}\n", method.name, method.pushes.iter().map(item).collect::<Vec<_>>().join(", "))
}

fn limits(artifact: &Artifact, fee_rate: u64) -> String {
    let limits = &artifact.limits;
    let fee = |bytes: usize| grouped((bytes as u64).saturating_mul(fee_rate).div_ceil(1000));
    format!(
        "\nlimits\n  unlocking script {} bytes, longest number {} bytes, stacks {} items and {} bytes, about {:.1} ms\n\
         \nfee at {fee_rate} sat per 1000 bytes: {} sat to lock, {} sat to unlock (scripts alone)\n",
        grouped(limits.unlocking_bytes as u64),
        grouped(limits.number_bytes as u64),
        grouped(limits.stack_items as u64),
        grouped(limits.stack_bytes),
        limits.mempool_microseconds as f64 / 1000.0,
        fee(artifact.locking_script.bytes),
        fee(limits.unlocking_bytes)
    )
}
