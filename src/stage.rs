//! What the compiler is doing, for whoever waits for it.

use std::fmt;

/// Hears of stages as they begin.
pub type Watch<'a> = dyn Fn(Stage) + 'a;

/// A stage of [`compile`](crate::compile).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The model becomes a graph.
    Reading,
    /// Weights become integers.
    Quantising,
    /// The passes run.
    Optimising,
    /// The network becomes a straight-line program.
    Generating,
    /// No number of the program exceeds its bounds.
    Proving,
    /// The program is laid out on the stacks.
    Scheduling,
    /// The bytes do what the program says.
    Checking,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Reading => "reading the model",
            Stage::Quantising => "making weights integers",
            Stage::Optimising => "optimising the network",
            Stage::Generating => "packing layers and generating code",
            Stage::Proving => "proving bounds of every number",
            Stage::Scheduling => "laying out the stacks",
            Stage::Checking => "checking the script against the program",
        })
    }
}
