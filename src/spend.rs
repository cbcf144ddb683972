//! Spending a contract in the interpreter: the unlocking script for a sample, and what the run says.
//!
//! Signatures need a transaction, which samples have none of: of a guarded contract the network's code runs alone, on
//! top of items that stand for the guard's.

use std::time::{Duration, Instant};

use num_bigint::BigInt;

use crate::codegen::Contract;
use crate::interp::{self, Outcome, ScriptError, Step};
use crate::script::opcode::Opcode;
use crate::script::{code, number};
use crate::target::{Rules, Target};
use crate::{Compiled, ir};

/// A compiled contract that can be spent again and again.
#[derive(Debug, Clone)]
pub struct Spender<'c> {
    compiled: &'c Compiled,
    /// The network's code, and what drops the items of a guard.
    locking: Vec<u8>,
    /// Bytes of the locking script, its guard included.
    script_bytes: usize,
    target: Target,
}

/// A spend and its outcome.
#[derive(Debug, Clone)]
pub struct Spend {
    /// The kind of contract.
    pub contract: Contract,
    /// The answer by definition: [`ir::eval`]'s.
    pub defined: BigInt,
    /// The answer that the unlocking script claims; a `claim` contract alone reads it.
    pub claim: BigInt,
    /// Bytes of the unlocking script, but for what a guard asks for.
    pub unlocking_bytes: usize,
    /// How long the interpreter took for both scripts.
    pub time: Duration,
    /// How the run ended.
    pub outcome: Outcome,
}

impl<'c> Spender<'c> {
    /// Makes a contract's bytes, judged as [`Target::judging`] says.
    pub fn new(compiled: &'c Compiled, rules: Option<Rules>) -> Self {
        let script_bytes = compiled.locking().byte_len();
        let below = compiled.guard.below();
        let locking = [compiled.script.to_bytes(), vec![Opcode::NIP.byte(); below]].concat();
        let target = compiled.target.judging(script_bytes, rules);
        Spender { compiled, locking, script_bytes, target }
    }

    /// The rules that spends are judged by.
    pub fn rules(&self) -> Rules {
        self.target.rules
    }

    /// Bytes of the locking script.
    pub fn script_bytes(&self) -> usize {
        self.script_bytes
    }

    /// Spends with an input; the claim is the right one unless another is given.
    ///
    /// # Panics
    /// When the input is not one that [`InputFormat::quantise`](crate::input::InputFormat::quantise) gives.
    pub fn spend(&self, input: &[BigInt], claim: Option<BigInt>) -> Spend {
        self.spend_by(input, claim, |unlocking| interp::run(unlocking, &self.locking, &self.target))
    }

    /// [`spend`](Self::spend), calling `tracer` before each instruction.
    ///
    /// # Panics
    /// As [`spend`](Self::spend).
    pub fn spend_traced(&self, input: &[BigInt], claim: Option<BigInt>, tracer: &mut dyn FnMut(&Step<'_>)) -> Spend {
        self.spend_by(input, claim, |unlocking| {
            interp::run_traced(unlocking, &self.locking, &self.target, None, tracer)
        })
    }

    fn spend_by(&self, input: &[BigInt], claim: Option<BigInt>, run: impl FnOnce(&[u8]) -> Outcome) -> Spend {
        let contract = self.compiled.contract;
        let defined = ir::eval(&self.compiled.optimised, input);
        let claim = claim.unwrap_or_else(|| defined.clone());
        let bytes = self.compiled.ir.input.encode(input).expect("integers of the input's format");
        let below = self.compiled.guard.below();
        let mut items = vec![Vec::new(); below];
        items.extend(contract.unlocking_items(&claim, bytes));
        let unlocking = code::pushes(&items);
        let start = Instant::now();
        let outcome = run(unlocking.as_bytes());
        Spend { contract, defined, claim, unlocking_bytes: unlocking.len() - below, time: start.elapsed(), outcome }
    }
}

impl Spend {
    /// Whether the contract did what it is for: the spend is valid, or a `class` contract left 0, which is false to a
    /// node.
    pub fn accepted(&self) -> bool {
        let left_0 = self.contract == Contract::Class
            && self.outcome.error == Some(ScriptError::EvalFalse)
            && self.outcome.stack == [Vec::<u8>::new()];
        self.outcome.is_ok() || left_0
    }

