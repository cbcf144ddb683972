//! Bytes to samples: `.npy`, idx, idx.gz, PNG, JPEG, CSV and JSON, and what a network is given of them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use onnx2script::data::{Elements, Inputs, Loaded, Reader, Samples, Wanted};
use onnx2script::input::InputSpec;

const SHAPES: &[&[usize]] = &[&[1, 64], &[1, 1, 8, 8], &[1, 3, 4, 4], &[1, 4, 4, 3], &[4], &[1, 3], &[], &[1, 1 << 40]];
const NAMES: &[&str] = &["x", "x.csv", "x.json", "x.npy"];
const INPUTS: &[&str] = &["fixed", "u8", "u1", "u4:2/15:-1"];
/// Elements of a picture that any of the shapes is given.
const MOST_PICTURE_ELEMENTS: usize = 64;

/// Whether the bytes were samples.
///
/// The first byte chooses the shape, the name and whether bytes are inverted, the second how the rest is wrapped.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let [choices, wrapping, rest @ ..] = bytes else { return false };
    let choices = usize::from(*choices);
    let (shape, name) = (SHAPES[choices & 7], NAMES[choices >> 3 & 3]);
    let file = match wrapping % 4 {
        0 => rest.to_vec(),
        1 => npy(rest),
        2 => packed(rest),
        _ => with_checks(rest),
    };
    let reader = Reader { shape: Some(shape), invert: choices >> 5 & 1 == 1 };
    match reader.parse(&file, name.as_ref()) {
        Ok(loaded) => {
            check(&loaded, rest, INPUTS[choices >> 6]);
            true
        }
        Err(reason) => {
            assert!(format!("{reason:#}").len() < 2000, "{reason:#}");
            false
        }
    }
}

/// A `.npy` file whose header is as long as it says, up to the first line's end.
fn npy(rest: &[u8]) -> Vec<u8> {
    let length = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |at| at + 1) as u16;
    [b"\x93NUMPY\x01\x00", &length.to_le_bytes()[..], rest].concat()
}

/// A gzip file of it.
fn packed(rest: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(rest).unwrap();
    encoder.finish().unwrap()
}

/// A PNG file whose chunks have the checksums that they should have.
fn with_checks(rest: &[u8]) -> Vec<u8> {
    const SIGNATURE: usize = 8;
    const AROUND: usize = 12;
    let mut file = rest.to_vec();
    let mut at = SIGNATURE;
    while let Some(length) = file.get(at..at + 4).map(|length| u32::from_be_bytes(length.try_into().unwrap())) {
        let end = at.saturating_add(AROUND).saturating_add(length as usize);
        if end > file.len() {
            break;
        }
        let mut check = flate2::Crc::new();
        check.update(&file[at + 4..end - 4]);
        file[end - 4..end].copy_from_slice(&check.sum().to_be_bytes());
        at = end;
    }
    file
}

fn check(loaded: &Loaded, file: &[u8], input: &str) {
    let samples = &loaded.samples;
    let elements = match &samples.elements {
        Elements::Bytes(bytes) => bytes.len(),
        Elements::Floats(floats) => floats.len(),
    };
    assert!(samples.sample_len > 0 && samples.len() * samples.sample_len == elements && elements > 0);
    assert!(elements <= file.len().max(MOST_PICTURE_ELEMENTS), "{elements} elements of {} bytes", file.len());
    if let Ok(labels) = samples.labels() {
        assert_eq!(labels.len(), samples.len());
    }
    if let Ok(numbers) = samples.numbers() {
        assert!(numbers.iter().all(|number| number.is_finite() || samples.labels().is_err()));
    }
    check_inputs(samples.clone(), input);
}

/// What a contract is given is what it can be given.
fn check_inputs(samples: Samples, input: &str) {
    let format = input.parse::<InputSpec>().unwrap().resolve(false);
    let (len, shape) = (samples.len(), [1, samples.sample_len]);
    for whole_numbers in [false, true] {
        let wanted = Wanted { shape: &shape, whole_numbers };
        let inputs = Inputs::new(samples.clone(), wanted, &format, None).unwrap();
        assert!(inputs.get(len).is_err());
        for index in [0, len - 1] {
            let Ok(input) = inputs.get(index) else { continue };
            let bytes = format.encode(&input.integers).expect("inside the interval");
            assert_eq!(format.decode(&bytes, samples.sample_len), input.integers);
        }
    }
}
