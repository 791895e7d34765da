//! `cargo xtask book`: the documentation as web pages, and the check of its links.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::repository::{Repository, run};
use crate::setup::is_installed;

/// The program that renders the book, and its version.
const MDBOOK: &str = "mdbook@0.5.4";

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
        run(repository.command("mdbook").arg("build").arg(repository.path("book")))
    }
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
    fn anchors_are_those_of_github() {
        assert_eq!(anchor_of("## Limits of an application"), "limits-of-an-application");
        assert_eq!(anchor_of("# What's `x`?"), "whats-x");
    }
}
