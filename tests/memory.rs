//! What hostile scripts make of memory: the interpreter takes no more than a few times what the node counts, and counts
//! against its limit on the stacks.
//!
//! A process of its own runs each pair of scripts. The stack it prints fills the pipe, so that it waits at its very end
//! for whoever reads it, and the kernel tells what it took at most. Linux tells that in `/proc`.
#![cfg(target_os = "linux")]

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use onnx2script::script::opcode::Opcode::{self, *};
use onnx2script::script::{number, push};
use onnx2script::target::{NUMBER_BYTES_POLICY, SCRIPT_BYTES_POLICY, STACK_BYTES_POLICY};

const MB: u64 = 1_000_000;
/// Memory for a byte that the node counts: what the interpreter takes, and the text of the items left.
const FACTOR: u64 = 6;
/// The program itself, and its scripts.
const BASE: u64 = 40 * MB;
/// More than a pipe holds, in bytes of an item: two digits each.
const FILLS_A_PIPE: usize = 100_000;

/// What a run ended with, and took.
struct Ran {
    verdict: String,
    /// As the node counts it.
    counted: u64,
    /// Resident memory at most.
    taken: u64,
}

/// Runs a locking script on nothing, under policy.
fn ran(locking: &[u8]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, script: &[u8]| {
        let path = folder.path().join(name);
        let hex: String = script.iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(&path, hex).unwrap();
        path
    };
    let (unlock, lock) = (write("unlock", &[]), write("lock", locking));
    let mut child = exec(&unlock, &lock);
    let mut stdout = child.stdout.take().unwrap();
    let mut text = vec![0];
    stdout.read_exact(&mut text).unwrap();
    let taken = peak(&child);
    stdout.read_to_end(&mut text).unwrap();
    child.wait().unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.len() > 2 * FILLS_A_PIPE, "{} bytes do not fill a pipe", text.len());
    let field = |name: &str| text.rsplit_once(name).unwrap().1.split(['"', '}']).find(|part| !part.is_empty()).unwrap();
    Ran { verdict: field("\"verdict\":").to_owned(), counted: field("\"peak_stack_bytes\":").parse().unwrap(), taken }
}

fn exec(unlock: &Path, lock: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_onnx2script"))
        .args(["exec", "--json", "--unlock"])
        .arg(unlock)
        .arg("--lock")
        .arg(lock)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The most that a living process has had in memory.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    1024 * kilobytes.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
}

/// Runs a script that fills the stacks to at least this much, and holds it to the bound.
#[track_caller]
fn check(what: &str, locking: &[u8], verdict: &str, least: u64) {
    assert!(locking.len() <= SCRIPT_BYTES_POLICY, "{what}: {} bytes of script", locking.len());
    let ran = ran(locking);
    let counted = ran.counted / MB;
    let factor = ran.taken.saturating_sub(BASE) as f64 / ran.counted as f64;
    assert_eq!(ran.verdict, verdict, "{what}");
    assert!((least..=STACK_BYTES_POLICY).contains(&ran.counted), "{what}: {} counted", ran.counted);
    assert!(
        ran.taken <= BASE + FACTOR * ran.counted,
        "{what}: {} MB for {counted} MB, {factor:.1} times",
        ran.taken / MB
    );
}

/// A script under construction.
#[derive(Default)]
struct Script(Vec<u8>);

impl Script {
    fn ops(mut self, opcodes: &[Opcode]) -> Self {
        self.0.extend(opcodes.iter().map(|opcode| opcode.byte()));
        self
    }

    fn number(mut self, value: u64) -> Self {
        push::append(&mut self.0, &number::encode(&value.into()));
        self
    }

    fn data(mut self, bytes: &[u8]) -> Self {
        push::append(&mut self.0, bytes);
        self
    }

    /// So many bytes of zeros.
    fn zeros(self, len: u64) -> Self {
        self.ops(&[OP_0]).number(len).ops(&[NUM2BIN])
    }

    /// An item that makes the output longer than a pipe holds.
    fn loud(self) -> Self {
        self.zeros(FILLS_A_PIPE as u64).ops(&[INVERT])
    }

