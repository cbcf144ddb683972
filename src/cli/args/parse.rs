//! From the process's arguments to what they mean.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, ColorChoice, CommandFactory, FromArgMatches, ValueEnum};

use super::{Choices, Cli, Command};
use crate::cli::color;

impl Cli {
    /// Reads the command line; clap itself prints usage errors (and exits with 2), help and version.
    pub(crate) fn read() -> Cli {
        let mut command = Cli::command().color(color_of_help(std::env::args_os()));
        let matches = command.get_matches_mut();
        if let Some((argument, name)) = stray(&command, &matches) {
            let reason = format!("{argument} is for compiling: give what `{name}` takes after its name");
            command.error(ErrorKind::ArgumentConflict, reason).exit();
        }
        let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit());
        let choices = match &mut cli.command {
            Some(Command::Run(run)) => Some(&mut run.choices),
            Some(Command::Unlock(unlock)) => Some(&mut unlock.choices),
            Some(Command::Commit(commit)) => Some(&mut commit.choices),
            Some(Command::Explain(explain)) => Some(&mut explain.choices),
            _ => None,
        };
        if let Some((choices, (_, matches))) = choices.zip(matches.subcommand()) {
            choices.given = given(matches);
        }
        cli
    }
}

/// An argument of compiling in front of a command, and the command. (Clap could refuse these by itself, but with them
/// `--quiet` and `--color`, which every command has.)
fn stray(command: &clap::Command, matches: &ArgMatches) -> Option<(String, String)> {
    let name = matches.subcommand_name()?;
    let given = |id: &clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    let mut arguments = command.get_arguments().filter(|argument| !argument.is_global_set());
    let stray = arguments.find(|argument| matches.ids().any(|id| id == argument.get_id() && given(id)))?;
    Some((stray.to_string(), name.to_owned()))
}

/// Options that say how a model is compiled, as far as the user gave them.
fn given(matches: &ArgMatches) -> Vec<String> {
    const LEFT_OPEN: [&str; 1] = ["rules"];
    let choices = Choices::augment_args(clap::Command::new(""));
    let given = |arg: &&Arg| {
        let id = arg.get_id().as_str();
        !LEFT_OPEN.contains(&id) && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    choices.get_arguments().filter(given).filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect()
}

/// What `--color` says, for help and usage errors: these come before the line is understood.
fn color_of_help(line: impl Iterator<Item = OsString>) -> ColorChoice {
    let words: Vec<String> = line.map(|word| word.to_string_lossy().into_owned()).collect();
    let behind = words.windows(2).find_map(|pair| (pair[0] == "--color").then(|| pair[1].as_str()));
    let joined = words.iter().find_map(|word| word.strip_prefix("--color="));
    match behind.or(joined).map(|choice| color::ColorChoice::from_str(choice, false)) {
        Some(Ok(color::ColorChoice::Always)) => ColorChoice::Always,
        Some(Ok(color::ColorChoice::Never)) => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_nothing_wrong() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_is_coloured_as_asked() {
        let choice = |line: &[&str]| color_of_help(line.iter().map(OsString::from));
        assert_eq!(choice(&["onnx2script", "--help"]), ColorChoice::Auto);
        assert_eq!(choice(&["onnx2script", "--color", "never", "run"]), ColorChoice::Never);
        assert_eq!(choice(&["onnx2script", "run", "--color=always"]), ColorChoice::Always);
        assert_eq!(choice(&["onnx2script", "--color"]), ColorChoice::Auto);
    }
}
