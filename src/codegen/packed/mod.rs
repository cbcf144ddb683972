//! The packed strategy: a dense layer as a few products of big numbers, in not much more code than its
//! weights take.
//!
//! A layer's inputs lie as [`units`] one behind the other. They are spread a row apart, multiplied with the
//! [`weights`], part by part and chunk by chunk ([`product`]), and the sums cut out as [`lanes`] of one string, which
//! is again a string of units for the next layer. [`geometry`] has all lengths.
//!
//! Nothing here is trusted to keep lanes apart: [`crate::bignum::lanes`] proves it from the program alone, for
//! every input of the length that the contract checks.

mod argmax;
mod curve;
mod emit;
mod geometry;
mod lanes;
pub(super) mod layer;
pub(super) mod plan;
mod product;
mod rows;
pub(super) mod stages;
#[cfg(test)]
mod testing;
mod units;
pub(super) mod weights;

pub(super) use self::curve::LaneCurve;
pub(super) use self::emit::Emit;
use self::layer::{Purpose, Tuning};
use self::stages::Network;
pub(super) use self::units::Units;
use super::emitted::Form;
use super::landmark::{Held, Landmark};
use super::unrolled::Unrolled;
use crate::bignum::ValueId as NumberId;
use crate::ir::ValueId;

/// How a dense layer is emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// A push for every weight.
    Unrolled,
    /// Big-number products.
    Packed(Tuning),
    /// Input by input, in lanes of so many bits.
    Rows(usize),
}

/// Where a vector is between two layers.
#[derive(Debug, Clone)]
pub(super) enum Flow {
    /// The bytes that the unlocking script pushed.
    Input(NumberId),
    /// Units of an IR value.
    Units(Units, ValueId),
    /// Numbers, made by unrolled code as it needs them.
    Numbers(ValueId),
    /// The answer: nothing is left to do.
    Class(NumberId),
}

/// Emits layers `from..` of a network as chosen, from what those before left.
pub(super) fn layers(
    unrolled: &mut Unrolled<'_>,
    network: &Network<'_>,
    from: usize,
    choices: &[Choice],
    mut flow: Flow,
) -> Flow {
    let input = if let Flow::Input(input) = flow { Some(input) } else { None };
    for (index, choice) in choices.iter().enumerate() {
        flow = match (arrival(network, from + index, flow), input) {
            // Several layers may take the input, each its own copy.
            (Flow::Numbers(0), Some(input)) => Flow::Input(input),
            (flow, _) => flow,
        };
        flow = layer(unrolled, network, from + index, *choice, flow);
        let next_packed = choices.get(index + 1).is_none_or(|next| matches!(next, Choice::Packed(_)));
        let next = network.stages.get(from + index + 1).map(|stage| stage.input);
        if let (Flow::Numbers(_), true, Some(next), true) = (&flow, next_packed, next, network.is_chain) {
            flow = Flow::Units(of_numbers(unrolled, next), next);
        }
    }
    flow
}

/// What a layer takes, where the one before it left something: the same only if that is its operand.
fn arrival(network: &Network<'_>, index: usize, flow: Flow) -> Flow {
    let wanted = network.stages[index].input;
    match flow {
        Flow::Units(units, value) if value == wanted => Flow::Units(units, value),
        Flow::Input(input) if index == 0 => Flow::Input(input),
        flow if index == 0 => flow,
        _ => Flow::Numbers(wanted),
    }
}

/// The answer, from what the last layer left.
pub(super) fn answer(unrolled: &mut Unrolled<'_>, flow: Flow) -> NumberId {
    if let Flow::Class(class) = flow {
        return class;
    }
    hand_over(unrolled, flow);
    unrolled.answer(unrolled.ir.output())
}

fn layer(unrolled: &mut Unrolled<'_>, network: &Network<'_>, index: usize, choice: Choice, flow: Flow) -> Flow {
    let (ir, stage) = (unrolled.ir, &network.stages[index]);
    let purpose = network.purpose(index);
    if let (Flow::Input(input), true) = (&flow, network.unpacks_input && !network.is_chain) {
        unpack(unrolled, *input);
    }
    let (lanes, shift) = match choice {
        Choice::Packed(tuning) => {
            let units = into_units(unrolled, flow, stage.input);
            mark(unrolled, stage.input, &units, 1, false);
            let products = layer::geometry(stage, &units, tuning).products(tuning.by_parts);
            unrolled.packed.push((stage.matmul, Form::Products(products)));
            let mut emit = Emit::new(unrolled.builder, ir, stage.matmul);
            layer::lanes(&mut emit, ir, stage, &units, tuning, purpose)
        }
        Choice::Rows(stride) => {
            let numbers = into_list(unrolled, flow, stage.input, stage.weights.rows);
            unrolled.packed.push((stage.matmul, Form::Rows { lane_bits: stride }));
            let mut emit = Emit::new(unrolled.builder, ir, stage.matmul);
            rows::lanes(&mut emit, ir, stage, &numbers, stride, purpose)
        }
        Choice::Unrolled => {
            hand_over(unrolled, flow);
            return Flow::Numbers(stage.packed);
        }
    };
    let mut emit = Emit::new(unrolled.builder, ir, stage.matmul);
    let units = lanes.into_units(&mut emit, shift);
    if let Purpose::Class(tie) = purpose {
        mark(unrolled, stage.biased, &units, stage.weights.columns, argmax::is_negated(tie));
        let mut emit = Emit::new(unrolled.builder, ir, ir.output());
        return Flow::Class(argmax::class(&mut emit, &units, stage.weights.columns, tie));
    }
    mark(unrolled, stage.packed, &units, 1, false);
    match stage.leaves_numbers {
        false => Flow::Units(units, stage.packed),
        true if network.feeds_next(index) => {
            into_numbers(unrolled, units.clone(), stage.packed);
            Flow::Units(units, stage.packed)
        }
        true => {
            into_numbers(unrolled, units, stage.packed);
            Flow::Numbers(stage.packed)
        }
    }
}

