//! Charts by plotters, as SVG.
//!
//! The colours here are names: the page's stylesheet finds them in the SVG's attributes and puts those of the reader's
//! theme in their place. Without a stylesheet they are legible on white.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::markup::short;

/// Where charts are drawn.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Whether they were.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(0x20, 0x20, 0x20);
/// Grids, and what else stays behind.
pub(super) const FAINT: RGBColor = RGBColor(0x90, 0x90, 0x90);
/// The colours of series.
pub(super) const SERIES: [RGBColor; 2] = [RGBColor(0x33, 0x66, 0x99), RGBColor(0x99, 0x66, 0x33)];

/// The width of charts that take the page's.
pub(super) const WIDTH: u32 = 960;
/// Height of text.
pub(super) const TEXT: u32 = 15;

/// Room for the numbers below a chart.
pub(super) const UNDER: u32 = 28;

/// Draws a chart.
pub(super) fn draw(width: u32, height: u32, paint: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        paint(&area).and_then(|()| area.present())
    };
    match drawn {
        Ok(()) => svg,
        Err(reason) => super::markup::paragraph(&format!("This chart could not be drawn: {reason}.")),
    }
}

/// A chart with both axes, in both of which plotters counts.
pub(super) type Plane<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Room around a plane, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) top: u32,
    /// For the numbers of the upright axis.
    pub(super) left: u32,
}

/// Draws the axes of a plane; a number on the lower one is so many units.
pub(super) fn plane<'a, 'b>(
    area: &'a Area<'b>,
    room: Room,
    (x, unit): (Range<f64>, f64),
    y: Range<f64>,
) -> Result<Plane<'a, 'b>, DrawingAreaErrorKind<std::io::Error>> {
    let labels = area.dim_in_pixel().0 as usize / 110;
    let mut chart = ChartBuilder::on(area)
        .set_label_area_size(LabelAreaPosition::Left, room.left)
        .set_label_area_size(LabelAreaPosition::Bottom, UNDER)
        .margin_top(room.top)
        .margin_right(24)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(labels)
        .y_labels(5)
        .x_label_formatter(&|value| short(value * unit))
        .y_label_formatter(&|value| short(*value))
        .x_label_style(text(HPos::Center, VPos::Top))
        .y_label_style(text(HPos::Right, VPos::Center))
        .axis_style(FAINT)
        .bold_line_style(FAINT.mix(0.45))
        .light_line_style(TRANSPARENT)
        .draw()?;
    Ok(chart)
}

/// Text beside a point.
pub(super) fn text(horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    ("sans-serif", TEXT).into_font().color(&INK).pos(Pos::new(horizontal, vertical))
}

/// How wide text is, more or less: the SVG's fonts are the reader's.
pub(super) fn text_width(text: &str) -> u32 {
    text.chars().count() as u32 * 15 / 2 + 6
}

/// A power of ten that brings numbers up to `most` near one: plotters counts in steps, and cannot where they vanish.
pub(super) fn power_of_ten(most: f64) -> f64 {
    if most > 1e-290 && most.is_finite() { 10f64.powi(most.log10().floor() as i32) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_is_brought_near_one() {
        for most in [1e-280, 1e-3, 1.0, 3.7, 1e300] {
            assert!((0.99..10.1).contains(&(most / power_of_ten(most))), "{most}");
        }
        for most in [0.0, 5e-324, f64::INFINITY, f64::NAN] {
            assert!((power_of_ten(most) - 1.0).abs() < 1e-12, "{most}");
        }
    }
}
