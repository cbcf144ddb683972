//! Who may spend: what a contract asks for besides a right claim.
//!
//! A bare contract pays whoever shows a right input, so whoever watches the network can take that input into a
//! transaction of their own. A guard is code around the network's:
//!
//! ```text
//! claim:   <signature> <public key> [claim] <input> [commitment's proof] [0]   refund:  <signature> <public key> <preimage> 1
//!
//! [NOTIF]  [commitment] network [VERIFY payee]  [ELSE refund ENDIF]
//! ```
//!
//! Invariants:
//! 1. The network's code stands between the guard's, byte for byte as it was compiled and checked. It counts the items
//!    beneath its own ([`Guard::below`]), and can reach none of them.
//! 2. Without a right claim, or a refund that is due, no path through the script ends with a true value.
//! 3. Behind a network that accepts, the payee's signature decides, behind a refund's conditions the funder's; both by
//!    CHECKSIG, and so for one transaction alone.

mod assembly;
pub mod commitment;
mod key_hash;
mod lock_time;
pub mod locking;
mod payee;
pub mod refund;

pub use self::commitment::CommitReveal;
pub use self::key_hash::KeyHash;
pub use self::lock_time::LockTime;
pub use self::locking::Locking;
pub use self::refund::Refund;

use crate::codegen::Contract;
use crate::error::Problem;
use crate::script::Code;
use crate::script::opcode::Opcode;

/// What a contract asks for besides a right claim; nothing by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    /// Who is paid for a right claim.
    pub payee: Payee,
    /// Who gets the coins back, and when.
    pub refund: Option<Refund>,
}

/// Who is paid for a right claim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Payee {
    /// Whoever shows it.
    #[default]
    Anyone,
    /// Whoever has the key.
    Key(KeyHash),
    /// Whoever had committed to the input before showing it.
    Committed(CommitReveal),
}

/// A piece of a guard's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it does, for listings.
    pub step: &'static str,
    /// Its instructions.
    pub code: Vec<Code>,
}

/// An item that an unlocking script pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// A signature in DER, and its hash type.
    Signature,
    /// The public key that it is by.
    PublicKey,
    /// The class, or the number.
    Claim,
    /// The input.
    Input,
    /// What keeps a commitment from being guessed.
    Salt,
    /// The committing transaction up to the commitment.
    BeforeCommitment,
    /// The committing transaction behind the commitment.
    BehindCommitment,
    /// The way from that transaction to its block's Merkle root.
    MerkleBranch,
    /// That block's header, and those that follow it.
    Headers,
    /// What the refund's signature hashes.
    Preimage,
    /// Which way of spending this is.
    Selector(u8),
}

/// A way of spending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// What it is called.
    pub name: &'static str,
    /// What the unlocking script pushes, first push first.
    pub pushes: Vec<Item>,
}

/// Most bytes of a signature, its hash type included.
const MOST_SIGNATURE: usize = 73;
/// Bytes of a public key, compressed.
const PUBLIC_KEY: usize = 33;

/// What selects the claim where there is a refund.
const SELECT_CLAIM: u8 = 0;
/// What selects the refund.
const SELECT_REFUND: u8 = 1;

impl Guard {
    /// Whether the contract is bare.
    pub fn is_none(&self) -> bool {
        *self == Guard::default()
    }

    /// How many items lie beneath the network's own.
    pub fn below(&self) -> usize {
        match self.payee {
            Payee::Anyone => 0,
            Payee::Key(_) | Payee::Committed(_) => 2,
        }
    }

    /// Refuses a guard around a contract that says nothing about its answer.
    ///
    /// # Errors
    /// A problem when the contract leaves the class on the stack.
    pub fn check(&self, contract: Contract) -> Result<(), Problem> {
        match contract {
            Contract::Class if !self.is_none() => {
                let reason = "--contract class leaves the answer on the stack, and asks nothing of it: there is no claim \
                              to pay for";
                Err(Problem::of_model(reason).help(
                    "give --contract claim or expect:N with --pay-to, --lock-until and --commit-reveal; or put your own \
                     code behind the class",
                ))
            }
            _ => Ok(()),
        }
    }

    /// The ways of spending, the claim first.
    pub fn methods(&self, contract: Contract) -> Vec<Method> {
        let mut claim: Vec<Item> = Vec::new();
        if self.below() > 0 {
            claim.extend([Item::Signature, Item::PublicKey]);
        }
        claim.extend(network_items(contract));
        if let Payee::Committed(_) = self.payee {
            claim.extend(commitment::PROOF);
        }
        let mut methods = vec![Method { name: "claim", pushes: claim }];
        if self.refund.is_some() {
            methods[0].pushes.push(Item::Selector(SELECT_CLAIM));
            let refund = vec![Item::Signature, Item::PublicKey, Item::Preimage, Item::Selector(SELECT_REFUND)];
            methods.push(Method { name: "refund", pushes: refund });
        }
        methods
    }

    /// The code in front of the network's.
    pub(crate) fn before(&self, contract: Contract) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.refund.is_some() {
            parts.push(Part { step: "claim or refund", code: vec![Code::Op(Opcode::NOTIF)] });
        }
        if let Payee::Committed(terms) = &self.payee {
            parts.extend(terms.parts(contract));
        }
        parts
    }

    /// The code behind the network's.
    pub(crate) fn after(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = payee::part_of(&self.payee).into_iter().collect();
        if let Some(refund) = &self.refund {
            parts.extend(refund.parts());
        }
        parts
    }

    /// How many bytes of an unlocking script the guard asks for, at most; the transaction that holds a commitment not
    /// counted.
    pub fn unlocking_bytes(&self) -> usize {
        let selector = usize::from(self.refund.is_some());
        let signature = if self.below() == 0 { 0 } else { 1 + MOST_SIGNATURE + 1 + PUBLIC_KEY };
        let proof = match &self.payee {
            Payee::Committed(terms) => terms.proof_bytes(),
            _ => 0,
        };
        selector + signature + proof
    }

    /// How many bytes the headers of a commitment's proof take.
    pub fn header_bytes(&self) -> Option<usize> {
        match &self.payee {
            Payee::Committed(terms) => Some(terms.header_bytes()),
            _ => None,
        }
    }

    /// In a few words.
    pub fn describe(&self) -> String {
        let payee = match &self.payee {
            Payee::Anyone => "anyone".to_owned(),
            Payee::Key(hash) => format!("the key of hash {hash}"),
            Payee::Committed(terms) => format!("who committed to the input, {terms}"),
        };
        match &self.refund {
            None => payee,
            Some(refund) => format!("{payee}; {refund}"),
        }
    }
}

/// What the network takes.
fn network_items(contract: Contract) -> &'static [Item] {
    match contract {
        Contract::Claim => &[Item::Claim, Item::Input],
        Contract::Expect(_) | Contract::Class => &[Item::Input],
    }
}

impl Item {
    /// What artifacts and listings call it.
    pub fn name(self) -> &'static str {
        match self {
            Item::Signature => "signature",
            Item::PublicKey => "publicKey",
            Item::Claim => "claim",
            Item::Input => "input",
            Item::Salt => "salt",
            Item::BeforeCommitment => "transactionBefore",
            Item::BehindCommitment => "transactionBehind",
            Item::MerkleBranch => "merkleBranch",
            Item::Headers => "headers",
            Item::Preimage => "preimage",
            Item::Selector(_) => "selector",
        }
    }
}
