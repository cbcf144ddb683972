//! Byte strings whose lanes are known: pieces that lie one behind the other, zeros between them.
//!
//! A string that is split shares its pieces with its parts: chunk after chunk is split off a layer's inputs, and copies of
//! what remains would take the square of their number.

use std::ops::Range;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::Zero;

use super::linear::{Lane, Linear};
use crate::ir::Interval;

/// A byte string: some of the pieces of the string that it was split off. Pieces are in order, and none begins before the
/// one in front of it ends.
#[derive(Debug, Clone)]
pub struct Rope {
    all: Arc<Vec<Piece>>,
    range: Range<usize>,
    /// Where this string begins in the other, in bits.
    base: usize,
}

impl PartialEq for Rope {
    fn eq(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.all, &other.all) && self.range == other.range && self.base == other.base;
        same || self.pieces().eq(other.pieces())
    }
}

impl Eq for Rope {}

impl From<Vec<Piece>> for Rope {
    fn from(pieces: Vec<Piece>) -> Self {
        debug_assert!(pieces.windows(2).all(|pair| pair[0].end() <= pair[1].offset()), "pieces in order");
        Rope { range: 0..pieces.len(), all: Arc::new(pieces), base: 0 }
    }
}

impl FromIterator<Lane> for Rope {
    fn from_iter<I: IntoIterator<Item = Lane>>(lanes: I) -> Self {
        lanes.into_iter().map(Piece::Lane).collect::<Vec<_>>().into()
    }
}

/// A part of a byte string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A lane that lies in its place: its value is less than what its room allows.
    Lane(Lane),
    /// Bits of a number that nobody has looked into yet.
    Window(Window),
}

/// Bits `from..until` of a number, which is not negative, at a bit offset. Bit `from` is clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) offset: usize,
    pub(super) number: Arc<Linear>,
    pub(super) from: usize,
    pub(super) until: usize,
}

impl Piece {
    fn offset(&self) -> usize {
        match self {
            Piece::Lane(lane) => lane.offset,
            Piece::Window(window) => window.offset,
        }
    }

    fn end(&self) -> usize {
        match self {
            Piece::Lane(lane) => lane.end(),
            Piece::Window(window) => window.offset + window.until - window.from,
        }
    }

    fn moved(&self, up: usize, down: usize) -> Piece {
        match self {
            Piece::Lane(lane) => Piece::Lane(Lane { offset: lane.offset + up - down, ..*lane }),
            Piece::Window(window) => Piece::Window(Window { offset: window.offset + up - down, ..window.clone() }),
        }
    }
}

impl Rope {
    /// The pieces, where they lie in this string.
    pub(super) fn pieces(&self) -> impl DoubleEndedIterator<Item = Piece> {
        self.all[self.range.clone()].iter().map(|piece| piece.moved(0, self.base))
    }

    /// Units of equal width, any value each.
    pub(super) fn of_units(bytes: usize, unit: usize) -> Rope {
        let high = |start: usize| (1i128 << (8 * unit.min(bytes - start))) - 1;
        let lane = |start: usize| Lane { offset: 8 * start, low: 0, high: high(start) };
        (0..bytes).step_by(unit).map(lane).collect()
    }

    /// The string as units of equal width: lanes that lie in their units, and numbers whose lanes are these units.
    ///
    /// # Errors
    /// Where a lane could leave its unit.
    pub(super) fn units(&self, unit: usize) -> Result<Rope, String> {
        let mut units = Vec::new();
        for piece in self.pieces() {
            match piece {
                Piece::Lane(lane) if lane.offset % unit + lane.end() - lane.offset <= unit => units.push(lane),
                Piece::Lane(lane) => return Err(format!("the lane at bit {} lies across units", lane.offset)),
                Piece::Window(window) => {
                    let lanes = window.units(unit)?;
                    units.extend(lanes.into_iter().filter(|lane| lane.high > 0));
                }
            }
        }
        Ok(units.into_iter().collect())
    }

    /// One lane alone.
    pub(super) fn of_lane(lane: Lane) -> Rope {
        vec![Piece::Lane(lane)].into()
    }

