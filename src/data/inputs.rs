//! Samples as a contract takes them, and as the float model does.

use anyhow::{Context, ensure};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

use super::{Elements, Meaning, Samples};
use crate::graph::Graph;
use crate::input::InputFormat;

/// What a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'n> {
    /// The shape of its input, a batch of 1 included.
    pub shape: &'n [usize],
    /// Whether that is of an integer type.
    pub whole_numbers: bool,
}

impl Wanted<'_> {
    /// How many numbers a sample has.
    fn len(self) -> usize {
        self.shape.iter().product()
    }
}

impl<'n> From<&'n Graph> for Wanted<'n> {
    fn from(graph: &'n Graph) -> Self {
        Wanted { shape: &graph.input_shape, whole_numbers: graph.input_element.is_integer() }
    }
}

/// The samples of a file, ready for one network.
#[derive(Debug, Clone)]
pub struct Inputs {
    samples: Samples,
    meaning: Meaning,
    format: InputFormat,
    /// What each byte is, where the file holds bytes: there are only so many.
    bytes: Vec<Element>,
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// For the contract.
    pub integers: Vec<BigInt>,
    /// For the float model.
    pub floats: Vec<f64>,
}

/// One element of a sample; no integer where the format cannot hold it.
#[derive(Debug, Clone)]
struct Element {
    integer: Option<BigInt>,
    float: f64,
}

impl Inputs {
    /// The samples for a network, given to the contract by `format`; `unit` is what a step of one in the file is
    /// worth, unless what the file holds says it.
    ///
    /// # Errors
    /// When the samples have another length than the network's input.
    pub fn new(
        samples: Samples,
        wanted: Wanted<'_>,
        format: &InputFormat,
        unit: Option<&BigRational>,
    ) -> anyhow::Result<Inputs> {
        ensure!(
            samples.sample_len == wanted.len(),
            "the samples have {} numbers each, but the model takes {} (shape {:?})",
            samples.sample_len,
            wanted.len(),
            wanted.shape
        );
        let meaning = samples.meaning(unit, format, wanted.whole_numbers);
        let byte = |byte: u8| Element::new(&meaning.of(&BigInt::from(byte).into()), format);
        let bytes = match samples.elements {
            Elements::Bytes(_) => (0..=u8::MAX).map(byte).collect(),
            Elements::Floats(_) => Vec::new(),
        };
        Ok(Inputs { samples, meaning, format: format.clone(), bytes })
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Sample `index`.
    ///
    /// # Errors
    /// When there is no such sample, or one of its numbers cannot be given to the contract.
    pub fn get(&self, index: usize) -> anyhow::Result<Input> {
        self.quick(index).map_or_else(|| self.exact(index), Ok)
    }

    /// By the table; `None` where there is none or it says no.
    fn quick(&self, index: usize) -> Option<Input> {
        let Elements::Bytes(bytes) = &self.samples.elements else { return None };
        let row = bytes.chunks(self.samples.sample_len).nth(index)?;
        let elements = row.iter().map(|&byte| &self.bytes[usize::from(byte)]);
        let integers = elements.clone().map(|element| element.integer.clone()).collect::<Option<Vec<_>>>()?;
        Some(Input { integers, floats: elements.map(|element| element.float).collect() })
    }

    /// By exact arithmetic, which knows what to say when a number does not fit.
    fn exact(&self, index: usize) -> anyhow::Result<Input> {
        let values = self.samples.values(index, &self.meaning)?;
        let integers = self.format.quantise(&values).with_context(|| format!("sample {index}"))?;
        Ok(Input { integers, floats: values.iter().map(nearest).collect() })
    }
}

impl Element {
    fn new(value: &BigRational, format: &InputFormat) -> Self {
        let integer = format.quantise(std::slice::from_ref(value)).ok().and_then(|mut integers| integers.pop());
        Element { integer, float: nearest(value) }
    }
}

fn nearest(value: &BigRational) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::InputSpec;

    fn wanted(shape: &[usize]) -> Wanted<'_> {
        Wanted { shape, whole_numbers: false }
    }

    #[test]
    fn the_table_says_what_exact_arithmetic_says() {
        let samples = Samples { sample_len: 2, elements: Elements::Bytes(vec![0, 1, 254, 255]) };
        for format in ["fixed", "fixed:6", "u8", "u8:1/255:-1/2", "u1", "u4:2/15:-1"] {
            let format = format.parse::<InputSpec>().unwrap().resolve(false);
            let inputs = Inputs::new(samples.clone(), wanted(&[1, 2]), &format, None).unwrap();
            for index in 0..2 {
                assert_eq!(inputs.quick(index).unwrap(), inputs.exact(index).unwrap());
            }
            assert!(inputs.get(2).is_err());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_sample() {
        let format = "u8".parse::<InputSpec>().unwrap().resolve(false);
        let one = BigRational::from(BigInt::from(1));
        let samples = Samples { sample_len: 2, elements: Elements::Bytes(vec![0, 1, 0, 2]) };
        let inputs = Inputs::new(samples.clone(), wanted(&[1, 2]), &format, Some(&one)).unwrap();
        assert_eq!(inputs.get(0).unwrap().integers, [0.into(), 255.into()]);
        let refusal = format!("{:#}", inputs.get(1).unwrap_err());
        assert!(refusal.contains("sample 1") && refusal.contains("element 1 is 2"), "{refusal}");
        let misfit = Inputs::new(samples, wanted(&[1, 3]), &format, None).unwrap_err().to_string();
        assert!(misfit.contains("2 numbers each") && misfit.contains("takes 3"), "{misfit}");
    }
}
