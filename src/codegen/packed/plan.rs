//! The cost model: which layers are packed, and how.
//!
//! Candidates are not guessed at but sketched: emitted and laid out as they would be, with sizes in place
//! of weights and bounds, which takes no longer than a formula and is right to the byte. A dynamic
//! program over the layers finds the best row of them; a layer's choice matters to the next one only by
//! the units that it leaves.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::layer::{self, Content, Tuning};
use super::stages::Network;
use super::units::Units;
use super::weights::Digits;
use super::{Choice, Flow, answer, layers, of_numbers};
use crate::bignum::Builder;
use crate::codegen::options::Optimise;
use crate::codegen::unrolled::Unrolled;
use crate::cost::{self, Cost};
use crate::ir::Ir;
use crate::stack::{Layout, schedule};

/// Widest lane, in bits: what the proofs of lanes can follow.
const WIDEST_LANE: usize = 118;

/// How many numbers of parts are tried, the fewest first.
const PARTS_TRIED: usize = 3;

/// Weights of small layers are stored wider where that takes no more than so many bytes: fewer parts save more.
const WIDENING_BYTES: usize = 640;

/// Weights of layers in row form take no more than so many bytes: above, products are shorter.
const LARGEST_ROWS: usize = 8192;

/// Widest digit of a weight that is tried for its own sake.
const WIDEST_DIGIT: usize = 16;

/// States kept between two layers.
const STATES: usize = 3;

/// How a network is to be emitted.
#[derive(Debug, Clone)]
pub(in crate::codegen) struct Plan {
    /// For each layer.
    pub(in crate::codegen) choices: Vec<Choice>,
    /// What the network is going to cost, entry and exit of the contract aside.
    pub(in crate::codegen) predicted: Cost,
}

/// What plans are made for.
pub(in crate::codegen) struct Planner<'i> {
    pub(in crate::codegen) ir: &'i Ir,
    pub(in crate::codegen) network: &'i Network<'i>,
    pub(in crate::codegen) layout: Layout,
    pub(in crate::codegen) optimise: Optimise,
    /// Longest number, in bytes.
    pub(in crate::codegen) number_bytes: usize,
    /// Bits that lanes are wider than they seem to need.
    pub(in crate::codegen) margin: usize,
    /// Whether layers may be unrolled.
    pub(in crate::codegen) mixed: bool,
}

/// What a part of a plan leaves.
#[derive(Clone)]
struct State {
    choices: Vec<Choice>,
    cost: Cost,
    flow: Flow,
}