    /// A constant, a lane for each byte that is not zero.
    pub(super) fn of_constant(bytes: &[u8]) -> Rope {
        let nonzero = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
        nonzero.map(|(index, &byte)| Lane { offset: 8 * index, low: byte.into(), high: byte.into() }).collect()
    }

    /// All bytes of a number that is not negative.
    pub(super) fn of_number(number: &Arc<Linear>, bytes: usize) -> Rope {
        let window = Window { offset: 0, number: Arc::clone(number), from: 0, until: 8 * bytes };
        vec![Piece::Window(window)].into()
    }

    /// This string, `len` bytes long, with another behind it; `None` where it is not known to end there.
    pub(super) fn cat(&self, len: usize, behind: &Rope) -> Option<Rope> {
        if self.pieces().next_back().is_some_and(|last| last.end() > 8 * len) {
            return None;
        }
        let behind = behind.pieces().map(|piece| piece.moved(8 * len, 0));
        Some(self.pieces().chain(behind).collect::<Vec<_>>().into())
    }

    /// The first bytes, and the rest.
    ///
    /// # Errors
    /// Where the cut goes through a lane.
    pub(super) fn split(&self, position: usize) -> Result<(Rope, Rope), String> {
        let at = self.base + 8 * position;
        let pieces = &self.all[self.range.clone()];
        let before = pieces.partition_point(|piece| piece.end() <= at);
        let between = self.range.start + before;
        let head = Rope { range: self.range.start..between, ..self.clone() };
        let tail = Rope { range: between..self.range.end, base: at, ..self.clone() };
        match pieces.get(before) {
            Some(Piece::Window(window)) if window.offset < at => window.cut(at, position, &head, &tail),
            Some(Piece::Lane(lane)) if lane.offset < at => {
                Err(format!("a split at byte {position} goes through a lane"))
            }
            _ => Ok((head, tail)),
        }
    }

    /// The bits that a mask keeps.
    ///
    /// # Errors
    /// Where lanes could have left the places that the mask takes them for.
    pub(super) fn and(&self, mask: &[u8]) -> Result<Rope, String> {
        let runs = runs(mask);
        let mut kept = Vec::new();
        let mut first = 0;
        for piece in self.pieces() {
            while runs.get(first).is_some_and(|run| run.1 <= piece.offset()) {
                first += 1;
            }
            // Where the last run that was read ended, in the bits of a window's number.
            let mut known = None;
            for &(from, to) in runs[first..].iter().take_while(|run| run.0 < piece.end()) {
                let (from, to) = (from.max(piece.offset()), to.min(piece.end()));
                match &piece {
                    Piece::Lane(lane) => kept.extend(part_of_lane(lane, from, to)),
                    Piece::Window(window) => kept.push(window.read(from, to, &mut known)?),
                }
            }
        }
        Ok(kept.into_iter().collect())
    }

    /// The lanes that end with the bits given, one bit a lane.
    ///
    /// # Errors
    /// Where a lane could have left its place, or has another bit than its top one.
    pub(super) fn lanes_below(&self, tops: &[(usize, usize)]) -> Result<Vec<(usize, Lane)>, String> {
        let mut lanes = Vec::with_capacity(tops.len());
        let mut tops = tops.iter().peekable();
        for piece in self.pieces() {
            let mut known = None;
            while let Some(&(top, behind)) = tops.next_if(|(top, _)| *top < piece.end()) {
                if top < piece.offset() {
                    return Err(format!("bit {top}, by which a lane is kept, lies in none"));
                }
                let lane = match &piece {
                    Piece::Lane(lane) => *lane,
                    Piece::Window(window) => window.lane_up_to(behind, &mut known)?,
                };
                lanes.push((top, lane));
            }
        }
        Ok(lanes)
    }

    /// The lanes, where each piece is one.
    pub(super) fn lanes(&self) -> Option<Vec<Lane>> {
        self.pieces()
            .map(|piece| match piece {
                Piece::Lane(lane) => Some(lane),
                Piece::Window(window) if window.until == window.from => None,
                Piece::Window(window) => {
                    let (low, high) = window.number.lane(window.from, window.until).ok()?;
                    Some(Lane { offset: window.offset, low, high })
                }
            })
            .collect()
    }

