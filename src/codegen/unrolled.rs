//! The unrolled strategy: every weight is a push, every multiply-accumulate its own instructions.
//!
//! Dense layers run input by input, so that only one input is at hand at a time, and sweep over the
//! sums to and fro: `a0 .. a63`, then `a63 .. a0`. The sum made last is then needed first, which is
//! the order in which two stacks give things back (see [`crate::stack`]). Elementwise steps are made
//! when a value is first needed, right where it is used.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use super::emitted::Form;
use super::landmark::Landmark;
use crate::bignum::{Builder, Name, Op, Origin, ValueId as NumberId};
use crate::input::Encoding;
use crate::ir::{self, Ir, Matrix, Tie, ValueId};

/// Most bytes of bits that are read as one number: what is proved of each of its rests takes memory by the square.
const NUMBER_BYTES: usize = 1000;

/// The elements of an IR value that exist so far.
#[derive(Debug, Clone, Default)]
struct Made {
    elements: BTreeMap<usize, NumberId>,
    /// Elements in the order in which they were made, for values that are made at once.
    order: Vec<usize>,
}

/// Emits unrolled code, beginning wherever packed code leaves off.
pub(super) struct Unrolled<'a> {
    pub(super) ir: &'a Ir,
    pub(super) builder: &'a mut Builder,
    /// Whether elements may be packed into lanes on the way.
    pub(super) packs: bool,
    /// The IR values that packed code made instead, and how.
    pub(super) packed: Vec<(ValueId, Form)>,
    /// Where packed code holds IR values.
    pub(super) landmarks: Vec<Landmark>,
    made: Vec<Made>,
    /// Origin and name of each IR value.
    origins: Vec<u32>,
    names: Vec<Arc<str>>,
    product: Arc<str>,
}

/// Where the instructions of an IR value come from.
fn origin(ir: &Ir, value: ValueId) -> Origin {
    let layer = &ir.layers[ir.values[value].layer];
    let step = match &ir.values[value].op {
        ir::Op::Input => "unpack",
        ir::Op::MatMul { .. } => "matmul",
        ir::Op::Products { .. } => "products",
        ir::Op::SumRows { .. } => "sum of products",
        ir::Op::Add { .. } => "add",
        ir::Op::Mul { .. } => "mul",
        ir::Op::Rescale { .. } => "rescale",
        ir::Op::Round { .. } => "round",
        ir::Op::Relu { .. } => "relu",
        ir::Op::Max { .. } => "max",
        ir::Op::Min { .. } => "min",
        ir::Op::Piecewise { .. } => "piecewise",
        ir::Op::Sum { .. } => "sum",
        ir::Op::Product { .. } => "product",
        ir::Op::Gather { .. } => "gather",
        ir::Op::ArgMax { .. } => "argmax",
        ir::Op::Positive { .. } => "positive",
    };
    Origin {
        layer: Arc::from(layer.label.as_str()),
        step: Arc::from(format!("%{value} {step}")),
        onnx_node: Arc::from(layer.onnx_nodes.join(", ")),
    }
}

/// One element: a constant, or a number of the program.
enum Element {
    Constant(BigInt),
    Number(NumberId),
}

impl<'a> Unrolled<'a> {
    pub(super) fn new(builder: &'a mut Builder, ir: &'a Ir, packs: bool) -> Self {
        let origins = (0..ir.values.len()).map(|value| builder.origin(origin(ir, value))).collect();
        let names = (0..ir.values.len()).map(|value| Arc::from(format!("%{value}"))).collect();
        let product = Arc::from("product");
        Unrolled {
            ir,
            builder,
            packs,
            packed: Vec::new(),
            landmarks: Vec::new(),
            made: vec![Made::default(); ir.values.len()],
            origins,
            names,
            product,
        }
    }

    /// Takes an element of an IR value as made; the one given last lies on top.
    pub(super) fn take(&mut self, value: ValueId, index: usize, number: NumberId) {
        self.made[value].elements.insert(index, number);
        self.made[value].order.push(index);
    }

    /// Whether elements of an IR value are there already.
    pub(super) fn is_made(&self, value: ValueId) -> bool {
        !self.made[value].order.is_empty()
    }

