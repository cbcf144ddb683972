//! Text to what the command line takes: refused in words, or read as what is written back the same.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use onnx2script::codegen::{Contract, Optimise, Strategy};
use onnx2script::data::DataSpec;
use onnx2script::guard::KeyHash;
use onnx2script::input::InputSpec;
use onnx2script::interp::vectors;
use onnx2script::passes::Level;
use onnx2script::quant::{Rescale, Weights, WeightsSpec, decimal};

/// Scripts in longer vectors may take long to run.
const MOST_VECTOR_BYTES: usize = 600;
/// No message repeats more of the text than this.
const MOST_MESSAGE_BYTES: usize = 1000;

/// Whether the bytes were text that something reads.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let read = [
        same_again::<Contract>(text),
        same_again::<Optimise>(text),
        same_again::<Strategy>(text),
        rows(text),
        same_again::<KeyHash>(text),
        same_again::<Level>(text),
        same_again::<Rescale>(text),
        read_only::<WeightsSpec>(text),
        read_only::<Weights>(text),
        read_only::<onnx2script::guard::CommitReveal>(text),
        read_only::<onnx2script::guard::LockTime>(text),
        input(text),
        number(text),
        vectors(text),
    ];
    read.contains(&true)
}

/// Reads it, and reads again what that is written as.
fn same_again<T: FromStr<Err = String> + Display + Debug + PartialEq>(text: &str) -> bool {
    let read = text.parse::<T>();
    read.iter().for_each(|value| assert_eq!(value.to_string().parse().as_ref(), Ok(value), "{text}"));
    told(text, read)
}

fn read_only<T: FromStr<Err = String>>(text: &str) -> bool {
    told(text, text.parse::<T>())
}

fn told<T>(text: &str, read: Result<T, String>) -> bool {
    read.as_ref()
        .err()
        .iter()
        .for_each(|reason| assert!(reason.len() <= text.len() * 6 + MOST_MESSAGE_BYTES, "{reason}"));
    read.is_ok()
}

/// Rows of a file whose name holds none of its own.
fn rows(text: &str) -> bool {
    if text.matches('@').count() > 1 { read_only::<DataSpec>(text) } else { same_again::<DataSpec>(text) }
}

/// A format encodes what it can hold, and decodes it as the same; written out, it is the same format.
fn input(text: &str) -> bool {
    let Ok(spec) = text.parse::<InputSpec>() else { return false };
    for whole_numbers in [false, true] {
        let format = spec.resolve(whole_numbers);
        let interval = format.interval();
        let ends = vec![interval.low.clone(), interval.high.clone(), 0.into()];
        let bytes = format.encode(&ends).expect("the ends of the interval");
        assert_eq!(bytes.len(), format.byte_len(ends.len()));
        assert_eq!(format.decode(&bytes, ends.len()), ends);
        assert_eq!(format.encode(&[interval.high + 1]), None);
        assert!(!format.describe().is_empty());
        let again = format.to_string().parse::<InputSpec>().map(|spec| spec.resolve(whole_numbers));
        assert!(again.is_err() || again == Ok(format), "{text}");
    }
    true
}

fn number(text: &str) -> bool {
    let read = decimal::parse_rational(text);
    read.iter().for_each(|value| assert!(!onnx2script::ir::describe_scale(value).is_empty()));
    told(text, read)
}

fn vectors(text: &str) -> bool {
    if text.len() > MOST_VECTOR_BYTES || text.contains("consensus") {
        return false;
    }
    vectors::check(text).is_ok_and(|report| report.passed + report.failed > 0)
}
