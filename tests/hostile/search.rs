//! Inputs that are looked for: those that make a value of the network as large or as small as they can, and pairs one
//! step apart that have different answers.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};
use onnx2script::ir::{self, Ir, Op, ValueId};

use super::common::Lock;
use super::common::random::Random;

/// Times that a search follows the gradient, at the most.
const FOLLOWED: usize = 6;
/// Elements that a search then moves to their other end, one by one, to keep what helps.
const CLIMBED: usize = 24;
/// A closed ReLU passes so much on: what opens it may help.
const LEAK: f64 = 0.05;

/// An element of a value, to be made as large as it can be, or as small.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    pub(crate) value: ValueId,
    pub(crate) element: usize,
    pub(crate) largest: bool,
}

/// The best input found for a goal, and what it reaches. Of sums over the input it is the best that there is.
pub(crate) fn reach(ir: &Ir, goal: Goal) -> (Vec<BigInt>, BigInt) {
    let mut search = Search::new(ir, goal);
    search.follow();
    if !is_sum_of_input(ir, goal.value) {
        search.climb();
    }
    (search.best, search.reached)
}

/// Inputs that drive sums of the first layer, and scores, to both their ends: so many of either at the most.
pub(crate) fn ends(lock: &Lock, most: usize) -> Vec<Vec<u8>> {
    let ir = &lock.compiled.optimised;
    let first = (0..ir.values.len()).find(|&id| is_sum_of_input(ir, id));
    let goals = first.into_iter().chain([ir.scores()]).flat_map(|value| {
        let len = ir.values[value].len();
        let elements = (0..len).step_by(len.div_ceil(most));
        elements.flat_map(move |element| [false, true].map(|largest| Goal { value, element, largest }))
    });
    goals.map(|goal| lock.compiled.ir.input.encode(&reach(ir, goal).0).unwrap()).collect()
}

/// Whether a value is one layer's sums, with nothing in front that is not linear in each element alone.
pub(crate) fn is_sum_of_input(ir: &Ir, id: ValueId) -> bool {
    let is_elements = |id: ValueId| {
        let mut at = id;
        while let Op::Add { x, .. } | Op::Mul { x, .. } = ir.values[at].op {
            at = x;
        }
        ir.values[at].op == Op::Input
    };
    match ir.values[id].op {
        Op::MatMul { x, .. } => is_elements(x),
        Op::Add { x, .. } => is_sum_of_input(ir, x),
        _ => false,
    }
}

struct Search<'i> {
    ir: &'i Ir,
    goal: Goal,
    best: Vec<BigInt>,
    reached: BigInt,
}

