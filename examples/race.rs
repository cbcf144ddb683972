//! How long the interpreter takes over one spend: ours in the race of BENCHMARKS.md (scripts/compare/race.py).
//!
//! `cargo run --release --example race -- unlock.hex lock.hex [SECONDS]`
//!
//! Judges the spend by a block's rules for a Genesis coin, again and again for SECONDS (1), and prints one line:
//! verdict, top of the stack, instructions, most bytes of stack memory as a node counts them, runs, the least and the
//! median microseconds of one, and the most kilobytes that the process held (Linux). Reading the files and their
//! hexadecimal is not timed.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bitcoin::hex::{DisplayHex, FromHex};
use onnx2script::interp::run;
use onnx2script::target::{Era, Rules, Target};

const TARGET: Target = Target { era: Era::Genesis, rules: Rules::Consensus };
/// However short one is: a median of more says no more.
const MOST_RUNS: usize = 1000;

fn script(path: &str) -> Result<Vec<u8>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    Vec::from_hex(text.trim()).with_context(|| format!("{path} is not hexadecimal"))
}

/// The kernel's count, as it has it; nothing where there is none.
fn peak_resident() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(String::new(), |field| field.trim().trim_end_matches(" kB").into())
}

#[allow(clippy::print_stdout)]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [unlocking, locking, seconds @ ..] = arguments.as_slice() else {
        bail!("usage: race UNLOCK.HEX LOCK.HEX [SECONDS]");
    };
    let (unlocking, locking) = (script(unlocking)?, script(locking)?);
    let budget = Duration::from_secs_f64(seconds.first().map_or(Ok(1.0), |text| text.parse())?);
    let outcome = run(&unlocking, &locking, &TARGET);

    let (mut times, started) = (Vec::new(), Instant::now());
    while times.is_empty() || (started.elapsed() < budget && times.len() < MOST_RUNS) {
        let begun = Instant::now();
        std::hint::black_box(run(&unlocking, &locking, &TARGET));
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{}\t{}\t{}\t{}\t{}\t{:.1}\t{:.1}\t{}",
        outcome.verdict(),
        outcome.stack.last().map_or(String::new(), |top| top.to_lower_hex_string()),
        outcome.stats.instructions,
        outcome.stats.peak_memory,
        times.len(),
        times[0],
        times[times.len() / 2],
        peak_resident(),
    );
    Ok(())
}
