//! What happens along the script: items and bytes on the stacks, and bytes of the script so far.
//!
//! A script can have hundreds of thousands of instructions, a chart has a thousand pixels: each column of the chart holds
//! the least and the most of its instructions.

use std::sync::Arc;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::chart::{Area, Drawn, INK, Room, SERIES, TEXT, WIDTH, draw, plane, text, text_width};
use super::markup::{details, figure, paragraph, section};
use crate::Compiled;
use crate::report::explain::Share;
use crate::report::limits::grouped;
use crate::report::walk::walk;

/// Most columns of a chart.
const COLUMNS: usize = 1000;
const HEIGHT: u32 = 220;
/// Rows for the names of layers.
const ROWS: usize = 3;
/// Width of the numbers beside a chart.
const LEFT: u32 = 76;

/// The least and the most of a column's instructions.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Column {
    low: f64,
    high: f64,
}

/// What was seen on the way through a script.
struct Course {
    instructions: usize,
    items: Vec<Column>,
    memory: Vec<Column>,
    bytes: Vec<Column>,
    /// Where layers begin, by their first instructions; the contract's own code ends the script, too.
    starts: Vec<(Arc<str>, usize)>,
}

pub(super) fn section_of(compiled: &Compiled, shares: &[(String, Share)]) -> String {
    let course = Course::of(compiled);
    let says = "From the first instruction to the last; lines mark where layers begin. Stacks are the main and the alt \
                stack together, in the most bytes that any input makes their items take, 32 for each item included.";
    let charts = [
        ("Items on the stacks", &course.items),
        ("Bytes on the stacks", &course.memory),
        ("Bytes of the script so far", &course.bytes),
    ];
    let figures = charts.map(|(says, columns)| {
        let chart = draw(WIDTH, HEIGHT, |area| course.paint(area, columns));
        figure(&format!("{says}, by instruction."), &chart)
    });
    let start = |label: &str| {
        course
            .starts
            .iter()
            .find(|(layer, _)| **layer == *label)
            .map_or("-".into(), |(_, start)| grouped(*start as u64))
    };
    let cells = |(label, share): &(String, Share)| {
        let numbers = [share.instructions as u64, share.bytes as u64, share.deepest as u64, share.stack_bytes];
        [vec![label.clone(), start(label)], numbers.map(grouped).to_vec()].concat()
    };
    let rows: Vec<Vec<String>> = shares.iter().map(cells).collect();
    let head =
        ["layer", "first instruction", "instructions", "bytes", "most items on the stacks", "most bytes on the stacks"];
    let table = details("Stacks by layer as a table", &head, &rows);
    let around = match compiled.guard.is_none() {
        true => String::new(),
        false => paragraph("The guard's code, in front of the network's and behind it, is not drawn."),
    };
    section("course", "Along the script", &(paragraph(says) + &around + &figures.concat() + &table))
}

impl Column {
    fn widen(column: &mut Option<Column>, value: f64) {
        let before = column.unwrap_or(Column { low: value, high: value });
        *column = Some(Column { low: before.low.min(value), high: before.high.max(value) });
    }
}

impl Course {
    fn of(compiled: &Compiled) -> Course {
        let instructions = compiled.script.instructions.len();
        let columns = instructions.clamp(1, COLUMNS);
        let mut seen = [vec![None; columns], vec![None; columns], vec![None; columns]];
        let mut starts: Vec<(Arc<str>, usize)> = Vec::new();
        let mut index = 0;
        walk(&compiled.program, &compiled.script, |step| {
            let column = index * columns / instructions;
            let items = step.stacks.main.len() + step.stacks.alt.len();
            let bytes = step.offset + step.instruction.code.byte_len();
            let numbers = [items as f64, step.stack_bytes as f64, bytes as f64];
            seen.iter_mut().zip(numbers).for_each(|(columns, number)| Column::widen(&mut columns[column], number));
            let origin = compiled.program.instructions[step.instruction.origin as usize].origin as usize;
            let layer = &compiled.program.origins[origin].layer;
            if starts.iter().all(|(known, _)| known != layer) {
                starts.push((Arc::clone(layer), index));
            }
            index += 1;
        });
        let [items, memory, bytes] = seen.map(|columns| columns.into_iter().flatten().collect());
        Course { instructions, items, memory, bytes, starts }
    }

