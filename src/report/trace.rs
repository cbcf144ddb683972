//! What each idiom of a script makes of a sample, read off the interpreter's stack while it runs.
//!
//! Values are decoded from the bytes that the interpreter holds, and held against the definition: they are never
//! computed here. What nothing is known of but its bytes is shown as bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::limits::grouped;
use super::walk::walk;
use crate::Compiled;
use crate::bignum::{Definition, Op, Program, ValueId as NumberId};
use crate::codegen::{Held, Landmark};
use crate::interp::{ScriptKind, Step};
use crate::ir::{self, ValueId};

/// Elements shown unless all are.
const SHOWN: usize = 6;
/// Bytes of a product that are shown.
const SHOWN_BYTES: usize = 12;

/// What an instruction made, to be found when the next one is about to run.
struct Event {
    /// Where the instruction ends.
    end: usize,
    /// What it made, deepest first.
    made: Vec<NumberId>,
    /// What it belongs to, as an index into the program's origins.
    origin: usize,
    /// Whether it is the last of that.
    last: bool,
}

/// What is known of an idiom's run so far.
#[derive(Debug, Clone, Default)]
struct Idiom {
    instructions: usize,
    product: Option<(NumberId, Vec<u8>)>,
}

/// Follows a run of a contract's script.
pub struct Trace<'c> {
    compiled: &'c Compiled,
    defined: Vec<Vec<BigInt>>,
    all: bool,
    events: Vec<Event>,
    next: usize,
    /// Landmarks by the value of the program that they are read from.
    landmarks: BTreeMap<NumberId, Vec<usize>>,
    idioms: Vec<Idiom>,
    /// Elements of values whose elements are numbers of their own, and how many there are to be.
    numbers: BTreeMap<ValueId, (Vec<(usize, BigInt)>, usize)>,
    verdicts: Vec<Read>,
}

/// A value of the network as a script held it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The value of the optimised network.
    pub value: ValueId,
    /// Its elements, as read off the stack; not always all of them.
    pub elements: Vec<(usize, BigInt)>,
    /// Whether all that were read are as defined.
    pub as_defined: bool,
}

impl<'c> Trace<'c> {
    /// Follows a run with this input; where `all`, shows all elements.
    pub fn new(compiled: &'c Compiled, input: &[BigInt], all: bool) -> Self {
        let program = &compiled.program;
        let events = events(compiled);
        let made: BTreeSet<NumberId> = events.iter().flat_map(|event| event.made.iter().copied()).collect();
        let mut landmarks: BTreeMap<NumberId, Vec<usize>> = BTreeMap::new();
        let mut numbers: BTreeMap<ValueId, (Vec<_>, usize)> = BTreeMap::new();
        for (index, landmark) in compiled.landmarks.iter().enumerate() {
            let held = source(program, landmark.held);
            if !made.contains(&held) {
                continue;
            }
            landmarks.entry(held).or_default().push(index);
            if landmark.is_number() {
                numbers.entry(landmark.value).or_default().1 += 1;
            }
        }
        let idioms = vec![Idiom::default(); program.origins.len()];
        let defined = ir::eval_all(&compiled.optimised, input);
        Trace { compiled, defined, all, events, next: 0, landmarks, idioms, numbers, verdicts: vec![] }
    }

    /// Looks at the stack before an instruction; gives what there is to tell of those before it.
    pub fn before(&mut self, step: &Step<'_>) -> String {
        if step.script != ScriptKind::Locking {
            return String::new();
        }
        self.until(step.offset, &|depth| step.item(depth))
    }

    /// Looks at the stack behind the last instruction, bottom first.
    pub fn at_end(&mut self, stack: &[Vec<u8>]) -> String {
        let size = self.compiled.script.byte_len();
        self.until(size, &|depth| stack.iter().nth_back(depth).map(Vec::as_slice))
    }

    /// The values read so far.
    pub fn reads(&self) -> &[Read] {
        &self.verdicts
    }

