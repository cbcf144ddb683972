//! Horizontal bars with their numbers beside them.

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::chart::{Area, Drawn, FAINT, SERIES, UNDER, WIDTH, draw, power_of_ten, text, text_width};
use super::markup::{short, shortened};

/// A row of a chart: one bar for each series.
pub(super) struct Row {
    /// What it is called.
    pub(super) label: String,
    /// Each with the text beside it.
    pub(super) bars: Vec<(f64, String)>,
}

const BAR: u32 = 17;
const GAP: u32 = 9;
/// Longest label, in characters.
const LONGEST: usize = 44;
/// Below this share of the largest one a bar on a logarithmic scale is left out.
const LEAST: f64 = 1e-9;

impl Row {
    /// One bar.
    pub(super) fn new(label: String, value: f64, beside: String) -> Row {
        Row { label, bars: vec![(value, beside)] }
    }
}

/// Bars from zero.
pub(super) fn linear(rows: &[Row]) -> String {
    let unit = power_of_ten(values(rows).fold(0.0, |most, value| most.max(value.abs())));
    let low = values(rows).fold(0.0, f64::min) / unit;
    let high = values(rows).fold(0.0, f64::max) / unit;
    // Text stands beyond a bar's end, on either side.
    let (labels, beside) = (f64::from(labels_width(rows)), f64::from(beside_width(rows)));
    let room = beside / (f64::from(WIDTH) - labels - 2.0 * beside);
    let low = if low < 0.0 { low - room * (high - low) } else { 0.0 };
    let range = low..if high > low { high } else { 1.0 };
    let tick = move |value: &f64| short(value * unit);
    draw(WIDTH, height(rows), |area| paint(area, rows, range, &tick, |value| Some((0.0, value / unit))))
}

/// Bars on a logarithmic scale; numbers that are not above zero have none.
pub(super) fn logarithmic(rows: &[Row]) -> String {
    let most = values(rows).fold(0.0, f64::max);
    let unit = power_of_ten(most);
    let shown = |value: f64| value > most * LEAST;
    let least = values(rows).filter(|&value| shown(value)).fold(f64::INFINITY, f64::min);
    // Half a decade below the shortest bar, so that it is one.
    let low = if least.is_finite() { 10f64.powf((least / unit).log10().floor() - 0.5) } else { 0.1 };
    let high = (most / unit).max(1.0);
    let tick = move |value: &f64| short(value * unit);
    let place = |value: f64| shown(value).then_some((low, value / unit));
    draw(WIDTH, height(rows), |area| paint(area, rows, (low..high).log_scale(), &tick, place))
}

fn values(rows: &[Row]) -> impl Iterator<Item = f64> {
    rows.iter().flat_map(|row| &row.bars).map(|bar| bar.0).filter(|value| value.is_finite())
}

fn height(rows: &[Row]) -> u32 {
    rows.iter().map(row_height).sum::<u32>() + GAP + UNDER
}

/// Room for the names of rows.
fn labels_width(rows: &[Row]) -> u32 {
    rows.iter().map(|row| text_width(&shortened(&row.label, LONGEST))).max().unwrap_or(0) + 8
}

/// Room for the text beside bars.
fn beside_width(rows: &[Row]) -> u32 {
    rows.iter().flat_map(|row| &row.bars).map(|bar| text_width(&bar.1)).max().unwrap_or(0) + 12
}

fn row_height(row: &Row) -> u32 {
    row.bars.len() as u32 * BAR + GAP
}

/// Draws bars; `place` says from where to where a bar goes, if there is one.
fn paint<X>(
    area: &Area<'_>,
    rows: &[Row],
    range: X,
    tick: &dyn Fn(&f64) -> String,
    place: impl Fn(f64) -> Option<(f64, f64)>,
) -> Drawn
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let left = labels_width(rows);
    let mut chart = ChartBuilder::on(area)
        .set_label_area_size(LabelAreaPosition::Left, left)
        .set_label_area_size(LabelAreaPosition::Bottom, UNDER)
        .margin_right(beside_width(rows))
        .build_cartesian_2d(range, 0.0..1.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(6)
        .x_label_formatter(&tick)
        .x_label_style(text(HPos::Center, VPos::Top))
        .axis_style(FAINT)
        .bold_line_style(FAINT.mix(0.45))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let plot = chart.plotting_area();
    let start = plot.get_pixel_range().0.start;
    let pixel = |value: f64| plot.map_coordinate(&(value, 0.0)).0;
    let mut top = GAP as i32;
    for row in rows {
        let ends = |&(value, _): &(f64, String)| match place(value).filter(|_| value.is_finite()) {
            Some((from, to)) => (pixel(from), pixel(to)),
            None => (start, start),
        };
        let ends: Vec<(i32, i32)> = row.bars.iter().map(ends).collect();
        paint_row(area, row, (left as i32, top), &ends)?;
        top += row_height(row) as i32;
    }
    Ok(())
}

