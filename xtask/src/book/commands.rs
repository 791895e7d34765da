//! Checks the commands in the guides at the root and in the book.
//!
//! A fenced block names its language. The commands of `sh` blocks, and commands in the text in backticks, are parsed: flags by
//! the definition of their program, files, packages, ports and routes by the repository. Nothing is run here. A block starts in
//! the repository; a page remembers the files and services that earlier commands make. A block that cannot be checked is
//! `sh no-check`, after a comment with the reason.

mod programs;
mod reference;
mod shell;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::repository::{Repository, Workspace};
use crate::run_template::{self, AppPorts};
use reference::Reference;

/// Checked files beside those in [`BOOK`].
const PAGES: &[&str] = &["ARCHITECTURE.md", "BENCHMARKS.md", "CONTRIBUTING.md", "README.md"];

/// Directory of the book.
const BOOK: &str = "book";

/// Languages of blocks without commands.
const OTHER_LANGUAGES: &[&str] = &["rust", "text", "yaml"];

/// Language of blocks with commands, and its mark for blocks that are not checked.
const SHELL: &str = "sh";
const UNCHECKED: &str = "sh no-check";

/// Comment before a block that is not checked.
const REASON: &str = "<!-- no-check: ";

/// Commands that are also checked in the text.
const IN_TEXT: &[&str] = &["cargo build ", "cargo install ", "cargo test ", "cargo xtask ", "curl ", "daprlet "];

/// Facts about the repository that commands are checked against.
pub(super) struct Facts<'a> {
    repository: &'a Repository,
    workspace: Workspace,
    apps: Vec<AppPorts>,
    daprlet: Reference,
    /// Routes of the services, from the book.
    services: String,
    /// Routes of a new service, from its template's source.
    template: String,
}

/// State that the commands of one page leave for later ones.
#[derive(Default)]
pub(super) struct Page {
    /// Files that commands write.
    written: BTreeSet<PathBuf>,
    /// Services that commands create.
    created: Vec<AppPorts>,
    /// Working directory of the block, relative to the repository.
    directory: PathBuf,
}

/// Checks all pages, and reports every error.
pub(crate) fn check(repository: &Repository) -> Result<()> {
    let facts = Facts::read(repository)?;
    let is_page = |file: &PathBuf| {
        let is_markdown = file.extension().is_some_and(|extension| extension == "md");
        PAGES.iter().any(|page| file == Path::new(page)) || (is_markdown && file.starts_with(BOOK))
    };
    let mut errors = Vec::new();
    for file in repository.files()?.into_iter().filter(is_page) {
        let text = fs::read_to_string(repository.path(&file))?;
        errors.extend(check_page(&facts, &text).into_iter().map(|error| format!("{}:{error}", file.display())));
    }
    if !errors.is_empty() {
        bail!("commands that do not work as written:\n  {}", errors.join("\n  "));
    }
    Ok(())
}

impl<'a> Facts<'a> {
    fn read(repository: &'a Repository) -> Result<Self> {
        let text =
            |file: &str| fs::read_to_string(repository.path(file)).with_context(|| format!("cannot read {file}"));
        Ok(Self {
            repository,
            workspace: repository.workspace()?,
            apps: run_template::read(repository)?,
            daprlet: Reference::parse(&text("book/reference/cli.md")?),
            services: text("book/reference/services.md")?,
            template: text("template-service/src/lib.rs")?,
        })
    }
}

/// Returns the errors of a page, each with its line.
fn check_page(facts: &Facts<'_>, text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let mut page = Page::default();
    let mut block: Option<&str> = None;
    let mut command = String::new();
    let mut has_reason = false;
    for (number, line) in text.lines().enumerate() {
        let mut report = |error: String| errors.push(format!("{}: {error}", number + 1));
        let trimmed = line.trim();
        if let Some(info) = trimmed.strip_prefix("```") {
            if block.is_none() {
                check_language(info, has_reason).into_iter().for_each(&mut report);
                page.directory = PathBuf::new();
            }
            block = if block.is_none() { Some(info) } else { None };
        } else if block == Some(SHELL) {
            if let Some(begin) = trimmed.strip_suffix('\\') {
                command.push_str(begin);
                continue;
            }
            command.push_str(trimmed);
            programs::check_line(facts, &mut page, &command, false).into_iter().for_each(&mut report);
            command.clear();
        } else if block.is_none() {
            for code in commands_in_text(line) {
                page.directory = PathBuf::new();
                programs::check_line(facts, &mut page, code, true).into_iter().for_each(&mut report);
            }
        }
        if !trimmed.is_empty() {
            has_reason = trimmed.strip_prefix(REASON).is_some_and(|reason| reason.len() > "-->".len());
        }
    }
    errors
}

fn check_language(info: &str, has_reason: bool) -> Option<String> {
    match info {
        UNCHECKED if !has_reason => Some(format!("the block needs a reason: `{REASON}REASON -->` before it")),
        SHELL | UNCHECKED => None,
        "" => Some("the block names no language, such as sh or text".to_owned()),
        other if OTHER_LANGUAGES.contains(&other) => None,
        other => Some(format!("the block is {other}, which this check does not know")),
    }
}

/// Returns the commands in backticks of a line.
fn commands_in_text(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split('`').skip(1).step_by(2);
    code.filter(|code| IN_TEXT.iter().any(|begin| code.starts_with(begin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<String> {
        let repository = Repository::new(None);
        check_page(&Facts::read(&repository).unwrap(), text)
    }

    #[test]
    fn documented_commands_are_valid() {
        check(&Repository::new(None)).unwrap();
    }

    #[test]
    fn block_names_its_language() {
        assert_eq!(errors("```\nls\n```").len(), 1);
        assert_eq!(errors("```console\nls\n```").len(), 1);
        assert!(errors("```text\nls\n```\n```yaml\na: 1\n```").is_empty());
    }

    #[test]
    fn unchecked_block_needs_a_reason() {
        assert_eq!(errors("```sh no-check\ndocker ps\n```").len(), 1);
        assert_eq!(errors("<!-- no-check: -->\n```sh no-check\ndocker ps\n```").len(), 1);
        assert!(errors("<!-- no-check: needs Docker -->\n\n```sh no-check\ndocker ps\n```").is_empty());
    }

    #[test]
    fn error_names_line_and_command() {
        let found = errors("# Title\n\n```sh\ncargo xtask up\ncargo xtask upp\n```");
        assert_eq!(found, ["5: cargo xtask upp: error: unrecognized subcommand 'upp'"]);
    }

    #[test]
    fn command_continues_on_the_next_line() {
        assert_eq!(errors("```sh\ncargo xtask \\\n  upp\n```").len(), 1);
        assert!(errors("```sh\ncargo xtask \\\n  up\n```").is_empty());
    }

    #[test]
    fn command_in_text_is_checked() {
        assert_eq!(errors("Run `cargo xtask upp` now.").len(), 1);
        assert!(errors("Run `cargo xtask parity --only TEXT` or `cargo fmt`.").is_empty());
    }
}