    fn until<'s>(&mut self, offset: usize, item: &dyn Fn(usize) -> Option<&'s [u8]>) -> String {
        let mut text = String::new();
        while self.events.get(self.next).is_some_and(|event| event.end <= offset) {
            let at = self.next;
            self.next += 1;
            let Event { end, origin, last, .. } = self.events[at];
            self.idioms[origin].instructions += 1;
            let made = if end == offset { self.events[at].made.clone() } else { vec![] };
            let mut values = String::new();
            for (depth, &id) in made.iter().rev().enumerate() {
                let Some(bytes) = item(depth) else { continue };
                self.idioms[origin].product = Some((id, bytes.to_vec()));
                values += &self.read(id, bytes);
            }
            if last {
                text += &self.tell(origin);
            }
            text += &values;
        }
        text
    }

    /// Reads what a value of the program holds of the network's values.
    fn read(&mut self, id: NumberId, bytes: &[u8]) -> String {
        let mut text = String::new();
        for index in self.landmarks.get(&id).cloned().unwrap_or_default() {
            let landmark = &self.compiled.landmarks[index];
            let mut elements = landmark.decode(bytes);
            if landmark.is_number() {
                let Some((collected, wanted)) = self.numbers.get_mut(&landmark.value) else { continue };
                collected.append(&mut elements);
                if collected.len() < *wanted {
                    continue;
                }
                elements = std::mem::take(collected);
            }
            elements.sort();
            text += &self.judge(landmark, elements);
        }
        text
    }

    /// Holds elements against the definition.
    fn judge(&mut self, landmark: &Landmark, elements: Vec<(usize, BigInt)>) -> String {
        let value = landmark.value;
        let wrong = elements.iter().find(|(element, read)| self.defined[value].get(*element) != Some(read));
        let verdict = match wrong {
            None => "as defined".to_owned(),
            Some((element, read)) => format!("NOT AS DEFINED: element {element} is the integer {read}"),
        };
        let as_defined = wrong.is_none();
        let layer = &self.compiled.optimised.layers[self.compiled.optimised.values[value].layer].label;
        let shown = if self.all { elements.len() } else { elements.len().min(SHOWN) };
        let numbers: Vec<String> = elements.iter().take(shown).map(|(at, read)| self.units(value, *at, read)).collect();
        let more = if shown < elements.len() { ", ..." } else { "" };
        let held = describe(landmark, elements.len());
        self.verdicts.push(Read { value, elements, as_defined });
        format!("    = %{value} of {layer}, {held}, {verdict}: {}{more}\n", numbers.join(", "))
    }

    /// An integer in the model's units.
    fn units(&self, value: ValueId, element: usize, read: &BigInt) -> String {
        let ir = &self.compiled.optimised;
        let channel = ir.layers[ir.values[value].layer].channels.get(element).copied().unwrap_or(1.0);
        let number = (&ir.values[value].scale * read).to_f64().unwrap_or(f64::NAN) * channel;
        if number.abs() < 1e-4 && number.abs() > 0.0 || number.abs() >= 1e6 {
            return format!("{number:.3e}");
        }
        format!("{number:.5}")
    }

    /// What an idiom took and left.
    fn tell(&self, origin: usize) -> String {
        let program = &self.compiled.program;
        let (at, idiom) = (&program.origins[origin], &self.idioms[origin]);
        let mut text = format!("{}: {}, {} instructions", at.layer, at.step, grouped(idiom.instructions as u64));
        if let Some((id, bytes)) = &idiom.product {
            let first: String = bytes.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
            let more = if bytes.len() > SHOWN_BYTES { ".." } else { "" };
            let length = grouped(bytes.len() as u64);
            let _ = write!(text, "; last made {}: {length} bytes {first}{more}", program.values[*id].name);
        }
        text + "\n"
    }
}

/// How elements were held.
fn describe(landmark: &Landmark, elements: usize) -> String {
    match &landmark.form {
        Held::Number { .. } => format!("{elements} numbers"),
        Held::Lanes(form) => format!("{elements} lanes of {} bytes", form.bytes),
    }
}

/// What each instruction of the script makes.
fn events(compiled: &Compiled) -> Vec<Event> {
    let program = &compiled.program;
    let mut events: Vec<Event> = Vec::new();
    walk(program, &compiled.script, |step| {
        let origin = program.instructions[step.instruction.origin as usize].origin as usize;
        let made = step.made.iter().map(|&id| source(program, id)).collect();
        events.push(Event { end: step.offset + step.instruction.code.byte_len(), made, origin, last: false });
    });
    let mut seen = BTreeSet::new();
    events.iter_mut().rev().for_each(|event| event.last = seen.insert(event.origin));
    events
}

/// The value whose bytes a value is: some operations only say what it is.
fn source(program: &Program, mut id: NumberId) -> NumberId {
    while let Definition::Result { instruction, .. } = &program.values[id].definition {
        let instruction = &program.instructions[*instruction];
        match instruction.op {
            Op::Keep | Op::View(_) | Op::Lane => id = instruction.operands[0],
            _ => break,
        }
    }
    id
}
