//! Rows of numbers separated by commas, one sample a row; a first line without numbers is a header.

use anyhow::{Context, bail, ensure};
use csv::{ReaderBuilder, StringRecord, Trim};

use super::format::without_mark;
use super::{Elements, Samples, shorten};

pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Samples> {
    let text = without_mark(bytes);
    // Rows of different lengths are refused here, in words that name the row.
    let mut builder = ReaderBuilder::new();
    let mut reader = builder.has_headers(false).flexible(true).trim(Trim::All).from_reader(text);
    let (mut floats, mut rows, mut sample_len) = (Vec::new(), 0usize, 0usize);
    let mut record = StringRecord::new();
    let mut first = true;
    while reader.read_record(&mut record).map_err(|error| anyhow::anyhow!("{error}"))? {
        let skipped = is_blank(&record) || std::mem::take(&mut first) && is_header(&record);
        if skipped {
            continue;
        }
        let place = || format!("row {rows} (line {})", line(text, &record));
        floats.extend(numbers(&record).with_context(place)?);
        sample_len = if rows == 0 { record.len() } else { sample_len };
        ensure!(record.len() == sample_len, "{} holds {} numbers, but row 0 {sample_len}", place(), record.len());
        rows += 1;
    }
    Samples::new(&[rows, sample_len], Elements::Floats(floats))
}

/// The line of a record, counted from 1. Its position may be that of blank lines before it.
fn line(text: &[u8], record: &StringRecord) -> usize {
    let start = record.position().map_or(0, |position| position.byte() as usize);
    let blank = text.iter().skip(start).take_while(|byte| byte.is_ascii_whitespace()).count();
    1 + text.iter().take(start + blank).filter(|&&byte| byte == b'\n').count()
}

/// A line of nothing but white space.
fn is_blank(record: &StringRecord) -> bool {
    record.len() == 1 && record[0].is_empty()
}

/// Names of columns: none of them is a number.
fn is_header(record: &StringRecord) -> bool {
    record.iter().all(|field| field.parse::<f64>().is_err())
}

fn numbers(record: &StringRecord) -> anyhow::Result<Vec<f64>> {
    record.iter().enumerate().map(|(column, field)| number(field).with_context(|| format!("column {column}"))).collect()
}

fn number(field: &str) -> anyhow::Result<f64> {
    match field.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => bail!("`{}` is not finite", shorten(field)),
        Err(_) if field.is_empty() => bail!("a number is missing"),
        Err(_) if field.contains([';', '\t', ' ']) => {
            bail!("`{}` is not a number: numbers are separated by commas", shorten(field))
        }
        Err(_) => bail!("`{}` is not a number", shorten(field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(text: &str) -> (usize, Vec<f64>) {
        let samples = read(text.as_bytes()).unwrap();
        let Elements::Floats(floats) = samples.elements else { panic!("{text}") };
        (samples.sample_len, floats)
    }

    #[test]
    fn rows_are_samples() {
        let expected = (2, vec![1.0, -2.5, 3e-3, 0.25]);
        for text in [
            "1,-2.5\n3e-3,.25",
            "1,-2.5\r\n3e-3,.25\r\n",
            "\u{feff}1,-2.5\n\n  \n3e-3,.25\n\n",
            "a,b\n1,-2.5\n3e-3,.25\n",
            "\u{feff}\"length, in cm\",\"the \"\"other\"\"\"\r\n 1 , -2.5\r\n\"3e-3\",\".25\"",
            ",b\n1,-2.5\n3e-3,.25\n",
        ] {
            assert_eq!(floats(text), expected, "{text}");
        }
        assert_eq!(floats("7"), (1, vec![7.0]));
        assert_eq!(floats("0.1\n"), (1, vec![0.1]));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let refusal = |text: &str| format!("{:#}", read(text.as_bytes()).unwrap_err());
        assert_eq!(refusal("a,b\n1,2\n3,4,5\n"), "row 1 (line 3) holds 3 numbers, but row 0 2");
        assert_eq!(refusal("1,2\r\n\r\n3,x\r\n"), "row 1 (line 3): column 1: `x` is not a number");
        assert_eq!(refusal("1,2\n3,"), "row 1 (line 2): column 1: a number is missing");
        assert_eq!(refusal("a,b\nc,d\n"), "row 0 (line 2): column 0: `c` is not a number");
        assert_eq!(refusal("1,nan\n"), "row 0 (line 1): column 1: `nan` is not finite");
        assert_eq!(refusal("1e999,2\n"), "row 0 (line 1): column 0: `1e999` is not finite");
        assert!(refusal("a\n1;2\n").contains("separated by commas"));
        assert!(refusal("a,b\n").contains("holds no samples"));
        assert!(refusal("\n\n").contains("holds no samples"));
        assert!(refusal(&format!("1,\"{}", "2\n".repeat(1000))).len() < 120);
    }
}
