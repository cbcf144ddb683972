//! What is proved of packed values holds when they are computed, whatever the bytes; and the cost model's word.

mod common;

use common::lanes::demand_all;
use common::random::{Random, inputs};
use common::{Sampled, models};
use num_bigint::BigInt;
use onnx2script::bignum::{self, Builder, Definition, Instruction, Kind, Op, Program, ValueId};
use onnx2script::codegen::{self, Optimise, Strategy};
use onnx2script::script::number;
use onnx2script::target::Target;
use onnx2script::{Compiled, Options, compile, quant};

fn compiled(sampled: &Sampled, input: &str, weights: &str, optimise: Optimise) -> Option<Compiled> {
    let weights = weights.split(',').map(|choice| choice.parse().unwrap()).collect();
    let options = Options {
        input: input.parse().unwrap(),
        quant: quant::Options { weights, ..quant::Options::default() },
        codegen: codegen::Options { strategy: Strategy::Packed, optimise, ..codegen::Options::default() },
        ..Options::default()
    };
    compile(&mut sampled.model.clone(), &options).ok()
}

/// Small models, packed in all ways; what each is called.
fn all() -> impl Iterator<Item = (String, Compiled)> {
    let choices = ["u8:1/20:-6", "fixed:3"].into_iter().flat_map(|input| {
        let weights = ["int8", "int4", "fixed:1e8"].into_iter();
        weights.flat_map(move |weights| {
            [Optimise::Size, Optimise::Speed, Optimise::Balanced].map(|optimise| (input, weights, optimise))
        })
    });
    let choices: Vec<_> = choices.collect();
    // The articles' networks take too long in all ways.
    let small = models().into_iter().filter(|sampled| !sampled.name.contains("784"));
    small.flat_map(move |sampled| {
        let mut packed = Vec::new();
        for &(input, weights, optimise) in &choices {
            if let Some(compiled) = compiled(&sampled, input, weights, optimise) {
                packed.push((format!("{} {input} {weights} {optimise}", sampled.name), compiled));
            }
        }
        packed
    })
}

#[test]
fn every_lane_is_where_it_is_proved_to_be() {
    let mut packed = 0;
    for (_, compiled) in all() {
        packed += 1;
        let ir = &compiled.ir;
        let len = ir.input.byte_len(ir.values[0].len());
        for input in inputs(len, ir.input.width(), 2) {
            demand_all(&compiled.program, &compiled.contract.unlocking_items(&BigInt::ZERO, input));
        }
    }
    assert!(packed >= 50, "{packed} contracts are packed");
}

#[test]
fn the_cost_model_is_right_to_the_byte() {
    for (name, compiled) in all() {
        let Some(predicted) = compiled.predicted else { panic!("{name}: nothing was predicted") };
        let program = &compiled.program;
        let network = compiled.script.instructions.iter().filter(|instruction| {
            let served = &program.instructions[instruction.origin as usize];
            &*program.origins[served.origin as usize].layer != "contract"
        });
        let (bytes, count) =
            network.fold((0, 0), |(bytes, count), instruction| (bytes + instruction.code.byte_len(), count + 1usize));
        assert_eq!(predicted.bytes, bytes, "bytes of {name}");
        assert!(predicted.instructions.abs_diff(count) * 20 <= count, "instructions of {name}");
    }
}

/// A program that is made anew, so that what is proved of its values follows from what it does.
struct Rebuilt<'p> {
    program: &'p Program,
    builder: Builder,
    /// What each value has become.
    ids: Vec<Option<ValueId>>,
}

/// A change of one constant or instruction.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// A bit of a constant, by its value.
    Bit { value: ValueId, bit: usize },
    /// The position of a split, by its instruction.
    Position { at: usize, other: usize },
    /// The bytes of a unit.
    Unit { at: usize, other: usize },
}

