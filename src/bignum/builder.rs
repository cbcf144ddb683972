//! Appends instructions; what is proved of each result follows from the operands.

use std::sync::Arc;

use num_bigint::{BigInt, Sign};

use super::{Definition, Detail, Instruction, Kind, Name, Op, Origin, Program, Value, ValueId, transfer};
use crate::ir::Interval;
use crate::script::{Code, number};

/// Numbers of up to so many bits are named by all their digits.
const WHOLE_BITS: u64 = 96;

/// Byte strings of up to so many bytes are named by all their digits.
const WHOLE_BYTES: usize = 4;

/// Builds a [`Program`].
#[derive(Debug)]
pub struct Builder {
    program: Program,
    /// The origin of the following instructions.
    current: u32,
    /// The first invariant that was broken; nothing that follows counts.
    broken: Option<String>,
    /// Whether only sizes are followed.
    sketching: bool,
    /// Longest number of the target, in bytes.
    number_bytes: usize,
}

impl Name {
    /// A name of no element.
    pub fn whole(base: &Arc<str>) -> Name {
        Name { base: Arc::clone(base), element: None }
    }

    /// The name of an element.
    pub fn element(base: &Arc<str>, element: usize) -> Name {
        Name { base: Arc::clone(base), element: u32::try_from(element).ok() }
    }
}

impl Builder {
    /// Starts a program; `inputs` names what the unlocking script pushes, first push first.
    pub fn new(inputs: &[&str]) -> Self {
        let mut builder = Builder {
            program: Program {
                values: vec![],
                instructions: vec![],
                inputs: vec![],
                below: 0,
                result: 0,
                origins: vec![],
            },
            current: 0,
            broken: None,
            sketching: false,
            number_bytes: usize::MAX,
        };
        for (index, name) in inputs.iter().enumerate() {
            let name = Name::whole(&Arc::from(*name));
            let id = builder.value(Definition::Input(index), (Kind::Untrusted, Detail::Nothing), name);
            builder.program.inputs.push(id);
        }
        builder
    }

    /// Starts a sketch: a program of which only the sizes of values are followed, good for nothing but to see
    /// what it would cost. Its one input is a byte string of the length given.
    pub fn sketch(bytes: usize) -> Self {
        let mut builder = Builder::new(&["units"]);
        builder.sketching = true;
        builder.program.values[0].kind = Kind::Rest { most: bytes };
        builder
    }

    /// Tells those who emit how long numbers may be, in bytes; [`super::verify`] is who demands it.
    pub fn with_numbers_of(mut self, number_bytes: usize) -> Self {
        self.number_bytes = number_bytes;
        self
    }

    /// How long numbers may be, in bytes.
    pub fn number_bytes(&self) -> usize {
        self.number_bytes
    }

    /// Whether this is a sketch: constants need no more than their length.
    pub fn is_sketch(&self) -> bool {
        self.sketching
    }

    /// What the unlocking script pushes, first push first.
    pub fn inputs(&self) -> &[ValueId] {
        &self.program.inputs
    }

    /// Notes an origin, for [`Builder::enter`].
    pub fn origin(&mut self, origin: Origin) -> u32 {
        self.program.origins.push(origin);
        u32::try_from(self.program.origins.len() - 1).unwrap_or(u32::MAX)
    }

    /// Says that the following instructions come from a noted origin.
    pub fn enter(&mut self, origin: u32) {
        self.current = origin;
    }

    /// A constant number.
    pub fn number(&mut self, value: &BigInt) -> ValueId {
        let kind = Kind::Number(Interval::point(value.clone()));
        let name = Name { base: Arc::from(describe_number(value)), element: None };
        self.value(Definition::Constant(number::encode(value)), (kind, Detail::Nothing), name)
    }

    /// A constant byte string.
    pub fn bytes(&mut self, bytes: Vec<u8>) -> ValueId {
        let most = BigInt::from_bytes_le(Sign::Plus, &bytes);
        let kind = Kind::Bytes { len: bytes.len(), most: Some(most) };
        let name = Name { base: Arc::from(describe_bytes(&bytes)), element: None };
        self.value(Definition::Constant(bytes), (kind, Detail::Nothing), name)
    }

    /// An instruction with one result. Where the operands break an invariant, [`Builder::finish`] tells.
    pub fn one(&mut self, op: Op, operands: &[ValueId], name: Name) -> ValueId {
        debug_assert_eq!(op.results(), 1);
        self.push(op, operands, &[name])
    }

