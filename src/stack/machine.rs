//! Both stacks at compile time, and the script that moves them. Every change can be undone, so that
//! alternatives can be tried in place.

use super::liveness::Liveness;
use super::schedule::Layout;
use crate::bignum::{Op, Program, ValueId};
use crate::script::opcode::Opcode;
use crate::script::{Code, Instruction, Script};

/// What undoes a change.
enum Undo {
    MainPop,
    MainInsert(usize, ValueId),
    AltPop,
    AltPush(ValueId),
    Restore(ValueId),
}

/// A point to come back to.
pub(super) struct Mark {
    undo: usize,
    code: usize,
}

/// The stacks, top last.
pub(super) struct Machine<'p> {
    pub(super) program: &'p Program,
    pub(super) main: Vec<ValueId>,
    pub(super) alt: Vec<ValueId>,
    pub(super) liveness: Liveness,
    layout: Layout,
    script: Script,
    /// The instruction that is being laid out.
    current: u32,
    /// How many items on top are operands already, waiting for their instruction. Where one is a copy
    /// of a value that is fetched again, the value itself lies below them.
    waiting: usize,
    undo: Vec<Undo>,
}

impl<'p> Machine<'p> {
    pub(super) fn new(program: &'p Program, layout: Layout) -> Self {
        Machine {
            program,
            main: program.inputs.clone(),
            alt: Vec::new(),
            liveness: Liveness::new(program),
            layout,
            script: Script::default(),
            current: 0,
            waiting: 0,
            undo: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> Script {
        self.script
    }

    pub(super) fn mark(&mut self) -> Mark {
        Mark { undo: self.undo.len(), code: self.script.instructions.len() }
    }

    /// Bytes and instructions emitted since a mark.
    pub(super) fn cost_since(&self, mark: &Mark) -> (usize, usize) {
        let emitted = &self.script.instructions[mark.code..];
        (emitted.iter().map(|instruction| instruction.code.byte_len()).sum(), emitted.len())
    }

    /// Undoes everything since a mark.
    pub(super) fn rewind(&mut self, mark: &Mark) {
        self.script.instructions.truncate(mark.code);
        while self.undo.len() > mark.undo {
            match self.undo.pop() {
                Some(Undo::MainPop) => drop(self.main.pop()),
                Some(Undo::MainInsert(index, value)) => self.main.insert(index, value),
                Some(Undo::AltPop) => drop(self.alt.pop()),
                Some(Undo::AltPush(value)) => self.alt.push(value),
                Some(Undo::Restore(value)) => self.liveness.restore(value),
                None => {}
            }
        }
    }

    /// Forgets how to undo what was done so far.
    pub(super) fn commit(&mut self) {
        self.undo.clear();
    }

    /// Says that no operand waits: a chain begins.
    pub(super) fn begin(&mut self) {
        self.waiting = 0;
    }

    /// Says which instruction the following code serves.
    pub(super) fn enter(&mut self, instruction: usize) {
        self.current = u32::try_from(instruction).unwrap_or(u32::MAX);
    }

    fn emit(&mut self, code: Code) {
        self.script.instructions.push(Instruction { code, origin: self.current });
    }

    fn emit_op(&mut self, opcode: Opcode) {
        self.emit(Code::Op(opcode));
    }

    pub(super) fn push(&mut self, value: ValueId) {
        self.main.push(value);
        self.undo.push(Undo::MainPop);
    }

    fn remove(&mut self, index: usize) -> ValueId {
        let value = self.main.remove(index);
        self.undo.push(Undo::MainInsert(index, value));
        value
    }

    /// How deep a value lies on the main stack, 0 being the top.
    pub(super) fn depth(&self, value: ValueId) -> Option<usize> {
        self.main.iter().rev().position(|&other| other == value)
    }

    /// How deep a value that is no constant lies on the main stack.
    pub(super) fn depth_of_variable(&self, value: ValueId) -> Option<usize> {
        if self.program.constant(value).is_some() || self.alt.last() == Some(&value) { None } else { self.depth(value) }
    }

    /// Counts one use of a value as done.
    pub(super) fn consume(&mut self, value: ValueId) {
        self.liveness.consume(value);
        self.undo.push(Undo::Restore(value));
    }

    /// Brings an operand to the top for one use: a constant by a push, another value by moving it when
    /// this is its last use and by copying it when it is not.
    pub(super) fn fetch(&mut self, value: ValueId) {
        let last = self.liveness.uses_left(value) == 1;
        self.consume(value);
        if let Some(bytes) = self.program.constant(value) {
            self.emit(Code::Push(bytes.to_vec()));
            self.push(value);
        } else if self.bring_from_alt(value) {
            if !last {
                self.pick(0);
            }
        } else if last {
            self.fetch_for_good(value);
        } else {
            let depth = self.depth_below(0, value);
            self.pick(depth);
        }
        self.waiting += 1;
    }

    /// Moves a value to the top, from below the operands that wait, copies of it among them perhaps.
    fn fetch_for_good(&mut self, value: ValueId) {
        let depth = self.depth_below(self.waiting, value);
        let copies = self.main.iter().rev().take_while(|&&other| other == value).count();
        // Only copies of it above: to move it changes nothing.
        if !self.layout.idioms || depth >= copies {
            self.roll(depth);
        }
    }

    /// How deep a live value lies, not counting as such the items on top that wait.
    fn depth_below(&self, waiting: usize, value: ValueId) -> usize {
        let below = self.main.iter().rev().skip(waiting).position(|&other| other == value);
        let Some(depth) = below else { unreachable!("a live value lies on one of the stacks") };
        waiting + depth
    }

    /// Brings a value to the main stack before operands are fetched, so that neither it nor what buries
    /// it gets between them. Only what comes off the alt stack for good can wait until it is fetched.
    pub(super) fn surface(&mut self, value: ValueId) {
        let can_wait = self.alt.last() == Some(&value) && self.liveness.uses_left(value) == 1;
        if !can_wait && self.program.constant(value).is_none() {
            self.bring_from_alt(value);
        }
    }

    /// Brings a value to the top of the main stack if it lies on the alt stack, and says whether.
    fn bring_from_alt(&mut self, value: ValueId) -> bool {
        if self.alt.last() != Some(&value) && self.depth(value).is_some() {
            return false;
        }
        while let Some(top) = self.alt.pop() {
            self.undo.push(Undo::AltPush(top));
            self.emit_op(Opcode::FROMALTSTACK);
            self.push(top);
            if top == value {
                break;
            }
        }
        true
    }

    /// Two operands that are fetched one after the other, by one opcode where there is one.
    pub(super) fn fetch_pair(&mut self, below: ValueId, above: ValueId) {
        let constant = self.program.constant(below).is_some() || self.program.constant(above).is_some();
        if self.layout.idioms && !constant && below != above {
            let last = (self.liveness.uses_left(below) == 1, self.liveness.uses_left(above) == 1);
            let idiom = match (&self.main[..], last) {
                ([.., b, a], (true, true)) if (*b, *a) == (below, above) => Some(None),
                ([.., b, a], (true, false)) if (*b, *a) == (below, above) => Some(Some(Opcode::TUCK)),
                ([.., b, a], (false, false)) if (*b, *a) == (below, above) => Some(Some(Opcode::OP_2DUP)),
                _ => None,
            };
            if let Some(opcode) = idiom {
                self.consume(below);
                self.consume(above);
                self.apply_pair_idiom(opcode, below, above);
                self.waiting += 2;
                return;
            }
        }
        self.fetch(below);
        self.fetch(above);
    }

    /// `[below above]` becomes `[.. below above]` with the copies that the idiom leaves underneath.
    fn apply_pair_idiom(&mut self, opcode: Option<Opcode>, below: ValueId, above: ValueId) {
        let Some(opcode) = opcode else { return };
        self.emit_op(opcode);
        if opcode == Opcode::TUCK {
            let top = self.main.len();
            self.remove(top - 1);
            self.remove(top - 2);
            self.push(above);
        }
        self.push(below);
        self.push(above);
    }

    /// Moves the value at a depth to the top.
    pub(super) fn roll(&mut self, depth: usize) {
        match depth {
            0 if self.layout.idioms => return,
            1 if self.layout.idioms => self.emit_op(Opcode::SWAP),
            2 if self.layout.idioms => self.emit_op(Opcode::ROT),
            _ => {
                self.emit(Code::number(depth));
                self.emit_op(Opcode::ROLL);
            }
        }
        let index = self.main.len() - 1 - depth;
        let value = self.remove(index);
        self.push(value);
    }

    fn pick(&mut self, depth: usize) {
        match depth {
            0 if self.layout.idioms => self.emit_op(Opcode::DUP),
            1 if self.layout.idioms => self.emit_op(Opcode::OVER),
            _ => {
                self.emit(Code::number(depth));
                self.emit_op(Opcode::PICK);
            }
        }
        let value = self.main[self.main.len() - 1 - depth];
        self.push(value);
    }

    /// Drops the value at a depth.
    pub(super) fn discard(&mut self, depth: usize) {
        if depth == 1 {
            self.emit_op(Opcode::NIP);
            let below = self.main.len() - 2;
            self.remove(below);
            return;
        }
        if depth > 0 {
            self.roll(depth);
        }
        self.emit_op(Opcode::DROP);
        self.remove(self.main.len() - 1);
    }

    /// Moves the top to the alt stack.
    pub(super) fn spill(&mut self) {
        self.emit_op(Opcode::TOALTSTACK);
        let value = self.remove(self.main.len() - 1);
        self.alt.push(value);
        self.undo.push(Undo::AltPop);
    }

    /// Performs an instruction on the operands on top.
    pub(super) fn compute(&mut self, instruction: usize) {
        let program = self.program;
        let instruction = &program.instructions[instruction];
        match instruction.op {
            Op::CheckDepth(items) => self.emit_check(Opcode::DEPTH, items),
            Op::CheckLength(bytes) => self.emit_check(Opcode::SIZE, bytes),
            op => op.opcode().into_iter().for_each(|opcode| self.emit_op(opcode)),
        }
        for _ in 0..instruction.op.arity() {
            self.remove(self.main.len() - 1);
        }
        for slot in 0..instruction.op.results() {
            self.push(instruction.result + slot);
        }
        self.waiting = self.waiting + instruction.op.results() - instruction.op.arity();
    }

    fn emit_check(&mut self, measure: Opcode, expected: usize) {
        self.emit_op(measure);
        self.emit(Code::number(expected));
        self.emit_op(Opcode::NUMEQUALVERIFY);
    }
}
