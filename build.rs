//! Tells the binary which commit it is built of, where that can be known: in a clone of the repository, with git.

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// What the binary is made of: a difference here makes it another than the commit's.
const SOURCES: [&str; 4] = ["build.rs", "src", "Cargo.toml", "Cargo.lock"];

fn main() -> std::io::Result<()> {
    let mut cargo = std::io::stdout().lock();
    for source in SOURCES {
        writeln!(cargo, "cargo::rerun-if-changed={source}")?;
    }
    let mut version = env!("CARGO_PKG_VERSION").to_owned();
    if is_own_repository() {
        // A file that does not exist would count as changed in every build.
        for file in head_files().iter().filter(|file| Path::new(file).exists()) {
            writeln!(cargo, "cargo::rerun-if-changed={file}")?;
        }
        version += &commit().map(|commit| format!(" ({commit})")).unwrap_or_default();
    }
    writeln!(cargo, "cargo::rustc-env=ONNX2SCRIPT_VERSION={version}")
}

/// A package that lies inside of another repository, as a vendored one does, is none of its commits.
fn is_own_repository() -> bool {
    let top = git(&["rev-parse", "--show-toplevel"]).and_then(|top| Path::new(&top).canonicalize().ok());
    top.is_some() && top == Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().ok()
}

/// The commit's short hash and day; `-dirty` where the sources are not the commit's.
fn commit() -> Option<String> {
    let shown = git(&["show", "--no-patch", "--abbrev=10", "--format=%h %cs", "HEAD"])?;
    let (hash, day) = shown.split_once(' ')?;
    let changes = git(&[&["status", "--porcelain", "--"], &SOURCES[..]].concat())?;
    Some(format!("{hash}{} {day}", if changes.is_empty() { "" } else { "-dirty" }))
}

/// What git writes when another commit is checked out or made, in a worktree of its own, too.
fn head_files() -> Vec<String> {
    ["HEAD", "logs/HEAD"].iter().filter_map(|name| git(&["rev-parse", "--git-path", name])).collect()
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("--no-optional-locks").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