    /// A SPLIT: the first bytes and the rest.
    pub fn split(&mut self, operand: ValueId, position: usize, names: [Name; 2]) -> (ValueId, ValueId) {
        let position = self.number(&position.into());
        let head = self.push(Op::Split, &[operand, position], &names);
        (head, head + 1)
    }

    /// Checks that the unlocking script left the inputs on top of `below` items that are not the program's, and
    /// nothing else.
    pub fn check_depth(&mut self, below: usize) {
        self.program.below = below;
        self.push(Op::CheckDepth(below + self.program.inputs.len()), &[], &[]);
    }

    fn push(&mut self, op: Op, operands: &[ValueId], names: &[Name]) -> ValueId {
        let kinds = self.results(op, operands);
        let instruction = self.program.instructions.len();
        let first = self.program.values.len();
        for (slot, (kind, name)) in kinds.into_iter().zip(names).enumerate() {
            self.value(Definition::Result { instruction, slot }, kind, name.clone());
        }
        let origin = self.current;
        self.program.instructions.push(Instruction { op, operands: operands.to_vec(), result: first, origin });
        first
    }

    fn results(&mut self, op: Op, operands: &[ValueId]) -> Vec<(Kind, Detail)> {
        if self.sketching {
            let sizes = transfer::sizes(&self.program, op, operands);
            return sizes.into_iter().map(|most| (Kind::Rest { most }, Detail::Nothing)).collect();
        }
        if self.broken.is_none() {
            match transfer::results(&self.program, op, operands) {
                Ok(results) => return results,
                Err(reason) => {
                    let origin = self.program.origins.get(self.current as usize);
                    let place = origin.map(|origin| format!("{}: {}: ", origin.layer, origin.step)).unwrap_or_default();
                    self.broken = Some(format!("{place}{op}: {reason}"));
                }
            }
        }
        vec![(Kind::Untrusted, Detail::Nothing); op.results()]
    }

    fn value(&mut self, definition: Definition, (kind, detail): (Kind, Detail), name: Name) -> ValueId {
        self.program.values.push(Value { definition, kind, detail, name });
        self.program.values.len() - 1
    }

    /// What is proved of a number.
    pub fn interval(&self, id: ValueId) -> Option<&Interval> {
        match &self.program.values[id].kind {
            Kind::Number(interval) => Some(interval),
            _ => None,
        }
    }

    /// The finished program, `result` being what is left on the stack; without the instructions that
    /// neither the result nor a check needs.
    ///
    /// # Errors
    /// The first instruction whose operands break an invariant.
    pub fn finish(mut self, result: ValueId) -> Result<Program, String> {
        if let Some(reason) = self.broken {
            return Err(reason);
        }
        self.program.result = result;
        prune(&mut self.program);
        Ok(self.program)
    }
}

/// A number as a listing calls it: whole, or by what is known of it where it is long.
fn describe_number(value: &BigInt) -> String {
    match value.magnitude().trailing_zeros() {
        _ if value.bits() <= WHOLE_BITS => value.to_string(),
        Some(zeros) if value.sign() == Sign::Plus && zeros + 1 == value.bits() => format!("2^{zeros}"),
        _ => format!("{}-byte number", number::encoded_len(value)),
    }
}

/// A byte string as a listing calls it.
fn describe_bytes(bytes: &[u8]) -> String {
    match bytes.len() {
        1..=WHOLE_BYTES => Code::Push(bytes.to_vec()).to_string(),
        len => format!("{len}-byte constant"),
    }
}

/// Drops instructions whose results nothing uses.
fn prune(program: &mut Program) {
    let mut used = vec![false; program.values.len()];
    used[program.result] = true;
    let mut needed = vec![false; program.instructions.len()];
    for (index, instruction) in program.instructions.iter().enumerate().rev() {
        let checks = matches!(instruction.op, Op::CheckDepth(_) | Op::CheckLength(_));
        needed[index] = checks || used[instruction.result..].iter().take(instruction.op.results()).any(|used| *used);
        if needed[index] {
            instruction.operands.iter().for_each(|&operand| used[operand] = true);
        }
    }
    let mut needed = needed.into_iter();
    program.instructions.retain(|_| needed.next().unwrap_or(true));
    for (index, instruction) in program.instructions.iter().enumerate() {
        for slot in 0..instruction.op.results() {
            program.values[instruction.result + slot].definition = Definition::Result { instruction: index, slot };
        }
    }
}
