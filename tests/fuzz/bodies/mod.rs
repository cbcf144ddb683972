//! What fuzzing runs, one body a target: `cargo test --test fuzz` gives each some thousand inputs, the same on every
//! run; the crate in `fuzz/` gives them to libFuzzer.
//!
//! A body panics where something is wrong, and says whether its input was more than refused: tests that reach
//! nothing fail.

// Each fuzz target is a crate of its own and uses its part of this.
#![allow(dead_code)]

pub(crate) mod artifact;
mod choices;
pub(crate) mod data;
mod integers;
pub(crate) mod ir;
mod model;
mod network;
pub(crate) mod onnx;
pub(crate) mod script;
mod spend;
pub(crate) mod tampered;
pub(crate) mod text;
