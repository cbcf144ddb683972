//! Scores as bars, from the lowest one on (only differences of scores tell classes apart), the float model's beside them.

use super::color::Palette;

/// Characters that the longest bars take.
const WIDTH: usize = 36;
/// Most rows; of more scores the highest are shown.
const MOST: usize = 16;
/// Parts of a block, from one eighth on.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// A score, as the contract and as the float model has it.
#[derive(Debug, Clone)]
pub(crate) struct Score {
    /// What it is of.
    pub(crate) label: String,
    /// The contract's.
    pub(crate) value: f64,
    /// The float model's.
    pub(crate) float: f64,
    /// Whether it is the answer.
    pub(crate) chosen: bool,
}

/// A line for each score.
pub(crate) fn draw(scores: &[Score], palette: Palette) -> String {
    let mut shown: Vec<usize> = (0..scores.len()).collect();
    shown.sort_by(|&a, &b| scores[b].value.total_cmp(&scores[a].value));
    let hidden = shown.len().saturating_sub(MOST);
    shown.truncate(MOST);
    shown.sort_unstable();
    let values = || shown.iter().map(|&index| scores[index].value);
    let (low, high) = values().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let width = if high > low { WIDTH } else { 0 };
    let label = shown.iter().map(|&index| scores[index].label.chars().count()).max().unwrap_or(0);
    let mut text = format!("  {:label$} {:width$} {:>12} {:>12}\n", "", "", "contract", "float model");
    for &index in &shown {
        let Score { label: name, value, float, chosen } = &scores[index];
        let bar = bar((value - low) / (high - low).max(f64::MIN_POSITIVE), width);
        let bar = palette.styled(if *chosen { "32" } else { "36" }, &bar);
        let mark = if *chosen { " ◀" } else { "" };
        let (name, numbers) =
            (format!("{name:>label$}"), format!("{:>12} {:>12}{mark}", figure(*value), figure(*float)));
        let [name, numbers] = [name, numbers].map(|text| if *chosen { palette.styled("1", &text) } else { text });
        text += &format!("  {name} {bar} {numbers}\n");
    }
    if hidden > 0 {
        text += &format!("  and {hidden} lower ones\n");
    }
    text
}

/// A bar of a share of a width.
fn bar(share: f64, width: usize) -> String {
    let eighths = (share * 8.0 * width as f64).round() as usize;
    let mut bar = "█".repeat((eighths / 8).min(width));
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8 - 1]);
    }
    format!("{bar:width$}")
}

/// A number in six digits.
fn figure(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 1e6 || magnitude > 0.0 && magnitude < 1e-4 {
        return format!("{value:.3e}");
    }
    let whole = if magnitude < 10.0 { 1 } else { magnitude.log10() as usize + 1 };
    format!("{value:.*}", 6 - whole.min(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_shares() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.0, 4), "    ");
        assert_eq!(bar(0.4, 4), "█▋  ");
        assert_eq!(bar(0.0, 0), "");
        for share in 0..=100 {
            assert_eq!(bar(f64::from(share) / 100.0, WIDTH).chars().count(), WIDTH);
        }
    }

    #[test]
    fn the_highest_of_many_are_shown_in_order() {
        let score = |index: usize| Score {
            label: index.to_string(),
            value: (index % 50) as f64 - 20.0,
            float: 0.5,
            chosen: index == 49,
        };
        let text = draw(&(0..100).map(score).collect::<Vec<_>>(), Palette::None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 18);
        assert!(lines[1].trim_start().starts_with("42 ") && lines[8].ends_with(" ◀"), "{text}");
        assert_eq!(lines[17].trim(), "and 84 lower ones");
    }

    #[test]
    fn figures_have_six_digits() {
        for (value, text) in [(0.0, "0.00000"), (-12.345678, "-12.3457"), (123456.7, "123456.7"), (1e-9, "1.000e-9")] {
            assert_eq!(figure(value), text);
        }
    }
}