    fn repeat(self, times: usize, body: impl Fn(Self) -> Self) -> Self {
        (0..times).fold(self, |script, _| body(script))
    }
}

fn script() -> Script {
    Script::default()
}

#[test]
fn large_items() {
    let doubled = script().loud().repeat(40, |s| s.ops(&[DUP, CAT]));
    check("a string doubled", &doubled.0, "STACK_SIZE", 51 * MB);
    let grown = (1..=100).fold(script().loud().ops(&[OP_1]), |s, millions| s.number(millions * MB).ops(&[NUM2BIN]));
    check("a number padded again and again", &grown.0, "STACK_SIZE", 99 * MB);
    let copies = script().loud().repeat(2_000, |s| s.ops(&[DUP]));
    check("copies of a large item", &copies.0, "STACK_SIZE", 99 * MB);
    let changed = script().loud().repeat(2_000, |s| s.ops(&[DUP, INVERT, TOALTSTACK]));
    check("changed copies of a large item", &changed.0, "STACK_SIZE", 99 * MB);
    let refused = script().loud().ops(&[OP_0]).number(i32::MAX as u64).ops(&[NUM2BIN]);
    check("the largest string there is", &refused.0, "STACK_SIZE", 0);
}

#[test]
fn many_items() {
    let empty = script().loud().ops(&[OP_0; 3]).repeat(499_000, |s| s.ops(&[OP_3DUP]));
    check("empty items", &empty.0, "EVAL_FALSE", 47 * MB);
    let alt = script().loud().repeat(249_000, |s| s.ops(&[OP_0, TOALTSTACK]));
    check("empty items on the alt stack", &alt.0, "OK", 7 * MB);
    // 17 bytes no longer fit inside an item.
    let short = script().loud().zeros(17).repeat(166_000, |s| s.ops(&[DUP, INVERT, TOALTSTACK])).ops(&[DROP]);
    check("short strings of their own", &short.0, "OK", 8 * MB);
}

/// What an item is a part of, or was once, may be longer than the item.
#[test]
fn parts_of_what_is_gone() {
    let quarter = script().loud().repeat(15, |s| s.zeros(20 * MB).number(5 * MB).ops(&[SPLIT, DROP, TOALTSTACK]));
    check("quarters", &quarter.0, "OK", 90 * MB);
    let ground = script().loud().repeat(12, |s| shorten(s.zeros(40 * MB), 40 * MB).ops(&[TOALTSTACK]));
    check("shortened and lengthened again and again", &ground.0, "OK", 40 * MB);
    let number = |first: u8| {
        let mut bytes = vec![0x7f; NUMBER_BYTES_POLICY];
        bytes[..17].fill(first);
        bytes
    };
    let [a, b] = [number(2), number(1)];
    let differences = script().loud().data(&a).data(&b).repeat(30_000, |s| s.ops(&[OP_2DUP, SUB, TOALTSTACK]));
    check("small differences of long numbers", &differences.ops(&[OP_2DROP]).0, "OK", MB);
}

/// Cuts a string of `len` bytes to a quarter and appends one, until it would fit inside an item.
fn shorten(mut script: Script, mut len: u64) -> Script {
    while len > 64 {
        let quarter = len.div_ceil(4);
        script = script.number(quarter).ops(&[SPLIT, DROP, OP_1, CAT]);
        len = quarter + 1;
    }
    script
}

#[test]
fn long_numbers() {
    let half = vec![0x7f; NUMBER_BYTES_POLICY / 2];
    let products = script().loud().data(&half).repeat(12_000, |s| s.ops(&[DUP, DUP, MUL, TOALTSTACK]));
    check("products", &products.0, "STACK_SIZE", 99 * MB);
    let quotients = script().loud().data(&[0x7f; NUMBER_BYTES_POLICY]).data(&half);
    let quotients = quotients.repeat(6_000, |s| s.ops(&[OP_2DUP, DIV, TOALTSTACK])).ops(&[OP_2DROP]);
    check("quotients", &quotients.0, "OK", 30 * MB);
}
