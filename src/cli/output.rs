//! Standard output, files, and hex.

use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, anyhow};

/// What a person calls standard input, or standard output.
const DASH: &str = "-";

/// What a file that is read is called in messages.
pub(crate) fn name(path: &Path) -> String {
    if is_dash(path) { "standard input".to_owned() } else { format!("`{}`", path.display()) }
}

/// Whether standard input or output is meant.
pub(crate) fn is_dash(path: &Path) -> bool {
    path == Path::new(DASH)
}

/// Writes an artifact to a file, or to standard output: for `None`, and for `-`.
pub(crate) fn write(path: Option<&Path>, bytes: &[u8]) -> anyhow::Result<()> {
    write_as(path, bytes, 0o666)
}

/// The same; a new file is nobody else's to read.
pub(crate) fn write_private(path: Option<&Path>, bytes: &[u8]) -> anyhow::Result<()> {
    write_as(path, bytes, 0o600)
}

fn write_as(path: Option<&Path>, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    match path.filter(|path| !is_dash(path)) {
        Some(path) => replace(path, bytes, mode).with_context(|| format!("cannot write `{}`", path.display())),
        None => {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(bytes).and_then(|()| stdout.flush()).context("cannot write to standard output")
        }
    }
}

/// Puts a file in another's place, whole: whoever reads it finds the old one or the new one. What is no plain file (a
/// pipe, /dev/null) is written to.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let before = std::fs::metadata(path).ok();
    if before.as_ref().is_some_and(|before| !before.is_file()) {
        return std::fs::write(path, bytes);
    }
    // A link stays one: the file that it leads to is replaced.
    let path = if before.is_some() { path.canonicalize()? } else { path.to_path_buf() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // Elsewhere a file has the permissions of its folder.
    #[cfg(not(unix))]
    let _ = mode;
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    let mut file = builder.tempfile_in(folder)?;
    if let Some(before) = before {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.write_all(bytes)?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Reads a file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    read_as("", path)
}

/// The same; errors say what it was to be.
pub(crate) fn read_as(what: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = match is_dash(path) {
        true => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        false => std::fs::read(path),
    };
    let what = if what.is_empty() { String::new() } else { format!("{what} from ") };
    bytes.with_context(|| format!("cannot read {what}{}", name(path)))
}

/// Prints text to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    write(None, text.as_bytes())
}

/// Bytes in hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    use bitcoin::hex::DisplayHex;
    bytes.to_lower_hex_string()
}

/// Reads a file of hex digits; white space does not count.
pub(crate) fn read_hex(path: &Path) -> anyhow::Result<Vec<u8>> {
    use bitcoin::hex::FromHex;
    let text = read(path)?;
    let digits: String = text.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|&byte| char::from(byte)).collect();
    Vec::<u8>::from_hex(&digits).map_err(|error| anyhow!("{} is not hex: {error}", name(path)))
}
