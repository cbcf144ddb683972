//! What `run` shows beyond its table, and the trace of what a script makes.

#[path = "common/binary.rs"]
mod binary;

use binary::onnx2script;

const MNIST: [&str; 7] =
    ["run", "models/mnist_784_64_10.onnx", "--data", "models/mnist_samples.npy", "--index", "3", "-q"];

fn stdout(args: &[&str]) -> String {
    let ran = onnx2script(args);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
    ran.stdout
}

#[test]
fn a_pipe_gets_the_table_alone_unless_asked() {
    let plain = stdout(&MNIST);
    assert!(plain.starts_with("sample               3 of models/mnist_samples.npy\n"), "{plain}");
    assert_eq!(stdout(&[&MNIST[..], &["--plain"]].concat()), plain);
    let shown = stdout(&[&MNIST[..], &["--show"]].concat());
    let (picture, rest) = shown.split_once("\n\n").unwrap();
    assert_eq!(picture.lines().count(), 28);
    assert!(picture.contains("@@@@") && !shown.contains('\x1b'), "{shown}");
    let (scores, table) = rest.split_once("\n\n").unwrap();
    assert_eq!(scores.lines().count(), 11);
    let chosen: Vec<&str> = scores.lines().filter(|line| line.ends_with('◀')).collect();
    assert!(chosen.len() == 1 && chosen[0].starts_with("  0 ████"), "{scores}");
    assert!(table.starts_with(&plain), "{table}");
    let fee = "18354 sat to lock";
    assert!(stdout(&[&MNIST[..], &["--show", "--input", "u8"]].concat()).contains(fee), "{table}");
    let rate = ["--show", "--input", "u8", "--fee-rate", "18446744073709551615"];
    assert!(stdout(&[&MNIST[..], &rate].concat()).contains("at 18446744073709551615 sat"));
}

#[test]
fn colours_are_there_where_they_are_wanted() {
    let shown = stdout(&[&MNIST[..], &["--show", "--color", "always"]].concat());
    assert_eq!(shown.lines().take_while(|line| line.contains('▀')).count(), 14);
    assert!(shown.contains("\x1b[38;") && shown.contains("\x1b[0m"));
    assert_eq!(onnx2script(&[&MNIST[..], &["--show", "--json"]].concat()).code, 2);
    assert_eq!(onnx2script(&[&MNIST[..], &["--show", "--plain"]].concat()).code, 2);
}

#[test]
fn every_kind_of_answer_is_shown() {
    let show = |name: &str, data: &str| {
        stdout(&["run", &format!("models/{name}.onnx"), "--data", &format!("models/{data}.npy"), "-q", "--show"])
    };
    assert!(show("iris_4-8-3", "iris_samples").lines().nth(1).unwrap().ends_with(" ◀"));
    let logit = show("breast_cancer_30-16-1", "breast_cancer_samples");
    assert!(logit.lines().nth(1).unwrap().starts_with("  logit, class 1 where above 0 "), "{logit}");
    let number = show("diabetes_10-16-1", "diabetes_samples");
    assert_eq!(number.lines().nth(1).unwrap(), "  number       263.622      263.622");
}

use num_bigint::BigInt;
use onnx2script::codegen::{self, Strategy};
use onnx2script::data::{Inputs, Samples};
use onnx2script::onnx::Model;
use onnx2script::report::trace::Trace;
use onnx2script::spend::Spender;
use onnx2script::{Compiled, Options, compile, ir};

/// A contract, and inputs for it.
fn contract(model: &str, samples: &str, options: &Options) -> (Compiled, Inputs) {
    let mut model = Model::load(format!("models/{model}.onnx").as_ref()).unwrap();
    let compiled = compile(&mut model, options).unwrap();
    let samples = Samples::load(format!("models/{samples}.npy").as_ref()).unwrap();
    let inputs = Inputs::new(samples, (&compiled.graph).into(), &compiled.ir.input, None).unwrap();
    (compiled, inputs)
}

/// Follows a spend with one input, told that it was another.
fn trace<'c>(compiled: &'c Compiled, input: &[BigInt], told: &[BigInt]) -> (Trace<'c>, String) {
    let spender = Spender::new(compiled, None);
    let (mut trace, mut text) = (Trace::new(compiled, told, false), String::new());
    let spend = spender.spend_traced(input, None, &mut |step| text += &trace.before(step));
    assert!(spend.accepted());
    text += &trace.at_end(&spend.outcome.stack);
    (trace, text)
}