    fn paint(&self, area: &Area<'_>, columns: &[Column]) -> Drawn {
        let most = columns.iter().map(|column| column.high).fold(1.0, f64::max);
        let room = Room { top: ROWS as u32 * (TEXT + 2) + 6, left: LEFT };
        let instructions = 0.0..self.instructions as f64;
        let mut chart = plane(area, room, (instructions, 1.0), 0.0..most * 1.05)?;
        let width = self.instructions as f64 / columns.len() as f64;
        chart.draw_series([Polygon::new(filled(columns, width), SERIES[0].mix(0.2))])?;
        chart.draw_series([PathElement::new(line(columns, width), SERIES[0].stroke_width(2))])?;
        let plot = chart.plotting_area();
        let pixels = self.starts.iter().map(|(layer, start)| (&**layer, plot.map_coordinate(&(*start as f64, 0.0))));
        mark(area, &pixels.collect::<Vec<_>>())
    }
}

/// The line through all columns: each is a step, from its least to its most.
fn line(columns: &[Column], width: f64) -> Vec<(f64, f64)> {
    let points = |(index, column): (usize, &Column)| {
        let (start, end) = (index as f64 * width, (index as f64 + 1.0) * width);
        let tops = [(start, column.low), (start, column.high), (end, column.high)];
        // Where a column holds one number, two points say it.
        tops.into_iter().skip(usize::from(column.low >= column.high))
    };
    columns.iter().enumerate().flat_map(points).collect()
}

/// The area below it.
fn filled(columns: &[Column], width: f64) -> Vec<(f64, f64)> {
    let edge = |index: usize| index as f64 * width;
    let tops = columns.iter().enumerate();
    let tops = tops.flat_map(|(index, column)| [(edge(index), column.high), (edge(index + 1), column.high)]);
    [(0.0, 0.0)].into_iter().chain(tops).chain([(edge(columns.len()), 0.0)]).collect()
}

/// Marks where layers begin: a line each, and the name where there is room for it in one of the rows.
fn mark(area: &Area<'_>, starts: &[(&str, (i32, i32))]) -> Drawn {
    let mut free = [0; ROWS];
    let right = area.dim_in_pixel().0 as i32;
    for &(layer, (x, bottom)) in starts {
        let width = text_width(layer) as i32;
        // At the end of the script a name stands in front of its line.
        let (start, end, side) = match x + width > right {
            true => (x - width, x, HPos::Right),
            false => (x, x + width, HPos::Left),
        };
        let Some(row) = free.iter().position(|&taken| taken <= start) else { continue };
        let top = 2 + row as i32 * (TEXT as i32 + 2);
        let at = if x == start { x + 4 } else { x - 4 };
        area.draw(&PathElement::new(vec![(x, top), (x, bottom)], INK.mix(0.45)))?;
        area.draw(&Text::new(layer.to_owned(), (at, top), text(side, VPos::Top)))?;
        free[row] = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::Model;
    use crate::report::limits;
    use crate::{Options, compile};

    #[test]
    fn no_peak_is_lost_between_columns() {
        for name in ["toy_2-2-2", "breast_cancer_30-16-1"] {
            let mut options = Options::default();
            options.codegen.strategy = crate::codegen::Strategy::Unrolled;
            let compiled =
                compile(&mut Model::load(format!("models/{name}.onnx").as_ref()).unwrap(), &options).unwrap();
            let course = Course::of(&compiled);
            let needs = limits::needs(&compiled);
            assert_eq!(course.items.len(), needs.instructions.min(COLUMNS), "{name}");
            let most = |columns: &[Column]| columns.iter().map(|column| column.high as u64).max().unwrap();
            assert_eq!(most(&course.items), needs.stack_items as u64, "{name}");
            assert_eq!(most(&course.memory), needs.stack_bytes, "{name}");
            assert_eq!(most(&course.bytes), needs.script_bytes as u64, "{name}");
            assert_eq!(course.starts[0].1, 0, "{name}");
        }
    }

    #[test]
    fn a_column_of_one_number_is_two_points() {
        let columns = [Column { low: 1.0, high: 1.0 }, Column { low: 0.0, high: 3.0 }];
        assert_eq!(line(&columns, 2.0), [(0.0, 1.0), (2.0, 1.0), (2.0, 0.0), (2.0, 3.0), (4.0, 3.0)]);
    }
}
