//! Standard output, files, and hex.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, anyhow};

/// Writes an artifact to a file, or to standard output.
pub(crate) fn write(path: Option<&Path>, bytes: &[u8]) -> anyhow::Result<()> {
    match path {
        Some(path) => std::fs::write(path, bytes).with_context(|| format!("cannot write `{}`", path.display())),
        None => {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(bytes).and_then(|()| stdout.flush()).context("cannot write to standard output")
        }
    }
}

/// Prints text to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    write(None, text.as_bytes())
}

/// Prints a line to standard error, where whoever reads it may have seen enough.
pub(crate) fn tell(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Bytes in hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    use bitcoin::hex::DisplayHex;
    bytes.to_lower_hex_string()
}

/// Reads a file of hex digits; white space does not count.
pub(crate) fn read_hex(path: &Path) -> anyhow::Result<Vec<u8>> {
    use bitcoin::hex::FromHex;
    let text = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let digits: String = text.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|&byte| char::from(byte)).collect();
    Vec::<u8>::from_hex(&digits).map_err(|error| anyhow!("`{}` is not hex: {error}", path.display()))
}
