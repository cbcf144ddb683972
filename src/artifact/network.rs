//! Running an artifact's network in the interpreter, without the model.
//!
//! Guards need a transaction; the network's code does not. It runs alone, on top of items that stand for those that a
//! guard would find there.

use num_bigint::BigInt;

use super::{Artifact, Kind};
use crate::interp::{self, Instruction, Outcome, ScriptError, ScriptKind, Step};
use crate::script::opcode::Opcode;
use crate::script::{code, number};
use crate::target::{self, Rules};

/// An artifact's network, ready to run.
#[derive(Debug, Clone)]
pub struct Network<'a> {
    artifact: &'a Artifact,
    /// The network's code, and what drops the items of a guard.
    script: Vec<u8>,
    /// Where the network's last instruction lies in it, which compares.
    last: usize,
    target: target::Target,
}

/// Work that a run may take: what a node takes many seconds for, which allows half a second. Whoever made the artifact may
/// have put anything in place of a network.
const WORK: u64 = 10_000_000_000;

/// A claim that is no answer: no number is written so.
const PROBE: [u8; 1] = [0];

impl<'a> Network<'a> {
    /// Makes an artifact's network ready, judged as [`Target::judging`](target::Target::judging) says.
    pub fn new(artifact: &'a Artifact, rules: Option<Rules>) -> Self {
        let target = target::Target::from(artifact.target).judging(artifact.locking_script.bytes, rules);
        let mut script = artifact.locking_bytes()
            [artifact.locking_script.network_start..artifact.locking_script.network_end]
            .to_vec();
        let last = script.len() - 1;
        script.extend(vec![Opcode::NIP.byte(); artifact.below()]);
        Network { artifact, script, last, target }
    }

    /// The rules that runs are judged by.
    pub fn rules(&self) -> Rules {
        self.target.rules
    }

    /// Runs the network on an input's bytes and a claim, which a `claim` contract alone reads.
    pub fn run(&self, input: &[u8], claim: &BigInt) -> Outcome {
        interp::run_within(WORK, &self.unlocking(input, &number::encode(claim)), &self.script, &self.target, None)
    }

    /// The bytes of the unlocking script that [`Network::run`] takes.
    pub fn unlocking(&self, input: &[u8], claim: &[u8]) -> Vec<u8> {
        let mut items = vec![Vec::new(); self.artifact.below()];
        if self.artifact.contract.kind == Kind::Claim {
            items.push(claim.to_vec());
        }
        items.push(input.to_vec());
        code::pushes(&items).into_bytes()
    }

    /// Bytes of the unlocking script that [`Network::run`] takes, but for what stands for a guard's items.
    pub fn unlocking_bytes(&self, input: &[u8], claim: &BigInt) -> usize {
        self.unlocking(input, &number::encode(claim)).len() - self.artifact.below()
    }

    /// What the network answers for an input: what it compares at its end, or leaves there; `None` where it fails
    /// before.
    pub fn answer(&self, input: &[u8]) -> Option<BigInt> {
        let mut compared = None;
        let mut watch = |step: &Step<'_>| {
            let compares = matches!(step.instruction, Instruction::Opcode(Opcode::EQUAL | Opcode::NUMEQUAL));
            if step.script == ScriptKind::Locking && step.offset == self.last && compares {
                compared = step.item(0).zip(step.item(1)).map(|(top, below)| [top.to_vec(), below.to_vec()]);
            }
        };
        let outcome =
            interp::run_within(WORK, &self.unlocking(input, &PROBE), &self.script, &self.target, Some(&mut watch));
        let answer = match self.artifact.contract.kind {
            // Class 0 is false to a node. What another failure leaves is no answer.
            Kind::Class if outcome.error.is_none_or(|error| error == ScriptError::EvalFalse) => {
                outcome.stack.last().cloned().filter(|_| outcome.stack.len() == 1)
            }
            Kind::Class => None,
            Kind::Claim => compared.and_then(|items| items.into_iter().find(|item| *item != PROBE)),
            Kind::Expect => {
                let expected = number::encode(&self.artifact.contract.expected.unwrap_or_default().into());
                let differing = compared?.into_iter().find(|item| *item != expected);
                Some(differing.unwrap_or(expected))
            }
        };
        answer.map(|item| number::decode(&item))
    }
}
