//! The contract's numbers against the float model's, layer by layer.

use super::Measured;
use super::bars::{self, Row};
use super::markup::{details, keyed_figure, paragraph, section, short};
use crate::report::compare::{LayerReport, Stage};
use crate::report::limits::grouped;

pub(super) fn section_of(measured: Option<&Measured>) -> String {
    let body = match measured {
        Some(measured) => charts(measured),
        None => paragraph("Nothing was measured: --data FILE gives samples to measure on."),
    };
    section("errors", "Float against integer", &body)
}

fn charts(measured: &Measured) -> String {
    let row = |layer: &LayerReport| {
        let bars = [layer.max_error, layer.mean_error].map(|error| (error, short(error)));
        Row { label: layer.layer.clone(), bars: bars.to_vec() }
    };
    let chart = bars::logarithmic(&measured.layers.iter().map(row).collect::<Vec<_>>());
    let says = format!(
        "Errors of a layer's numbers on {} of {}, on a logarithmic scale: the contract's integers times their scale, \
         against the float network.",
        samples(measured.samples),
        measured.data
    );
    let head =
        ["layer", "outputs", "max error", "mean error", "SQNR, dB", "float range", "integer range", "proved range"];
    let rows: Vec<Vec<String>> = measured.layers.iter().map(cells).collect();
    let mut text = keyed_figure(&says, &chart, &["largest", "mean"]);
    text += &details("Errors as a table", &head, &rows);
    if measured.layers.iter().any(|layer| layer.stage == Stage::Unoptimised) {
        text += &paragraph("* Read before the passes, which fold the end of this layer into the next one's weights.");
    }
    text
}

fn samples(count: usize) -> String {
    if count == 1 { "one sample".to_owned() } else { format!("{} samples", grouped(count as u64)) }
}

fn cells(layer: &LayerReport) -> Vec<String> {
    let mark = if layer.stage == Stage::Unoptimised { "*" } else { "" };
    vec![
        format!("{}{mark}", layer.layer),
        grouped(layer.outputs as u64),
        format!("{:.2e}", layer.max_error),
        format!("{:.2e}", layer.mean_error),
        layer.sqnr_db.map_or("-".into(), |decibels| format!("{decibels:.1}")),
        layer.float_range.to_string(),
        layer.integer_range.to_string(),
        layer.proved_range.to_string(),
    ]
}