/// A row: its name in front of the chart, and its bars between pixels.
fn paint_row(area: &Area<'_>, row: &Row, (left, top): (i32, i32), ends: &[(i32, i32)]) -> Drawn {
    let middle = top + (row_height(row) - GAP) as i32 / 2;
    area.draw(&Text::new(shortened(&row.label, LONGEST), (left - 8, middle), text(HPos::Right, VPos::Center)))?;
    for (series, ((_, beside), ends)) in row.bars.iter().zip(ends).enumerate() {
        bar(area, *ends, top + series as i32 * BAR as i32, series, beside)?;
    }
    Ok(())
}

/// A bar from one pixel to another, and the text beyond its end.
fn bar(area: &Area<'_>, (from, to): (i32, i32), top: i32, series: usize, beside: &str) -> Drawn {
    let colour = SERIES[series % SERIES.len()];
    let corners = [(from.min(to), top), (from.max(to), top + BAR as i32 - 2)];
    if from != to {
        area.draw(&Rectangle::new(corners, colour.filled()))?;
    }
    let middle = top + BAR as i32 / 2 - 1;
    let (at, side) = if to < from { (to - 5, HPos::Right) } else { (to + 5, HPos::Left) };
    area.draw(&Text::new(beside.to_owned(), (at, middle), text(side, VPos::Center)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left edges and widths of the bars.
    fn drawn(svg: &str) -> Vec<(f64, f64)> {
        let document = roxmltree::Document::parse(svg).unwrap();
        let number = |node: &roxmltree::Node<'_, '_>, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
        let bars = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "rect")));
        bars.map(|bar| (number(&bar, "x"), number(&bar, "width"))).collect()
    }

    fn rows(values: &[f64]) -> Vec<Row> {
        values.iter().map(|&value| Row::new("row".into(), value, short(value))).collect()
    }

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        for unit in [1e-200, 1e-5, 1.0, 1e9, 1e200] {
            let bars = drawn(&linear(&rows(&[4.0, 1.0, -2.0, 0.0, f64::NAN].map(|value| value * unit))));
            assert_eq!(bars.len(), 3, "{unit}");
            let [(zero, four), (start, one), (left, two)] = bars[..] else { unreachable!() };
            assert!(four > 300.0 && (one - four / 4.0).abs() <= 1.0 && (two - four / 2.0).abs() <= 1.0, "{bars:?}");
            assert!((start - zero).abs() < 1e-9 && (left + two - zero).abs() <= 1.0, "{bars:?}");
        }
    }

    #[test]
    fn logarithmic_bars_grow_by_as_much_with_each_power() {
        for unit in [1e-200, 1e-8, 1.0, 1e12] {
            let bars = drawn(&logarithmic(&rows(&[1.0, 10.0, 100.0, 0.0].map(|value| value * unit))));
            assert_eq!(bars.len(), 3, "{unit}");
            let steps = [bars[1].1 - bars[0].1, bars[2].1 - bars[1].1];
            assert!(bars[0].1 > 50.0 && steps[0] > 100.0 && (steps[0] - steps[1]).abs() <= 1.0, "{bars:?}");
        }
    }

    #[test]
    fn charts_without_a_bar_are_charts() {
        for values in [&[] as &[f64], &[0.0], &[f64::NAN, f64::INFINITY], &[5e-324], &[-1.0]] {
            for svg in [linear(&rows(values)), logarithmic(&rows(values))] {
                assert!(
                    roxmltree::Document::parse(&svg).is_ok_and(|svg| svg.root_element().tag_name().name() == "svg"),
                    "{svg}"
                );
            }
        }
    }
}
