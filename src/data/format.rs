//! Which format a file is in: by its first bytes, then by its name's ending, then by what text begins with.

use std::path::Path;

use anyhow::bail;
use image::ImageFormat;

/// What a file of samples can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Npy,
    Idx,
    IdxGz,
    Picture(ImageFormat),
    Json,
    Csv,
}

impl Format {
    /// The format of a file's bytes; `path` is asked only where they are text.
    pub(super) fn of(bytes: &[u8], path: &Path) -> anyhow::Result<Format> {
        match bytes {
            [] => bail!("it is empty"),
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => return Ok(Format::Npy),
            [0x1f, 0x8b, ..] => return Ok(Format::IdxGz),
            [0, 0, ..] => return Ok(Format::Idx),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => bail!("it is text in UTF-16; save it as UTF-8"),
            _ => {}
        }
        match image::guess_format(bytes) {
            Ok(kind @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(Format::Picture(kind)),
            Ok(_) => bail!("it is a picture of a kind that is not read; save it as PNG or JPEG"),
            Err(_) => text(bytes, path),
        }
    }
}

/// Text, by the ending of its name, else by its first character: rows of numbers never begin with a bracket.
fn text(bytes: &[u8], path: &Path) -> anyhow::Result<Format> {
    if bytes.contains(&0) || std::str::from_utf8(bytes).is_err() {
        bail!("it is neither .npy, idx, idx.gz, PNG nor JPEG, and no text in UTF-8");
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let first = without_mark(bytes).iter().find(|byte| !byte.is_ascii_whitespace());
    Ok(match (ending.as_deref(), first) {
        (Some("json"), _) => Format::Json,
        (Some("csv"), _) => Format::Csv,
        (_, Some(b'[' | b'{')) => Format::Json,
        _ => Format::Csv,
    })
}

/// The text behind a byte order mark, if there is one.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_counts_before_the_name() {
        let of = |bytes: &[u8], name: &str| Format::of(bytes, name.as_ref()).unwrap();
        assert_eq!(of(b"\x93NUMPY\x01\x00", "x.csv"), Format::Npy);
        assert_eq!(of(b"\x1f\x8b\x08", "x.json"), Format::IdxGz);
        assert_eq!(of(&[0, 0, 8, 1], "x.png"), Format::Idx);
        assert_eq!(of(b"\x89PNG\r\n\x1a\n", "x.csv"), Format::Picture(ImageFormat::Png));
        assert_eq!(of(b"\xff\xd8\xff\xe0", "x"), Format::Picture(ImageFormat::Jpeg));
        assert_eq!(of(b"1,2", "x.JSON"), Format::Json);
        assert_eq!(of(b"[1,2]", "x.csv"), Format::Csv);
        assert_eq!(of(b"\xef\xbb\xbf \n[1,2]", "-"), Format::Json);
        assert_eq!(of(b"1,2", "x"), Format::Csv);
    }

    #[test]
    fn what_is_not_read_is_said() {
        let refusal = |bytes: &[u8]| Format::of(bytes, "x".as_ref()).unwrap_err().to_string();
        assert!(refusal(b"").contains("empty"));
        assert!(refusal(b"GIF89a\x01\x00").contains("save it as PNG or JPEG"));
        assert!(refusal(b"\xff\xfe1\x00").contains("UTF-16"));
        assert!(refusal(b"\x08\xff\x12").contains("neither .npy"));
        assert!(refusal(b"1,\x00").contains("neither .npy"));
    }
}
