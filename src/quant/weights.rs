//! Weights as integers.

use num_traits::ToPrimitive;

use super::{Weights, decimal};
use crate::error::Problem;
use crate::graph;
use crate::ir;

/// Quantises the weights of one layer.
pub(super) fn quantise(
    weights: &graph::Matrix,
    choice: &Weights,
    origin: &graph::Origin,
) -> Result<ir::Matrix, Problem> {
    let Weights::Fixed { unit } = choice;
    let integer = |&weight: &f64| {
        let steps = decimal::steps(weight, unit).and_then(|steps| steps.to_i64());
        // The most negative integer has no counterpart; leave it out so that weights can be negated.
        steps.filter(|&steps| steps != i64::MIN).ok_or_else(|| {
            Problem::of_node(
                &origin.name,
                &origin.op,
                format!("its weight {weight} does not fit 63 bits at this scale"),
            )
            .help("give a coarser scale, as in --weights fixed:1e6")
        })
    };
    let elements = weights.elements.iter().map(integer).collect::<Result<Vec<i64>, Problem>>()?;
    Ok(ir::Matrix { rows: weights.rows, columns: weights.columns, elements, unit: unit.clone() })
}