impl Rebuilt<'_> {
    /// The program with a change, if it is taken.
    fn changed(program: &Program, change: Change) -> Option<Program> {
        let names: Vec<String> = program.inputs.iter().map(|&id| program.values[id].name.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut rebuilt = Rebuilt { program, builder: Builder::new(&names), ids: vec![None; program.values.len()] };
        for (&old, &new) in program.inputs.iter().zip(rebuilt.builder.inputs()) {
            rebuilt.ids[old] = Some(new);
        }
        (0..program.instructions.len()).for_each(|at| rebuilt.instruction(at, change));
        let result = rebuilt.value(program.result, change);
        let made = rebuilt.builder.finish(result).ok()?;
        bignum::verify(&made, &Target::default()).is_ok().then_some(made)
    }

    fn value(&mut self, id: ValueId, change: Change) -> ValueId {
        if let Some(made) = self.ids[id] {
            return made;
        }
        let value = &self.program.values[id];
        let Definition::Constant(bytes) = &value.definition else { panic!("%{id} is used before it is made") };
        let mut bytes = bytes.clone();
        if let Change::Bit { value, bit } = change
            && value == id
        {
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let made = match &value.kind {
            Kind::Number(_) => self.builder.number(&number::decode(&bytes)),
            _ => self.builder.bytes(bytes),
        };
        self.ids[id] = Some(made);
        made
    }

    fn instruction(&mut self, index: usize, change: Change) {
        let Instruction { op, operands, result, .. } = &self.program.instructions[index];
        let name = |slot: usize| self.program.values[result + slot].name.clone();
        match (*op, change) {
            (Op::CheckDepth(_), _) => self.builder.check_depth(self.program.below),
            (Op::Split, _) => {
                let names = [name(0), name(1)];
                let right = self.program.known(operands[1]).map(number::decode).and_then(|at| at.try_into().ok());
                let position = match change {
                    Change::Position { at, other } if at == index => other,
                    _ => right.unwrap(),
                };
                let operand = self.value(operands[0], change);
                let (head, tail) = self.builder.split(operand, position, names);
                (self.ids[*result], self.ids[result + 1]) = (Some(head), Some(tail));
            }
            (op, _) => {
                let name = name(0);
                let op = match change {
                    Change::Unit { at, other } if at == index => Op::View(other),
                    _ => op,
                };
                let operands: Vec<ValueId> = operands.iter().map(|&operand| self.value(operand, change)).collect();
                self.ids[*result] = Some(self.builder.one(op, &operands, name));
            }
        }
    }
}

/// Every change of a split or a unit by a little, and some of every constant's bits.
fn changes(program: &Program) -> Vec<Change> {
    let mut changes = vec![];
    for (at, Instruction { op, operands, .. }) in program.instructions.iter().enumerate() {
        if let Op::View(unit) = *op {
            changes.extend((1..=2 * unit + 1).map(|other| Change::Unit { at, other }));
        }
        if let (Op::Split, Some(position)) = (op, operands.get(1).and_then(|&id| program.known(id))) {
            let position = usize::try_from(number::decode(position)).unwrap();
            changes.extend((position.saturating_sub(3)..=position + 3).map(|other| Change::Position { at, other }));
        }
    }
    let mut random = Random(1);
    for value in 0..program.values.len() {
        if let Some(bits @ 1..) = program.constant(value).map(|bytes| 8 * bytes.len()) {
            let bits = (0..24).map(|_| random.next() as usize % bits).chain([0, bits - 1]);
            changes.extend(bits.map(|bit| Change::Bit { value, bit }));
        }
    }
    changes
}

#[test]
fn a_wrong_packed_program_is_refused_or_does_what_is_proved_of_it() {
    let (mut taken, mut refused) = (0, 0);
    for sampled in models().into_iter().filter(|sampled| ["toy", "iris"].iter().any(|name| sampled.name.contains(name)))
    {
        for (input, weights, optimise) in [
            ("u8:1/20:-6", "int4", Optimise::Size),
            ("fixed:3", "int8", Optimise::Speed),
            ("fixed:2", "int4", Optimise::Balanced),
        ] {
            let Some(compiled) = compiled(&sampled, input, weights, optimise) else { continue };
            let ir = &compiled.ir;
            let inputs = inputs(ir.input.byte_len(ir.values[0].len()), ir.input.width(), 4);
            for change in changes(&compiled.program) {
                let Some(mutant) = Rebuilt::changed(&compiled.program, change) else {
                    refused += 1;
                    continue;
                };
                taken += 1;
                for input in &inputs {
                    demand_all(&mutant, &compiled.contract.unlocking_items(&BigInt::ZERO, input.clone()));
                }
            }
        }
    }
    assert!(taken >= 100 && refused >= 100, "{taken} are taken, {refused} are refused");
}
