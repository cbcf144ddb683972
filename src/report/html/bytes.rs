//! Where the bytes go: by layer, and by idiom of each layer.

use super::bars::{self, Row};
use super::markup::{details, figure, section};
use crate::Compiled;
use crate::report::explain::{Share, weights_of};
use crate::report::idioms::{Idiom, idioms};
use crate::report::limits::grouped;

/// Of more idioms the chart shows those that take most bytes.
const MOST_IDIOMS: usize = 30;

pub(super) fn section_of(compiled: &Compiled, shares: &[(String, Share)]) -> String {
    section("bytes", "Bytes of the script", &(by_layer(compiled, shares) + &by_idiom(compiled)))
}

fn by_layer(compiled: &Compiled, shares: &[(String, Share)]) -> String {
    let total = compiled.locking().byte_len().max(1);
    let percent = |share: &Share| format!("{:.1} %", 100.0 * share.bytes as f64 / total as f64);
    let row = |(label, share): &(String, Share)| {
        let beside = format!("{} ({})", grouped(share.bytes as u64), percent(share));
        Row::new(label.clone(), share.bytes as f64, beside)
    };
    let chart = bars::linear(&shares.iter().map(row).collect::<Vec<_>>());
    let weights = |label: &str| {
        let layer = compiled.ir.layers.iter().position(|layer| layer.label == label);
        layer.map_or(0, |layer| weights_of(compiled, layer))
    };
    let cells = |(label, share): &(String, Share)| {
        let numbers = [weights(label), share.bytes, share.instructions].map(|number| grouped(number as u64));
        [vec![label.clone()], numbers.to_vec(), vec![percent(share)]].concat()
    };
    let mut rows: Vec<Vec<String>> = shares.iter().map(cells).collect();
    let sums = [compiled.ir.weights(), total, compiled.locking().instructions()].map(|sum| grouped(sum as u64));
    rows.push([vec!["total".to_owned()], sums.to_vec(), vec!["100.0 %".to_owned()]].concat());
    figure(
        "Bytes by layer. “contract” is the code around the network: it checks the input and compares the claim.",
        &chart,
    ) + &details("Bytes by layer as a table", &["layer", "weights", "bytes", "instructions", "share"], &rows)
}

fn by_idiom(compiled: &Compiled) -> String {
    let idioms = idioms(compiled);
    let label = |idiom: &Idiom| format!("{}: {}", idiom.layer, idiom.step);
    let row = |idiom: &&Idiom| Row::new(label(idiom), idiom.cost.bytes as f64, grouped(idiom.cost.bytes as u64));
    let chart = bars::logarithmic(&longest(&idioms).iter().map(row).collect::<Vec<_>>());
    let cells = |idiom: &Idiom| {
        let time = idiom.cost.nanoseconds.div_ceil(1000);
        let numbers = [idiom.cost.bytes as u64, idiom.cost.instructions as u64, time].map(grouped);
        [vec![label(idiom)], numbers.to_vec()].concat()
    };
    let rows: Vec<Vec<String>> = idioms.iter().map(cells).collect();
    let which = match idioms.len() {
        many if many > MOST_IDIOMS => format!("Bytes of the {MOST_IDIOMS} longest of {many} idioms"),
        _ => "Bytes by idiom".to_owned(),
    };
    figure(&format!("{which}, on a logarithmic scale, so that small ones can be seen."), &chart)
        + &details("Idioms as a table", &["idiom", "bytes", "instructions", "time, µs (estimate)"], &rows)
}

/// The idioms that the chart has room for, in the order of the network.
fn longest(idioms: &[Idiom]) -> Vec<&Idiom> {
    let mut places: Vec<usize> = (0..idioms.len()).collect();
    places.sort_by_key(|&place| std::cmp::Reverse(idioms[place].cost.bytes));
    places.truncate(MOST_IDIOMS);
    places.sort_unstable();
    places.into_iter().map(|place| &idioms[place]).collect()
}
