//! A stack item: a byte string that is cheap to copy.
//!
//! Scripts that work on long strings mostly pick, split and drop them, so none of these may copy
//! bytes. Three representations, invisible from outside:
//!
//! - up to [`INLINE`] bytes: inside the item. Always, so that numbers are read without following a
//!   pointer; and bytes past the length are zero, so that they are read as one word;
//! - a slice of the script, for what the script pushes;
//! - a range of a reference-counted buffer, for what the script computes.
//!
//! A range keeps its whole buffer alive, with whatever room that has left. Where this would be more
//! than [`RETENTION`] times the length of the range, the range is copied, so memory stays within a
//! constant of what the node counts.

use std::ops::Range;
use std::rc::Rc;

/// Longest string kept inside an item.
pub(super) const INLINE: usize = 16;
/// How many times its own length a range may keep alive.
const RETENTION: usize = 4;

/// A byte string on a stack. `'s` is the lifetime of the scripts.
#[derive(Clone, Debug)]
pub(super) struct Item<'s>(Repr<'s>);

/// The bytes of a short string. Aligned, so that they move as words.
#[derive(Clone, Copy, Debug)]
#[repr(align(8))]
struct Word([u8; INLINE]);

#[derive(Clone, Debug)]
enum Repr<'s> {
    Inline { len: u8, word: Word },
    Script(&'s [u8]),
    // Offsets of 32 bits keep an item at 24 bytes; no limit on stack memory comes near 4 GiB.
    Shared { buffer: Rc<Vec<u8>>, start: u32, len: u32 },
}

impl<'s> Item<'s> {
    pub(super) const EMPTY: Item<'static> = Item::word(0, 0);
    pub(super) const ONE: Item<'static> = Item::byte(1);

