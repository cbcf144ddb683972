//! What every command does alike: help with examples that run, version, colours, quiet, standard streams in a file's
//! place, files written whole or not at all, progress, exit codes.

#![cfg(unix)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[path = "common/binary.rs"]
mod binary;

use binary::{Ran, onnx2script};

const TOY: &str = "models/toy_2-2-2.onnx";
const IRIS: &str = "models/iris_4-8-3.onnx";
const DIGITS: &str = "models/digits_64_32_10.onnx";
const IRIS_SAMPLES: &str = "models/iris_samples.npy";
const COMMANDS: [&str; 12] =
    ["run", "inspect", "explain", "eval", "compare", "unlock", "commit", "exec", "ops", "schema", "completions", "man"];

/// A folder with the repository's models in it.
fn clone_like() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    std::os::unix::fs::symlink(models, folder.path().join("models")).unwrap();
    folder
}

/// Has a shell run a line in a folder, where the binary is found by its name.
fn shell(folder: &Path, line: &str) -> Ran {
    let binary = Path::new(env!("CARGO_BIN_EXE_onnx2script"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh").args(["-c", line]).env("PATH", path).current_dir(folder).output().unwrap();
    ran(output)
}

fn ran(Output { status, stdout, stderr }: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}

/// Runs with a file as standard input.
fn with_input(args: &[&str], bytes: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onnx2script"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who needs no input may have closed it.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    ran(child.wait_with_output().unwrap())
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The examples of a help text, continued lines joined.
fn examples(help: &str) -> Vec<String> {
    let (_, behind) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("no examples:\n{help}"));
    let block = behind.split("\n\n").next().unwrap().trim_end();
    assert!(block.lines().all(|line| line.starts_with("  ") && line.len() <= 80), "{block}");
    let joined = block.replace("\\\n", "");
    joined.lines().map(|line| line.trim().to_owned()).filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn the_examples_of_every_command_run() {
    let run_page = |command: Option<&str>| {
        let folder = clone_like();
        let args: Vec<&str> = command.into_iter().chain(["--help"]).collect();
        let examples = examples(&onnx2script(&args).stdout);
        assert!(!examples.is_empty(), "{command:?}");
        for line in examples {
            let ran = shell(folder.path(), &line);
            assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
            // Some take their seconds: no progress where nobody watches.
            assert!(!ran.stderr.contains('\u{1b}'), "{line}: {}", ran.stderr);
        }
    };
    let listed = onnx2script(&["--help"]).stdout;
    let pages = std::iter::once(None).chain(COMMANDS.into_iter().map(Some));
    for command in COMMANDS {
        assert!(listed.lines().any(|line| line.trim().split("  ").next() == Some(command)), "{command}\n{listed}");
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = pages.map(|page| scope.spawn(move || run_page(page))).collect();
        running.into_iter().for_each(|page| page.join().unwrap());
    });
}

#[test]
fn help_fits_its_terminal() {
    let help = |args: &[&str], columns: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_onnx2script")).args(args).env("COLUMNS", columns).output();
        ran(output.unwrap()).stdout
    };
    for command in COMMANDS {
        for (columns, most) in [("80", 80), ("200", 110)] {
            let long = help(&[command, "--help"], columns);
            let too_long: Vec<&str> =
                long.lines().filter(|line| line.chars().count() > most && !line.starts_with("Usage")).collect();
            assert!(too_long.is_empty(), "{command}: {too_long:?}");
        }
    }
    let (short, long) = (help(&["-h"], "80"), help(&["--help"], "80"));
    assert!(short.lines().count() < 120 && !short.contains("--stop-after"), "{short}");
    assert!(long.contains("--stop-after") && long.contains("Exit codes:"), "{long}");
    // A line for each command.
    let commands = short.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_eq!(commands.lines().count(), COMMANDS.len() + 1, "{commands}");
}

#[test]
fn the_version_tells_the_commit_where_there_is_one() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(onnx2script(&["-V"]).stdout, format!("onnx2script {version}\n"));
    let long = onnx2script(&["--version"]).stdout;
    assert!(long.starts_with(&format!("onnx2script {version}")), "{long}");
    let root = env!("CARGO_MANIFEST_DIR");
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(root).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    match git(&["rev-parse", "--show-toplevel"]).filter(|top| Path::new(top) == Path::new(root)) {
        Some(_) => {
            let commit = git(&["show", "--no-patch", "--abbrev=10", "--format=%h", "HEAD"]).unwrap();
            assert!(long.contains(&format!("({commit}")), "{long} is not of {commit}");
        }
        None => assert_eq!(long, format!("onnx2script {version}\n")),
    }
}

