//! From the bignum program to a script: where each value lies, and how operands get to the top.
//!
//! - `liveness` knows when each value is needed next;
//! - `machine` holds both stacks at compile time and emits what moves them;
//! - `schedule` chooses the moves: last use by ROLL, other uses by PICK, the shortest of several
//!   operand orders, results that are needed late to the alt stack;
//! - `peephole` shortens what is left;
//! - `shuffle` says what stack opcodes do, for the checker and the listing;
//! - `checker` proves, from the bytes alone and sharing no code with the others, that the script
//!   computes the program.
//!
//! The scheduler's working rule: what is needed soonest lies on top, and the alt stack is sorted by next
//! use, so that it gives back what is needed when it is needed. Every step looks at the top of the
//! stacks only, so the whole is near-linear in the length of the program.

pub mod checker;
mod liveness;
mod machine;
mod peephole;
mod schedule;
pub mod shuffle;

pub use checker::check;
pub use schedule::{Layout, schedule};