impl<'i> Search<'i> {
    fn new(ir: &'i Ir, goal: Goal) -> Search<'i> {
        let bounds = ir.input.interval();
        let best = vec![(bounds.low + bounds.high) / 2; ir.values[0].len()];
        let mut search = Search { ir, goal, best, reached: BigInt::zero() };
        search.reached = search.value(&search.best);
        search
    }

    fn value(&self, input: &[BigInt]) -> BigInt {
        ir::eval_all(self.ir, input)[self.goal.value][self.goal.element].clone()
    }

    /// Keeps an input if it is better.
    fn offer(&mut self, input: Vec<BigInt>) {
        let value = self.value(&input);
        if (value > self.reached) == self.goal.largest && value != self.reached {
            (self.best, self.reached) = (input, value);
        }
    }

    /// Every element to the end that the gradient points to; and again from there.
    fn follow(&mut self) {
        let bounds = self.ir.input.interval();
        let mut input = self.best.clone();
        for _ in 0..FOLLOWED {
            let slopes = gradient(self.ir, &ir::eval_all(self.ir, &input), self.goal);
            let end = |slope: f64| if (slope > 0.0) == self.goal.largest { &bounds.high } else { &bounds.low };
            let next: Vec<BigInt> = slopes.into_iter().map(|slope| end(slope).clone()).collect();
            if next == input {
                break;
            }
            input.clone_from(&next);
            self.offer(next);
        }
    }

    fn climb(&mut self) {
        let bounds = self.ir.input.interval();
        let mut random = Random(self.goal.element as u64);
        for _ in 0..CLIMBED {
            let mut input = self.best.clone();
            let at = random.next() as usize % input.len();
            input[at] = if input[at] == bounds.high { bounds.low.clone() } else { bounds.high.clone() };
            self.offer(input);
        }
    }
}

/// How a goal's element changes with each element of the input, at these values.
fn gradient(ir: &Ir, values: &[Vec<BigInt>], goal: Goal) -> Vec<f64> {
    let mut slopes: Vec<Vec<f64>> = values.iter().map(|value| vec![0.0; value.len()]).collect();
    slopes[goal.value][goal.element] = 1.0;
    for id in (1..=goal.value).rev() {
        let of = std::mem::take(&mut slopes[id]);
        if of.iter().any(|slope| *slope != 0.0) {
            pass(&ir.values[id].op, &of, values, &mut slopes);
        }
    }
    std::mem::take(&mut slopes[0])
}

/// Adds to the slopes of operands what an operation's result makes of them.
fn pass(op: &Op, of: &[f64], values: &[Vec<BigInt>], slopes: &mut [Vec<f64>]) {
    let mut each = |x: ValueId, factor: &dyn Fn(usize) -> f64| {
        slopes[x].iter_mut().zip(of).enumerate().for_each(|(at, (slope, of))| *slope += of * factor(at));
    };
    let open = |open: bool| if open { 1.0 } else { LEAK };
    let float = |value: &BigInt| value.to_f64().unwrap();
    match op {
        Op::MatMul { x, weights } => {
            each_row(&mut slopes[*x], weights.columns, |row, j| weights.at(row, j) as f64 * of[j])
        }
        Op::Products { x, weights } => {
            let columns = weights.columns;
            each_row(&mut slopes[*x], columns, |row, j| weights.at(row, j) as f64 * of[row * columns + j]);
        }
        Op::SumRows { x, columns } => {
            slopes[*x].iter_mut().enumerate().for_each(|(at, slope)| *slope += of[at % columns])
        }
        Op::Mul { x, constant, .. } => each(*x, &|at| float(&constant[at])),
        Op::Round { x, factors, .. } => each(*x, &|at| if factors[at].is_negative() { -1.0 } else { 1.0 }),
        Op::Relu { x } => each(*x, &|at| open(values[*x][at].is_positive())),
        Op::Max { x, constant } => each(*x, &|at| open(values[*x][at] > constant[at])),
        Op::Min { x, constant } => each(*x, &|at| open(values[*x][at] < constant[at])),
        Op::Add { x, .. } | Op::Rescale { x, .. } | Op::Piecewise { x, .. } => each(*x, &|_| 1.0),
        Op::Sum { terms } => terms.iter().for_each(|term| each(*term, &|_| 1.0)),
        Op::Product { factors: [x, y] } => {
            each(*x, &|at| float(&values[*y][at]));
            each(*y, &|at| float(&values[*x][at]));
        }
        Op::Gather { parts, picks } => {
            picks.iter().zip(of).for_each(|(&(part, index), of)| slopes[parts[part]][index] += of);
        }
        Op::Input | Op::ArgMax { .. } | Op::Positive { .. } => {}
    }
}

fn each_row(slopes: &mut [f64], columns: usize, slope: impl Fn(usize, usize) -> f64) {
    for (row, sum) in slopes.iter_mut().enumerate() {
        *sum += (0..columns).map(|column| slope(row, column)).sum::<f64>();
    }
}

/// Pairs of inputs that differ by a step of one element, and in their answers: where a weight that is off by one shows.
/// They lie on the ways between these inputs, and random ones.
pub(crate) fn boundaries(lock: &Lock, ends: &[Vec<u8>], pairs: usize) -> Vec<Vec<u8>> {
    let mut random = Random(2);
    let mut inputs = Vec::new();
    for at in 0..8 * pairs {
        let [a, b] = [(); 2].map(|()| random.bytes(lock.input_len()));
        let a = ends.get(at).unwrap_or(&a);
        inputs.extend(boundary(lock, lock.integers(a), lock.integers(&b)).into_iter().flatten());
        if inputs.len() >= 2 * pairs {
            break;
        }
    }
    inputs.iter().map(|input| lock.compiled.ir.input.encode(input).unwrap()).collect()
}

/// Two neighbours on the way from one input to another that have different answers, if these have.
fn boundary(lock: &Lock, mut a: Vec<BigInt>, mut b: Vec<BigInt>) -> Option<[Vec<BigInt>; 2]> {
    let answer = |input: &[BigInt]| ir::eval(&lock.compiled.optimised, input);
    let of_a = answer(&a);
    if of_a == answer(&b) {
        return None;
    }
    loop {
        let middle: Vec<BigInt> = a.iter().zip(&b).map(|(a, b)| (a + b) / 2).collect();
        if middle == a || middle == b {
            break;
        }
        if answer(&middle) == of_a { a = middle } else { b = middle }
    }
    // They differ by a step or two in any element: go there element by element, by a step at a time.
    while let Some(at) = (0..a.len()).find(|&at| a[at] != b[at]) {
        let mut next = a.clone();
        next[at] += (&b[at] - &a[at]).signum();
        if answer(&next) != of_a {
            return Some([a, next]);
        }
        a = next;
    }
    None
}