#[test]
fn colours_come_where_they_are_wanted() {
    let coloured = "\u{1b}[1;31merror:\u{1b}[0m";
    for args in [&["--color", "always", "run", "x", "--data", "y"][..], &["run", "x", "--data", "y", "--color=always"]]
    {
        let ran = onnx2script(args);
        assert!(ran.code == 2 && ran.stderr.starts_with(coloured), "{}", ran.stderr);
    }
    let helped = onnx2script(&[TOY, "--weights", "auto", "--color", "always"]);
    assert!(helped.stderr.contains("\n  \u{1b}[1;32mhelp:\u{1b}[0m give"), "{}", helped.stderr);
    let warned = onnx2script(&[TOY, "--color", "always"]);
    assert!(warned.stderr.contains("\u{1b}[1;36mnote:\u{1b}[0m"), "{}", warned.stderr);
    assert!(onnx2script(&["--color=always", "--help"]).stdout.contains('\u{1b}'));
    for args in [&["no-such-file"][..], &["--help"], &["--no-such-option"], &[TOY, "--color", "auto"]] {
        let ran = onnx2script(args);
        assert!(!(ran.stdout + &ran.stderr).contains('\u{1b}'), "{args:?}");
    }
}

#[test]
fn quiet_leaves_errors_only() {
    let said = |args: &[&str]| onnx2script(args).stderr;
    assert!(said(&[TOY]).contains("note: "));
    for args in [&["-q", TOY][..], &[TOY, "--quiet"], &["-q", "run", TOY, "--data", "models/toy_samples.npy"]] {
        assert_eq!(said(args), "", "{args:?}");
    }
    assert!(said(&["-q", "no-such-file"]).starts_with("error: "));
}

#[test]
fn what_is_for_compiling_does_not_go_before_a_command() {
    for (args, what) in [
        (&[TOY, "run", TOY, "--data", "models/toy_samples.npy"][..], "<MODEL.onnx> is for compiling"),
        (&["-o", "x", "explain", TOY], "--output <FILE> is for compiling"),
    ] {
        let ran = onnx2script(args);
        assert!(ran.code == 2 && ran.stderr.contains(what), "{}", ran.stderr);
    }
}

