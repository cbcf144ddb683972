//! Vectors of the node: spends with the verdict its interpreter gave.
//!
//! A file has one spend a line, in six fields separated by tabs: era (`genesis`, `chronicle`), rules
//! (`policy`, `consensus`), unlocking script, locking script, verdict (`OK` or the error), top of the
//! stack. Bytes are in hexadecimal; `-` stands for none, and in the last field `?` for untold. Empty
//! lines and lines that begin with `#` are skipped.
//!
//! The top is compared where a script ran to its end, true or not: a failure within leaves none.

use std::fmt;

use super::{Outcome, ScriptError, run};
use crate::target::{Era, Rules, Target};

/// What running a file of vectors came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Vectors on which the interpreter agrees with the node.
    pub passed: usize,
    /// Vectors on which it does not.
    pub failed: usize,
    /// One entry for each of those.
    pub disagreements: Vec<Disagreement>,
}

/// A vector on which the interpreter does not agree with the node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disagreement {
    /// Line of the file, from 1.
    pub line: usize,
    /// The node's verdict and, where told, the top it left.
    pub expected: String,
    /// The interpreter's.
    pub got: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}, got {}", self.line, self.expected, self.got)
    }
}

/// A line that is not a vector.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Malformed {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// One line, understood.
struct Vector<'a> {
    target: Target,
    unlocking: Vec<u8>,
    locking: Vec<u8>,
    verdict: &'a str,
    /// The top of the stack; `None` if untold.
    top: Option<Vec<u8>>,
}

/// Runs every vector of a file.
///
/// # Errors
/// On the first line that is not a vector.
pub fn check(text: &str) -> Result<Report, Malformed> {
    let mut report = Report::default();
    for (index, row) in text.lines().enumerate() {
        if row.is_empty() || row.starts_with('#') {
            continue;
        }
        let line = index + 1;
        let vector = parse(row).map_err(|problem| Malformed { line, problem })?;
        let outcome = run(&vector.unlocking, &vector.locking, &vector.target);
        if vector.agrees(&outcome) {
            report.passed += 1;
        } else {
            report.failed += 1;
            let (expected, got) = (vector.describe(), describe(outcome.verdict(), top(&outcome)));
            report.disagreements.push(Disagreement { line, expected, got });
        }
    }
    Ok(report)
}

impl Vector<'_> {
    fn agrees(&self, outcome: &Outcome) -> bool {
        let ended = matches!(outcome.error, None | Some(ScriptError::EvalFalse | ScriptError::CleanStack));
        outcome.verdict() == self.verdict
            && (!ended || self.top.as_deref().is_none_or(|expected| expected == top(outcome)))
    }

    fn describe(&self) -> String {
        match &self.top {
            Some(top) => describe(self.verdict, top),
            None => self.verdict.to_owned(),
        }
    }
}

/// The top of the stack; no bytes if there is none.
fn top(outcome: &Outcome) -> &[u8] {
    outcome.stack.last().map_or(&[], Vec::as_slice)
}

fn describe(verdict: &str, top: &[u8]) -> String {
    let hex: String = top.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{verdict} with top [{hex}]")
}

fn parse(row: &str) -> Result<Vector<'_>, String> {
    let fields: Vec<&str> = row.split('\t').collect();
    let [era, rules, unlocking, locking, verdict, top] = fields[..] else {
        return Err(format!("{} fields instead of 6", fields.len()));
    };
    let era = match era {
        "genesis" => Era::Genesis,
        "chronicle" => Era::Chronicle,
        other => return Err(format!("unknown era `{other}`")),
    };
    let rules = match rules {
        "policy" => Rules::Policy,
        "consensus" => Rules::Consensus,
        other => return Err(format!("unknown rules `{other}`")),
    };
    if verdict != "OK" && !ScriptError::ALL.iter().any(|error| error.name() == verdict) {
        return Err(format!("unknown verdict `{verdict}`"));
    }
    Ok(Vector {
        target: Target { era, rules },
        unlocking: parse_hex("unlocking script", unlocking)?,
        locking: parse_hex("locking script", locking)?,
        verdict,
        top: if top == "?" { None } else { Some(parse_hex("top", top)?) },
    })
}

fn parse_hex(what: &str, text: &str) -> Result<Vec<u8>, String> {
    if text == "-" {
        return Ok(Vec::new());
    }
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let bytes = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect::<Option<Vec<u8>>>();
    match bytes {
        Some(bytes) if rest.is_empty() && !bytes.is_empty() => Ok(bytes),
        _ => Err(format!("the {what} is not hexadecimal")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreements_and_disagreements_are_told_apart() {
        let text = "# comment\n\ngenesis\tpolicy\t5152\t93\tOK\t03\ngenesis\tpolicy\t5152\t93\tOK\t?\n\
                    genesis\tpolicy\t5152\t93\tOK\t04\ngenesis\tpolicy\t-\t-\tOK\t-\n";
        let report = check(text).unwrap();
        assert_eq!((report.passed, report.failed), (2, 2));
        let lines: Vec<String> = report.disagreements.iter().map(|found| found.to_string()).collect();
        assert_eq!(
            lines,
            [
                "line 5: expected OK with top [04], got OK with top [03]",
                "line 6: expected OK with top [], got EVAL_FALSE with top []",
            ]
        );
    }

    #[test]
    fn malformed_lines_are_errors_with_their_number() {
        for (row, problem) in [
            ("genesis\tpolicy\t51", "line 2: 3 fields instead of 6"),
            ("byzantium\tpolicy\t51\t-\tOK\t?", "line 2: unknown era `byzantium`"),
            ("genesis\tnone\t51\t-\tOK\t?", "line 2: unknown rules `none`"),
            ("genesis\tpolicy\t51\t-\tFINE\t?", "line 2: unknown verdict `FINE`"),
            ("genesis\tpolicy\t5\t-\tOK\t?", "line 2: the unlocking script is not hexadecimal"),
            ("genesis\tpolicy\t51\tzz\tOK\t?", "line 2: the locking script is not hexadecimal"),
            ("genesis\tpolicy\t51\t-\tOK\t", "line 2: the top is not hexadecimal"),
        ] {
            assert_eq!(check(&format!("\n{row}")).unwrap_err().to_string(), problem);
        }
    }
}
