//! A contract accepts what the definition says, and nothing else.

use arbitrary::Unstructured;
use onnx2script::Compiled;

use crate::common::random::{Random, extremes};
use crate::common::{Lock, oracle};

/// Longer scripts are not run here: an input for a fuzzer is to take milliseconds.
const MOST_SCRIPT_BYTES: usize = 40_000;
/// Nor are inputs that are longer, in bytes.
const MOST_INPUT_BYTES: usize = 300;
/// Random inputs, besides the extreme ones.
const RANDOM_INPUTS: usize = 12;

/// Spends a contract with right and wrong claims of extreme and random inputs, and with what else the bytes say;
/// whether it was small enough for that.
pub(crate) fn demand(compiled: Compiled, source: &mut Unstructured<'_>) -> bool {
    let lock = Lock::new(compiled);
    if lock.bytes.len() > MOST_SCRIPT_BYTES || lock.input_len() > MOST_INPUT_BYTES {
        return false;
    }
    let target = lock.compiled.target;
    for input in inputs(&lock, source) {
        let integers = lock.integers(&input);
        oracle::demand_intervals(&lock.compiled.ir, &integers);
        oracle::demand_intervals(&lock.compiled.optimised, &integers);
        let answer = lock.class(&input);
        lock.demand(&lock.items(&answer, &input), &[target]);
        lock.demand(&lock.items(&lock.other(&answer), &input), &[target]);
    }
    lock.demand(&hostile(source), &[target]);
    true
}

/// Inputs at the ends of what can be pushed, and others.
pub(crate) fn inputs(lock: &Lock, source: &mut Unstructured<'_>) -> Vec<Vec<u8>> {
    let mut inputs = extremes(lock.input_len(), lock.compiled.ir.input.width());
    let mut random = Random(source.arbitrary().unwrap_or(0));
    inputs.extend((0..RANDOM_INPUTS).map(|_| random.bytes(lock.input_len())));
    let mut chosen = vec![0; lock.input_len()];
    if source.fill_buffer(&mut chosen).is_ok() {
        inputs.push(chosen);
    }
    inputs
}

/// Items that nobody honest pushes.
fn hostile(source: &mut Unstructured<'_>) -> Vec<Vec<u8>> {
    source.arbitrary_iter::<Vec<u8>>().map(|items| items.filter_map(Result::ok).take(4).collect()).unwrap_or_default()
}
