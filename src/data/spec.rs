//! `FILE@A..B`: a file of samples, and which of its rows are meant.

use std::fmt;
use std::path::{PathBuf, is_separator};
use std::str::FromStr;

use anyhow::{Context, ensure};

use super::{Loaded, Reader, Samples};

/// A file of samples and a range of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSpec {
    /// The file.
    pub path: PathBuf,
    /// Which rows.
    pub rows: Rows,
}

/// Rows `start` to `end - 1`, counted from 0; all that the file holds where there is no `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows {
    /// The first row.
    pub start: usize,
    /// The row behind the last.
    pub end: Option<usize>,
}

impl DataSpec {
    /// Reads the rows meant.
    ///
    /// # Errors
    /// As [`Reader::read`]; also when the file does not hold all of the rows.
    pub fn load(&self, reader: &Reader<'_>) -> anyhow::Result<Loaded> {
        let loaded = reader.read(&self.path)?;
        let samples = self.rows.of(loaded.samples).with_context(|| format!("cannot read `{self}`"))?;
        Ok(Loaded { samples, ..loaded })
    }
}

impl Rows {
    /// These rows of `samples`.
    fn of(self, samples: Samples) -> anyhow::Result<Samples> {
        let held = samples.len();
        let end = self.end.unwrap_or(held);
        ensure!(end <= held && self.start < end, "the file holds {held} rows, counted from 0");
        Ok(if self == Rows::default() { samples } else { samples.slice(self.start..end) })
    }
}

impl FromStr for DataSpec {
    type Err = String;

    /// Reads `FILE` or `FILE@A..B`; either bound may be left out. An `@` with anything but a range behind
    /// it belongs to the file's name.
    fn from_str(text: &str) -> Result<Self, String> {
        let (path, rows) = match text.rsplit_once('@') {
            Some((path, range)) if range.contains("..") && !range.contains(is_separator) => (path, range.parse()?),
            _ => (text, Rows::default()),
        };
        if path.is_empty() { Err("give a file".into()) } else { Ok(DataSpec { path: path.into(), rows }) }
    }
}

impl FromStr for Rows {
    type Err = String;

    /// Reads `A..B`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a range of rows: write FILE@A..B for rows A to B-1, as in x.npy@0..100");
        let (start, end) = text.split_once("..").ok_or_else(wrong)?;
        let bound = |text: &str| (!text.is_empty()).then(|| text.parse::<usize>().map_err(|_| wrong())).transpose();
        let rows = Rows { start: bound(start)?.unwrap_or(0), end: bound(end)? };
        match rows.end {
            Some(end) if end <= rows.start => Err(format!("`{text}` is a range without rows")),
            _ => Ok(rows),
        }
    }
}

impl fmt::Display for DataSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.rows == Rows::default() { Ok(()) } else { write!(f, "@{}", self.rows) }
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some(end) => write!(f, "{}..{end}", self.start),
            None => write!(f, "{}..", self.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Elements;
    use super::*;

    fn spec(path: &str, start: usize, end: Option<usize>) -> DataSpec {
        DataSpec { path: path.into(), rows: Rows { start, end } }
    }

    #[test]
    fn ranges_are_read_and_written() {
        for (text, expected) in [
            ("x.npy", spec("x.npy", 0, None)),
            ("x.npy@3..7", spec("x.npy", 3, Some(7))),
            ("x.npy@..7", spec("x.npy", 0, Some(7))),
            ("x.npy@3..", spec("x.npy", 3, None)),
            ("x.npy@..", spec("x.npy", 0, None)),
            ("a@b/x.npy", spec("a@b/x.npy", 0, None)),
            ("a@../x.npy", spec("a@../x.npy", 0, None)),
            ("a@b@1..2", spec("a@b", 1, Some(2))),
            ("x@2x.npy", spec("x@2x.npy", 0, None)),
        ] {
            let read: DataSpec = text.parse().unwrap();
            assert_eq!(read, expected, "{text}");
            assert_eq!(read.to_string().parse(), Ok(read), "{text}");
        }
        for wrong in ["", "@1..2", "x@1..1", "x@2..1", "x@a..2", "x@1..b", "x@-1..2", "x@1...2", "x@1..2..3"] {
            assert!(wrong.parse::<DataSpec>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn rows_are_cut_out_or_missed() {
        let samples = Samples { sample_len: 2, elements: Elements::Bytes((0..10).collect()) };
        let cut = |range: &str| range.parse::<Rows>().unwrap().of(samples.clone());
        assert_eq!(cut("..").unwrap(), samples);
        assert_eq!(cut("1..3").unwrap().elements, Elements::Bytes(vec![2, 3, 4, 5]));
        assert_eq!(cut("4..").unwrap().elements, Elements::Bytes(vec![8, 9]));
        assert_eq!(cut("..5").unwrap(), samples);
        for beyond in ["..6", "5..", "7..", "4..9"] {
            assert!(cut(beyond).unwrap_err().to_string().contains("holds 5 rows"), "{beyond}");
        }
        let floats = Samples { sample_len: 1, elements: Elements::Floats(vec![0.5, 1.5]) };
        assert_eq!("1..2".parse::<Rows>().unwrap().of(floats).unwrap().elements, Elements::Floats(vec![1.5]));
    }
}
