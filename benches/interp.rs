//! How fast the interpreter runs the two kinds of script that the compiler makes: many small
//! instructions, and few large ones. Run with `cargo bench --bench interp`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use num_bigint::BigInt;
use onnx2script::interp::run;
use onnx2script::script::opcode::Opcode::{self, *};
use onnx2script::script::{number, push};
use onnx2script::target::Target;

/// A script under construction.
#[derive(Default)]
struct Builder {
    script: Vec<u8>,
    instructions: u64,
}

impl Builder {
    fn op(&mut self, opcodes: &[Opcode]) -> &mut Self {
        self.script.extend(opcodes.iter().map(|opcode| opcode.byte()));
        self.instructions += opcodes.len() as u64;
        self
    }

    fn data(&mut self, data: &[u8]) -> &mut Self {
        push::append(&mut self.script, data);
        self.instructions += 1;
        self
    }

    fn number(&mut self, value: i64) -> &mut Self {
        self.data(&number::encode(&BigInt::from(value)))
    }
}

/// Bytes without a pattern, of which the last keeps a number positive and minimal.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes: Vec<u8> = (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect();
    if let Some(top) = bytes.last_mut() {
        *top = 0x55;
    }
    bytes
}

/// A dense layer, one multiplication at a time: 64 inputs of 5 to 12 bytes deep on the stack.
fn unrolled() -> Builder {
    const INPUTS: i64 = 64;
    const NEURONS: i64 = 700;
    let mut builder = Builder::default();
    for input in 0..INPUTS {
        builder.data(&noise(5 + input as usize % 8, input as u64 + 77));
    }
    for neuron in 0..NEURONS {
        builder.op(&[OP_0]);
        for input in 0..INPUTS {
            let weight = (neuron * 31 + input * 17) % 255 - 127;
            // The sum lies on the inputs, and the weight on the sum.
            builder.number(weight).number(input + 2).op(&[PICK, MUL, ADD]);
        }
        builder.op(&[DUP, OP_0, GREATERTHAN, TUCK, DROP, TOALTSTACK, DROP, FROMALTSTACK, TOALTSTACK]);
        builder.number(INPUTS - 1).op(&[ROLL]);
    }
    for _ in 0..INPUTS {
        builder.op(&[DROP]);
    }
    builder.op(&[FROMALTSTACK, DROP, OP_1]);
    builder
}

/// A packed layer: products of numbers of kilobytes, and masks over a string of 50 KB.
fn packed() -> Builder {
    const STRING: i64 = 50_000;
    let mut builder = Builder::default();
    for kilobytes in [1, 2, 4] {
        builder.data(&noise(kilobytes * 1024, kilobytes as u64));
    }
    builder.op(&[OP_0]);
    for factor in 0..200 {
        // Of the three numbers, the one that `factor` picks times 1 KB, 8 bytes and 2 bytes.
        builder.number(factor % 2 + 2).op(&[PICK]).number(4).op(&[PICK, MUL, ADD]);
        builder.number(factor % 3 + 1).op(&[PICK]).data(&noise(8, factor as u64)).op(&[MUL, ADD]);
        builder.number(factor % 3 + 1).op(&[PICK]).number(factor + 129).op(&[MUL, ADD]);
    }
    builder.op(&[OP_0]).number(STRING).op(&[NUM2BIN, INVERT]);
    for shift in 0..50 {
        builder.op(&[DUP]).number(8 * shift + 3).op(&[RSHIFT, OVER, AND, OVER, OR]);
        builder.op(&[DUP]).number(784).op(&[SPLIT, SWAP, CAT, XOR, NIP]);
    }
    for _ in 0..784 / 4 {
        builder.number(4).op(&[SPLIT, SWAP, BIN2NUM, TOALTSTACK]);
    }
    builder.op(&[OP_2DROP, OP_2DROP, DROP, OP_1]);
    builder
}

fn bench(criterion: &mut Criterion) {
    for (name, builder) in [("unrolled", unrolled()), ("packed", packed())] {
        let outcome = run(&[], &builder.script, &Target::default());
        assert_eq!(outcome.verdict(), "OK", "{name}");
        assert_eq!(outcome.stats.instructions, builder.instructions);
        let id = format!("{name}: {} instructions, {} bytes", builder.instructions, builder.script.len());
        criterion.bench_function(&id, |bencher| {
            bencher.iter(|| run(&[], black_box(&builder.script), &Target::default()));
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