    /// The numbers made so far: IR value, element, number.
    pub(super) fn numbers(&self) -> Vec<(ValueId, usize, NumberId)> {
        let of_value = |(value, made): (usize, &Made)| {
            made.elements.iter().map(|(&element, &number)| (value, element, number)).collect::<Vec<_>>()
        };
        self.made.iter().enumerate().flat_map(of_value).collect()
    }

    /// Says that what follows computes an IR value.
    pub(super) fn enter(&mut self, value: ValueId) {
        self.builder.enter(self.origins[value]);
    }

    fn name(&self, value: ValueId) -> Arc<str> {
        Arc::clone(&self.names[value])
    }

    /// Cuts the input into its elements.
    pub(super) fn unpack(&mut self, input: NumberId) {
        self.enter(0);
        let (element, rest) = (self.name(0), Arc::from("rest"));
        let (len, format) = (self.ir.values[0].len(), &self.ir.input);
        let bytes = match format.encoding {
            // One long number lies on top of no other rest: its elements pile up without a detour.
            Encoding::Bits { bits } if bits < 8 => NUMBER_BYTES,
            _ => format.width(),
        };
        let elements = bytes / format.width() * format.sharing();
        let mut remaining = input;
        for first in (0..len).step_by(elements) {
            let mut head = remaining;
            if first + elements < len {
                let names = [Name::element(&element, first), Name::whole(&rest)];
                (head, remaining) = self.builder.split(remaining, bytes, names);
            }
            self.read(head, first..len.min(first + elements));
        }
    }

    /// Reads the elements of a piece of the input.
    fn read(&mut self, bytes: NumberId, elements: Range<usize>) {
        let base = self.name(0);
        let name = Name::element(&base, elements.start);
        match self.ir.input.encoding {
            Encoding::Fixed { .. } => {
                let number = self.builder.one(Op::BinToNum, &[bytes], name);
                self.take(0, elements.start, number);
            }
            Encoding::Bits { bits } => {
                // A zero byte on top keeps the highest bit from being a sign.
                let zero = self.builder.bytes(vec![0]);
                let wide = self.builder.one(Op::Cat, &[bytes, zero], name.clone());
                let number = self.builder.one(Op::BinToNum, &[wide], name);
                self.cut_bits(number, bits, elements);
            }
        }
    }

    /// Cuts a number into elements, the lowest bits first; what lies above the last one is dropped.
    fn cut_bits(&mut self, number: NumberId, bits: usize, elements: Range<usize>) {
        let (base, rest) = (self.name(0), Name::whole(&Arc::from("more elements")));
        let base_of_digits = BigInt::one() << bits;
        let mut left = 8 * self.ir.input.byte_len(elements.len());
        let mut remaining = number;
        for index in elements.clone() {
            let mut element = remaining;
            if left > bits {
                let modulus = self.builder.number(&base_of_digits);
                element = self.builder.one(Op::Mod, &[remaining, modulus], Name::element(&base, index));
            }
            self.take(0, index, element);
            if index + 1 < elements.end {
                let divisor = self.builder.number(&base_of_digits);
                remaining = self.builder.one(Op::Div, &[remaining, divisor], rest.clone());
                left -= bits;
            }
        }
    }

    /// An element of a value, made now if it has not been.
    fn element(&mut self, value: ValueId, index: usize) -> Element {
        if let Some(point) = self.ir.values[value].intervals[index].as_point() {
            return Element::Constant(point.clone());
        }
        // What it is made of comes first, without a call for each step: networks may be deeper than a thread's stack.
        let mut open = vec![(value, index)];
        while let Some(&(value, index)) = open.last() {
            let missing = self.made_of(value, index).into_iter().flatten().find(|&(x, at)| !self.is_known(x, at));
            match missing {
                _ if self.is_known(value, index) => _ = open.pop(),
                Some(operand) => open.push(operand),
                None => self.make(value, index),
            }
        }
        Element::Number(self.made[value].elements[&index])
    }

    /// Whether an element is a constant, or made.
    fn is_known(&self, value: ValueId, index: usize) -> bool {
        self.made[value].elements.contains_key(&index) || self.ir.values[value].intervals[index].as_point().is_some()
    }

