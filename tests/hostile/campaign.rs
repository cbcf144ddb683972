//! Runs attacks on a contract: it accepts exactly what they are expected to be worth, whoever judges.

use onnx2script::bignum;
use onnx2script::interp::{self, Outcome, Spending};

use super::common::{Expected, Lock, TARGETS};
use super::unlocking::{Attack, Judge};

/// Bytes of script that may be run through from end to end for each kind of attack: long scripts take milliseconds.
const BYTES_A_KIND: usize = 60_000;
/// Scripts longer than this take milliseconds: they are run by two judges, not by all.
pub(crate) const LONG_SCRIPT: usize = 10_000;

/// All that there are: each era and each strictness, and transactions that may unlock as they like.
pub(crate) const JUDGES: [Judge; 7] = [
    Judge { target: TARGETS[0], version: 1 },
    Judge { target: TARGETS[1], version: 1 },
    Judge { target: TARGETS[2], version: 1 },
    Judge { target: TARGETS[3], version: 1 },
    Judge { target: TARGETS[2], version: 2 },
    Judge { target: TARGETS[3], version: 2 },
    Judge { target: TARGETS[1], version: 2 },
];

/// How a campaign went.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) attacks: usize,
    pub(crate) runs: usize,
    pub(crate) accepted: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.attacks += other.attacks;
        self.runs += other.runs;
        self.accepted += other.accepted;
    }
}

/// What a judge says of an unlocking script of a locking script.
pub(crate) fn judged(unlocking: &[u8], locking: &[u8], judge: Judge) -> Outcome {
    if judge.version == 1 {
        return interp::run(unlocking, locking, &judge.target);
    }
    // One input, no output: signatures are not asked for.
    let transaction = [&[judge.version, 0, 0, 0, 1][..], &[0; 36], &[0], &[0; 4], &[0], &[0; 4]].concat();
    interp::run_spending(unlocking, locking, &judge.target, &Spending::new(&transaction, 0, 0).unwrap())
}

/// What is wrong with an outcome, if anything is.
fn wrong(lock: &Lock, attack: &Attack, judge: Judge, outcome: &Outcome) -> Option<String> {
    let expected = if attack.may_run(lock, judge) { attack.expected(lock) } else { Expected::Fails };
    complaint(&expected, outcome)
}

/// How an outcome differs from what was to be: in the verdict, or in what the contract leaves.
pub(crate) fn complaint(expected: &Expected, outcome: &Outcome) -> Option<String> {
    let verdict = outcome.verdict();
    if outcome.is_ok() != expected.is_accepted() {
        return Some(format!("{verdict} instead of {expected:?}"));
    }
    match expected {
        Expected::Leaves(item) if outcome.stack != std::slice::from_ref(item) => {
            Some(format!("{verdict} leaves {:02x?} instead of {item:02x?}", outcome.stack))
        }
        _ => None,
    }
}

/// Attacks that are worth their time: all that fail at once, and of each kind as many others as a script's length allows.
fn selected<'a>(lock: &Lock, attacks: &'a [Attack]) -> Vec<&'a Attack> {
    let most = (BYTES_A_KIND / lock.bytes.len()).max(1);
    let fails = |attack: &&Attack| attack.expected(lock) == Expected::Fails;
    let mut selected: Vec<&Attack> = attacks.iter().filter(fails).collect();
    let mut kinds: Vec<&str> = attacks.iter().map(|attack| attack.kind).collect();
    kinds.dedup();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let computed: Vec<&Attack> = attacks.iter().filter(|attack| attack.kind == kind && !fails(attack)).collect();
        selected.extend(computed.iter().step_by(computed.len().div_ceil(most).max(1)));
    }
    selected
}

/// Demands of a contract what attacks are worth.
pub(crate) fn demand(name: &str, lock: &Lock, attacks: &[Attack]) -> Tally {
    let long = lock.bytes.len() > LONG_SCRIPT;
    let mut tally = Tally::default();
    for (index, attack) in selected(lock, attacks).into_iter().enumerate() {
        tally.attacks += 1;
        let context =
            || format!("{name}, {}: {}, {:02x?}", lock.compiled.contract, attack.kind, start(&attack.unlocking));
        if let Some(items) = attack.items().filter(|_| !long) {
            let left = bignum::eval(&lock.compiled.program, items).ok();
            assert_eq!(left, attack.expected(lock).item(), "bignum::eval, {}", context());
        }
        let judges: &[Judge] = if long { &[JUDGES[index % 4], JUDGES[4 + index % 3]] } else { &JUDGES };
        for &judge in judges {
            let outcome = judged(&attack.unlocking, &lock.bytes, judge);
            let complaint = wrong(lock, attack, judge, &outcome);
            assert_eq!(complaint, None, "{judge:?} of {}", context());
            tally.runs += 1;
            tally.accepted += usize::from(outcome.is_ok());
        }
    }
    tally
}

/// Enough of a script to know it by.
fn start(script: &[u8]) -> &[u8] {
    &script[..script.len().min(2000)]
}