    /// A string of one byte.
    #[inline(always)]
    pub(super) const fn byte(byte: u8) -> Item<'static> {
        Item::word(byte as u128, 1)
    }

    /// What opcodes push for a truth value.
    pub(super) const fn bool(value: bool) -> Item<'static> {
        if value { Item::ONE } else { Item::EMPTY }
    }

    /// The first `len` bytes of a little-endian word whose other bytes are zero.
    #[inline(always)]
    pub(super) const fn word(word: u128, len: usize) -> Item<'static> {
        debug_assert!(len <= INLINE && (len == INLINE || word >> (8 * len) == 0));
        Item(Repr::Inline { len: len as u8, word: Word(word.to_le_bytes()) })
    }

    /// The string at `range` of a script; the range must lie within it.
    #[inline]
    pub(super) fn pushed(script: &'s [u8], range: Range<usize>) -> Item<'s> {
        let len = range.len();
        if len > INLINE {
            return Item(Repr::Script(&script[range]));
        }
        // A load of fixed width and a mask beat a copy of unknown length; not at the very end, though.
        match script[range.start..].first_chunk::<INLINE>() {
            Some(chunk) => {
                let mask = if len == INLINE { u128::MAX } else { (1 << (8 * len)) - 1 };
                Item::word(u128::from_le_bytes(*chunk) & mask, len)
            }
            None => Item::inline(&script[range]),
        }
    }

    /// A string that the script computed.
    pub(super) fn owned(mut bytes: Vec<u8>) -> Item<'static> {
        if bytes.len() <= INLINE {
            return Item::inline(&bytes);
        }
        // A difference of long numbers can be short, in a buffer made for a long one.
        if bytes.capacity() > bytes.len().saturating_mul(RETENTION) {
            bytes.shrink_to_fit();
        }
        let len = bytes.len() as u32;
        Item(Repr::Shared { buffer: Rc::new(bytes), start: 0, len })
    }

    fn inline(slice: &[u8]) -> Item<'static> {
        let mut bytes = [0; INLINE];
        bytes[..slice.len()].copy_from_slice(slice);
        Item(Repr::Inline { len: slice.len() as u8, word: Word(bytes) })
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, word } => &word.0[..usize::from(*len)],
            Repr::Script(slice) => slice,
            Repr::Shared { buffer, start, len } => &buffer[*start as usize..][..*len as usize],
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Repr::Inline { len, .. } => usize::from(*len),
            Repr::Script(slice) => slice.len(),
            Repr::Shared { len, .. } => *len as usize,
        }
    }

    /// The string as a little-endian word and its length, if it is short.
    #[inline(always)]
    pub(super) fn as_word(&self) -> Option<(u128, usize)> {
        match &self.0 {
            Repr::Inline { len, word } => Some((u128::from_le_bytes(word.0), usize::from(*len))),
            _ => None,
        }
    }

    /// Whether the string counts as true: any byte is set, save for the sign of a zero.
    pub(super) fn is_true(&self) -> bool {
        match self.bytes().split_last() {
            Some((last, rest)) => last & 0x7f != 0 || rest.iter().any(|&byte| byte != 0),
            None => false,
        }
    }

    /// A part of the string, without copying it where that keeps memory in bounds.
    pub(super) fn slice(&self, range: Range<usize>) -> Item<'s> {
        if range.len() <= INLINE {
            return Item::inline(&self.bytes()[range]);
        }
        match &self.0 {
            Repr::Script(slice) => Item(Repr::Script(&slice[range])),
            Repr::Shared { buffer, start, .. } if range.len() * RETENTION >= buffer.capacity() => Item(Repr::Shared {
                buffer: Rc::clone(buffer),
                start: start + range.start as u32,
                len: range.len() as u32,
            }),
            Repr::Inline { .. } | Repr::Shared { .. } => Item::owned(self.bytes()[range].to_vec()),
        }
    }

    /// Changes bytes without changing their number; in place if no other item shares them.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut [u8])) {
        if let Repr::Inline { len, word } = &mut self.0 {
            return change(&mut word.0[..usize::from(*len)]);
        }
        if let Repr::Shared { buffer, start, len } = &mut self.0
            && let Some(buffer) = Rc::get_mut(buffer)
        {
            return change(&mut buffer[*start as usize..][..*len as usize]);
        }
        let mut bytes = self.bytes().to_vec();
        change(&mut bytes);
        *self = Item::owned(bytes);
    }

    /// Whether [`Item::edit`] will change the bytes in place.
    pub(super) fn is_unique(&mut self) -> bool {
        match &mut self.0 {
            Repr::Inline { .. } => true,
            Repr::Script(_) => false,
            Repr::Shared { buffer, .. } => Rc::get_mut(buffer).is_some(),
        }
    }

    /// Appends bytes; in place if no other item shares the buffer.
    pub(super) fn append(&mut self, tail: &[u8]) {
        self.grow(tail.len(), |buffer| buffer.extend_from_slice(tail));
    }

    /// Appends zeros; in place if no other item shares the buffer.
    pub(super) fn append_zeros(&mut self, count: usize) {
        self.grow(count, |buffer| buffer.resize(buffer.len() + count, 0));
    }

    /// Appends `extra` bytes by way of `extend`, which must append as many.
    fn grow(&mut self, extra: usize, extend: impl FnOnce(&mut Vec<u8>)) {
        if let Repr::Shared { buffer, start, len } = &mut self.0
            && let Some(buffer) = Rc::get_mut(buffer)
        {
            buffer.truncate(*start as usize + *len as usize);
            extend(buffer);
            *len += extra as u32;
            return;
        }
        let mut bytes = Vec::with_capacity(self.len() + extra);
        bytes.extend_from_slice(self.bytes());
        extend(&mut bytes);
        *self = Item::owned(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_item_takes_24_bytes() {
        assert_eq!(size_of::<Item<'_>>(), 24);
    }

    #[test]
    fn a_part_keeps_at_most_a_few_times_its_length_alive() {
        let whole = Item::owned(vec![7; 4000]);
        assert!(matches!(whole.slice(0..1000).0, Repr::Shared { buffer, .. } if buffer.len() == 4000));
        assert!(matches!(whole.slice(3000..3999).0, Repr::Shared { buffer, .. } if buffer.len() == 999));
    }

    /// The bytes that an item keeps from being used otherwise.
    fn kept(item: &Item<'_>) -> usize {
        match &item.0 {
            Repr::Shared { buffer, .. } => buffer.capacity(),
            _ => 0,
        }
    }

    #[test]
    fn a_short_string_in_a_large_buffer_leaves_it() {
        let buffer_of_4000 = |len: usize| {
            let mut bytes = Vec::with_capacity(4000);
            bytes.resize(len, 7);
            bytes
        };
        assert_eq!(kept(&Item::owned(buffer_of_4000(1000))), 4000);
        assert!(kept(&Item::owned(buffer_of_4000(999))) < 4000);
    }

    #[test]
    fn cutting_and_appending_in_turn_keeps_no_old_buffer() {
        let mut item = Item::owned(vec![7; 1 << 20]);
        while item.len() > 100 {
            item = item.slice(0..item.len().div_ceil(4));
            item.append(&[1]);
            assert!(kept(&item) <= 2 * RETENTION * item.len(), "{} bytes keep {}", item.len(), kept(&item));
        }
    }

    proptest! {
        #[test]
        fn all_representations_behave_alike(
            data in prop::collection::vec(any::<u8>(), 0..120),
            tail in prop::collection::vec(any::<u8>(), 0..40),
            cuts in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        ) {
            let (a, b) = (cuts.0.index(data.len() + 1), cuts.1.index(data.len() + 1));
            let range = a.min(b)..a.max(b);
            for item in [Item::pushed(&data, 0..data.len()), Item::owned(data.clone())] {
                prop_assert_eq!(item.bytes(), &data[..]);
                prop_assert_eq!(item.len(), data.len());
                let mut part = item.slice(range.clone());
                prop_assert_eq!(part.bytes(), &data[range.clone()]);
                if let Some((word, len)) = part.as_word() {
                    prop_assert_eq!(&word.to_le_bytes()[..len], part.bytes());
                    prop_assert!(word.to_le_bytes()[len..].iter().all(|&byte| byte == 0));
                }
                part.append(&tail);
                part.append_zeros(3);
                part.edit(|bytes| bytes.iter_mut().for_each(|byte| *byte = !*byte));
                let expected: Vec<u8> = data[range.clone()].iter().chain(&tail).chain(&[0; 3]).map(|byte| !byte).collect();
                prop_assert_eq!(part.bytes(), &expected[..]);
                // The item it was cut from did not change.
                prop_assert_eq!(item.bytes(), &data[..]);
            }
        }
    }
}
