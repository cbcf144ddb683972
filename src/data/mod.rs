//! Sample files, and what they are to a network. A [`Reader`] reads tables (`.npy`, idx, idx.gz, CSV, JSON) and
//! pictures (PNG, JPEG), told apart by their first bytes and then by their names.
//!
//! Nothing is allocated before the file's length, or a limit, was held against what its header claims.

mod csv;
mod format;
mod idx;
mod inputs;
mod json;
mod layout;
mod npy;
mod picture;
mod reader;
mod spec;

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use num_bigint::BigInt;
use num_rational::BigRational;

use crate::input::{Encoding, InputFormat, default_unit, highest};
use crate::quant::decimal;

pub use inputs::{Input, Inputs, Wanted};
pub use layout::{PictureLayout, Pixels};
pub use reader::{Loaded, Reader};
pub use spec::{DataSpec, Rows};

/// Samples of equal length, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Elements of one sample.
    pub sample_len: usize,
    /// All elements.
    pub elements: Elements,
}

/// Elements as the file holds them.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// Unsigned bytes: pictures.
    Bytes(Vec<u8>),
    /// Any other numbers.
    Floats(Vec<f64>),
}

impl Samples {
    /// Reads a table; its first dimension counts the samples.
    ///
    /// # Errors
    /// As [`Reader::read`]; also for a picture.
    pub fn load(path: &Path) -> anyhow::Result<Samples> {
        Ok(Reader::default().read(path)?.samples)
    }

    /// Puts elements into rows.
    fn new(shape: &[usize], elements: Elements) -> anyhow::Result<Samples> {
        let [count, rest @ ..] = shape else { bail!("it holds a single number, not samples") };
        let sample_len = rest.iter().product::<usize>();
        ensure!(*count > 0 && sample_len > 0, "it holds no samples (shape {shape:?})");
        Ok(Samples { sample_len, elements })
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        let elements = match &self.elements {
            Elements::Bytes(bytes) => bytes.len(),
            Elements::Floats(floats) => floats.len(),
        };
        elements / self.sample_len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples of a range; it must lie inside.
    fn slice(&self, rows: Range<usize>) -> Samples {
        let range = rows.start * self.sample_len..rows.end * self.sample_len;
        let elements = match &self.elements {
            Elements::Bytes(bytes) => Elements::Bytes(bytes[range].to_vec()),
            Elements::Floats(floats) => Elements::Floats(floats[range].to_vec()),
        };
        Samples { sample_len: self.sample_len, elements }
    }

    /// The rows as labels: one class number each.
    ///
    /// # Errors
    /// When a row holds several numbers, or one that is no class.
    pub fn labels(&self) -> anyhow::Result<Vec<u64>> {
        ensure!(self.sample_len == 1, "labels are one class number a row, not {} numbers", self.sample_len);
        let class = |(row, &value): (usize, &f64)| {
            let whole = value >= 0.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX);
            ensure!(whole, "label {row} is {value}, not a class number");
            Ok(value as u64)
        };
        match &self.elements {
            Elements::Bytes(bytes) => Ok(bytes.iter().map(|&byte| u64::from(byte)).collect()),
            Elements::Floats(floats) => floats.iter().enumerate().map(class).collect(),
        }
    }

    /// The rows as numbers: one each.
    ///
    /// # Errors
    /// When a row holds several numbers.
    pub fn numbers(&self) -> anyhow::Result<Vec<f64>> {
        ensure!(self.sample_len == 1, "labels are one number a row, not {} numbers", self.sample_len);
        Ok(match &self.elements {
            Elements::Bytes(bytes) => bytes.iter().map(|&byte| f64::from(byte)).collect(),
            Elements::Floats(floats) => floats.clone(),
        })
    }

