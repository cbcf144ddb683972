//! Guards' code that is not what it should be. The compiler's checker does not judge it, so every change must show in
//! what can be spent: honest spends pass and thefts fail, each signed for the changed script, as if that were what the
//! funder had been given.
//!
//! What is left alive (`snapshots/guard.mutants.snap`) is the same guard in other words, or differs where nobody gets:
//! - CODESEPARATOR moved, doubled or gone: a refund's signatures hash more of the script, or as much;
//! - EQUALVERIFY and NUMEQUALVERIFY of strings of one length: the same but for hashes that are no shortest numbers, which
//!   policy would not let pass;
//! - DROP and VERIFY of what is never zero: a hash, a target, a hash type, a header's end;
//! - a byte 0 that keeps a number positive: more zeros do, too; below the threshold of heights a negative one is as wrong;
//! - bits of the hash type that no valid one has, looked at as well;
//! - BIN2NUM twice; 1SUB for NOT of 0 or 1;
//! - behind the last header: the target left on the alt stack, or another item in place of a hash that is dropped;
//! - a target that differs less than any hash was found to, and LESSTHAN: a hash that equals the target.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use onnx2script::codegen::Contract;
use onnx2script::guard::{CommitReveal, Guard, Part, Payee, Refund};
use onnx2script::interp::{self, Spending};
use onnx2script::script::opcode::Opcode;
use onnx2script::script::{Code, code};
use onnx2script::target::Target;
use rayon::prelude::*;

use super::common::TARGETS;
use super::common::mutate::{self, Mutant, mutants};
use super::guarded;
use super::reveals::reveals;
use super::spends::{self, Script, Spend, funder, payee};
use super::transaction::SATOSHIS;
use super::{chain, keep};

const HEIGHT: u32 = 900_000;
const TIME: u32 = 1_800_000_000;
/// From here on nLockTime counts seconds.
const THRESHOLD: u32 = 500_000_000;
const BLOCKS: usize = 2;

/// A contract whose guard is changed, and what is tried on it.
struct Subject {
    name: &'static str,
    code: Vec<Code>,
    /// The instructions that are the network's, which are left alone.
    network: Range<usize>,
    spends: Vec<Spend>,
}

impl Subject {
    fn new(name: &'static str, guard: Guard, spends: impl Fn(&onnx2script::Compiled) -> Vec<Spend>) -> Subject {
        let compiled = guarded(Contract::Claim, guard);
        let locking = compiled.locking();
        let of = |parts: &[Part]| parts.iter().flat_map(|part| part.code.clone()).collect::<Vec<Code>>();
        let (before, after) = (of(&locking.before), of(&locking.after));
        let network: Vec<Code> = locking.network.instructions.iter().map(|made| made.code.clone()).collect();
        let place = before.len()..before.len() + network.len();
        let code = [before, network, after].concat();
        assert_eq!(mutate::bytes(&code), locking.to_bytes());
        Subject { name, code, network: place, spends: spends(&compiled) }
    }

    fn mutants(&self) -> Vec<Mutant> {
        [0..self.network.start, self.network.end..self.code.len()]
            .into_iter()
            .flat_map(|place| mutants(&self.code, place.start, place.end))
            .collect()
    }

    /// The spend that tells this script from what it should be.
    fn kills(&self, code: &[Code]) -> Option<&str> {
        let separator = code.iter().rposition(|code| *code == Code::Op(Opcode::CODESEPARATOR));
        let refund = mutate::bytes(&code[separator.map_or(0, |at| at + 1)..]);
        let script = Script { locking: mutate::bytes(code), refund };
        self.spends.iter().find(|spend| is_wrong(spend, &script)).map(|spend| spend.name.as_str())
    }
}

/// Whether some node lets an attempt pass that must not, or stops one that must pass.
fn is_wrong(spend: &Spend, script: &Script) -> bool {
    let (transaction, items) = (spend.make)(script);
    let unlocking = code::pushes(&items).into_bytes();
    let bytes = transaction.bytes(&unlocking);
    let spending = Spending::new(&bytes, 0, SATOSHIS).unwrap();
    let passes = |target: &Target| interp::run_spending(&unlocking, &script.locking, target, &spending).is_ok();
    TARGETS.iter().any(|target| passes(target) != spend.passes)
}

fn subjects() -> Vec<Subject> {
    let refund =
        |lock_until: u32| Some(Refund { key: funder().hash(), lock_until: lock_until.to_string().parse().unwrap() });
    let terms: CommitReveal = format!("{BLOCKS}:{:08x}", chain::BITS).parse().unwrap();
    let selected = |mut spends: Vec<Spend>| {
        for spend in &mut spends {
            let make = std::mem::replace(&mut spend.make, Box::new(|_| unreachable!()));
            spend.make = Box::new(move |script| {
                let (transaction, mut items) = make(script);
                items.push(vec![]);
                (transaction, items)
            });
        }
        spends
    };
    vec![
        Subject::new("pay-to", Guard { payee: Payee::Key(payee().hash()), refund: None }, |compiled| {
            spends::claims(compiled, payee, &[], false)
        }),
        Subject::new(
            "pay-to, refund at a height",
            Guard { payee: Payee::Key(payee().hash()), refund: refund(HEIGHT) },
            |compiled| {
                let mut all = selected(spends::claims(compiled, payee, &[], false));
                all.extend(spends::refunds(HEIGHT, Some(THRESHOLD)));
                all
            },
        ),
        Subject::new("anyone, refund at a time", Guard { payee: Payee::Anyone, refund: refund(TIME) }, |compiled| {
            let mut all = spends::open_claims(compiled);
            all.extend(spends::refunds(TIME, None));
            all
        }),
        Subject::new("commit-reveal", Guard { payee: Payee::Committed(terms), refund: None }, |compiled| {
            reveals(compiled, BLOCKS)
        }),
    ]
}

#[test]
fn every_change_of_a_guard_shows_in_what_can_be_spent() {
    let mut text = format!("{:30} {:>6} {:>7} {:>6}\n", "", "made", "killed", "alive");
    let mut living = BTreeMap::<String, usize>::new();
    for subject in subjects() {
        assert_eq!(subject.kills(&subject.code), None, "{}", subject.name);
        let all = subject.mutants();
        let alive: Vec<&Mutant> = all.par_iter().filter(|mutant| subject.kills(&mutant.code).is_none()).collect();
        let (made, left) = (all.len(), alive.len());
        let _ = writeln!(text, "{:30} {made:>6} {:>7} {left:>6}", subject.name, made - left);
        for Mutant { kind, at, change, .. } in alive {
            let place = mutate::words(&subject.code[at.saturating_sub(2)..(at + 3).min(subject.code.len())]);
            *living.entry(format!("{}: {kind}, {change}; in {place}", subject.name)).or_default() += 1;
        }
    }
    text += "\nalive\n";
    living.iter().for_each(|(class, count)| {
        let _ = writeln!(text, "{count:6} {class}");
    });
    keep("guard.mutants", &text);
}
