//! `onnx2script ops`: the table of supported ops.

use onnx2script::graph::{SUPPORTED, Supported};
use serde_json::json;

use super::Verdict;
use super::args::Ops;
use super::output;

/// Lists the supported ops, as the README does.
pub(crate) fn ops(args: &Ops) -> anyhow::Result<Verdict> {
    let text = if args.json {
        let rows: Vec<_> = SUPPORTED.iter().map(|row| json!({"op": row.op, "how": row.how})).collect();
        format!("{:#}\n", json!(rows))
    } else {
        let width = SUPPORTED.iter().map(|row| row.op.len()).max().unwrap_or(0);
        let line = |Supported { op, how, .. }: &Supported| format!("{op:width$}  {how}").trim_end().to_owned() + "\n";
        SUPPORTED.iter().map(line).collect()
    };
    output::print(&text)?;
    Ok(Verdict::Done)
}