    /// The elements that an elementwise step makes an element of; others see to that themselves.
    fn made_of(&self, value: ValueId, index: usize) -> [Option<(ValueId, usize)>; 2] {
        match &self.ir.values[value].op {
            ir::Op::Add { x, .. }
            | ir::Op::Mul { x, .. }
            | ir::Op::Rescale { x, .. }
            | ir::Op::Round { x, .. }
            | ir::Op::Relu { x }
            | ir::Op::Max { x, .. }
            | ir::Op::Min { x, .. }
            | ir::Op::Piecewise { x, .. } => [Some((*x, index)), None],
            ir::Op::Sum { terms: [x, y] } | ir::Op::Product { factors: [x, y] } => {
                [Some((*x, index)), Some((*y, index))]
            }
            ir::Op::Gather { parts, picks } => {
                let (part, element) = picks[index];
                [Some((parts[part], element)), None]
            }
            ir::Op::Input
            | ir::Op::MatMul { .. }
            | ir::Op::Products { .. }
            | ir::Op::SumRows { .. }
            | ir::Op::ArgMax { .. }
            | ir::Op::Positive { .. } => [None, None],
        }
    }

    /// Makes an element, or the whole value where its elements are made together.
    fn make(&mut self, value: ValueId, index: usize) {
        let ir = self.ir;
        let number = match &ir.values[value].op {
            ir::Op::MatMul { x, weights } => {
                let rows = self.reversed(*x, weights.rows);
                return self
                    .sum(value, &rows, weights.columns, |this, row, column| this.product(value, weights, row, column));
            }
            ir::Op::SumRows { x, columns } => {
                let rows: Vec<usize> = (0..ir.values[*x].len() / columns).rev().collect();
                return self.sum(value, &rows, *columns, |this, row, column| {
                    let term = this.element(*x, row * columns + column);
                    Term::plus(term)
                });
            }
            ir::Op::Products { weights, .. } => {
                let (row, column) = (index / weights.columns, index % weights.columns);
                match self.product(value, weights, row, column) {
                    Term::Plus(number) => number,
                    Term::Minus(number) => self.one(value, index, Op::Negate, number, None),
                    Term::Constant(_) => unreachable!("an element that is constant has a point interval"),
                }
            }
            ir::Op::Add { x, constant } => self.unary(value, index, *x, Op::Add, &constant[index], BigInt::zero()),
            ir::Op::Mul { x, constant, .. } => self.unary(value, index, *x, Op::Mul, &constant[index], BigInt::one()),
            ir::Op::Rescale { x, divisor } => self.unary(value, index, *x, Op::Div, divisor, BigInt::one()),
            ir::Op::Relu { x } => self.bound(value, index, *x, Op::Max, &BigInt::zero()),
            ir::Op::Max { x, constant } => self.bound(value, index, *x, Op::Max, &constant[index]),
            ir::Op::Min { x, constant } => self.bound(value, index, *x, Op::Min, &constant[index]),
            ir::Op::Round { x, factors, divisor, .. } => self.round(value, index, *x, &factors[index], divisor),
            ir::Op::Piecewise { .. } if self.takes_lane_curve(value) => return,
            ir::Op::Piecewise { x, curves, .. } => self.curve(value, index, *x, &curves[index % curves.len()]),
            ir::Op::Sum { terms } => self.both(value, index, Op::Add, *terms),
            ir::Op::Product { factors } => self.both(value, index, Op::Mul, *factors),
            ir::Op::Gather { parts, picks } => {
                let (part, element) = picks[index];
                self.number(parts[part], element)
            }
            ir::Op::Input | ir::Op::ArgMax { .. } | ir::Op::Positive { .. } => unreachable!("made as a whole"),
        };
        self.made[value].elements.insert(index, number);
    }

    /// An elementwise step on two values.
    fn both(&mut self, value: ValueId, index: usize, op: Op, [x, y]: [ValueId; 2]) -> NumberId {
        let (x, y) = (self.number(x, index), self.number(y, index));
        self.enter(value);
        let name = Name::element(&self.name(value), index);
        self.builder.one(op, &[x, y], name)
    }

