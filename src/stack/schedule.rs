//! Chooses the moves: instruction by instruction, or chain by chain where one feeds the next.

use super::liveness::NEVER;
use super::machine::Machine;
use super::peephole;
use crate::bignum::{Op, Program, ValueId};
use crate::script::Script;

/// What the scheduler may use; all of it unless one wants to see what each part saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// SWAP, ROT, DUP, OVER, TUCK, 2DUP instead of ROLL and PICK by index.
    pub idioms: bool,
    /// The cheapest of several operand orders, and what is needed soonest kept on top.
    pub orders: bool,
    /// The alt stack for what is needed late.
    pub alt: bool,
    /// Shortening of what is left.
    pub peephole: bool,
}

impl Layout {
    /// ROLL for a last use, PICK for another, and nothing else.
    pub const NAIVE: Layout = Layout { idioms: false, orders: false, alt: false, peephole: false };
    /// Everything.
    pub const FULL: Layout = Layout { idioms: true, orders: true, alt: true, peephole: true };
}

impl Default for Layout {
    fn default() -> Self {
        Layout::FULL
    }
}

/// Longest chain that is laid out as one.
const CHAIN: usize = 4;

/// A result that is needed within so many instructions stays where it is.
const SOON: u32 = 2;

/// Lays a program out.
pub fn schedule(program: &Program, layout: Layout) -> Script {
    let mut scheduler = Scheduler { machine: Machine::new(program, layout), program, layout };
    let mut next = 0;
    while next < program.instructions.len() {
        let length = scheduler.chain_length(next);
        scheduler.chain(next, length);
        next += length;
    }
    scheduler.leave_result();
    let script = scheduler.machine.finish();
    if layout.peephole { peephole::shorten(script) } else { script }
}

struct Scheduler<'p> {
    machine: Machine<'p>,
    program: &'p Program,
    layout: Layout,
}

/// One way to lay a chain out.
#[derive(Clone, Copy)]
struct Variant {
    /// Take the first instruction's operands in the other order.
    swapped: bool,
    /// Bring the other operand of this instruction of the chain first, to lie below.
    early: Option<usize>,
}

