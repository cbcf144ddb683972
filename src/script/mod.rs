//! Scripts as data: opcodes, numbers, pushes and the instructions made of them.

pub mod code;
pub mod number;
pub mod opcode;
pub mod push;

pub use code::{Code, Instruction, Script};
