//! The idx format of the MNIST files: `00 00 08 rank`, the dimensions as big-endian 32-bit numbers, bytes.

use std::io::Read;

use anyhow::{Context, bail, ensure};
use flate2::read::GzDecoder;

use super::{Elements, Samples};

/// Largest file that is unpacked.
const MOST_BYTES: u64 = 1 << 32;
/// More dimensions than samples have, and few enough to be told.
const MOST_DIMENSIONS: u8 = 16;

pub(super) fn read_gz(packed: &[u8]) -> anyhow::Result<Samples> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).take(MOST_BYTES).read_to_end(&mut bytes).context("the gzip data is damaged")?;
    read(&bytes)
}

pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Samples> {
    let [0, 0, kind, rank, rest @ ..] = bytes else { bail!("it is not an idx file") };
    ensure!(*kind == 8, "its elements are of idx type {kind:#04x}; only unsigned bytes (0x08) are read");
    ensure!(*rank <= MOST_DIMENSIONS, "its header has {rank} dimensions; at most {MOST_DIMENSIONS} are read");
    let (dims, data) = rest.split_at_checked(4 * usize::from(*rank)).context("the idx header is cut off")?;
    let shape: Vec<usize> =
        dims.chunks_exact(4).map(|dim| u32::from_be_bytes([dim[0], dim[1], dim[2], dim[3]]) as usize).collect();
    let elements = shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    ensure!(elements == Some(data.len()), "its header says {shape:?}, but {} bytes of data follow", data.len());
    Samples::new(&shape, Elements::Bytes(data.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_header_says_or_refuses() {
        let file = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        let samples = read(&file).unwrap();
        assert_eq!((samples.len(), samples.sample_len), (2, 3));
        assert!(read(&file[..17]).is_err());
        assert!(read(&file[..6]).is_err());
        assert!(
            read(&[0, 0, 8, 4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255])
                .is_err()
        );
        assert!(read(&[0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0]).unwrap_err().to_string().contains("0x0d"));
        assert!(read(&[0, 0, 8, 235]).unwrap_err().to_string().contains("235 dimensions; at most 16"));
        assert!(read_gz(&[0x1f, 0x8b, 0, 0]).is_err());
    }
}
