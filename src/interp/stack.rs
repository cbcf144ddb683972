//! The two stacks, and what they weigh.
//!
//! Every item counts its bytes and [`STACK_ELEMENT_OVERHEAD`] more, on whichever stack it lies. The
//! weight is checked as it grows, in the order in which the node grows it, so that a script fails
//! here exactly where it fails there, and no operation allocates before its result is paid for.
//!
//! Source: Bitcoin SV node 1.2.2, `src/script/limitedstack.cpp`.

use std::mem::swap;

use super::error::ScriptError;
use super::item::Item;
use crate::target::{STACK_ELEMENT_OVERHEAD, Target};

/// Stack memory under consensus, where the node leaves the limit to its operator
/// (`maxstackmemoryusageconsensus`, without a default): ten times the policy's.
pub const STACK_BYTES_OPERATOR: u64 = 1_000_000_000;

/// The main and the alt stack.
pub(super) struct Stack<'s> {
    main: Vec<Item<'s>>,
    alt: Vec<Item<'s>>,
    weight: u64,
    limit: u64,
    peak_weight: u64,
    peak_items: usize,
}

impl<'s> Stack<'s> {
    pub(super) fn new(target: &Target) -> Self {
        Stack {
            main: Vec::new(),
            alt: Vec::new(),
            weight: 0,
            limit: target.max_stack_bytes().unwrap_or(STACK_BYTES_OPERATOR),
            peak_weight: 0,
            peak_items: 0,
        }
    }

    pub(super) fn peak_weight(&self) -> u64 {
        self.peak_weight
    }

    pub(super) fn peak_items(&self) -> usize {
        self.peak_items
    }

    /// The main stack, bottom first.
    pub(super) fn main(&self) -> &[Item<'s>] {
        &self.main
    }

    pub(super) fn len(&self) -> usize {
        self.main.len()
    }

    pub(super) fn alt_len(&self) -> usize {
        self.alt.len()
    }

    /// Each script starts with an empty alt stack. The node does not give back what an unlocking script
    /// that may do more than push left on the old one, so its weight stays.
    pub(super) fn clear_alt(&mut self) {
        self.alt.clear();
    }

    /// Fails unless the main stack holds `count` items.
    #[inline]
    pub(super) fn need(&self, count: usize) -> Result<(), ScriptError> {
        if self.main.len() < count { Err(ScriptError::InvalidStackOperation) } else { Ok(()) }
    }

    /// The item `depth` below the top.
    #[inline]
    pub(super) fn peek(&self, depth: usize) -> Result<&Item<'s>, ScriptError> {
        let index = self.index(depth)?;
        Ok(&self.main[index])
    }

    /// The item `depth` below the top, for changes that keep its length.
    pub(super) fn peek_mut(&mut self, depth: usize) -> Result<&mut Item<'s>, ScriptError> {
        let index = self.index(depth)?;
        Ok(&mut self.main[index])
    }

    #[inline]
    fn index(&self, depth: usize) -> Result<usize, ScriptError> {
        self.main.len().checked_sub(depth + 1).ok_or(ScriptError::InvalidStackOperation)
    }

    #[inline]
    fn weigh(item: &Item<'_>) -> u64 {
        item.len() as u64 + STACK_ELEMENT_OVERHEAD
    }

    /// Adds to the weight, if the limit allows.
    #[inline]
    pub(super) fn charge(&mut self, bytes: u64) -> Result<(), ScriptError> {
        let weight = self.weight + bytes;
        if weight > self.limit {
            return Err(ScriptError::StackSize);
        }
        self.weight = weight;
        self.peak_weight = self.peak_weight.max(weight);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn push(&mut self, item: Item<'s>) -> Result<(), ScriptError> {
        self.charge(Self::weigh(&item))?;
        self.main.push(item);
        self.peak_items = self.peak_items.max(self.main.len() + self.alt.len());
        Ok(())
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Result<Item<'s>, ScriptError> {
        let item = self.main.pop().ok_or(ScriptError::InvalidStackOperation)?;
        self.weight -= Self::weigh(&item);
        Ok(item)
    }

    /// Pops `count` items, which must be there, and pushes one.
    #[inline(always)]
    pub(super) fn replace(&mut self, count: usize, item: Item<'s>) -> Result<(), ScriptError> {
        for _ in 0..count {
            self.pop()?;
        }
        self.push(item)
    }

    /// Replaces the top by an item of another length, of which the weight keeps the old one's at
    /// least: what the node does where it cuts a string in place without telling the stack.
    pub(super) fn set_top_keeping_weight(&mut self, item: Item<'s>) -> Result<(), ScriptError> {
        *self.peek_mut(0)? = item;
        Ok(())
    }

    /// Adjusts the weight to a top that has changed its length from `before`, as the node does:
    /// taking the old length off, then adding the new one.
    pub(super) fn reweigh_top(&mut self, before: usize) -> Result<(), ScriptError> {
        self.weight -= before as u64;
        let len = self.peek(0)?.len();
        self.charge(len as u64)
    }

    /// Pushes a copy of the item `depth` below the top.
    #[inline]
    pub(super) fn pick(&mut self, depth: usize) -> Result<(), ScriptError> {
        let item = self.peek(depth)?.clone();
        self.push(item)
    }

    /// Moves the item `depth` below the top to the top.
    #[inline]
    pub(super) fn roll(&mut self, depth: usize) -> Result<(), ScriptError> {
        let index = self.index(depth)?;
        match &mut self.main[index..] {
            // Two swaps take less than the call that moves any number of items.
            [a, b] => swap(a, b),
            [a, b, c] => {
                swap(a, b);
                swap(b, c);
            }
            items => items.rotate_left(1),
        }
        Ok(())
    }

    /// Puts a copy of the top below the second item.
    #[inline]
    pub(super) fn tuck(&mut self) -> Result<(), ScriptError> {
        let below = self.index(1)?;
        self.pick(0)?;
        self.main.swap(below, below + 1);
        Ok(())
    }

    /// Swaps the items `a` and `b` below the top.
    #[inline]
    pub(super) fn swap(&mut self, a: usize, b: usize) -> Result<(), ScriptError> {
        let (a, b) = (self.index(a)?, self.index(b)?);
        self.main.swap(a, b);
        Ok(())
    }

    /// Moves the top to the alt stack.
    #[inline]
    pub(super) fn move_to_alt(&mut self) -> Result<(), ScriptError> {
        self.alt.push(self.main.pop().ok_or(ScriptError::InvalidStackOperation)?);
        Ok(())
    }

    /// Moves the alt stack's top back.
    #[inline]
    pub(super) fn move_from_alt(&mut self) -> Result<(), ScriptError> {
        self.main.push(self.alt.pop().ok_or(ScriptError::InvalidAltstackOperation)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::STACK_BYTES_POLICY;

    #[test]
    fn the_limit_counts_bytes_and_overhead_of_both_stacks() {
        let mut stack = Stack::new(&Target::default());
        let half = (STACK_BYTES_POLICY / 2 - STACK_ELEMENT_OVERHEAD) as usize;
        stack.push(Item::owned(vec![1; half])).unwrap();
        stack.move_to_alt().unwrap();
        assert_eq!(stack.push(Item::owned(vec![1; half + 1])), Err(ScriptError::StackSize));
        stack.push(Item::owned(vec![1; half])).unwrap();
        assert_eq!((stack.peak_weight(), stack.peak_items()), (STACK_BYTES_POLICY, 2));
        assert_eq!(stack.push(Item::EMPTY), Err(ScriptError::StackSize));
        stack.pop().unwrap();
        stack.push(Item::EMPTY).unwrap();
    }
}
