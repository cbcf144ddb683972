//! How dense layers were emitted: what a cost model chose, for people to read.

use std::sync::Arc;

use super::packed::weights::Digits;
use crate::ir::{Ir, LayerId, Matrix, ValueId};

/// How a dense layer was emitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// The layer.
    pub layer: LayerId,
    /// How many weights it has.
    pub weights: usize,
    /// The fewest bits that hold any of its weights, each output's zero point added.
    pub bits: usize,
    /// What its code is like.
    pub form: Form,
}

/// What the code of a dense layer is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A push and a few instructions for every weight.
    Unrolled,
    /// A product for every input: with all its weights at once, a lane each.
    Rows {
        /// Bits a lane: what a sum has room for.
        lane_bits: usize,
    },
    /// A product for many inputs and all their weights at once.
    Products(Products),
}

/// How the products of a packed layer are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Products {
    /// Bits that each weight is stored in.
    pub bits: usize,
    /// Bits a lane: what a sum has room for.
    pub lane_bits: usize,
    /// Parts of a row, each in lanes of its own: so many weights lie in the width of a lane.
    pub parts: usize,
    /// Bytes a row: the weights from one input, and what keeps rows apart.
    pub row_bytes: usize,
    /// Rows a chunk: so many inputs one product takes.
    pub rows: usize,
    /// How many chunks there are.
    pub chunks: usize,
    /// Part by part, over all chunks; else chunk by chunk, all parts.
    pub by_parts: bool,
}

impl Emitted {
    /// Bytes of the weights alone.
    pub fn own_bytes(&self) -> usize {
        (self.weights * self.bits).div_ceil(8)
    }

    /// All dense layers of a network; `packed` says which IR values are made by packed code, and how.
    pub(super) fn layers(ir: &Ir, packed: &[(ValueId, Form)]) -> Vec<Emitted> {
        let emitted = |(id, weights): (ValueId, &Arc<Matrix>)| Emitted {
            layer: ir.values[id].layer,
            weights: weights.elements.len(),
            bits: Digits::new(weights, false).bits,
            form: packed.iter().find(|(value, _)| *value == id).map_or(Form::Unrolled, |(_, form)| *form),
        };
        let values = ir.values.iter().enumerate();
        values.filter_map(|(id, value)| Some((id, value.op.weights()?))).map(emitted).collect()
    }
}
