//! The artifact of a compiled contract.

use std::collections::BTreeMap;

use bitcoin::hex::DisplayHex;

use super::{
    Abi, Answer, Artifact, ByteOrder, CommitReveal, Compiler, Encoding, Era, Format, Input, Kind, Limits,
    LockingScript, Method, Push, PushKind, Refund, Rules, Source, Target, Terms, VERSION, map,
};
use crate::codegen::Contract;
use crate::guard::{self, Item, Payee};
use crate::{Compiled, graph, input, report, target};

/// What the compiled contract does not say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The model.
    pub model: Source,
    /// Options of the command line.
    pub options: BTreeMap<String, String>,
    /// What the user calls the classes, instead of what the model does.
    pub labels: Option<Vec<String>>,
}

impl Artifact {
    /// Describes a compiled contract.
    pub fn new(compiled: &Compiled, provenance: Provenance) -> Self {
        let Provenance { model, options, labels } = provenance;
        Artifact {
            format: Format::Contract,
            version: VERSION,
            compiler: Compiler { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() },
            model,
            options,
            target: compiled.target.into(),
            contract: terms(compiled),
            locking_script: locking_script(compiled),
            abi: Abi { input: input(compiled), answer: answer(compiled, labels), methods: methods(compiled) },
            source_map: map::of(compiled),
            limits: limits(compiled),
        }
    }
}

fn terms(compiled: &Compiled) -> Terms {
    let (kind, expected) = match compiled.contract {
        Contract::Claim => (Kind::Claim, None),
        Contract::Expect(class) => (Kind::Expect, Some(class)),
        Contract::Class => (Kind::Class, None),
    };
    let (pay_to, commit_reveal) = match &compiled.guard.payee {
        Payee::Anyone => (None, None),
        Payee::Key(hash) => (Some(hash.to_string()), None),
        Payee::Committed(terms) => {
            (None, Some(CommitReveal { blocks: terms.blocks(), bits: format!("{:08x}", terms.bits()) }))
        }
    };
    let refund = compiled
        .guard
        .refund
        .as_ref()
        .map(|refund| Refund { key_hash: refund.key.to_string(), lock_until: refund.lock_until.to_consensus() });
    Terms { kind, expected, pay_to, commit_reveal, refund }
}

fn locking_script(compiled: &Compiled) -> LockingScript {
    let locking = compiled.locking();
    let network = locking.network_bytes();
    LockingScript {
        hex: locking.to_bytes().to_lower_hex_string(),
        sha256: locking.sha256(),
        bytes: locking.byte_len(),
        instructions: locking.instructions(),
        network_start: network.start,
        network_end: network.end,
    }
}

fn input(compiled: &Compiled) -> Input {
    let (graph, format) = (&compiled.graph, &compiled.ir.input);
    let elements = compiled.ir.values[0].len();
    Input {
        name: graph.input_name.clone(),
        shape: graph.input_shape.clone(),
        elements,
        integers: graph.input_element.is_integer(),
        encoding: match format.encoding {
            input::Encoding::Fixed { width } => Encoding::SignMagnitude { bytes_per_element: width },
            input::Encoding::Bits { bits } => Encoding::Unsigned { bits_per_element: bits },
        },
        bytes: format.byte_len(elements),
        scale: format.scale.to_string(),
        offset: format.offset.to_string(),
        byte_order: ByteOrder::LittleEndian,
    }
}

fn answer(compiled: &Compiled, labels: Option<Vec<String>>) -> Answer {
    match compiled.optimised.answer_scale() {
        Some(scale) => Answer::Number { scale: scale.to_string() },
        None => {
            let own = match &compiled.graph.labels {
                graph::Labels::Indices => None,
                graph::Labels::Integers(labels) => Some(labels.iter().map(ToString::to_string).collect()),
                graph::Labels::Strings(labels) => Some(labels.clone()),
            };
            Answer::Class { classes: compiled.optimised.classes(), labels: labels.or(own) }
        }
    }
}

fn methods(compiled: &Compiled) -> Vec<Method> {
    let method = |method: guard::Method| Method {
        name: method.name.into(),
        script_code_start: compiled.locking().script_code(&method),
        pushes: method.pushes.into_iter().map(|item| push(compiled, item)).collect(),
    };
    compiled.guard.methods(compiled.contract).into_iter().map(method).collect()
}

fn push(compiled: &Compiled, item: Item) -> Push {
    let (kind, bytes, value) = match item {
        Item::Signature => (PushKind::Signature, None, None),
        Item::PublicKey => (PushKind::PublicKey, None, None),
        Item::Claim => (PushKind::Number, None, None),
        Item::Input => (PushKind::Bytes, Some(compiled.ir.input.byte_len(compiled.ir.values[0].len())), None),
        Item::Headers => (PushKind::Bytes, compiled.guard.header_bytes(), None),
        Item::Salt | Item::BeforeCommitment | Item::BehindCommitment | Item::MerkleBranch => {
            (PushKind::Bytes, None, None)
        }
        Item::Preimage => (PushKind::Preimage, None, None),
        Item::Selector(value) => (PushKind::Number, None, Some(value)),
    };
    Push { name: item.name().into(), kind, bytes, value }
}

fn limits(compiled: &Compiled) -> Limits {
    let needs = report::limits::needs(compiled);
    Limits {
        unlocking_bytes: needs.unlocking_bytes,
        number_bytes: needs.number_bytes,
        stack_items: needs.stack_items,
        stack_bytes: needs.stack_bytes,
        mempool_microseconds: needs.mempool_us,
    }
}

impl From<target::Target> for Target {
    fn from(target: target::Target) -> Self {
        Target {
            era: match target.era {
                target::Era::Genesis => Era::Genesis,
                target::Era::Chronicle => Era::Chronicle,
            },
            rules: match target.rules {
                target::Rules::Policy => Rules::Policy,
                target::Rules::Consensus => Rules::Consensus,
            },
        }
    }
}

impl From<Target> for target::Target {
    fn from(target: Target) -> Self {
        target::Target {
            era: match target.era {
                Era::Genesis => target::Era::Genesis,
                Era::Chronicle => target::Era::Chronicle,
            },
            rules: match target.rules {
                Rules::Policy => target::Rules::Policy,
                Rules::Consensus => target::Rules::Consensus,
            },
        }
    }
}