/// Says where an IR value lies.
fn mark(unrolled: &mut Unrolled<'_>, value: ValueId, units: &Units, factor: usize, negated: bool) {
    let form = Held::Lanes(units.form(factor.into(), negated));
    let landmark = Landmark { value, held: units.string, form };
    if !unrolled.landmarks.contains(&landmark) {
        unrolled.landmarks.push(landmark);
    }
}

impl Network<'_> {
    fn is_last(&self, index: usize) -> bool {
        index + 1 == self.stages.len()
    }

    /// Whether the next layer takes what packed code makes of a layer, whoever else does.
    fn feeds_next(&self, index: usize) -> bool {
        self.stages.get(index + 1).is_some_and(|next| next.input == self.stages[index].packed)
    }

    /// What a layer's lanes are for.
    pub(super) fn purpose(&self, index: usize) -> Purpose {
        let stage = &self.stages[index];
        match stage.relu {
            true => Purpose::Relu,
            false => match self.tie {
                Some(tie) if self.is_last(index) && !stage.leaves_numbers => Purpose::Class(tie),
                _ => Purpose::Sums,
            },
        }
    }
}

/// Leaves a vector to unrolled code.
fn hand_over(unrolled: &mut Unrolled<'_>, flow: Flow) {
    match flow {
        Flow::Input(input) => unpack(unrolled, input),
        Flow::Units(units, value) => into_numbers(unrolled, units, value),
        Flow::Numbers(_) | Flow::Class(_) => {}
    }
}

/// All elements as numbers.
fn into_list(unrolled: &mut Unrolled<'_>, flow: Flow, first: ValueId, len: usize) -> Vec<(usize, NumberId)> {
    let value = match flow {
        Flow::Units(units, value) => return units.into_numbers(&mut Emit::new(unrolled.builder, unrolled.ir, value)),
        Flow::Input(input) => {
            unpack(unrolled, input);
            first
        }
        Flow::Numbers(value) => value,
        Flow::Class(_) => unreachable!("nothing follows the class"),
    };
    (0..len).map(|element| (element, unrolled.number(value, element))).collect()
}

/// Cuts the input into numbers, once.
fn unpack(unrolled: &mut Unrolled<'_>, input: NumberId) {
    if !unrolled.is_made(0) {
        unrolled.unpack(input);
    }
}

/// Takes the units of an IR value apart for unrolled code, once.
fn into_numbers(unrolled: &mut Unrolled<'_>, units: Units, value: ValueId) {
    if unrolled.is_made(value) {
        return;
    }
    let numbers = units.into_numbers(&mut Emit::new(unrolled.builder, unrolled.ir, value));
    numbers.into_iter().for_each(|(element, number)| unrolled.take(value, element, number));
}

fn into_units(unrolled: &mut Unrolled<'_>, flow: Flow, first: ValueId) -> Units {
    let ir = unrolled.ir;
    match flow {
        Flow::Units(units, _) => units,
        Flow::Input(input) if first == 0 => {
            let mut emit = Emit::new(unrolled.builder, ir, 0);
            Units::of_input(&mut emit, input, &ir.input, ir.values[0].len())
        }
        Flow::Input(input) => {
            unpack(unrolled, input);
            of_numbers(unrolled, first)
        }
        Flow::Numbers(value) => of_numbers(unrolled, value),
        Flow::Class(_) => unreachable!("nothing follows the class"),
    }
}

fn of_numbers(unrolled: &mut Unrolled<'_>, value: ValueId) -> Units {
    let ir = unrolled.ir;
    if let (false, Some(units)) = (unrolled.is_made(value), unrolled.lane_curve(value)) {
        return units;
    }
    let numbers: Vec<NumberId> = (0..ir.values[value].len()).map(|index| unrolled.number(value, index)).collect();
    Units::of_numbers(&mut Emit::new(unrolled.builder, ir, value), &numbers, &ir.values[value].hull())
}