    /// What sample `index` is to the model, exactly: every element times `unit`, plus `offset`.
    ///
    /// # Errors
    /// When there is no such sample, or it holds a number that is not finite.
    pub fn values(&self, index: usize, meaning: &Meaning) -> anyhow::Result<Vec<BigRational>> {
        ensure!(index < self.len(), "there is no sample {index}: the file holds {}, counted from 0", self.len());
        let range = index * self.sample_len..(index + 1) * self.sample_len;
        let exact: Option<Vec<BigRational>> = match &self.elements {
            Elements::Bytes(bytes) => {
                Some(bytes[range].iter().map(|&byte| BigRational::from(BigInt::from(byte))).collect())
            }
            Elements::Floats(floats) => floats[range].iter().map(|&value| decimal::exact(value)).collect(),
        };
        let exact = exact.with_context(|| format!("sample {index} holds a number that is not finite"))?;
        Ok(exact.iter().map(|value| meaning.of(value)).collect())
    }

    /// What a step of one in this file is worth to the model unless the user says otherwise: bytes are
    /// the contract's own bytes where it takes bytes. Where it takes fewer bits, 255 is their largest number, as white is
    /// white in a coarser picture, unless the model takes integers: these mean what they are. For other inputs a byte is
    /// worth 1/255 (1 for a model that takes integers). Other numbers are the model's.
    pub fn meaning(&self, unit: Option<&BigRational>, format: &InputFormat, whole_numbers: bool) -> Meaning {
        let plain = |unit: BigRational| Meaning { unit, offset: BigRational::from(BigInt::ZERO) };
        match (unit, &self.elements, format.encoding) {
            (Some(unit), ..) => plain(unit.clone()),
            (None, Elements::Bytes(_), Encoding::Bits { bits }) if bits == 8 || !whole_numbers => {
                let levels = BigRational::new(highest(bits).into(), u8::MAX.into());
                Meaning { unit: &format.scale * levels, offset: format.offset.clone() }
            }
            (None, Elements::Bytes(_), _) => plain(default_unit(8, whole_numbers)),
            (None, Elements::Floats(_), _) => plain(BigRational::from(BigInt::from(1))),
        }
    }
}

/// The beginning of a text from a file, for a message.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 24;
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text.to_owned(),
    }
}

/// What the numbers of a file are worth to the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// What a step of one is worth.
    pub unit: BigRational,
    /// What zero is worth.
    pub offset: BigRational,
}

impl Meaning {
    /// What a number of the file is to the model.
    fn of(&self, value: &BigRational) -> BigRational {
        value * &self.unit + &self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_as_bright_in_fewer_bits() {
        let picture = Samples { sample_len: 1, elements: Elements::Bytes(vec![0]) };
        let meaning = |format: &str, whole_numbers| {
            let format = format.parse::<crate::input::InputSpec>().unwrap().resolve(whole_numbers);
            let meaning = picture.meaning(None, &format, whole_numbers);
            [0, 255].map(|byte| meaning.of(&BigInt::from(byte).into()).to_string())
        };
        for format in ["u1", "u2", "u4", "u8", "fixed"] {
            assert_eq!(meaning(format, false), ["0", "1"], "{format}");
            assert_eq!(meaning(format, true), ["0", "255"], "{format}");
        }
        for format in ["u1:2:-1", "u4:2/15:-1", "u8:2/255:-1"] {
            assert_eq!(meaning(format, false), ["-1", "1"], "{format}");
        }
    }

    #[test]
    fn labels_are_class_numbers() {
        let labels = |elements, sample_len| Samples { sample_len, elements }.labels();
        assert_eq!(labels(Elements::Bytes(vec![3, 0, 9]), 1).unwrap(), [3, 0, 9]);
        assert_eq!(labels(Elements::Floats(vec![3.0, 12.0]), 1).unwrap(), [3, 12]);
        assert!(labels(Elements::Bytes(vec![3, 0]), 2).unwrap_err().to_string().contains("one class number a row"));
        for wrong in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e18] {
            assert!(labels(Elements::Floats(vec![1.0, wrong]), 1).unwrap_err().to_string().contains("label 1"));
        }
    }
}
