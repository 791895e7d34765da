//! Shell completions, manual pages and the reference, all from the definition of the command line.

use std::io::Write as _;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;

/// Prints the script that completes daprlet's commands and flags in a shell.
pub(crate) fn print_completions(shell: Shell) -> anyhow::Result<()> {
    // A failed write would be a panic within the generator.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "daprlet", &mut script);
    Ok(std::io::stdout().lock().write_all(&script)?)
}

/// Prints the manual page of daprlet, or of one of its commands, in roff.
pub(crate) fn print_manual(command: Option<&str>) -> anyhow::Result<()> {
    let mut cli = Cli::command();
    cli.build();
    let page = match command {
        None => cli,
        Some(name) => {
            let found = cli.find_subcommand(name);
            found.with_context(|| format!("there is no command {name:?}; `daprlet --help` lists them"))?.clone()
        }
    };
    let mut roff = Vec::new();
    clap_mangen::Man::new(page).render(&mut roff)?;
    Ok(std::io::stdout().lock().write_all(&roff)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The help of all commands as a page of the book.
    fn reference() -> String {
        let mut page =
            "# Command line\n\nThe help texts of `daprlet`, written by its tests (`UPDATE=1` writes them anew).\n"
                .to_owned();
        let mut cli = Cli::command();
        cli.build();
        add_help(&mut page, &mut cli);
        page
    }

    fn add_help(page: &mut String, command: &mut clap::Command) {
        let name = command.get_bin_name().unwrap_or("daprlet").to_owned();
        // Values of this machine's environment are not part of the reference.
        let mut command = command.clone().mut_args(|argument| argument.hide_env_values(true));
        let help = command.render_long_help().to_string();
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
        for subcommand in command.get_subcommands_mut().filter(|it| !it.is_hide_set() && it.get_name() != "help") {
            add_help(page, subcommand);
        }
    }

    #[test]
    #[cfg(all(feature = "compose", feature = "optimize", feature = "pluggable", feature = "component-apps"))]
    fn reference_in_the_book_is_current() {
        let file = Path::new("../../book/reference/cli.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(file, reference()).unwrap();
        }
        let found = std::fs::read_to_string(file).unwrap_or_default();
        assert!(found == reference(), "book/reference/cli.md is out of date: run this test with UPDATE=1");
    }

    #[test]
    fn every_command_has_a_manual_page() {
        let mut cli = Cli::command();
        cli.build();
        for command in cli.get_subcommands() {
            let mut roff = Vec::new();
            clap_mangen::Man::new(command.clone()).render(&mut roff).unwrap();
            assert!(roff.starts_with(b".ie"), "{}", command.get_name());
        }
    }
}
