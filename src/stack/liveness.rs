//! When each value is needed.

use crate::bignum::{Program, ValueId};

/// The uses of all values, in one array: those of value `v` are `uses[start[v]..start[v + 1]]`.
pub(super) struct Liveness {
    uses: Vec<u32>,
    start: Vec<u32>,
    /// The next use of each value.
    next: Vec<u32>,
}

/// Later than any use.
pub(super) const NEVER: u32 = u32::MAX;

impl Liveness {
    /// Collects the uses of a program; its result is used once more, behind the last instruction.
    pub(super) fn new(program: &Program) -> Self {
        let mut start = vec![0u32; program.values.len() + 1];
        let operands =
            || program.instructions.iter().enumerate().flat_map(|(at, i)| i.operands.iter().map(move |&v| (at, v)));
        let result = (program.instructions.len(), program.result);
        for (_, value) in operands().chain([result]) {
            start[value + 1] += 1;
        }
        for value in 0..program.values.len() {
            start[value + 1] += start[value];
        }
        let mut fill = start.clone();
        let mut uses = vec![0u32; start[program.values.len()] as usize];
        for (at, value) in operands().chain([result]) {
            uses[fill[value] as usize] = at as u32;
            fill[value] += 1;
        }
        let next = start[..program.values.len()].to_vec();
        Liveness { uses, start, next }
    }

    /// The instruction that uses a value next.
    pub(super) fn next_use(&self, value: ValueId) -> u32 {
        if self.next[value] < self.start[value + 1] { self.uses[self.next[value] as usize] } else { NEVER }
    }

    /// The instruction that uses a value after the one that uses it next.
    pub(super) fn use_after_next(&self, value: ValueId) -> Option<u32> {
        let after = self.next[value] + 1;
        (after < self.start[value + 1]).then(|| self.uses[after as usize])
    }

    /// How many uses are left.
    pub(super) fn uses_left(&self, value: ValueId) -> u32 {
        self.start[value + 1] - self.next[value]
    }

    /// Counts one use as done.
    pub(super) fn consume(&mut self, value: ValueId) {
        self.next[value] += 1;
    }

    /// Takes back one [`Liveness::consume`].
    pub(super) fn restore(&mut self, value: ValueId) {
        self.next[value] -= 1;
    }
}