    /// An element kept on one side of a bound, unless it always is.
    fn bound(&mut self, value: ValueId, index: usize, x: ValueId, op: Op, bound: &BigInt) -> NumberId {
        let known = &self.ir.values[x].intervals[index];
        let binds = if op == Op::Max { known.low < *bound } else { known.high > *bound };
        let number = self.number(x, index);
        if !binds {
            return number;
        }
        self.enter(value);
        self.one(value, index, op, number, Some(bound))
    }

    /// An elementwise step with a constant, unless that constant changes nothing.
    fn unary(
        &mut self,
        value: ValueId,
        index: usize,
        x: ValueId,
        op: Op,
        constant: &BigInt,
        neutral: BigInt,
    ) -> NumberId {
        let number = self.number(x, index);
        if *constant == neutral {
            return number;
        }
        self.enter(value);
        match op {
            Op::Mul if (-constant).is_one() => self.one(value, index, Op::Negate, number, None),
            _ => self.one(value, index, op, number, Some(constant)),
        }
    }

    pub(super) fn one(
        &mut self,
        value: ValueId,
        index: usize,
        op: Op,
        number: NumberId,
        constant: Option<&BigInt>,
    ) -> NumberId {
        let mut operands = vec![number];
        operands.extend(constant.map(|constant| self.builder.number(constant)));
        let name = Name::element(&self.name(value), index);
        self.builder.one(op, &operands, name)
    }

    /// An element as a number of the program.
    pub(super) fn number(&mut self, value: ValueId, index: usize) -> NumberId {
        match self.element(value, index) {
            Element::Number(number) => number,
            Element::Constant(constant) => self.builder.number(&constant),
        }
    }

    /// `x[row] · w[row][column]` for the dense layer that makes `value` of `x`.
    fn product(&mut self, value: ValueId, weights: &Matrix, row: usize, column: usize) -> Term {
        let weight = weights.at(row, column);
        let (true, Some(x)) = (weight != 0, self.ir.values[value].op.operand()) else {
            return Term::Constant(BigInt::zero());
        };
        let element = self.element(x, row);
        self.enter(value);
        match (element, weight) {
            (Element::Constant(x), weight) => Term::Constant(x * weight),
            (Element::Number(x), 1) => Term::Plus(x),
            (Element::Number(x), -1) => Term::Minus(x),
            (Element::Number(x), weight) => {
                let weight = self.builder.number(&weight.into());
                Term::Plus(self.builder.one(Op::Mul, &[x, weight], Name::whole(&self.product)))
            }
        }
    }

    /// Sums terms over rows for each column, sweeping to and fro.
    fn sum(
        &mut self,
        value: ValueId,
        rows: &[usize],
        columns: usize,
        mut term: impl FnMut(&mut Self, usize, usize) -> Term,
    ) {
        let keep = self.sweeps_pass_over(value);
        let mut sums: Vec<Option<NumberId>> = vec![None; columns];
        let mut constants = vec![BigInt::zero(); columns];
        let base = self.name(value);
        let mut sweep: Vec<usize> = (0..columns).collect();
        for &row in rows {
            for &column in &sweep {
                let term = term(self, row, column);
                self.enter(value);
                let name = Name::element(&base, column);
                sums[column] = match (term, sums[column]) {
                    (Term::Constant(constant), sum) => {
                        constants[column] += constant;
                        sum.map(|sum| if keep { self.builder.one(Op::Keep, &[sum], name) } else { sum })
                    }
                    (Term::Plus(x), None) => Some(x),
                    (Term::Minus(x), None) => Some(self.builder.one(Op::Negate, &[x], name)),
                    (Term::Plus(x), Some(sum)) => Some(self.builder.one(Op::Add, &[sum, x], name)),
                    (Term::Minus(x), Some(sum)) => Some(self.builder.one(Op::Sub, &[sum, x], name)),
                };
            }
            sweep.reverse();
        }
        // The last sweep's order, which the reversal has just turned round.
        sweep.reverse();
        self.finish_sums(value, &sums, &constants, sweep);
    }

