//! NumPy's `.npy`, read by ndarray-npy.

use anyhow::{Context, bail, ensure};
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement};

use super::{Elements, Samples};

pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Samples> {
    check_claim(bytes)?;
    if let Some(array) = try_read::<u8>(bytes)? {
        let shape = array.shape().to_vec();
        return Samples::new(&shape, Elements::Bytes(array.iter().copied().collect()));
    }
    let floats = try_floats::<f32>(bytes)?
        .or(try_floats::<f64>(bytes)?)
        .or(try_floats::<i32>(bytes)?)
        .or(try_floats::<i16>(bytes)?)
        .or(try_floats::<i8>(bytes)?)
        .or(try_floats::<u16>(bytes)?)
        .or(try_floats::<u32>(bytes)?);
    if let Some((shape, values)) = floats {
        return Samples::new(&shape, Elements::Floats(values));
    }
    match try_read::<i64>(bytes)? {
        Some(array) => {
            let exact = array.iter().all(|value| value.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS);
            ensure!(exact, "it holds integers beyond 2^53");
            let shape = array.shape().to_vec();
            Samples::new(&shape, Elements::Floats(array.iter().map(|&value| value as f64).collect()))
        }
        None => bail!("its element type is not read; save it as uint8, float32 or float64, little-endian"),
    }
}

/// The array, or `None` where its elements are of another type.
fn try_read<T: ReadableElement>(bytes: &[u8]) -> anyhow::Result<Option<ArrayD<T>>> {
    match ArrayD::<T>::read_npy(bytes) {
        Ok(array) => Ok(Some(array)),
        Err(ReadNpyError::WrongDescriptor(_)) => Ok(None),
        Err(error) => bail!("the .npy file is damaged: {}", begin(&error.to_string())),
    }
}

/// The begin of an error's first line: it may quote the header behind that.
fn begin(error: &str) -> String {
    const SHOWN: usize = 100;
    error.lines().next().unwrap_or_default().chars().take(SHOWN).collect()
}

fn try_floats<T: ReadableElement + Copy + Into<f64>>(bytes: &[u8]) -> anyhow::Result<Option<(Vec<usize>, Vec<f64>)>> {
    Ok(try_read::<T>(bytes)?.map(|array| (array.shape().to_vec(), array.iter().map(|&value| value.into()).collect())))
}

/// Refuses a header that claims more elements than the file has bytes, before the reader allocates them,
/// and any header that could mean something else to the reader than it does here.
fn check_claim(bytes: &[u8]) -> anyhow::Result<()> {
    const LONGEST: usize = 1 << 12;
    let length = match bytes {
        [_, _, _, _, _, _, 1, _, low, high, ..] => usize::from(u16::from_le_bytes([*low, *high])),
        [_, _, _, _, _, _, 2 | 3, _, a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        _ => bail!("its header is cut off, or of an unknown version"),
    };
    let start = if bytes[6] == 1 { 10 } else { 12 };
    let header = bytes.get(start..).and_then(|rest| rest.get(..length)).filter(|_| length <= LONGEST);
    let header = String::from_utf8_lossy(header.context("its header is longer than the file, or than any header")?);
    let plain = !header.contains(['"', '\\', '[']) && header.matches("'shape'").count() == 1;
    ensure!(plain, "its header names no shape, or more than one");
    let shape = header.split_once("'shape'").and_then(|(_, rest)| rest.split_once('(')?.1.split_once(')'));
    let (shape, _) = shape.context("its header names no shape")?;
    let dims = shape.split(',').map(str::trim).filter(|dim| !dim.is_empty());
    // A dimension of zero hides none of the others from the reader.
    let size = |dim: &str| dim.parse::<usize>().ok().map(|dim| dim.max(1));
    let elements = dims.map(size).try_fold(1usize, |product, dim| product.checked_mul(dim?));
    ensure!(
        elements.is_some_and(|elements| elements <= bytes.len()),
        "its header claims more elements than the file holds"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use ndarray_npy::WriteNpyExt;

    #[test]
    fn reads_bytes_and_numbers() {
        let mut file = Vec::new();
        array![[1u8, 2], [3, 4], [5, 6]].write_npy(&mut file).unwrap();
        let samples = read(&file).unwrap();
        assert_eq!((samples.len(), samples.sample_len), (3, 2));
        assert_eq!(samples.elements, Elements::Bytes(vec![1, 2, 3, 4, 5, 6]));
        for_type(array![[0.5f32, -1.0]]);
        for_type(array![[0.5f64, -1.0]]);
        for_type(array![[7i64, -1]]);
        for_type(array![[7i16, -1]]);
    }

    fn for_type<T: ndarray_npy::WritableElement>(array: Array2<T>) {
        let mut file = Vec::new();
        array.write_npy(&mut file).unwrap();
        let samples = read(&file).unwrap();
        assert!(matches!(&samples.elements, Elements::Floats(values) if values.len() == 2 && values[1] < -0.5));
    }

    /// Each of these made the reader allocate what the header says, or panic.
    #[test]
    fn headers_that_mean_something_else_to_the_reader_are_refused() {
        let file = |version: &[u8], header: &str| [b"\x93NUMPY", version, header.as_bytes(), &[0; 64]].concat();
        let short = |header: &str| file(&[1, 0, header.len() as u8, 0], header);
        let start = "{'descr': '|u1', 'fortran_order': False, ";
        assert!(read(&[short(&format!("{start}'shape': (1, 64), }}\n"))].concat()).is_ok());
        for rest in [
            "'shape': (1, 2), 'shape': (1099511627776, 2), }\n",
            "'shape': (1, 2), \"shape\": (1099511627776, 2), }\n",
            "'shape': (1, 2), '\\x73hape': (1099511627776, 2), }\n",
            "'shape': (0, 18446744073709551615), }\n",
        ] {
            assert!(read(&short(&format!("{start}{rest}"))).is_err(), "{rest}");
        }
        assert!(read(&file(&[2, 0, 255, 255, 255, 255], &format!("{start}'shape': (1, 2), }}\n"))).is_err());
    }

    #[test]
    fn a_damaged_header_is_not_repeated() {
        let header = format!("{{'descr': '|u1', 'shape': (1, 2), 'x': {}}}\n", "a".repeat(3000));
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        let file = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &[0; 64]].concat();
        let refusal = format!("{:#}", read(&file).unwrap_err());
        assert!(refusal.contains("the .npy file is damaged: error parsing header") && refusal.len() < 200, "{refusal}");
    }

    #[test]
    fn a_claim_of_more_than_the_file_holds_is_refused() {
        let mut file = Vec::new();
        array![[1u8, 2]].write_npy(&mut file).unwrap();
        let text = String::from_utf8_lossy(&file).into_owned();
        let at = text.find("(1, 2)").unwrap();
        assert!(read(&file[..file.len() - 1]).is_err());
        let mut huge =
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776, 2), }"
                .to_vec();
        huge.resize(128, b' ');
        assert!(at > 0 && read(&huge).unwrap_err().to_string().contains("more elements"));
    }
}
