//! Tensor data that lies in a file beside the model: only there, and only as much as the tensor has.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use tract_onnx::pb::{ModelProto, TensorProto};

use super::Source;
use super::load::Fault;

/// Reads `expected` bytes of the file that a tensor names.
pub(super) fn read(proto: &TensorProto, source: &Source, expected: usize) -> Result<Vec<u8>, Fault> {
    let entry = |key: &str| proto.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
    let file = entry("location").ok_or("lies in another file, but its name is not given")?;
    let number = |key: &str| -> Result<Option<u64>, String> {
        let parse = |text: &str| text.trim().parse().map_err(|_| format!("has a strange {key} `{text}` in `{file}`"));
        entry(key).map(parse).transpose()
    };
    let offset = number("offset")?.unwrap_or(0);
    // Some exporters write a length of 0 for the rest of the file.
    if let Some(length) = number("length")?.filter(|&length| length != 0)
        && length != expected as u64
    {
        return Err(format!("needs {expected} bytes, but is said to have {length} in the file `{file}`").into());
    }
    let failed =
        |fault: Fault| Fault { reason: format!("cannot be read from the file `{file}`: {}", fault.reason), ..fault };
    let Some(folder) = &source.folder else {
        let reason = format!("lies in the file `{file}` beside the model's, and the model came without its folder");
        return Err(Fault { reason, unreadable: true });
    };
    let path = inside(folder, file).map_err(failed)?;
    bytes(&path, offset, expected).map_err(failed)
}

/// Names of all files that initializers of a model name, each once, in order.
pub(super) fn files(proto: &ModelProto) -> Vec<String> {
    let initializers = proto.graph.iter().flat_map(|graph| &graph.initializer);
    let entries = initializers.flat_map(|tensor| &tensor.external_data);
    let names = entries.filter(|entry| entry.key == "location").map(|entry| entry.value.clone());
    names.collect::<BTreeSet<String>>().into_iter().collect()
}

/// The path of a file that must lie in the model's folder, links included.
fn inside(folder: &Path, file: &str) -> Result<PathBuf, Fault> {
    let relative = Path::new(file);
    let outside = || "it lies outside the model's folder".into();
    if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(outside());
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let folder = folder.canonicalize()?;
    let path = folder.join(relative).canonicalize()?;
    if path.starts_with(&folder) { Ok(path) } else { Err(outside()) }
}

fn bytes(path: &Path, offset: u64, expected: usize) -> Result<Vec<u8>, Fault> {
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        return Err("it is no file".into());
    }
    if offset.checked_add(expected as u64).is_none_or(|end| end > metadata.len()) {
        let have = metadata.len();
        return Err(format!("it has {have} bytes, too few for {expected} from byte {offset} on").into());
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; expected];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::StringStringEntryProto;

    fn read_from(folder: &Path, entries: &[(&str, &str)], expected: usize) -> Result<Vec<u8>, String> {
        let entry = |&(key, value): &(&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
        let proto = TensorProto { external_data: entries.iter().map(entry).collect(), ..Default::default() };
        let source = Source { proto: Default::default(), folder: Some(folder.into()) };
        read(&proto, &source, expected).map_err(|fault| fault.reason)
    }

    #[test]
    fn a_part_of_a_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("weights.bin"), [1, 2, 3, 4, 5]).unwrap();
        let part = [("location", "weights.bin"), ("offset", "2"), ("length", "3")];
        assert_eq!(read_from(folder.path(), &part, 3), Ok(vec![3, 4, 5]));
        assert_eq!(read_from(folder.path(), &part[..2], 1), Ok(vec![3]));
        assert!(read_from(folder.path(), &part, 2).unwrap_err().contains("is said to have 3"));
        assert!(read_from(folder.path(), &part[..2], 4).unwrap_err().contains("it has 5 bytes, too few"));
        let far = [("location", "weights.bin"), ("offset", "18446744073709551615")];
        assert!(read_from(folder.path(), &far, 4).unwrap_err().contains("too few"));
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("model");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(root.path().join("secret"), [1, 2]).unwrap();
        let outside = |location: &str| read_from(&folder, &[("location", location)], 2).unwrap_err();
        assert!(outside("../secret").contains("outside the model's folder"));
        assert!(outside(root.path().join("secret").to_str().unwrap()).contains("outside the model's folder"));
        assert!(outside(".").contains("it is no file"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
            assert!(outside("link").contains("outside the model's folder"));
        }
    }
}