    /// Whether a sweep takes along the sums that it leaves as they are (their weight is zero), so that the order on the
    /// stacks stays that of the sweeps. Two instructions for each; not worth it where most weights are zero.
    fn sweeps_pass_over(&self, value: ValueId) -> bool {
        let mut value = value;
        loop {
            let op = &self.ir.values[value].op;
            match (op.weights(), op.operand()) {
                (Some(weights), _) => {
                    let zeros = weights.elements.iter().filter(|&&weight| weight == 0).count();
                    return 4 * zeros <= 3 * weights.elements.len();
                }
                (None, Some(x)) => value = x,
                (None, None) => return false,
            }
        }
    }

    fn finish_sums(&mut self, value: ValueId, sums: &[Option<NumberId>], constants: &[BigInt], order: Vec<usize>) {
        for &column in &order {
            let Some(sum) = sums[column] else { continue };
            let sum = match constants[column].is_zero() {
                true => sum,
                false => self.one(value, column, Op::Add, sum, Some(&constants[column])),
            };
            self.made[value].elements.insert(column, sum);
        }
        self.made[value].order = order;
    }

    /// The elements of a value, those made last first: they lie on top.
    fn reversed(&mut self, value: ValueId, len: usize) -> Vec<usize> {
        let mut whole = value;
        while let (true, Some(x)) = (self.made[whole].order.is_empty(), self.ir.values[whole].op.operand()) {
            if matches!(self.ir.values[whole].op, ir::Op::MatMul { .. } | ir::Op::SumRows { .. }) {
                self.make(whole, 0);
                break;
            }
            whole = x;
        }
        match self.made[whole].order.len() == len {
            true => self.made[whole].order.iter().rev().copied().collect(),
            false => (0..len).rev().collect(),
        }
    }

    /// The class, or the number that is the answer.
    pub(super) fn answer(&mut self, value: ValueId) -> NumberId {
        match self.ir.values[value].op {
            ir::Op::ArgMax { x, tie } => self.class(value, x, tie),
            ir::Op::Positive { x } => {
                let logit = self.number(x, 0);
                self.enter(value);
                self.one(value, 0, Op::GreaterThan, logit, Some(&BigInt::zero()))
            }
            _ => self.number(value, 0),
        }
    }

    /// The index of the largest element: each carries its index in the remainder by the number of
    /// classes, so that one MAX chain finds both.
    fn class(&mut self, value: ValueId, x: ValueId, tie: Tie) -> NumberId {
        let classes = self.ir.values[x].len();
        let count = BigInt::from(classes);
        let mut best: Option<NumberId> = None;
        for index in self.reversed(x, classes) {
            let score = self.number(x, index);
            self.enter(value);
            let tag = match tie {
                Tie::First => classes - 1 - index,
                Tie::Last => index,
            };
            let scaled = self.one(value, index, Op::Mul, score, Some(&count));
            let tagged = if tag == 0 { scaled } else { self.one(value, index, Op::Add, scaled, Some(&tag.into())) };
            let name = Name::whole(&Arc::from("best"));
            best = Some(best.map_or(tagged, |best| self.builder.one(Op::Max, &[best, tagged], name)));
        }
        let best = best.unwrap_or_else(|| self.builder.number(&BigInt::zero()));
        self.untag(best, &count, tie)
    }

    /// The class from the largest tagged score.
    fn untag(&mut self, best: NumberId, count: &BigInt, tie: Tie) -> NumberId {
        let name = |text: &str| Name::whole(&Arc::from(text));
        let count = self.builder.number(count);
        let mut tag = self.builder.one(Op::Mod, &[best, count], name("tag"));
        if self.builder.interval(tag).is_some_and(|interval| interval.low.is_negative()) {
            // MOD takes the dividend's sign: bring the remainder of a negative score up.
            let raised = self.builder.one(Op::Add, &[tag, count], name("raised tag"));
            tag = self.builder.one(Op::Mod, &[raised, count], name("tag"));
        }
        match tie {
            Tie::Last => tag,
            Tie::First => {
                let last = self.builder.number(&(self.ir.classes() - 1).into());
                self.builder.one(Op::Sub, &[last, tag], name("class"))
            }
        }
    }
}

/// A term of a sum.
enum Term {
    Constant(BigInt),
    Plus(NumberId),
    Minus(NumberId),
}

impl Term {
    fn plus(element: Element) -> Term {
        match element {
            Element::Constant(constant) => Term::Constant(constant),
            Element::Number(number) => Term::Plus(number),
        }
    }
}
