//! `cargo xtask book`: the documentation as web pages, and the check of its links.

pub(crate) mod commands;

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::repository::{Repository, run};
use crate::setup::is_installed;

/// The program that renders the book, and its version.
const MDBOOK: &str = "mdbook@0.5.4";

/// Directory of the book, of the copy that is rendered, and of the result.
const SOURCE: &str = "book";
const SOURCE_COPY: &str = "target/book-source";
const TARGET: &str = "target/book";

/// Branch that links to files outside the book show.
const BRANCH: &str = "main";

/// Renders the book in `book/` into `target/book`, after a check of all links.
#[derive(Args)]
#[command(after_help = "The first run builds mdBook, from the crate registry, which takes some minutes.")]
pub(crate) struct Book {
    /// Only checks the links of all Markdown files.
    #[arg(long)]
    check: bool,
}

impl Book {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        check_links(repository)?;
        if self.check {
            return Ok(());
        }
        install(repository)?;
        let source = copy_source(repository)?;
        let target = std::path::absolute(repository.path(TARGET))?;
        run(repository.command("mdbook").arg("build").arg(source).arg("--dest-dir").arg(target))
    }
}

/// Copies the book, with addresses instead of relative links to files that are not in it.
fn copy_source(repository: &Repository) -> Result<PathBuf> {
    let workspace = repository.workspace()?;
    let address = workspace.package("daprlet")?.repository.as_deref().context("daprlet names no repository")?;
    let target = repository.path(SOURCE_COPY);
    if target.exists() {
        fs::remove_dir_all(&target).with_context(|| format!("cannot remove {}", target.display()))?;
    }
    for file in repository.files()?.into_iter().filter(|file| file.starts_with(SOURCE)) {
        let from = repository.path(&file);
        let to = target.join(file.strip_prefix(SOURCE)?);
        fs::create_dir_all(to.parent().unwrap_or(&target))?;
        if is_markdown(&file) {
            let text = fs::read_to_string(&from)?;
            fs::write(&to, with_addresses(&text, &file, address))
                .with_context(|| format!("cannot write {}", to.display()))?;
        } else {
            fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(target)
}

/// Replaces relative links of a page that leave the book by addresses in the repository.
fn with_addresses(text: &str, file: &Path, address: &str) -> String {
    let directory = file.parent().unwrap_or(Path::new(""));
    links(text).into_iter().fold(text.to_owned(), |text, link| {
        let target = normalize(&directory.join(link));
        if target.starts_with(SOURCE) {
            return text;
        }
        text.replace(&format!("]({link})"), &format!("]({address}/blob/{BRANCH}/{})", target.display()))
    })
}

/// Resolves `..` in a path.
fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            normal.pop();
        } else {
            normal.push(component);
        }
    }
    normal
}

/// Installs mdBook, unless it is there.
pub(crate) fn install(repository: &Repository) -> Result<()> {
    if is_installed("mdbook") {
        return Ok(());
    }
    eprintln!("Building mdBook, which takes some minutes");
    // Unoptimised: it is built in a third of the time.
    run(&mut repository.cargo(&["install", "--locked", "--debug", "--no-default-features", MDBOOK]))
}

/// Checks that each relative link of a Markdown file leads to a file, and each anchor to a heading.
pub(crate) fn check_links(repository: &Repository) -> Result<()> {
    let mut broken = Vec::new();
    for file in repository.files()?.into_iter().filter(|file| is_markdown(file)) {
        let text = fs::read_to_string(repository.path(&file))?;
        let directory = file.parent().unwrap_or(Path::new(""));
        for link in links(&text) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { directory.join(path) };
            let target = repository.path(target);
            if !target.exists() {
                broken.push(format!("{}: {link}: there is no such file", file.display()));
            } else if !anchor.is_empty() && is_markdown(&target) && !has_heading(&target, anchor)? {
                broken.push(format!("{}: {link}: there is no such heading", file.display()));
            }
        }
    }
    if !broken.is_empty() {
        bail!("links that lead nowhere:\n  {}", broken.join("\n  "));
    }
    Ok(())
}

fn is_markdown(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "md")
}

fn has_heading(file: &PathBuf, anchor: &str) -> Result<bool> {
    let text = fs::read_to_string(file)?;
    Ok(text.lines().filter_map(|line| line.strip_prefix('#')).any(|heading| anchor_of(heading) == anchor))
}

/// The anchor that GitHub and mdBook give to a heading.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}

/// The relative links of a page, without those in code blocks.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let (link, behind) = after.split_once(')').unwrap_or((after, ""));
            if !link.contains("://") && !link.starts_with("mailto:") {
                links.push(link);
            }
            rest = behind;
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_and_on_the_web_are_left_out() {
        let page = "[a](a.md#x) [b](https://b.example)\n```\n[c](c.md)\n```\n[d](#d)";
        assert_eq!(links(page), ["a.md#x", "#d"]);
    }

    #[test]
    fn links_that_leave_the_book_become_addresses() {
        let page = "[a](../guides/a.md#x) [b](../../deploy/README.md#y) [c](https://c.example)";
        let rendered = with_addresses(page, Path::new("book/tutorial/d.md"), "https://r.example");
        let expected =
            "[a](../guides/a.md#x) [b](https://r.example/blob/main/deploy/README.md#y) [c](https://c.example)";
        assert_eq!(rendered, expected);
    }

    #[test]
    fn anchors_are_those_of_github() {
        assert_eq!(anchor_of("## Limits of an application"), "limits-of-an-application");
        assert_eq!(anchor_of("# What's `x`?"), "whats-x");
    }
}
