//! Bytes to a spend: the interpreter gives a verdict, the same every time, and counts what it takes within its limits.

use onnx2script::interp::{self, Outcome, Spending};
use onnx2script::script::number;
use onnx2script::target::{Era, Rules, Target};

use crate::common::is_true;

/// Longer scripts are not run: each byte can hash what the stacks can hold, 100 MB.
const MOST_BYTES: usize = 600;

/// Whether the bytes were two scripts.
///
/// The first byte holds choices, the second how much of the rest is the unlocking script.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let [choices, share, scripts @ ..] = bytes else { return false };
    if scripts.len() > MOST_BYTES {
        return false;
    }
    check_number(scripts);
    let (unlocking, locking) = scripts.split_at(scripts.len() * usize::from(*share) / 255);
    let era = if choices & 1 == 0 { Era::Genesis } else { Era::Chronicle };
    let target = Target { era, rules: Rules::Policy };
    let transaction = transaction(choices >> 4, unlocking);
    let spending = (choices & 2 != 0).then(|| Spending::new(&transaction, 0, u64::from(choices >> 4)).unwrap());
    check(unlocking, locking, target, spending.as_ref());
    true
}

/// A transaction of one input and one output.
fn transaction(version: u8, unlocking: &[u8]) -> Vec<u8> {
    let [low, high] = (unlocking.len() as u16).to_le_bytes();
    let length = if unlocking.len() < 0xfd { vec![low] } else { vec![0xfd, low, high] };
    let outpoint = [7; 36];
    let rest = [0xfe, 0xff, 0xff, 0xff, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0x51, 9, 0, 0, 0];
    [&[version, 0, 0, 0, 1][..], &outpoint, &length, unlocking, &rest].concat()
}

fn check(unlocking: &[u8], locking: &[u8], target: Target, spending: Option<&Spending<'_>>) {
    let run = |target: &Target| match spending {
        Some(spending) => interp::run_spending(unlocking, locking, target, spending),
        None => interp::run(unlocking, locking, target),
    };
    let outcome = run(&target);
    let mut steps = 0;
    let traced = interp::run_traced(unlocking, locking, &target, spending, &mut |step| {
        steps += u64::from(step.offset < unlocking.len().max(locking.len()));
        (0..step.depth()).take(3).for_each(|depth| assert!(step.item(depth).is_some()));
    });
    assert_eq!(traced, outcome);
    check_stats(&outcome, steps, (unlocking.len() + locking.len()) as u64, &target);
    if outcome.is_ok() {
        let lenient = Target { rules: Rules::Consensus, ..target };
        assert_eq!(run(&lenient), outcome, "policy allows what consensus does not");
    }
}

fn check_stats(outcome: &Outcome, steps: u64, script_bytes: u64, target: &Target) {
    let stats = outcome.stats;
    // The instruction that fails is told to the tracer and may not be counted.
    assert!((stats.instructions..=stats.instructions + 1).contains(&steps), "{steps} steps, {stats:?}");
    assert!(steps <= script_bytes, "{steps} steps of {script_bytes} bytes");
    let limit = target.max_stack_bytes().unwrap();
    assert!(stats.peak_memory <= limit, "{stats:?}");
    let left: usize = outcome.stack.iter().map(|item| item.len() + 32).sum();
    assert!(left as u64 <= stats.peak_memory && outcome.stack.len() <= stats.peak_items, "{left} left, {stats:?}");
    if outcome.is_ok() {
        assert!(outcome.stack.last().is_some_and(|top| is_true(top)), "{outcome:?}");
    }
    assert_eq!(outcome.verdict() == "OK", outcome.is_ok());
}

/// Numbers are read and written without loss, and in their shortest form.
fn check_number(bytes: &[u8]) {
    let value = number::decode(bytes);
    let shortest = number::encode(&value);
    assert_eq!(number::decode(&shortest), value);
    assert_eq!(number::encoded_len(&value), shortest.len());
    assert_eq!(number::is_minimal(bytes), shortest == bytes);
    assert!(number::is_minimal(&shortest) && shortest.len() <= bytes.len());
    for width in [1, 2, 5, shortest.len().max(1)] {
        match number::encode_fixed(&value, width) {
            Some(fixed) => assert!(fixed.len() == width && number::decode(&fixed) == value),
            None => assert!(shortest.len() > width, "{value} has {width} bytes"),
        }
    }
}
