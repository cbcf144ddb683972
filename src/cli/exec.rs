//! `exec`: the integrated interpreter on its own.

use std::path::Path;

use anyhow::{Context, anyhow};
use bitcoin::hex::FromHex;
use onnx2script::interp::{self, MAX_SATOSHIS, Outcome, ScriptError, Spending, Step, vectors};
use serde::Serialize;

use super::args::Exec;
use super::{Verdict, console, output, progress};

/// Items of the stack that a line of the trace shows.
const SHOWN: usize = 4;
/// Bytes of an item that a line of the trace shows.
const SHOWN_BYTES: usize = 12;

/// What `exec` tells; the JSON object's fields.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    /// `OK`, or the node's name of the error.
    verdict: &'static str,
    /// Items left, in hex, bottom first.
    stack: Vec<String>,
    instructions: u64,
    peak_stack_items: usize,
    peak_stack_bytes: u64,
}

/// A coin, as the command line gives it.
#[derive(Debug, Clone)]
pub(crate) struct Utxo {
    /// The locking script, in hex or in a file.
    pub(crate) script: String,
    satoshis: u64,
}

/// Reads `SCRIPT:SATS`; the script may be a path with colons.
pub(crate) fn parse_utxo(text: &str) -> Result<Utxo, String> {
    let (script, amount) = text.rsplit_once(':').ok_or("the satoshis are missing: give SCRIPT:SATS")?;
    match amount.parse() {
        Ok(satoshis) if satoshis <= MAX_SATOSHIS => Ok(Utxo { script: script.to_owned(), satoshis }),
        _ => Err(format!("`{amount}` is not an amount: give whole satoshis after the colon, {MAX_SATOSHIS} at most")),
    }
}

/// Runs vectors, the input of a transaction, or a pair of scripts.
pub(crate) fn exec(args: &Exec) -> anyhow::Result<Verdict> {
    if let Some(path) = &args.vectors {
        return check_vectors(path);
    }
    if let Some(tx) = &args.tx {
        let utxo = args.utxo.as_ref().context("give --utxo")?;
        let transaction = hex_or_file(tx).context("--tx")?;
        let locking = hex_or_file(&utxo.script).context("--utxo")?;
        let spending = Spending::new(&transaction, args.input_index, utxo.satoshis)?;
        return judge(args, spending.unlocking(), &locking, Some(&spending));
    }
    let (unlock, lock) = args.unlock.as_deref().zip(args.lock.as_deref()).context("give --unlock and --lock")?;
    judge(args, &output::read_hex(unlock)?, &output::read_hex(lock)?, None)
}

/// Runs two scripts and prints the report.
fn judge(args: &Exec, unlocking: &[u8], locking: &[u8], spending: Option<&Spending<'_>>) -> anyhow::Result<Verdict> {
    let target = args.node.target();
    let outcome = match (args.trace, spending) {
        (true, _) => {
            interp::run_traced(unlocking, locking, &target, spending, &mut |step| console::tell(trace_line(step)))
        }
        (false, Some(spending)) => {
            progress::during("running", || interp::run_spending(unlocking, locking, &target, spending))
        }
        (false, None) => progress::during("running", || interp::run(unlocking, locking, &target)),
    };
    let report = report(&outcome);
    let text = if args.json { serde_json::to_string(&report)? + "\n" } else { describe(&report) };
    output::print(&text)?;
    if outcome.error == Some(ScriptError::TransactionNeeded) {
        console::help("the script checks a signature: give the transaction and the coin with --tx and --utxo");
    }
    Ok(if report.ok { Verdict::Done } else { Verdict::Failed })
}

/// The bytes that an argument gives in hex, or names a file of.
fn hex_or_file(text: &str) -> anyhow::Result<Vec<u8>> {
    Vec::<u8>::from_hex(text)
        .or_else(|_| output::read_hex(Path::new(text)).context("what is not hex is read as the name of a file"))
}

fn check_vectors(path: &Path) -> anyhow::Result<Verdict> {
    let bytes = output::read(path)?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{} is not text", output::name(path)))?;
    let report = progress::during("running vectors", || vectors::check(&text))
        .with_context(|| format!("{} does not hold vectors", output::name(path)))?;
    let mut lines: Vec<String> = report.disagreements.iter().map(ToString::to_string).collect();
    lines.push(format!("{} passed, {} failed\n", report.passed, report.failed));
    output::print(&lines.join("\n"))?;
    Ok(if report.failed == 0 { Verdict::Done } else { Verdict::Failed })
}

fn report(outcome: &Outcome) -> Report {
    Report {
        ok: outcome.is_ok(),
        verdict: outcome.verdict(),
        stack: outcome.stack.iter().map(|item| output::to_hex(item)).collect(),
        instructions: outcome.stats.instructions,
        peak_stack_items: outcome.stats.peak_items,
        peak_stack_bytes: outcome.stats.peak_memory,
    }
}

fn describe(report: &Report) -> String {
    let items: Vec<&str> = report.stack.iter().map(|item| if item.is_empty() { "(empty)" } else { item }).collect();
    format!(
        "verdict       {}\nstack         {}\ninstructions  {}\npeak stack    {} items, {} bytes\n",
        report.verdict,
        if items.is_empty() { "nothing".to_owned() } else { items.join(" ") },
        report.instructions,
        report.peak_stack_items,
        report.peak_stack_bytes
    )
}

/// An instruction and the top of the stack before it, top last.
fn trace_line(step: &Step<'_>) -> String {
    let shown = step.depth().min(SHOWN);
    let items: Vec<String> = (0..shown).rev().filter_map(|depth| step.item(depth)).map(shorten).collect();
    let more = step.depth() - shown;
    let below = if more > 0 { format!("({more} more) ") } else { String::new() };
    let alt = if step.alt_depth() > 0 { format!(" / alt {}", step.alt_depth()) } else { String::new() };
    let instruction = step.instruction.to_string();
    format!(
        "{:<9} {:>8}  {:<24} | {below}{}{alt}",
        step.script.to_string(),
        step.offset,
        shorten_text(&instruction),
        items.join(" ")
    )
}

fn shorten(item: &[u8]) -> String {
    match item.len() {
        0 => "''".into(),
        len if len > SHOWN_BYTES => format!("{}..({len} bytes)", output::to_hex(&item[..SHOWN_BYTES])),
        _ => output::to_hex(item),
    }
}

fn shorten_text(text: &str) -> String {
    match text.char_indices().nth(2 * SHOWN_BYTES) {
        Some((cut, _)) => format!("{}..", &text[..cut - 2]),
        None => text.to_owned(),
    }
}
