//! Whether output is coloured, and how.

use clap::ValueEnum;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set or TERM is `dumb`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    /// None, or none are wanted.
    None,
    /// The 256 of most terminals.
    Indexed,
    /// Red, green and blue in 8 bits each.
    Full,
}

impl ColorChoice {
    /// The colours to use on an output that is a terminal, or is not.
    pub(crate) fn palette(self, is_terminal: bool) -> Palette {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let auto = || is_terminal && variable("NO_COLOR").is_empty() && variable("TERM") != "dumb";
        match self {
            ColorChoice::Never => Palette::None,
            ColorChoice::Auto if !auto() => Palette::None,
            _ if matches!(variable("COLORTERM").as_str(), "truecolor" | "24bit") => Palette::Full,
            _ => Palette::Indexed,
        }
    }
}

impl Palette {
    /// Text in a style: parameters of the terminal's "select graphic rendition".
    pub(crate) fn styled(self, style: &str, text: &str) -> String {
        if self == Palette::None { text.to_owned() } else { format!("\x1b[{style}m{text}\x1b[0m") }
    }

    /// The parameters that set a colour: of the ground where `ground`, else of the text.
    pub(crate) fn colour(self, ground: bool, [red, green, blue]: [u8; 3]) -> String {
        let what = if ground { 48 } else { 38 };
        match self {
            Palette::None => String::new(),
            Palette::Full => format!("{what};2;{red};{green};{blue}"),
            Palette::Indexed => format!("{what};5;{}", nearest([red, green, blue])),
        }
    }
}

/// The nearest of the 256 colours: the ramp of greys from 232 on, or the cube of 6 levels each from 16 on.
fn nearest([red, green, blue]: [u8; 3]) -> u32 {
    let level = |channel: u8| (u32::from(channel) * 5 + 127) / 255;
    if red == green && green == blue {
        return match (u32::from(red) * 25 + 127) / 255 {
            0 => 16,
            25 => 231,
            grey => 231 + grey,
        };
    }
    16 + 36 * level(red) + 6 * level(green) + level(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_the_terminal_s() {
        for (colour, index) in [([0; 3], 16), ([255; 3], 231), ([128; 3], 244), ([255, 0, 0], 196), ([0, 0, 255], 21)] {
            assert_eq!(nearest(colour), index, "{colour:?}");
        }
        assert_eq!(Palette::Full.colour(true, [1, 2, 3]), "48;2;1;2;3");
        assert_eq!(Palette::Indexed.styled("1", "x"), "\x1b[1mx\x1b[0m");
        assert_eq!(Palette::None.styled("1", "x"), "x");
    }
}
