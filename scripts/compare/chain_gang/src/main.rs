//! How long crates.io `chain-gang` takes over one spend: the interpreter that PyPI tx-engine wraps, without Python.
//!
//! `race-chain-gang UNLOCK.HEX LOCK.HEX SECONDS` prints what `examples/race.rs` prints, but for instructions and stack
//! memory, which it does not count.

use std::error::Error;
use std::time::{Duration, Instant};

use chain_gang::script::{NO_FLAGS, Script, Stack, TransactionlessChecker};

/// However short one is: a median of more says no more.
const MOST_RUNS: usize = 1000;

fn script(path: &str) -> Result<Script, Box<dyn Error>> {
    Ok(Script(hex::decode(std::fs::read_to_string(path)?.trim())?))
}

/// The stack that the locking script leaves on the unlocking script's. Without a transaction no rules of policy hold.
fn run(unlocking: &Script, locking: &Script) -> Result<Stack, chain_gang::util::ChainGangError> {
    let mut checker = TransactionlessChecker {};
    let (stack, ..) = unlocking.eval_with_stack(&mut checker, NO_FLAGS, None, None, None, None)?;
    let (stack, ..) = locking.eval_with_stack(&mut checker, NO_FLAGS, None, None, Some(stack), None)?;
    Ok(stack)
}

fn verdict(left: &Result<Stack, chain_gang::util::ChainGangError>) -> (String, String) {
    match left {
        Ok(stack) => match stack.last() {
            Some(top) if top.iter().any(|byte| byte & 0x7f != 0) => ("OK".into(), hex::encode(top)),
            _ => ("EVAL_FALSE".into(), String::new()),
        },
        Err(error) => (error.to_string().replace(['\t', '\n'], " "), String::new()),
    }
}

/// The kernel's count, as it has it; nothing where there is none.
fn peak_resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(String::new(), |field| field.trim().trim_end_matches(" kB").into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [unlocking, locking, seconds] = arguments.as_slice() else {
        return Err("usage: race-chain-gang UNLOCK.HEX LOCK.HEX SECONDS".into());
    };
    let (unlocking, locking) = (script(unlocking)?, script(locking)?);
    let budget = Duration::from_secs_f64(seconds.parse()?);
    let (verdict, top) = verdict(&run(&unlocking, &locking));

    let (mut times, started) = (Vec::new(), Instant::now());
    while times.is_empty() || (started.elapsed() < budget && times.len() < MOST_RUNS) {
        let begun = Instant::now();
        let _ = std::hint::black_box(run(&unlocking, &locking));
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    let (runs, least, median) = (times.len(), times[0], times[times.len() / 2]);
    println!("{verdict}\t{top}\t\t\t{runs}\t{least:.1}\t{median:.1}\t{}", peak_resident());
    Ok(())
}
