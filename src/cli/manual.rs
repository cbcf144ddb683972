//! Pages of the manual, and completions for shells: made of what clap knows of the command line.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::{Man, roff};
use roff::Roff;

use super::args::{Cli, Completions, ManPages};
use super::{Verdict, output};

const NAME: &str = env!("CARGO_PKG_NAME");

/// Prints the completions of a shell.
pub(crate) fn completions(args: &Completions) -> anyhow::Result<Verdict> {
    output::write(None, &script(args.shell))?;
    Ok(Verdict::Done)
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    script
}

/// Prints the page of the whole command, or writes a page for each command to a folder.
pub(crate) fn man(args: &ManPages) -> anyhow::Result<Verdict> {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    let Some(folder) = &args.output else {
        output::write(None, &page(&whole)?)?;
        return Ok(Verdict::Done);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    std::iter::once(&whole).chain(whole.get_subcommands()).try_for_each(|command| write(folder, command))?;
    Ok(Verdict::Done)
}

fn write(folder: &Path, command: &clap::Command) -> anyhow::Result<()> {
    let file = folder.join(format!("{}.1", name(command)));
    output::write(Some(&file), &page(command)?)
}

/// What the page of a command is called.
fn name(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

/// A page in roff.
fn page(command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let version = format!("{NAME} {}", env!("CARGO_PKG_VERSION"));
    // A page tells no day: the same version has the same pages.
    let man = Man::new(command.clone()).title(name(command).to_uppercase()).source(version).manual("onnx2script");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    closing(command).to_writer(&mut page)?;
    Ok(page)
}

/// What stands below the options, as lines: paragraphs that begin with their heading.
fn closing(command: &clap::Command) -> Roff {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut page = Roff::default();
    for (heading, body) in text.split("\n\n").filter_map(|paragraph| paragraph.split_once(':')) {
        page.control("SH", [heading.to_uppercase().as_str()]);
        page.control("nf", []);
        body.trim_matches('\n').lines().for_each(|line| {
            page.text([roff::roman(line.strip_prefix("  ").unwrap_or(line))]);
        });
        page.control("fi", []);
    }
    page
}
