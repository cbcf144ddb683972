//! `--report`: one page with everything about a contract, in pictures.
//!
//! Invariants, which `tests/report_html.rs` holds:
//! 1. the page is one file: nothing is loaded from anywhere, nothing runs in it, and its own policy forbids both;
//! 2. it is well-formed as HTML and as XML, and no name in a model is markup in it;
//! 3. the same contract and the same samples make the same bytes;
//! 4. every chart has its numbers in a table beside it.

mod bars;
mod bytes;
mod chart;
mod course;
mod errors;
mod gauges;
mod markup;
mod network;
mod picture;
mod sample;
mod weights;

use crate::Compiled;
use crate::codegen::Contract;
use crate::ir::describe_scale;
use crate::report::compare::LayerReport;
use crate::report::explain::shares;
use crate::report::limits::{self, Needs, grouped};
use markup::{escape, facts, section};

pub use sample::Sample;

/// What was measured on samples.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Where the samples come from.
    pub data: String,
    /// How many of them the errors are of.
    pub samples: usize,
    /// The errors, layer by layer.
    pub layers: Vec<LayerReport>,
    /// The sample that is shown.
    pub sample: Sample,
}

/// What every page starts with. Its policy lets nothing be loaded and nothing be run.
const HEAD: &str = "<meta charset=\"utf-8\"/>\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
<meta name=\"color-scheme\" content=\"light dark\"/>\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n";

/// The page for a compiled contract; without samples, what they would show is left out, and the page says so.
pub fn page(compiled: &Compiled, measured: Option<&Measured>) -> String {
    let (shares, needs) = (shares(compiled), limits::needs(compiled));
    let name = escape(&compiled.ir.name);
    let sections = [
        header(compiled, &needs),
        network::section_of(compiled),
        bytes::section_of(compiled, &shares),
        weights::section_of(compiled),
        errors::section_of(measured),
        course::section_of(compiled, &shares),
        gauges::section_of(compiled, &needs),
        sample::section_of(compiled, measured),
        usage(compiled),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n{HEAD}<title>{name}: \
         onnx2script report</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
        include_str!("style.css"),
        sections.concat()
    )
}

/// The contract at a glance.
fn header(compiled: &Compiled, needs: &Needs) -> String {
    let answer = match compiled.optimised.answer_scale() {
        Some(scale) => format!("a number, in steps of {}", describe_scale(scale)),
        None => format!("one of {} classes", grouped(compiled.optimised.classes() as u64)),
    };
    let elements = grouped(compiled.ir.values[0].len() as u64);
    let payee = (!compiled.guard.is_none()).then(|| ("pays", escape(&compiled.guard.describe())));
    let rows = [
        ("contract", format!("<code>{}</code>", escape(&compiled.contract.to_string()))),
        ("target", format!("{} rules of the {} era", compiled.target.rules, compiled.target.era)),
        ("input", escape(&format!("{elements} elements, {}", compiled.ir.input.describe()))),
        ("answer", escape(&answer)),
        ("weights", grouped(compiled.ir.weights() as u64)),
        ("locking script", format!("<strong>{}</strong> bytes", grouped(needs.script_bytes as u64))),
        ("instructions", grouped(needs.instructions as u64)),
        ("unlocking script", format!("{} bytes", grouped(needs.unlocking_bytes as u64))),
        ("compiler", format!("onnx2script {}", env!("CARGO_PKG_VERSION"))),
    ];
    let rows: Vec<(&str, String)> = rows.into_iter().chain(payee).collect();
    let hash = facts(&[("SHA-256 of the locking script", format!("<code>{}</code>", compiled.locking().sha256()))]);
    format!("<header>\n<h1>{}</h1>\n{}{hash}</header>\n", escape(&compiled.ir.name), facts(&rows))
}

/// What to do with the contract.
fn usage(compiled: &Compiled) -> String {
    let number = compiled.optimised.answer_scale().map(describe_scale);
    let claim = match (compiled.contract, number) {
        (Contract::Claim, Some(scale)) => {
            format!("the number that the network gives, as an integer in steps of {scale},")
        }
        (Contract::Claim, None) => "the class that the network gives".to_owned(),
        (Contract::Expect(class), _) => format!("an input of class {class}"),
        (Contract::Class, _) => "an input whose answer, left on the stack, is not 0".to_owned(),
    };
    let claims = compiled.guard.methods(compiled.contract).swap_remove(0).pushes;
    let push = claims.iter().map(|item| format!("<code>{}</code>", item.name())).collect::<Vec<_>>().join(", then ");
    let bytes = grouped(compiled.ir.input.byte_len(compiled.ir.values[0].len()) as u64);
    let encoding = escape(&compiled.ir.input.describe());
    let body = format!(
        "<ol class=\"steps\">\n\
         <li>Lock coins with the locking script: it is an output’s whole script. Its SHA-256 must be the one above.</li>\n\
         <li>Whoever shows {claim} can spend them. The unlocking script pushes {push}; an input is {bytes} bytes long \
         ({encoding}).</li>\n\
         <li>Try it first: <code>onnx2script run MODEL.onnx --data FILE</code> with the same options runs the script \
         on a sample; <code>onnx2script unlock</code> writes the unlocking script.</li>\n\
         <li>A script that exceeds a limit of default policy is only mined by arrangement with a miner.</li>\n\
         </ol>\n"
    );
    section("usage", "How to use it", &body)
}