#[test]
fn names_of_a_model_cannot_speak_to_the_terminal() {
    let model: Vec<u8> = replaced(&read(IRIS), b"Relu", b"\x1b[2J");
    let ran = with_input(&["-"], &model);
    assert!(ran.code == 1 && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    assert!(ran.stderr.contains("\u{fffd}[2J"), "{}", ran.stderr);
}

/// Bytes with a part replaced by another of its length, wherever it is.
fn replaced(bytes: &[u8], part: &[u8], by: &[u8]) -> Vec<u8> {
    assert_eq!(part.len(), by.len());
    let mut bytes = bytes.to_vec();
    assert!(bytes.windows(part.len()).any(|window| window == part));
    while let Some(at) = bytes.windows(part.len()).position(|window| window == part) {
        bytes[at..at + part.len()].copy_from_slice(by);
    }
    bytes
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = onnx2script(&["completions", shell]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
        assert!(ran.stdout.contains("commit-reveal") && ran.stdout.contains("unlock"), "{shell}");
    }
    assert_eq!(onnx2script(&["completions", "tcsh"]).code, 2);
    let bash = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(bash.path(), onnx2script(&["completions", "bash"]).stdout).unwrap();
    let sound = Command::new("bash").arg("-n").arg(bash.path()).output();
    assert!(sound.is_ok_and(|output| output.status.success()));
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let page = onnx2script(&["man"]).stdout;
    for part in [".TH ONNX2SCRIPT 1", ".SH EXAMPLES\n.nf\n", ".SH \"EXIT CODES\"", "onnx2script\\-unlock(1)"] {
        assert!(page.contains(part), "no {part} in\n{page}");
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    let ran = onnx2script(&["man", "--output", &pages.to_string_lossy()]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    let mut expected: Vec<String> = COMMANDS.iter().map(|command| format!("onnx2script-{command}.1")).collect();
    expected.push("onnx2script.1".into());
    expected.sort();
    assert_eq!(names_in(&pages), expected);
    assert_eq!(std::fs::read_to_string(pages.join("onnx2script.1")).unwrap(), page);
    assert_eq!(onnx2script(&["man", "--output", "/dev/null/pages"]).code, 2);
}

#[test]
fn a_dash_is_standard_input() {
    let model = read(IRIS);
    let from_file = onnx2script(&[IRIS]);
    let from_pipe = with_input(&["-"], &model);
    assert_eq!((from_pipe.code, &from_pipe.stdout), (0, &from_file.stdout), "{}", from_pipe.stderr);

    let sample = with_input(&["run", IRIS, "--data", "-", "--index", "2", "--json"], &read(IRIS_SAMPLES));
    assert_eq!(sample.stdout, onnx2script(&["run", IRIS, "--data", IRIS_SAMPLES, "--index", "2", "--json"]).stdout);

    let artifact = onnx2script(&[IRIS, "--artifact", "-", "-q"]).stdout;
    let unlock = with_input(&["unlock", "-", "--data", IRIS_SAMPLES], artifact.as_bytes());
    assert_eq!(unlock.stdout, onnx2script(&["unlock", IRIS, "--data", IRIS_SAMPLES]).stdout);

    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("lock.hex");
    std::fs::write(&lock, &from_file.stdout).unwrap();
    let exec = with_input(&["exec", "--unlock", "-", "--lock", &lock.to_string_lossy()], unlock.stdout.as_bytes());
    assert!(exec.code == 0 && exec.stdout.contains("verdict       OK"), "{}{}", exec.stdout, exec.stderr);
}

#[test]
fn a_dash_is_standard_output() {
    let hex = onnx2script(&[IRIS]).stdout;
    assert_eq!(onnx2script(&[IRIS, "-o", "-"]).stdout, hex);
    let artifact: serde_json::Value = serde_json::from_str(&onnx2script(&[IRIS, "--artifact", "-"]).stdout).unwrap();
    assert_eq!(artifact["lockingScript"]["hex"].as_str(), Some(hex.trim_end()));
    let page = onnx2script(&[IRIS, "-o", "/dev/null", "--report", "-"]).stdout;
    assert!(page.starts_with("<!DOCTYPE html>"), "{page:.100}");
}

#[test]
fn messages_call_standard_input_by_its_name() {
    for (args, input, says) in [
        (&["-"][..], &b"no model"[..], "not an ONNX file"),
        (&["-", "--contract", "expect:9"], &read(IRIS), "cannot compile standard input: "),
        (&["unlock", "-", "--data", IRIS_SAMPLES], b"{", "error: standard input: "),
        (&["exec", "--unlock", "-", "--lock", TOY], b"5g", "standard input is not hex"),
        (&["exec", "--vectors", "-"], b"\xff", "standard input is not text"),
    ] {
        let ran = with_input(args, input);
        assert!(ran.code == 1 && ran.stderr.contains(says), "{args:?}: {} {}", ran.code, ran.stderr);
    }
}

#[test]
fn each_stream_is_given_out_once() {
    for args in [
        &["-", "--calibrate", "-"][..],
        &["run", "-", "--data", "-"],
        &["run", IRIS, "--data=-@0..5", "--calibrate", "-"],
        &["eval", IRIS, "--data", "-", "--labels", "-"],
        &["compare", "-", "--data", "-"],
        &["unlock", "-", "--data", "-"],
        &["unlock", IRIS, "--commitment", "-", "--proof", "-"],
        &["explain", "-", "--calibrate", "-"],
        &["exec", "--unlock", "-", "--lock", "-"],
        &["exec", "--tx", "-", "--utxo=-:1"],
    ] {
        let ran = onnx2script(args);
        assert!(ran.code == 2 && ran.stderr.contains("can be read once only"), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("\n  help: give a file for one of them"), "{}", ran.stderr);
    }
    for args in [&["-o", "-", "--artifact", "-"][..], &["--report", "-"], &["--artifact", "-", "--report", "-"]] {
        let ran = onnx2script(&[&[IRIS], args].concat());
        assert!(ran.code == 2 && ran.stdout.is_empty(), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("standard output takes one artifact only"), "{}", ran.stderr);
    }
}

#[test]
fn weights_beside_a_model_are_missed_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let model = with_external_weights();
    std::fs::write(&path, &model).unwrap();
    let missing = onnx2script(&[&path.to_string_lossy()]);
    assert!(missing.code == 2 && missing.stderr.contains("cannot be read from the file `w.bin`"), "{}", missing.stderr);
    let piped = with_input(&["-"], &model);
    assert!(piped.code == 2, "{}", piped.stderr);
    assert!(piped.stderr.contains("lies in the file `w.bin` beside the model's"), "{}", piped.stderr);
    // A file of another length is the model's fault.
    std::fs::write(folder.path().join("w.bin"), [0; 4]).unwrap();
    assert_eq!(onnx2script(&[&path.to_string_lossy()]).code, 1);
}

/// A model whose only initializer lies in `w.bin`.
fn with_external_weights() -> Vec<u8> {
    use prost::Message;
    use tract_onnx::pb;
    let location = pb::StringStringEntryProto { key: "location".into(), value: "w.bin".into() };
    let weights = pb::TensorProto {
        name: "w".into(),
        dims: vec![2, 2],
        data_type: pb::tensor_proto::DataType::Float as i32,
        data_location: Some(pb::tensor_proto::DataLocation::External as i32),
        external_data: vec![location],
        ..Default::default()
    };
    let opset = pb::OperatorSetIdProto { domain: String::new(), version: 17 };
    let graph = pb::GraphProto { initializer: vec![weights], ..Default::default() };
    pb::ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..Default::default() }
        .encode_to_vec()
}

/// Command lines with the exit codes that they have, in a folder with the files that the test makes.
const CASES: &str = "\
0 IRIS
0 run IRIS --data IRIS.npy
0 unlock IRIS --data IRIS.npy
0 exec --unlock one.hex --lock drop.hex
0 schema
0 help run
0 -V
0 --version
0 --help
0 IRIS -o /dev/null
0 IRIS -o -
0 run --help
1 empty
1 cut.onnx
1 IRIS --contract expect:7
1 IRIS --labels a --artifact x
1 explain empty
1 run IRIS --data cut.npy
1 run IRIS --data cut.idx.gz
1 run IRIS --data cut.png
1 run IRIS --data empty
1 run IRIS --data IRIS.npy --claim 7
1 run IRIS --data IRIS.npy --index 9999
1 run IRIS --data text.json
1 unlock text.json --data IRIS.npy
1 unlock IRIS --data IRIS.npy --claim 7
1 explain text.json
1 unlock IRIS --commitment text.json
1 commit IRIS --data IRIS.npy --payee PAYEE
1 exec --unlock one.hex --lock zero.hex
1 exec --unlock IRIS.npy --lock one.hex
1 inspect empty
1 exec --vectors IRIS.npy
1 exec --vectors text.json
1 compare IRIS --data cut.npy
2 --no-such-option
2 IRIS IRIS
2 no-such-command x
2 IRIS --emit jpeg
2 IRIS --color blue
2 IRIS --weights auto
2 IRIS -O 1 --stop-after sink-rescale
2 IRIS --min-agreement 2
2 IRIS --data IRIS.npy
2 IRIS --labels a,b,c
2 IRIS --refund PAYEE
2 unlock IRIS
2 run IRIS
2 exec
2 none.onnx
2 models
2 run IRIS --data none.npy
2 run IRIS --data models
2 eval IRIS --data IRIS.npy --labels none
2 IRIS --weights int4 --calibrate none.npy
2 inspect none
2 unlock none --data IRIS.npy
2 unlock IRIS --commitment none
2 exec --unlock none --lock one.hex
2 exec --vectors none
2 exec --tx zz --utxo 51:1
2 IRIS -o none/x
2 IRIS -o models
2 IRIS -o /dev/full
2 IRIS > /dev/full
2 IRIS --artifact none/x
2 IRIS -o x --report none/x
2 man -o empty
2 schema > /dev/full
2 ops > /dev/full";

#[test]
fn exit_codes_are_what_the_help_says() {
    let folder = clone_like();
    let file = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    file("empty", b"");
    file("cut.onnx", &read(IRIS)[..200]);
    file("cut.npy", &read(IRIS_SAMPLES)[..200]);
    file("cut.idx.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]);
    file("cut.png", b"\x89PNG\r\n\x1a\n\0\0");
    file("text.json", b"{\"a\": 1}");
    file("one.hex", b"51");
    file("zero.hex", b"00");
    file("drop.hex", b"7551");
    let iris = format!("{IRIS} -q");
    for case in CASES.lines() {
        let (code, line) = case.split_once(' ').unwrap();
        let line = line.replace("IRIS.npy", IRIS_SAMPLES).replace("IRIS", &iris).replace("PAYEE", &"00".repeat(20));
        let ran = shell(folder.path(), &format!("onnx2script {line}"));
        assert_eq!(ran.code.to_string(), code, "onnx2script {line}: {}", ran.stderr);
        assert!(ran.code != 2 || ran.stderr.starts_with("error: "), "{line}: {}", ran.stderr);
    }
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let folder = clone_like();
    let before = names_in(folder.path());
    // No file may have more than a block: the write fails as on a disk that is full.
    let line = format!("trap '' XFSZ; ulimit -f 1; onnx2script {DIGITS} -q -o contract.hex");
    let ran = shell(folder.path(), &line);
    assert!(ran.code == 2 && ran.stderr.contains("cannot write `contract.hex`"), "{}", ran.stderr);
    assert_eq!(names_in(folder.path()), before);
    std::fs::write(folder.path().join("contract.hex"), "old").unwrap();
    assert_eq!(shell(folder.path(), &line).code, 2);
    assert_eq!(std::fs::read_to_string(folder.path().join("contract.hex")).unwrap(), "old");
    assert_eq!(names_in(folder.path()).len(), before.len() + 1);
}

/// What a terminal is told by a command that runs in it.
#[cfg(target_os = "linux")]
fn in_terminal(line: &str) -> String {
    let folder = clone_like();
    let ran = shell(folder.path(), &format!("TERM=xterm script -qec 'onnx2script {line}' /dev/null < /dev/null"));
    assert_eq!(ran.code, 0, "{line}: {}", ran.stdout);
    ran.stdout
}

/// One test, since each compiles for seconds.
#[test]
#[cfg(target_os = "linux")]
fn progress_is_shown_on_a_terminal_after_a_second_and_is_cleared() {
    const CLEARED: &str = "\r\u{1b}[2K";
    let long = "inspect models/mnist_784_64_10.onnx";
    let shown = in_terminal(long);
    assert!(shown.contains("compiling with each choice of weights, 1s"), "{shown:?}");
    let (_, behind) = shown.rsplit_once(CLEARED).unwrap();
    assert!(!behind.contains("compiling with") && behind.contains("784"), "{behind:?}");
    for silent in [&format!("{long} --quiet"), "ops"] {
        let shown = in_terminal(silent);
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let folder = clone_like();
    for command in ["man", "completions zsh", "schema", "ops", &format!("{DIGITS} -q --emit listing")] {
        let ran = shell(folder.path(), &format!("{{ onnx2script {command}; echo code $? >&2; }} | head -c 1"));
        assert_eq!(ran.stderr, "code 0\n", "{command}");
    }
}