    /// The answer as the script tells it: what a `class` contract leaves, the claim that a `claim` contract accepts,
    /// the class that an `expect:N` contract expects where it accepts. A contract that refuses tells none.
    pub fn told(&self) -> Option<BigInt> {
        match self.contract {
            _ if !self.accepted() => None,
            Contract::Class => self.outcome.stack.last().map(|answer| number::decode(answer)),
            Contract::Claim => Some(self.claim.clone()),
            Contract::Expect(class) => Some(class.into()),
        }
    }

    /// Whether the script says what the definition says.
    pub fn as_defined(&self) -> bool {
        let accepts = match self.contract {
            Contract::Class => return self.accepted() && self.outcome.stack == [number::encode(&self.defined)],
            Contract::Claim => self.claim == self.defined,
            Contract::Expect(class) => self.defined == BigInt::from(class),
        };
        self.outcome.error == (!accepts).then_some(ScriptError::EvalFalse)
    }

    /// The answer for a report: the script's where the contract is to leave one, else the definition's.
    pub fn answer(&self) -> Option<BigInt> {
        match self.contract {
            Contract::Class => self.told(),
            Contract::Claim | Contract::Expect(_) => Some(self.defined.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interp::Stats;

    fn spend(contract: Contract, defined: i32, claim: i32, error: Option<ScriptError>, left: &[&[u8]]) -> Spend {
        let stack = left.iter().map(|item| item.to_vec()).collect();
        let outcome = Outcome { error, stack, stats: Stats::default() };
        Spend {
            contract,
            defined: defined.into(),
            claim: claim.into(),
            unlocking_bytes: 0,
            time: Duration::ZERO,
            outcome,
        }
    }

    const FALSE: Option<ScriptError> = Some(ScriptError::EvalFalse);

    fn judged(spend: &Spend) -> (bool, Option<i32>, bool) {
        (spend.accepted(), spend.told().and_then(|told| i32::try_from(told).ok()), spend.as_defined())
    }

    #[test]
    fn a_class_contract_is_read_to_the_last_bit() {
        let class = |defined, error, left: &[&[u8]]| judged(&spend(Contract::Class, defined, defined, error, left));
        assert_eq!(class(3, None, &[&[3]]), (true, Some(3), true));
        assert_eq!(class(3, None, &[&[4]]), (true, Some(4), false));
        assert_eq!(class(3, None, &[&[3, 0]]), (true, Some(3), false));
        assert_eq!(class(3, None, &[&[3], &[3]]), (true, Some(3), false));
        assert_eq!(class(0, FALSE, &[&[]]), (true, Some(0), true));
        assert_eq!(class(0, FALSE, &[&[0x80]]), (false, None, false));
        assert_eq!(class(0, FALSE, &[&[], &[]]), (false, None, false));
        assert_eq!(class(3, FALSE, &[&[]]), (true, Some(0), false));
        assert_eq!(class(3, Some(ScriptError::NumEqualVerify), &[&[3]]), (false, None, false));
    }

    #[test]
    fn a_number_may_be_negative() {
        let number = |defined, left: &[&[u8]]| judged(&spend(Contract::Class, defined, defined, None, left));
        assert_eq!(number(-3, &[&[0x83]]), (true, Some(-3), true));
        assert_eq!(number(-3, &[&[3]]), (true, Some(3), false));
    }

    #[test]
    fn a_claim_is_right_exactly_when_it_is_accepted() {
        let claim = |claim, error| judged(&spend(Contract::Claim, 3, claim, error, &[]));
        assert_eq!(claim(3, None), (true, Some(3), true));
        assert_eq!(claim(3, FALSE), (false, None, false));
        assert_eq!(claim(4, FALSE), (false, None, true));
        assert_eq!(claim(4, None), (true, Some(4), false));
        assert_eq!(claim(4, Some(ScriptError::StackSize)), (false, None, false));
    }

    #[test]
    fn an_expected_class_is_accepted_exactly_when_it_comes() {
        let expect = |expected, error| judged(&spend(Contract::Expect(expected), 3, 3, error, &[]));
        assert_eq!(expect(3, None), (true, Some(3), true));
        assert_eq!(expect(3, FALSE), (false, None, false));
        assert_eq!(expect(4, FALSE), (false, None, true));
        assert_eq!(expect(4, None), (true, Some(4), false));
    }
}