/// The end of every layer, and the input, as the stack held them, are what the definition says.
fn demand_layers(model: &str, samples: &str, options: &Options) {
    let (compiled, inputs) = contract(model, samples, options);
    let network = &compiled.optimised;
    for index in 0..2 {
        let input = inputs.get(index).unwrap().integers;
        let defined = ir::eval_all(network, &input);
        let (trace, text) = trace(&compiled, &input, &input);
        assert!(trace.reads().iter().all(|read| read.as_defined), "{model}: {text}");
        for (layer, described) in network.layers.iter().enumerate() {
            let is_answer = |value: &ir::Value| matches!(value.op, ir::Op::ArgMax { .. } | ir::Op::Positive { .. });
            let last = network.values.iter().rposition(|value| value.layer == layer && !is_answer(value));
            let Some(last) = last else { continue };
            let read = trace.reads().iter().find(|read| read.value == last);
            let read = read.unwrap_or_else(|| panic!("{model}: {} ends in %{last}, unread:\n{text}", described.label));
            let constant = |element: &usize| network.values[last].intervals[*element].as_point().is_some();
            let expected: Vec<(usize, BigInt)> = defined[last].iter().cloned().enumerate().collect();
            let unread = expected.iter().filter(|(element, _)| !read.elements.iter().any(|(read, _)| read == element));
            assert!(unread.clone().all(|(element, _)| constant(element)), "{model} %{last}: {text}");
            assert!(read.elements.iter().all(|read| expected.contains(read)), "{model} %{last}: {text}");
        }
    }
}

#[test]
fn traces_read_every_layer_as_it_is_defined() {
    for strategy in [Strategy::Auto, Strategy::Unrolled] {
        let codegen = codegen::Options { strategy, ..Default::default() };
        for input in ["fixed", "u8", "u4"] {
            let options = Options { input: input.parse().unwrap(), codegen, ..Default::default() };
            demand_layers("digits_64_32_10", "digits_samples", &options);
        }
        let options = Options { codegen, ..Default::default() };
        for (model, samples) in [
            ("toy_2-2-2", "toy_samples"),
            ("iris_4-8-3", "iris_samples"),
            ("gemm_6-5-4", "gemm_samples"),
            ("breast_cancer_30-16-1", "breast_cancer_samples"),
            ("diabetes_10-16-1", "diabetes_samples"),
        ] {
            demand_layers(model, samples, &options);
        }
    }
    let options = Options { input: "u8".parse().unwrap(), ..Default::default() };
    for model in ["mnist_784_64_10", "ternary_784_64_10", "zoo/mnist_act_tanh", "zoo/mnist_residual"] {
        demand_layers(model, "mnist_samples", &options);
    }
}

/// The trace is read off the stack: told of another input, it sees that nothing fits.
#[test]
fn traces_say_where_a_stack_is_not_as_defined() {
    let (compiled, inputs) = contract("iris_4-8-3", "iris_samples", &Options::default());
    let [one, other] = [0, 1].map(|index| inputs.get(index).unwrap().integers);
    let (trace, text) = trace(&compiled, &one, &other);
    assert!(trace.reads().iter().all(|read| !read.as_defined), "{text}");
    assert!(text.contains("= %0 of input, 4 numbers, NOT AS DEFINED: element 0 is the integer "), "{text}");
    assert_eq!(trace.reads()[0].elements[0].1, one[0]);
}

#[test]
fn run_traces_to_standard_error() {
    let run = ["run", "models/mnist_784_64_10.onnx", "--data", "models/mnist_samples.npy", "-q", "--input", "u8"];
    let first = onnx2script(&[&run[..], &["--trace"]].concat());
    assert_eq!((first.code, first.stdout.clone()), (0, stdout(&run)));
    assert!(first.stderr.contains("dense 1: relu, ") && first.stderr.contains("64 lanes of "), "{}", first.stderr);
    assert!(first.stderr.contains(", as defined: ") && !first.stderr.contains("NOT AS DEFINED"));
    assert!(first.stderr.contains("exit: answer against claim"), "{}", first.stderr);
    let all = onnx2script(&[&run[..], &["--trace=all"]].concat());
    assert!(all.code == 0 && all.stderr.len() > first.stderr.len() + 784);
}
