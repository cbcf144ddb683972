//! Where a program holds the values of the network: what a trace needs to read them off the stack.
//!
//! Nothing is generated from these: a wrong one shows up as a difference between a script and its definition.

use num_bigint::{BigInt, Sign};
use num_integer::Integer;

use super::unrolled::Unrolled;
use crate::bignum::ValueId as NumberId;
use crate::ir::ValueId;
use crate::script::number;

/// A value of the program that holds elements of an IR value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landmark {
    /// The IR value.
    pub value: ValueId,
    /// The program's value.
    pub held: NumberId,
    /// How it holds them.
    pub form: Held,
}

/// How elements are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// One, as a script number.
    Number {
        /// Which element.
        element: usize,
    },
    /// In lanes of a byte string, each `(±element + shift) · factor` plus less than `factor`.
    Lanes(LaneForm),
}

/// How lanes hold elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneForm {
    /// Bytes a lane.
    pub bytes: usize,
    /// The element that each lane holds; `None` where it holds nothing of use.
    pub order: Vec<Option<usize>>,
    /// What is added to each element.
    pub shift: BigInt,
    /// What that is multiplied by.
    pub factor: BigInt,
    /// Whether elements are negated first.
    pub negated: bool,
}

impl Landmark {
    /// Whether it holds a single element, as a number.
    pub fn is_number(&self) -> bool {
        matches!(self.form, Held::Number { .. })
    }

    /// The elements that bytes of a stack hold.
    pub fn decode(&self, bytes: &[u8]) -> Vec<(usize, BigInt)> {
        match &self.form {
            Held::Number { element } => vec![(*element, number::decode(bytes))],
            Held::Lanes(form) => {
                let lanes = form.order.iter().zip(bytes.chunks(form.bytes));
                lanes.filter_map(|(&element, lane)| Some((element?, form.element(lane)))).collect()
            }
        }
    }
}

impl LaneForm {
    fn element(&self, lane: &[u8]) -> BigInt {
        let shifted = BigInt::from_bytes_le(Sign::Plus, lane).div_floor(&self.factor);
        let element = shifted - &self.shift;
        if self.negated { -element } else { element }
    }
}

/// All that code generation left: the strings of packed code, and the numbers of unrolled code.
pub(super) fn all(unrolled: &mut Unrolled<'_>) -> Vec<Landmark> {
    let numbers = unrolled.numbers();
    let number = |(value, element, held)| Landmark { value, held, form: Held::Number { element } };
    std::mem::take(&mut unrolled.landmarks).into_iter().chain(numbers.into_iter().map(number)).collect()
}
