//! The bignum program: straight-line SSA over script numbers and byte strings, whose operations are
//! Script's own.
//!
//! It knows what each instruction does and what is proved of each value, but not where values lie:
//! that is [`crate::stack`]'s business. Invariants, checked by [`verify`]:
//! 1. operands are defined before their users;
//! 2. the type of a value (an interval for numbers; length and largest value for byte strings) is what
//!    its instruction and its operands make it; of a constant, what its bytes are;
//! 3. arithmetic takes numbers, splicing takes byte strings of known length (or numbers, which are byte strings, where
//!    they are never shorter than needed); positions lie inside;
//! 4. every number, operand or result, fits the target's number limit;
//! 5. divisors are constants other than zero;
//! 6. what the unlocking script pushes is touched by nothing but a check of its length or a comparison;
//! 7. the number of items that the unlocking script left is checked, once;
//! 8. where bits are read, no lane can have left its place (see [`lanes`]).

mod builder;
mod eval;
pub mod lanes;
mod print;
mod transfer;
mod verify;

use std::fmt;
use std::sync::Arc;

use num_bigint::BigInt;

pub use builder::Builder;
pub use eval::{EvalError, eval, eval_all};
pub use lanes::Detail;
pub use print::print;
pub use verify::verify;

use crate::ir::Interval;
use crate::script::opcode::Opcode;

/// Index of a value.
pub type ValueId = usize;

/// A straight-line program.
#[derive(Debug, Clone)]
pub struct Program {
    /// Inputs, constants and results.
    pub values: Vec<Value>,
    /// Instructions, in order.
    pub instructions: Vec<Instruction>,
    /// What the unlocking script pushes, first push first.
    pub inputs: Vec<ValueId>,
    /// How many items lie beneath those, which are not the program's to touch.
    pub below: usize,
    /// What is left on the stack.
    pub result: ValueId,
    /// Where instructions come from.
    pub origins: Vec<Origin>,
}

/// A value of a program.
#[derive(Debug, Clone)]
pub struct Value {
    /// What it is.
    pub definition: Definition,
    /// What is proved of it.
    pub kind: Kind,
    /// What is proved of its bits.
    pub detail: Detail,
    /// What a listing calls it.
    pub name: Name,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// A push of the unlocking script, counted from the first.
    Input(usize),
    /// A constant, as its bytes on the stack.
    Constant(Vec<u8>),
    /// A result of an instruction, counted from the deepest.
    Result {
        /// Index of the instruction.
        instruction: usize,
        /// Which of its results.
        slot: usize,
    },
}

/// What is proved of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A minimally encoded script number.
    Number(Interval),
    /// A byte string of known length.
    Bytes {
        /// Its length.
        len: usize,
        /// The most it can be as an unsigned little-endian number; `None` where that is all its length
        /// allows. (A number for each rest of a long input would take memory by the square of its length.)
        most: Option<BigInt>,
    },
    /// A byte string that holds no more than this many bytes: nothing may use it.
    Rest {
        /// The most bytes it can have.
        most: usize,
    },
    /// Whatever the unlocking script pushed.
    Untrusted,
}

/// A name such as `dense1[12]`, with the step that made this version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What it is.
    pub base: Arc<str>,
    /// Which element.
    pub element: Option<u32>,
}

/// Where instructions come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The layer's label.
    pub layer: Arc<str>,
    /// The step within the layer, as the IR or the contract calls it.
    pub step: Arc<str>,
    /// The ONNX node, or empty.
    pub onnx_node: Arc<str>,
}

/// An operation and its operands.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// Operands, deepest first; as many as [`Op::arity`] says.
    pub operands: Vec<ValueId>,
    /// Its first result; others follow it.
    pub result: ValueId,
    /// Index into [`Program::origins`].
    pub origin: u32,
}

/// Operations: each an opcode, but for the two checks at the entry and one that only says where a value is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// Fails unless the unlocking script left exactly this many items.
    CheckDepth(usize),
    /// Fails unless the operand has exactly this many bytes; gives it back.
    CheckLength(usize),
    /// The operand itself, at no cost: says that a sweep passes over it here (see [`crate::stack`]).
    Keep,
    /// A constant, put on the stack once to be copied from there.
    Load,
    /// A byte string of checked length, at no cost: says that it is units of so many bytes, any value each.
    View(usize),
    /// A number, at no cost: says that it is going to be a lane.
    Lane,
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient, toward zero.
    Div,
    /// Remainder, with the dividend's sign.
    Mod,
    /// Negation.
    Negate,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// The first bytes up to a position, and the rest.
    Split,
    /// Two byte strings, one behind the other.
    Cat,
    /// A byte string read as a number.
    BinToNum,
    /// A number written to a number of bytes.
    NumToBin,
    /// The bits that two byte strings of equal length share.
    And,
    /// Whether two byte strings are the same.
    Equal,
    /// Whether the first number is the larger one.
    GreaterThan,
}