    /// Bounds of the number that the lanes make.
    pub(super) fn interval(lanes: &[Lane]) -> Interval {
        let bound = |value: fn(&Lane) -> i128| {
            lanes.iter().fold(BigInt::zero(), |sum, lane| sum + (BigInt::from(value(lane)) << lane.offset))
        };
        Interval { low: bound(|lane| lane.low), high: bound(|lane| lane.high) }
    }
}

impl Window {
    /// The strings before and behind a cut through this window, which lies first in `tail`; `at` is in bits of the string
    /// that both were split off.
    fn cut(&self, at: usize, position: usize, head: &Rope, tail: &Rope) -> Result<(Rope, Rope), String> {
        let cut = self.from + at - self.offset;
        if !self.number.is_clean(cut) {
            return Err(format!("a lane could leave its place at the split at byte {position}"));
        }
        let below = Piece::Window(Window { until: cut, ..self.clone() }).moved(0, head.base);
        let above = Piece::Window(Window { offset: 0, from: cut, ..self.clone() });
        let head: Vec<Piece> = head.pieces().chain([below]).collect();
        let behind = Rope { range: tail.range.start + 1..tail.range.end, ..tail.clone() };
        let tail: Vec<Piece> = [above].into_iter().chain(behind.pieces()).collect();
        Ok((head.into(), tail.into()))
    }

    /// The lane whose highest bits are `from..to` of the string; `known` is where the one before it ended.
    fn read(&self, from: usize, to: usize, known: &mut Option<usize>) -> Result<Lane, String> {
        let inside = |bit: usize| self.from + bit - self.offset;
        let (bottom, top) = (inside(from), inside(to));
        let start = if self.number.is_clean(bottom) { bottom } else { known.unwrap_or(self.from) };
        let (low, high) = self.number.lane(start, top)?;
        *known = Some(top);
        let below = bottom - start;
        Ok(Lane { offset: from, low: low >> below, high: high >> below })
    }

    /// Its bits as units.
    fn units(&self, unit: usize) -> Result<Vec<Lane>, String> {
        if self.from == 0
            && let Ok(cells) = self.number.cells(unit, (self.until).div_ceil(unit))
            && cells.last().is_none_or(|last| last.end() <= self.until)
        {
            return Ok(cells.into_iter().map(|lane| Lane { offset: lane.offset + self.offset, ..lane }).collect());
        }
        let starts = (self.from..self.until).step_by(unit);
        let lane = |start: usize| {
            let (low, high) = self.number.lane(start, (start + unit).min(self.until))?;
            Ok(Lane { offset: self.offset + start - self.from, low, high })
        };
        starts.map(lane).collect()
    }

    /// The whole lane that ends at bit `to` of the string.
    pub(super) fn lane_up_to(&self, to: usize, known: &mut Option<usize>) -> Result<Lane, String> {
        let top = self.from + to - self.offset;
        let start = known.unwrap_or(self.from);
        let (low, high) = self.number.lane(start, top)?;
        *known = Some(top);
        Ok(Lane { offset: self.offset + start - self.from, low, high })
    }
}

/// What bits `from..to` of the string keep of a lane.
fn part_of_lane(lane: &Lane, from: usize, to: usize) -> Option<Lane> {
    let below = from - lane.offset;
    let part = match to >= lane.end() {
        true => Lane { offset: from, low: lane.low >> below, high: lane.high >> below },
        false => Lane { offset: from, low: 0, high: (1i128 << (to - from)) - 1 },
    };
    (part.high > 0).then_some(part)
}

/// Where a mask has ones: first bit and the bit behind the last of each run.
pub(super) fn runs(mask: &[u8]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (index, &byte) in mask.iter().enumerate().filter(|(_, byte)| **byte != 0) {
        for bit in (0..8).filter(|bit| byte >> bit & 1 == 1) {
            let at = 8 * index + bit;
            match runs.last_mut() {
                Some((_, end)) if *end == at => *end += 1,
                _ => runs.push((at, at + 1)),
            }
        }
    }
    runs
}