impl Scheduler<'_> {
    /// How many instructions from `first` on feed only the next one each.
    fn chain_length(&self, first: usize) -> usize {
        if !self.layout.orders {
            return 1;
        }
        let feeds_next = |at: usize| {
            let (this, Some(next)) = (&self.program.instructions[at], self.program.instructions.get(at + 1)) else {
                return false;
            };
            this.op.results() == 1
                && next.op.arity() > 0
                && this.op != Op::Keep
                && !matches!(next.op, Op::CheckLength(_) | Op::Keep)
                && self.machine.liveness.uses_left(this.result) == 1
                && next.operands.contains(&this.result)
        };
        1 + (0..CHAIN - 1).take_while(|&step| feeds_next(first + step)).count()
    }

    fn chain(&mut self, first: usize, length: usize) {
        if self.layout.orders {
            self.raise_what_stays(first, length);
        }
        let variants = self.variants(first, length);
        let mut best = variants[0];
        if variants.len() > 1 {
            let mut least = (usize::MAX, usize::MAX);
            for variant in variants {
                let mark = self.machine.mark();
                self.lay_out(first, length, variant);
                let cost = self.machine.cost_since(&mark);
                self.machine.rewind(&mark);
                if cost < least {
                    (least, best) = (cost, variant);
                }
            }
        }
        self.lay_out(first, length, best);
        self.place_results(first + length - 1);
        self.machine.commit();
    }

    /// Moves up what lies deep and is needed again sooner than anything above it: better to move it
    /// once than to copy it from the depth each time.
    fn raise_what_stays(&mut self, first: usize, length: usize) {
        self.machine.enter(first);
        for operand in self.program.instructions[first].operands.clone() {
            let Some(depth) = self.machine.depth_of_variable(operand).filter(|&depth| depth >= 2) else {
                continue;
            };
            let Some(again) = self.machine.liveness.use_after_next(operand) else {
                continue;
            };
            let chain_operand = |value: ValueId| {
                self.program.instructions[first..first + length].iter().any(|i| i.operands.contains(&value))
            };
            let mut above = self.machine.main.iter().rev().take(depth);
            if above.all(|&value| chain_operand(value) || self.machine.liveness.next_use(value) > again) {
                self.machine.roll(depth);
            }
        }
    }

    /// Every way worth trying, the plain one first.
    fn variants(&self, first: usize, length: usize) -> Vec<Variant> {
        let mut variants = vec![Variant { swapped: false, early: None }];
        if !self.layout.orders {
            return variants;
        }
        let instruction = &self.program.instructions[first];
        let can_swap = instruction.op.is_commutative() && instruction.operands.first() != instruction.operands.last();
        let early = (1..length).filter(|&step| self.other_operand(first + step).is_some()).map(Some);
        for early in std::iter::once(None).chain(early) {
            for swapped in [false, true] {
                if (swapped && !can_swap) || (early.is_none() && !swapped) {
                    continue;
                }
                variants.push(Variant { swapped, early });
            }
        }
        variants
    }

    /// The operand of a chained instruction that is not the result of the one before.
    fn other_operand(&self, at: usize) -> Option<ValueId> {
        let fed = self.program.instructions[at - 1].result;
        self.program.instructions[at].operands.iter().copied().find(|&operand| operand != fed)
    }

    fn lay_out(&mut self, first: usize, length: usize, variant: Variant) {
        self.machine.enter(first);
        self.machine.begin();
        let instruction = &self.program.instructions[first];
        let mut leaves: Vec<ValueId> = Vec::with_capacity(3);
        leaves.extend(variant.early.and_then(|step| self.other_operand(first + step)));
        match (&instruction.operands[..], variant.swapped) {
            ([a, b], true) => leaves.extend([*b, *a]),
            (operands, _) => leaves.extend(operands),
        }
        let others = (1..length).filter_map(|step| self.other_operand(first + step));
        let needed: Vec<ValueId> = leaves.iter().copied().chain(others).collect();
        needed.into_iter().for_each(|leaf| self.machine.surface(leaf));
        self.fetch_all(&leaves);
        self.machine.compute(first);
        for step in 1..length {
            self.machine.enter(first + step);
            self.feed(first + step, variant.early == Some(step));
            self.machine.compute(first + step);
        }
    }

    fn fetch_all(&mut self, leaves: &[ValueId]) {
        match leaves {
            [] => {}
            [only] => self.machine.fetch(*only),
            [below, above, rest @ ..] => {
                self.machine.fetch_pair(*below, *above);
                rest.iter().for_each(|&leaf| self.machine.fetch(leaf));
            }
        }
    }

    /// Brings the other operand to the result of the instruction before, which lies on top.
    fn feed(&mut self, at: usize, waits_below: bool) {
        let program = self.program;
        let instruction = &program.instructions[at];
        let fed = program.instructions[at - 1].result;
        // It lies where it is needed.
        self.machine.consume(fed);
        let Some(other) = self.other_operand(at) else { return };
        if !waits_below {
            self.machine.fetch(other);
        }
        let other_is_below = waits_below;
        let other_comes_first = instruction.operands[0] == other;
        if other_is_below != other_comes_first && !instruction.op.is_commutative() {
            self.machine.roll(1);
        }
    }

    /// Drops results that nothing needs; puts the others where they are needed next.
    fn place_results(&mut self, last: usize) {
        let instruction = &self.program.instructions[last];
        let results = instruction.op.results();
        for slot in (0..results).rev() {
            let value = instruction.result + slot;
            if self.machine.liveness.next_use(value) == NEVER
                && let Some(depth) = self.machine.depth(value)
            {
                self.machine.discard(depth);
            }
        }
        if results == 1 && self.machine.main.last() == Some(&instruction.result) {
            self.place(instruction.result, last as u32);
        }
    }

    /// Puts a new result, which lies on top, where it disturbs least until it is needed.
    fn place(&mut self, value: ValueId, at: u32) {
        let next_use = |value: ValueId| self.machine.liveness.next_use(value);
        let needed = next_use(value);
        if needed <= at + SOON {
            return;
        }
        let below = self.machine.main.iter().rev().skip(1);
        let sooner = below.take_while(|&&other| next_use(other) < needed).take(2).count();
        let alt_stays_sorted = self.machine.alt.last().is_none_or(|&top| next_use(top) >= needed);
        match sooner {
            0 => {}
            // One exchange keeps the main stack sorted; past more, the alt stack is the way.
            2.. if self.layout.alt && alt_stays_sorted => self.machine.spill(),
            _ if self.layout.orders => self.machine.roll(1),
            _ => {}
        }
    }

    /// Leaves the result alone on the main stack.
    fn leave_result(&mut self) {
        self.machine.enter(self.program.instructions.len().saturating_sub(1));
        self.machine.begin();
        self.machine.fetch(self.program.result);
        while self.machine.main.len() > 1 {
            self.machine.discard(1);
        }
    }
}