impl Op {
    /// How many operands it takes.
    pub fn arity(self) -> usize {
        match self {
            Op::CheckDepth(_) => 0,
            Op::CheckLength(_) | Op::Keep | Op::Load | Op::View(_) | Op::Lane | Op::Negate | Op::BinToNum => 1,
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Mod | Op::Min | Op::Max => 2,
            Op::Split | Op::Cat | Op::Equal | Op::GreaterThan | Op::NumToBin | Op::And => 2,
        }
    }

    /// How many results it gives.
    pub fn results(self) -> usize {
        match self {
            Op::CheckDepth(_) => 0,
            Op::Split => 2,
            _ => 1,
        }
    }

    /// Whether its operands may change places.
    pub fn is_commutative(self) -> bool {
        matches!(self, Op::Add | Op::Mul | Op::Min | Op::Max | Op::Equal | Op::And)
    }

    /// The opcode that does it; `None` for the checks, which take several, and for what takes none.
    pub fn opcode(self) -> Option<Opcode> {
        Some(match self {
            Op::CheckDepth(_) | Op::CheckLength(_) | Op::Keep | Op::Load | Op::View(_) | Op::Lane => return None,
            Op::Add => Opcode::ADD,
            Op::Sub => Opcode::SUB,
            Op::Mul => Opcode::MUL,
            Op::Div => Opcode::DIV,
            Op::Mod => Opcode::MOD,
            Op::Negate => Opcode::NEGATE,
            Op::Min => Opcode::MIN,
            Op::Max => Opcode::MAX,
            Op::Split => Opcode::SPLIT,
            Op::Cat => Opcode::CAT,
            Op::BinToNum => Opcode::BIN2NUM,
            Op::NumToBin => Opcode::NUM2BIN,
            Op::And => Opcode::AND,
            Op::Equal => Opcode::EQUAL,
            Op::GreaterThan => Opcode::GREATERTHAN,
        })
    }
}

impl Program {
    /// The bytes of a constant.
    pub fn constant(&self, id: ValueId) -> Option<&[u8]> {
        match &self.values[id].definition {
            Definition::Constant(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The bytes of a value, where they are the same for every input.
    pub fn known(&self, id: ValueId) -> Option<&[u8]> {
        match &self.values[id].detail {
            Detail::Known(bytes) => Some(bytes),
            _ => self.constant(id),
        }
    }
}

impl Value {
    /// The most bytes that it can have on a stack; 0 for what the unlocking script pushes until its length is checked.
    pub fn most_bytes(&self) -> usize {
        match (&self.definition, &self.kind) {
            (Definition::Constant(bytes), _) => bytes.len(),
            (_, Kind::Number(interval)) => interval.encoded_len(),
            (_, Kind::Bytes { len, .. } | Kind::Rest { most: len }) => *len,
            (_, Kind::Untrusted) => 0,
        }
    }
}

impl Kind {
    /// Any byte string of a length.
    pub fn bytes(len: usize) -> Kind {
        Kind::Bytes { len, most: None }
    }

    /// What it is, in words short enough for a message.
    pub(crate) fn describe(&self) -> String {
        match self {
            Kind::Number(interval) if interval.encoded_len() > 16 => {
                format!("a number of up to {} bytes", interval.encoded_len())
            }
            Kind::Number(interval) => interval.to_string(),
            Kind::Bytes { len, .. } => format!("{len} bytes"),
            Kind::Rest { most } => format!("at most {most} bytes"),
            Kind::Untrusted => "untrusted".into(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)?;
        match self.element {
            Some(element) => write!(f, "[{element}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::CheckDepth(items) => write!(f, "check_depth {items}"),
            Op::CheckLength(bytes) => write!(f, "check_length {bytes}"),
            Op::Keep => f.write_str("keep"),
            Op::Load => f.write_str("load"),
            Op::Lane => f.write_str("lane"),
            Op::View(unit) => write!(f, "view {unit}"),
            op => f.write_str(&op.opcode().map_or(String::new(), |opcode| opcode.name().to_lowercase())),
        }
    }
}