impl Planner<'_> {
    /// The best plan; `None` where no layer can be packed.
    pub(in crate::codegen) fn plan(&self) -> Option<Plan> {
        if self.network.is_chain { self.plan_chain() } else { self.plan_branches() }
    }

    /// A plan for layers that do not form a chain: each layer in turn as it is cheapest behind those before it.
    fn plan_branches(&self) -> Option<Plan> {
        let mut choices: Vec<Choice> = Vec::new();
        for index in 0..self.network.stages.len() {
            let (_, flow) = self.sketch_ahead(&choices)?;
            let unrolled = self.mixed.then_some(Choice::Unrolled);
            let candidates = self.tunings(index, &flow).into_iter().chain(self.rows(index)).chain(unrolled);
            let cost =
                |choice: &Choice| Some(self.optimise.rank(&self.sketch_ahead(&[&choices[..], &[*choice]].concat())?.0));
            let costs = candidates.filter_map(|choice| Some((cost(&choice)?, choice)));
            choices.push(costs.min_by_key(|(cost, _)| *cost)?.1);
        }
        let (predicted, _) = self.sketch(0, &choices, &Flow::Input(0))?;
        Some(Plan { choices, predicted })
    }

    fn sketch_of(&self, bytes: usize) -> Builder {
        Builder::sketch(bytes).with_numbers_of(self.number_bytes)
    }

    /// What the first layers cost, until the numbers that the last of them makes lie side by side; and what the next layer gets.
    fn sketch_ahead(&self, choices: &[Choice]) -> Option<(Cost, Flow)> {
        let mut builder = self.sketch_of(self.ir.input.byte_len(self.ir.values[0].len()));
        let input = Flow::Input(builder.inputs()[0]);
        let mut unrolled = Unrolled::new(&mut builder, self.ir, true);
        let flow = layers(&mut unrolled, self.network, 0, choices, input.clone());
        let result = match (&flow, choices.len().checked_sub(1)) {
            (Flow::Units(units, _), _) => units.string,
            (Flow::Class(class), _) => *class,
            (_, None) => return Some((Cost::default(), input)),
            (_, Some(last)) => of_numbers(&mut unrolled, self.network.stages[last].packed).string,
        };
        let program = builder.finish(result).ok()?;
        let next = self.network.stages.get(choices.len()).map(|stage| stage.input);
        let flow = match (flow, next) {
            (Flow::Units(units, value), Some(next)) if value == next => Flow::Units(units, value),
            (_, Some(0)) => input,
            (_, Some(next)) => Flow::Numbers(next),
            (flow, None) => flow,
        };
        Some((cost::of_script(&program, &schedule(&program, self.layout)), flow))
    }

    fn plan_chain(&self) -> Option<Plan> {
        let layers = self.network.stages.len();
        let mut states: Vec<Vec<State>> = vec![vec![]; layers + 1];
        states[0].push(State { choices: vec![], cost: Cost::default(), flow: Flow::Input(0) });
        for index in 0..layers {
            for state in self.best_of_each_kind(std::mem::take(&mut states[index])) {
                for choices in self.steps(index, &state.flow) {
                    let next = self.extend(&state, index, &choices);
                    states[index + choices.len()].extend(next);
                }
            }
        }
        let best = states.pop()?.into_iter().min_by_key(|state| self.optimise.rank(&state.cost))?;
        Some(Plan { choices: best.choices, predicted: best.cost })
    }

    /// What can be done to the next layer, or layers: those that take numbers where the one before leaves
    /// numbers go with it, since nothing need be packed and unpacked between them.
    fn steps(&self, index: usize, flow: &Flow) -> Vec<Vec<Choice>> {
        let mut steps = match index.checked_sub(1) {
            Some(before) if self.leaves_numbers(before) => vec![],
            _ => self.on_numbers(index),
        };
        let packed = self.tunings(index, flow);
        let followers = if self.leaves_numbers(index) { self.on_numbers(index + 1) } else { vec![] };
        for &choice in self.rows(index).iter().chain(&packed) {
            steps.extend(followers.iter().map(|follower| [&[choice], &follower[..]].concat()));
        }
        steps.extend(packed.into_iter().map(|choice| vec![choice]));
        steps
    }

    /// Ways to go on from numbers without packing them.
    fn on_numbers(&self, index: usize) -> Vec<Vec<Choice>> {
        let layers = self.network.stages.len();
        if index >= layers {
            return vec![];
        }
        let unrolled = self.mixed && self.is_worth_unrolling(index);
        let rest = unrolled.then(|| vec![Choice::Unrolled; layers - index]);
        self.rows(index).map(|rows| vec![rows]).into_iter().chain(rest).collect()
    }

    /// Whether unrolled code ends a layer.
    fn leaves_numbers(&self, index: usize) -> bool {
        self.network.stages[index].leaves_numbers
    }

    /// Whether the layers from one on may well be smaller unrolled.
    fn is_worth_unrolling(&self, from: usize) -> bool {
        let layers = || self.network.stages[from..].iter().map(|stage| stage.weights);
        let nonzero: usize =
            layers().map(|weights| weights.elements.iter().filter(|weight| **weight != 0).count()).sum();
        let packed: usize = layers().map(|weights| weights.elements.len() * Digits::new(weights, false).bits / 8).sum();
        5 * nonzero <= packed + 3000
    }

    /// The best states, one for each kind of units that they leave.
    fn best_of_each_kind(&self, states: Vec<State>) -> Vec<State> {
        let mut best: BTreeMap<(usize, usize, usize), State> = BTreeMap::new();
        for state in states {
            let kind = match &state.flow {
                Flow::Units(units, _) => (units.unit, units.order.len(), units.extra),
                _ => (0, 0, 0),
            };
            let better =
                best.get(&kind).is_none_or(|held| self.optimise.rank(&state.cost) < self.optimise.rank(&held.cost));
            if better {
                best.insert(kind, state);
            }
        }
        let mut best: Vec<State> = best.into_values().collect();
        best.sort_by_key(|state| self.optimise.rank(&state.cost));
        best.truncate(STATES);
        best
    }

    /// A state and more layers.
    fn extend(&self, state: &State, from: usize, choices: &[Choice]) -> Option<State> {
        let (cost, flow) = self.sketch(from, choices, &state.flow)?;
        let mut next = State { choices: [&state.choices, choices].concat(), cost: state.cost, flow };
        next.cost += cost;
        Some(next)
    }

    /// What layers cost, and what they leave.
    fn sketch(&self, from: usize, choices: &[Choice], flow: &Flow) -> Option<(Cost, Flow)> {
        let bytes = match flow {
            Flow::Units(units, _) => units.order.len() * units.unit + units.extra,
            _ => self.ir.input.byte_len(self.ir.values[0].len()),
        };
        let mut builder = self.sketch_of(bytes);
        let string = builder.inputs()[0];
        let flow = match flow {
            Flow::Units(units, value) => Flow::Units(Units { string, ..units.clone() }, *value),
            _ => Flow::Input(string),
        };
        let mut unrolled = Unrolled::new(&mut builder, self.ir, true);
        let mut flow = layers(&mut unrolled, self.network, from, choices, flow);
        let result = match &flow {
            Flow::Units(units, _) if from + choices.len() < self.network.stages.len() => units.string,
            _ => {
                let answer = answer(&mut unrolled, flow);
                flow = Flow::Class(answer);
                answer
            }
        };
        let program = builder.finish(result).ok()?;
        Some((cost::of_script(&program, &schedule(&program, self.layout)), flow))
    }

    /// What a layer can be tuned to, for what the one before it leaves.
    fn tunings(&self, index: usize, flow: &Flow) -> Vec<Choice> {
        let stage = &self.network.stages[index];
        let purpose = self.network.purpose(index);
        let content = Content::new(stage, &self.ir.values[stage.biased].intervals, purpose);
        let digits = Digits::new(stage.weights, content.negated);
        let units = self.units(index, flow);
        let bits = content.bits.max(self.bits_of_partial_sums(index, &digits, &content, &units)) + self.margin;
        let (mut tunings, even) = (Vec::new(), self.is_even());
        for digit_bits in self.digit_bits(index, digits.bits) {
            for parts in self.part_counts(index, digit_bits, &units, bits) {
                for chunks in self.chunk_counts(index, digit_bits, &units, parts) {
                    let orders: &[bool] = if parts > 1 && chunks > 1 { &[false, true] } else { &[false] };
                    tunings.extend(
                        orders.iter().map(|&by_parts| {
                            Choice::Packed(Tuning { bits: digit_bits, parts, chunks, by_parts, even })
                        }),
                    );
                }
            }
        }
        tunings
    }

    /// The row form, where it may pay: lanes of whole bytes.
    fn rows(&self, index: usize) -> Option<Choice> {
        let stage = &self.network.stages[index];
        let bits = Content::new(stage, &self.ir.values[stage.biased].intervals, self.network.purpose(index)).bits;
        let stride = (bits + self.margin).next_multiple_of(8);
        let bytes = stage.weights.elements.len() * stride / 8;
        (stride <= WIDEST_LANE && bytes <= LARGEST_ROWS).then_some(Choice::Rows(stride))
    }

    /// Whether time counts: it takes a few bytes a chunk to make factors equally long.
    fn is_even(&self) -> bool {
        self.optimise != Optimise::Size
    }

    /// How wide weights may be stored: as narrow as they are, or wider where that takes little.
    fn digit_bits(&self, index: usize, fewest: usize) -> Vec<usize> {
        let weights = self.network.stages[index].weights.elements.len();
        let affordable = (8 * WIDENING_BYTES / weights.max(1)).min(WIDEST_DIGIT.saturating_sub(fewest));
        (fewest..=fewest + affordable).collect()
    }

    /// Into how many parts rows may be cut for lanes of so many bits.
    fn part_counts(&self, index: usize, digit_bits: usize, units: &Units, lane_bits: usize) -> Vec<usize> {
        let fewest = lane_bits.div_ceil(digit_bits);
        let most = (WIDEST_LANE / digit_bits).min(2 * fewest + 4);
        let mut parts: Vec<usize> = (fewest..=most).collect();
        parts.sort_by_key(|&parts| (layer::row(&self.network.stages[index], digit_bits, units, parts), parts));
        parts.truncate(PARTS_TRIED);
        parts
    }

    /// The units that a layer gets, as far as layouts need to know.
    fn units(&self, index: usize, flow: &Flow) -> Units {
        match flow {
            Flow::Units(units, _) => units.clone(),
            _ => Units::sketch_of_input(self.ir, self.network.stages[index].input),
        }
    }

    /// Fewest bits in which the sums of some of a layer's products, for any inputs, have a sign and a magnitude.
    fn bits_of_partial_sums(&self, index: usize, digits: &Digits<'_>, content: &Content, units: &Units) -> usize {
        let stage = &self.network.stages[index];
        let Some(x) = self.ir.values[stage.matmul].op.operand() else { return 0 };
        let mut sums = vec![(BigInt::ZERO, BigInt::ZERO); stage.weights.columns];
        for (input, interval) in self.ir.values[x].intervals.iter().enumerate() {
            let most = &interval.high + &units.shift;
            let most = most.to_i128().and_then(|most| i64::try_from(most).ok());
            for (output, sum) in sums.iter_mut().enumerate() {
                let weight = digits.weight(input, output);
                let product = match most {
                    Some(most) => BigInt::from(i128::from(most) * i128::from(weight)),
                    None => (&interval.high + &units.shift) * weight,
                };
                if weight > 0 { sum.0 += product } else { sum.1 -= product }
            }
        }
        let most = sums.into_iter().map(|(plus, minus)| plus.max(minus)).max().unwrap_or_default();
        (most * &content.factor).bits() as usize + 1
    }

    /// How many chunks are worth a try.
    fn chunk_counts(&self, index: usize, bits: usize, units: &Units, parts: usize) -> Vec<usize> {
        let stage = &self.network.stages[index];
        let whole = layer::geometry(stage, units, Tuning { bits, parts, chunks: 1, by_parts: false, even: false });
        let (row, slots) = (whole.row, whole.spread.slots);
        // A product of two chunks, what lies above their rows, and a sign.
        let above = units.unit + (parts - 1) * bits / 8 + 10;
        let above = if self.is_even() { 2 * above + row } else { above };
        let Some(room) = self.number_bytes.checked_sub(above) else { return vec![] };
        let most_rows = (room / row).div_ceil(2);
        if most_rows == 0 {
            return vec![];
        }
        let fewest = slots.div_ceil(most_rows);
        let even = (fewest..=slots.min(2 * fewest)).find(|chunks| slots.is_multiple_of(*chunks));
        let more = [2, 3, 4, 6, 8].map(|quarters| fewest + fewest * quarters / 4);
        let faster = if self.optimise == Optimise::Size { vec![] } else { vec![4 * fewest, 6 * fewest, 10 * fewest] };
        let mut counts: Vec<usize> =
            [fewest, fewest + 1, fewest + 2].into_iter().chain(more).chain(even).chain(faster).collect();
        counts.retain(|chunks| *chunks <= slots);
        // As many chunks as have that many rows, and no empty one.
        counts.iter_mut().for_each(|chunks| *chunks = slots.div_ceil(slots.div_ceil(*chunks)));
        counts.sort_unstable();
        counts.dedup();
        counts
    }
}
