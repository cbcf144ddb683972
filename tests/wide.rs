//! Layers whose lanes take more bytes than a number may: packed all the same, in pieces, and right.

mod common;

use common::networks::{End, Layer, Step, network};
use common::random::{Random, extremes};
use common::{DEFAULT, Lock};
use onnx2script::codegen::{self, Strategy};
use onnx2script::graph::Tie;
use onnx2script::passes::{self, Level};
use onnx2script::target::Target;
use onnx2script::{Compiled, Options, generate, quant};

struct Wide {
    what: &'static str,
    input: &'static str,
    /// Elements of the input, and of each layer's output.
    widths: &'static [usize],
    between: Step,
    /// What weights are multiples of.
    unit: f64,
    /// Bytes that the lanes take at least.
    bytes: usize,
}

const WIDE: [Wide; 5] = [
    Wide {
        what: "sums and ReLU",
        input: "fixed",
        widths: &[8, 900, 3],
        between: Step::Relu,
        unit: 0.001,
        bytes: 10_800,
    },
    Wide {
        what: "sums and ReLU, thrice",
        input: "fixed",
        widths: &[3, 2500, 2],
        between: Step::Relu,
        unit: 0.001,
        bytes: 30_000,
    },
    Wide {
        what: "a signed input",
        input: "fixed",
        widths: &[2100, 2, 3],
        between: Step::Relu,
        unit: 0.001,
        bytes: 10_500,
    },
    Wide {
        what: "an input of half bytes",
        input: "u4",
        widths: &[20_100, 2, 2],
        between: Step::Relu,
        unit: 1.0,
        bytes: 10_050,
    },
    Wide { what: "a curve", input: "u8", widths: &[4, 1400, 2], between: Step::Sigmoid, unit: 0.001, bytes: 11_200 },
];

fn compile(wide: &Wide) -> Compiled {
    let mut random = Random(wide.what.len() as u64);
    let mut layer = |rows: usize, columns: usize, after: Vec<Step>| {
        let most = (2.0 / wide.unit) as u64;
        let weight = |_| ((random.next() % (2 * most + 1)) as f64 - most as f64) * wide.unit;
        Layer { before: vec![], columns, weights: (0..rows * columns).map(weight).collect(), after }
    };
    let [inputs, hidden, classes] = *wide.widths else { panic!("two layers") };
    let layers = vec![layer(inputs, hidden, vec![wide.between.clone()]), layer(hidden, classes, vec![])];
    let graph = network(inputs, layers, End::ArgMax(Tie::First));
    let codegen = codegen::Options { strategy: Strategy::Packed, ..codegen::Options::default() };
    let options = Options { input: wide.input.parse().unwrap(), codegen, ..Options::default() };
    let ir = quant::quantise(&graph, options.input.resolve(false), &options.quant).unwrap();
    let optimised = passes::run(&ir, Level::Full, None).unwrap();
    generate(graph, ir, optimised, &options).unwrap_or_else(|refusal| panic!("{}: {refusal}", wide.what))
}

#[test]
fn what_no_number_holds_is_packed_in_pieces() {
    for wide in &WIDE {
        assert!(wide.bytes > Target::default().max_number_bytes(), "{}", wide.what);
        let compiled = compile(wide);
        let longest = compiled.landmarks.iter().filter_map(|landmark| match &landmark.form {
            codegen::Held::Lanes(form) => Some(form.bytes * form.order.len()),
            _ => None,
        });
        let longest = longest.max().unwrap_or(0).max(compiled.ir.input.byte_len(wide.widths[0]));
        assert!(longest >= wide.bytes, "{}: {longest} bytes", wide.what);
        let lock = Lock::new(compiled);
        let (len, width) = (lock.input_len(), lock.compiled.ir.input.width());
        let mut inputs = extremes(len, width);
        inputs.truncate(2);
        inputs.push(Random(1).bytes(len));
        for input in inputs {
            let class = lock.class(&input);
            lock.demand(&lock.items(&class, &input), &[DEFAULT]);
            lock.demand(&lock.items(&(class + 1), &input), &[DEFAULT]);
        }
    }
}
