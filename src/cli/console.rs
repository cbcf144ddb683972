//! What is said on standard error. How that is done is one choice for the whole process: it is made once, before
//! anything is said, and is `--color auto` until then.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use super::args::Manners;
use super::color::{ColorChoice, Palette};

static MANNERS: OnceLock<Manners> = OnceLock::new();

fn manners() -> Manners {
    *MANNERS.get_or_init(|| Manners { quiet: false, color: ColorChoice::Auto })
}

/// Chooses how things are said from now on.
pub(crate) fn set(manners: Manners) {
    let _ = MANNERS.set(manners);
}

/// Whether a person sees what is said, and wants to hear of more than errors.
pub(crate) fn is_watched() -> bool {
    !manners().quiet && std::io::stderr().is_terminal()
}

/// The colours to use on standard output.
pub(crate) fn palette() -> Palette {
    manners().color.palette(std::io::stdout().is_terminal())
}

/// Says what failed.
pub(crate) fn error(text: impl std::fmt::Display) {
    say("error", "1;31", text);
}

/// Says what may not be as intended.
pub(crate) fn warning(text: impl std::fmt::Display) {
    say_unless_quiet("warning", "1;33", text);
}

/// Says what was decided or found out.
pub(crate) fn note(text: impl std::fmt::Display) {
    say_unless_quiet("note", "1;36", text);
}

/// Says what to do about a result.
pub(crate) fn help(text: impl std::fmt::Display) {
    say_unless_quiet("help", HELP_STYLE, text);
}

const HELP_STYLE: &str = "1;32";

fn say_unless_quiet(kind: &str, style: &str, text: impl std::fmt::Display) {
    if !manners().quiet {
        say(kind, style, text);
    }
}

fn say(kind: &str, style: &str, text: impl std::fmt::Display) {
    let palette = manners().color.palette(std::io::stderr().is_terminal());
    write_line(&styled(palette, kind, style, &printable(&text.to_string())));
}

/// A message as it is shown: what kind it is of, and what helps, stand out.
fn styled(palette: Palette, kind: &str, style: &str, text: &str) -> String {
    let text = text.replace("\n  help:", &format!("\n  {}", palette.styled(HELP_STYLE, "help:")));
    format!("{} {text}", palette.styled(style, &format!("{kind}:")))
}

/// Prints text as it is, but for what a terminal would obey.
pub(crate) fn tell(text: impl std::fmt::Display) {
    write_line(&printable(&text.to_string()));
}

/// Whoever reads it may have seen enough.
fn write_line(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Names in a model are its author's: they must not speak to the terminal.
fn printable(text: &str) -> String {
    let is_obeyed = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    text.chars().map(|character| if is_obeyed(character) { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_help_stand_out_where_colours_are_wanted() {
        let text = "no\n  help: yes";
        assert_eq!(styled(Palette::None, "error", "1;31", text), "error: no\n  help: yes");
        assert_eq!(
            styled(Palette::Indexed, "error", "1;31", text),
            "\x1b[1;31merror:\x1b[0m no\n  \x1b[1;32mhelp:\x1b[0m yes"
        );
    }

    #[test]
    fn names_cannot_speak_to_the_terminal() {
        assert_eq!(printable("node `\u{1b}]0;x\u{7}`:\n\ta"), "node `\u{fffd}]0;x\u{fffd}`:\n\ta");
    }
}
