//! What unlocking scripts push, in the manner of other compilers' artifacts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What unlocking scripts push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Abi {
    /// How an input is written.
    pub input: Input,
    /// What the network answers.
    pub answer: Answer,
    /// The ways of spending; the first one claims.
    pub methods: Vec<Method>,
}

/// How an input is written: element `v` is worth `v·scale + offset` to the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// What the model calls it.
    pub name: String,
    /// The model's shape for one sample, a batch of 1 included.
    pub shape: Vec<usize>,
    /// How many elements there are, in the order of the flattened shape.
    pub elements: usize,
    /// Whether the model itself takes integers.
    pub integers: bool,
    /// How one element is written.
    #[serde(flatten)]
    pub encoding: Encoding,
    /// Bytes of the whole input.
    pub bytes: usize,
    /// What a step of one is worth: a fraction, as in `1/255`.
    pub scale: String,
    /// What zero is worth: a fraction.
    pub offset: String,
    /// Which byte of an element, or which element of a byte, comes first.
    pub byte_order: ByteOrder,
}

/// How one element is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "encoding", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Encoding {
    /// The magnitude in so many bytes; the highest bit of the last one is the sign.
    SignMagnitude {
        /// Bytes an element.
        bytes_per_element: usize,
    },
    /// An unsigned integer of so many bits: 1, 2, 4 or 8.
    Unsigned {
        /// Bits an element.
        bits_per_element: usize,
    },
}

/// An order of bytes, or of the elements that share a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ByteOrder {
    /// The lowest first.
    LittleEndian,
}

/// What a network answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Answer {
    /// A class, from 0 on.
    Class {
        /// How many there are.
        classes: usize,
        /// What they are called, where they have names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        labels: Option<Vec<String>>,
    },
    /// An integer that stands for a number.
    Number {
        /// What a step of one is worth: a fraction.
        scale: String,
    },
}

/// A way of spending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    /// What it is called: `claim` or `refund`.
    pub name: String,
    /// Where the part of the locking script begins that its signatures hash.
    pub script_code_start: usize,
    /// What the unlocking script pushes, first push first; each by the shortest push there is.
    pub pushes: Vec<Push>,
}

/// An item that the unlocking script pushes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Push {
    /// What it is called.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: PushKind,
    /// How many bytes it must have, where that is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// The number that it must be, where that is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u8>,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PushKind {
    /// A number, in the shortest encoding there is (zero is empty).
    Number,
    /// A byte string.
    Bytes,
    /// A signature in DER and a byte, its hash type, which must hold FORKID.
    Signature,
    /// A public key, of 33 or 65 bytes.
    PublicKey,
    /// What a signature of the spending transaction hashes (BIP 143, FORKID). Its HASH256 must begin with a byte from 0x80
    /// to 0xfe (or with 0xff and one below 0x80): try other hash types, then another nSequence.
    Preimage,
}
