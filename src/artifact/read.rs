//! Reading artifacts: whatever the bytes, an artifact that holds together or a reason why not.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::FromHex;
use num_rational::BigRational;
use num_traits::Signed;
use serde::Deserialize;

use super::{Answer, Artifact, Encoding, Kind, Range, VERSION, build, map};
use crate::codegen::Contract;
use crate::data::Wanted;
use crate::guard::{CommitReveal, Guard, Payee, Refund};
use crate::input::{self, InputFormat};

/// Why a file is no artifact that this version can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub(super) String);

impl Unreadable {
    /// A reason, its middle left out where it is long: it may quote the file, and be as long as that.
    pub(super) fn new(reason: String) -> Self {
        const SHOWN: usize = 400;
        let length = reason.chars().count();
        if length <= 2 * SHOWN {
            return Unreadable(reason);
        }
        let begin: String = reason.chars().take(SHOWN).collect();
        let end: String = reason.chars().skip(length - SHOWN).collect();
        Unreadable(format!("{begin} ... {end}"))
    }
}

/// What is read before anything else.
#[derive(Deserialize)]
struct Versioned {
    version: Option<u64>,
}

impl Artifact {
    /// Reads an artifact, and checks that it holds together.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Artifact, Unreadable> {
        let wrong = |error: serde_json::Error| Unreadable::new(format!("is no contract artifact: {error}"));
        let versioned: Versioned = serde_json::from_slice(json).map_err(wrong)?;
        if let Some(version) = versioned.version.filter(|&version| version != u64::from(VERSION)) {
            return Err(Unreadable::new(format!(
                "is an artifact of version {version}, this compiler reads version {VERSION}\n  help: use the compiler that \
                 made it, or compile the model again"
            )));
        }
        let artifact: Artifact = serde_json::from_slice(json).map_err(wrong)?;
        artifact.check().map_err(|reason| Unreadable::new(format!("does not hold together: {reason}")))?;
        Ok(artifact)
    }

    /// The artifact as JSON, a line end at its end.
    ///
    /// # Panics
    /// Never: all of its keys are strings.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("keys are strings") + "\n"
    }

    /// Invariants 1 to 4, and what else code here relies on.
    fn check(&self) -> Result<(), String> {
        let script =
            Vec::<u8>::from_hex(&self.locking_script.hex).map_err(|error| format!("lockingScript: {error}"))?;
        self.check_script(&script)?;
        self.check_map()?;
        self.check_input()?;
        self.check_terms()?;
        self.check_guard(&script)
    }

    fn check_script(&self, script: &[u8]) -> Result<(), String> {
        let told = &self.locking_script;
        if sha256::Hash::hash(script).to_string() != told.sha256 {
            return Err("the SHA-256 of the locking script is not the one told".into());
        }
        let ordered = told.network_start < told.network_end && told.network_end <= script.len();
        if script.len() != told.bytes || !ordered {
            return Err("the locking script has another length than told, or the network does not lie in it".into());
        }
        Ok(())
    }

    fn check_map(&self) -> Result<(), String> {
        let mut end = 0;
        for range in &self.source_map {
            if range.start != end || range.end < range.start {
                return Err(format!("sourceMap: a range at {} where {end} comes next", range.start));
            }
            if range.instructions > range.end - range.start {
                return Err(format!("sourceMap: more instructions than bytes at {}", range.start));
            }
            end = range.end;
        }
        if end != self.locking_script.bytes {
            return Err(format!("sourceMap: ends at {end}"));
        }
        // A guard's code stands in front of the network's and behind it, nowhere else.
        let network: Vec<&Range> = self.source_map.iter().filter(|range| range.layer != map::GUARD).collect();
        let (start, end) = network.first().zip(network.last()).map_or((0, 0), |(first, last)| (first.start, last.end));
        match (start, end) == (self.locking_script.network_start, self.locking_script.network_end) {
            true => Ok(()),
            false => Err("lockingScript: the network begins or ends elsewhere than the source map says".into()),
        }
    }

    fn check_input(&self) -> Result<(), String> {
        let input = &self.abi.input;
        let format = self.read_format()?;
        let elements = input.shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
        if elements != Some(input.elements) || input.elements == 0 {
            return Err(format!("abi.input: {} elements of shape {:?}", input.elements, input.shape));
        }
        let bytes = format.width().checked_mul(input.elements.div_ceil(format.sharing()));
        if bytes == Some(input.bytes) { Ok(()) } else { Err(format!("abi.input: {} bytes", input.bytes)) }
    }

    fn check_terms(&self) -> Result<(), String> {
        let terms = &self.contract;
        if (terms.kind == Kind::Expect) != terms.expected.is_some() {
            return Err("contract: `expected` goes with kind `expect`".into());
        }
        if let Answer::Class { classes, labels: Some(labels) } = &self.abi.answer
            && labels.len() != *classes
        {
            return Err(format!("abi.answer: {} labels for {classes} classes", labels.len()));
        }
        if let Answer::Number { scale } = &self.abi.answer {
            positive(scale)?;
        }
        Ok(())
    }

    /// Who is paid, and when, is what the script does, not only what the artifact says of it.
    fn check_guard(&self, script: &[u8]) -> Result<(), String> {
        let (contract, guard) = (self.read_contract(), self.read_guard()?);
        guard.check(contract).map_err(|problem| problem.to_string())?;
        let (told, [before, behind]) = (&self.locking_script, guard.bytes(contract));
        if script[..told.network_start] != before || script[told.network_end..] != behind {
            return Err("the code around the network is not that of who may spend, as `contract` tells it".into());
        }
        match build::methods(&guard, contract, told.network_end, self.abi.input.bytes) == self.abi.methods {
            true => Ok(()),
            false => Err("abi.methods: not the ways of spending that `contract` tells of".into()),
        }
    }

    fn read_contract(&self) -> Contract {
        match self.contract.kind {
            Kind::Claim => Contract::Claim,
            Kind::Class => Contract::Class,
            Kind::Expect => Contract::Expect(self.contract.expected.unwrap_or_default()),
        }
    }

    fn read_guard(&self) -> Result<Guard, String> {
        let terms = &self.contract;
        let payee = match (&terms.pay_to, self.read_commit_reveal().transpose()?) {
            (None, None) => Payee::Anyone,
            (Some(hash), None) => Payee::Key(hash.parse()?),
            (None, Some(terms)) => Payee::Committed(terms),
            (Some(_), Some(_)) => return Err("contract: `payTo` and `commitReveal` exclude each other".into()),
        };
        let refund = |told: &super::Refund| {
            Ok::<_, String>(Refund { key: told.key_hash.parse()?, lock_until: told.lock_until.to_string().parse()? })
        };
        Ok(Guard { payee, refund: terms.refund.as_ref().map(refund).transpose()? })
    }

    fn read_format(&self) -> Result<InputFormat, String> {
        let input = &self.abi.input;
        let encoding = match input.encoding {
            Encoding::SignMagnitude { bytes_per_element: width @ 1..=16 } => input::Encoding::Fixed { width },
            Encoding::Unsigned { bits_per_element: bits @ (1 | 2 | 4 | 8) } => input::Encoding::Bits { bits },
            _ => return Err("abi.input: no such width".into()),
        };
        Ok(InputFormat { encoding, scale: positive(&input.scale)?, offset: fraction(&input.offset)? })
    }

    /// How inputs are written.
    ///
    /// # Panics
    /// Never for an artifact that was read or built, as its fields are then.
    pub fn input_format(&self) -> InputFormat {
        self.read_format().expect("checked when it was read")
    }

    /// How many items lie beneath the network's own.
    ///
    /// # Panics
    /// As [`Artifact::input_format`].
    pub fn below(&self) -> usize {
        self.read_guard().expect("checked when it was read").below()
    }

    /// What samples must be like.
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted { shape: &self.abi.input.shape, whole_numbers: self.abi.input.integers }
    }

    /// What a step of one in the answer is worth, where that is a number.
    ///
    /// # Panics
    /// As [`Artifact::input_format`].
    pub fn answer_scale(&self) -> Option<BigRational> {
        match &self.abi.answer {
            Answer::Number { scale } => Some(fraction(scale).expect("checked when it was read")),
            Answer::Class { .. } => None,
        }
    }

    /// The locking script's bytes.
    ///
    /// # Panics
    /// As [`Artifact::input_format`].
    pub fn locking_bytes(&self) -> Vec<u8> {
        Vec::from_hex(&self.locking_script.hex).expect("checked when it was read")
    }

    /// What a commitment must be buried under, where the contract asks for one.
    ///
    /// # Panics
    /// As [`Artifact::input_format`].
    pub fn commit_reveal(&self) -> Option<CommitReveal> {
        self.read_commit_reveal().map(|terms| terms.expect("checked when it was read"))
    }

    fn read_commit_reveal(&self) -> Option<Result<CommitReveal, String>> {
        self.contract.commit_reveal.as_ref().map(|terms| format!("{}:{}", terms.blocks, terms.bits).parse())
    }
}

/// Digits of the longest fraction that is read.
const MOST_DIGITS: usize = 10_000;

fn fraction(text: &str) -> Result<BigRational, String> {
    let fraction = (text.len() <= MOST_DIGITS).then(|| text.parse().ok()).flatten();
    fraction.ok_or_else(|| format!("`{}` is no fraction", text.chars().take(40).collect::<String>()))
}

fn positive(text: &str) -> Result<BigRational, String> {
    let scale = fraction(text)?;
    if scale.is_positive() { Ok(scale) } else { Err(format!("scale {text}")) }
}
