//! Reading a file, or standard input, whatever its format.

use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail, ensure};

use super::format::Format;
use super::{Elements, Samples, csv, idx, json, npy, picture};

/// What a user types for standard input.
const STANDARD_INPUT: &str = "-";

/// Reads files of samples for a model, or tables for none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reader<'m> {
    /// The shape of the model's input: it says how a picture is taken. Without it, pictures are refused.
    pub shape: Option<&'m [usize]>,
    /// Take 255 - byte for each byte: for pictures that are black on white.
    pub invert: bool,
}

/// What a file holds, and what whoever gave it may want to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The samples.
    pub samples: Samples,
    /// What was decided.
    pub notes: Vec<String>,
    /// What may not be as intended.
    pub warnings: Vec<String>,
}

impl Reader<'_> {
    /// Reads a file, or standard input for `-`, which can be read once.
    ///
    /// # Errors
    /// An I/O error, or words for a file that is none of the formats or does not hold what it claims.
    pub fn read(&self, path: &Path) -> anyhow::Result<Loaded> {
        let context = || match path.to_str() {
            Some(STANDARD_INPUT) => "cannot read samples from standard input".to_owned(),
            _ => format!("cannot read samples from `{}`", path.display()),
        };
        let bytes = bytes(path).with_context(context)?;
        self.parse(&bytes, path).with_context(context)
    }

    /// Reads the bytes of a file; its name is asked only where they are text.
    ///
    /// # Errors
    /// As [`read`](Self::read), but for I/O.
    pub fn parse(&self, bytes: &[u8], path: &Path) -> anyhow::Result<Loaded> {
        let samples = match Format::of(bytes, path)? {
            Format::Npy => npy::read(bytes)?,
            Format::IdxGz => idx::read_gz(bytes)?,
            Format::Idx => idx::read(bytes)?,
            Format::Json => json::read(bytes)?,
            Format::Csv => csv::read(bytes)?,
            Format::Picture(kind) => {
                let shape = self.shape.context("it is a picture, but a table of numbers is needed here")?;
                return self.inverted(picture::read(bytes, kind, shape)?);
            }
        };
        self.inverted(Loaded { samples, notes: vec![], warnings: vec![] })
    }

    fn inverted(&self, mut loaded: Loaded) -> anyhow::Result<Loaded> {
        match &mut loaded.samples.elements {
            _ if !self.invert => {}
            Elements::Bytes(bytes) => bytes.iter_mut().for_each(|byte| *byte = u8::MAX - *byte),
            Elements::Floats(_) => bail!("it holds numbers, not bytes: --invert is for pictures"),
        }
        Ok(loaded)
    }
}

fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    static WAS_READ: AtomicBool = AtomicBool::new(false);
    if path.to_str() != Some(STANDARD_INPUT) {
        return Ok(std::fs::read(path)?);
    }
    ensure!(!WAS_READ.swap(true, Ordering::Relaxed), "it can be read once only: give a file for one of the two");
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_inverted_and_numbers_are_not() {
        let reader = Reader { shape: None, invert: true };
        let idx = [0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 1, 255];
        let loaded = reader.parse(&idx, "x".as_ref()).unwrap();
        assert_eq!(loaded.samples.elements, Elements::Bytes(vec![255, 254, 0]));
        assert!(reader.parse(b"1,2", "x".as_ref()).unwrap_err().to_string().contains("--invert is for pictures"));
    }

    #[test]
    fn a_picture_is_no_table() {
        let refusal = Reader::default().parse(b"\x89PNG\r\n\x1a\n", "x".as_ref()).unwrap_err().to_string();
        assert!(refusal.contains("a table of numbers is needed"), "{refusal}");
    }
}
