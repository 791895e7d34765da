//! Checks of the tree that no compiler makes.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::repository::Repository;

/// Past this a file has more than one idea.
const MOST_LINES: usize = 500;

/// Files that no person reads from top to bottom.
const NOT_READ: &[&str] = &["Cargo.lock", "LICENSE", "go.sum"];

/// Folders below the root in which people and machines keep their own; nothing in the repository works on one machine only.
const MACHINE_FOLDERS: &[&str] = &["home", "root", "Users", "work"];

/// Where a path begins: before this, it would be the rest of a longer one.
const BEFORE_A_PATH: &[char] = &[' ', '"', '\'', '`', '(', '=', ':', '>'];

/// Checks every file and reports every complaint.
pub(crate) fn check(repository: &Repository) -> Result<()> {
    let mut complaints = Vec::new();
    for file in repository.files()? {
        // What is not text is a picture or a model.
        let Ok(text) = fs::read_to_string(repository.path(&file)) else { continue };
        complaints.extend(complaints_of(&file, &text).into_iter().map(|what| format!("{}: {what}", file.display())));
    }
    if !complaints.is_empty() {
        bail!("the tree is not tidy\n  {}", complaints.join("\n  "));
    }
    Ok(())
}

fn complaints_of(file: &Path, text: &str) -> Vec<String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if NOT_READ.contains(&name.as_ref()) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    let lines = text.lines().count();
    if lines > MOST_LINES {
        complaints.push(format!("{lines} lines; a file has one idea and at most {MOST_LINES} lines"));
    }
    if name == "mod.rs" {
        complaints.push("a module `foo` is foo.rs, beside its folder foo/".to_owned());
    }
    if name == "Cargo.toml" && text.contains("[package]") && !text.contains("[lints]\nworkspace = true") {
        complaints.push("[lints] workspace = true is missing".to_owned());
    }
    for (number, line) in text.lines().enumerate() {
        complaints.extend(machine_path(line).map(|path| format!("line {}: {path} is one machine's", number + 1)));
    }
    complaints
}

fn machine_path(line: &str) -> Option<String> {
    MACHINE_FOLDERS.iter().map(|folder| format!("/{folder}/")).find(|path| {
        // A prefix alone leads nowhere.
        line.match_indices(path.as_str()).any(|(at, _)| {
            let (before, after) = (line.get(..at).unwrap_or_default(), line.get(at + path.len()..).unwrap_or_default());
            (before.is_empty() || before.ends_with(BEFORE_A_PATH)) && after.starts_with(char::is_alphanumeric)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(file: &str, text: &str) -> Vec<String> {
        complaints_of(Path::new(file), text)
    }

    #[test]
    fn a_file_of_one_idea_passes() {
        assert_eq!(complaints("src/lib.rs", "//! One idea.\n"), Vec::<String>::new());
    }

    #[test]
    fn a_crate_without_the_workspaces_lints_is_named() {
        assert_eq!(complaints("Cargo.toml", "[package]\n").len(), 1);
        assert!(complaints("Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n").is_empty());
        assert!(complaints("Cargo.toml", "[workspace]\n").is_empty(), "the workspace itself has nothing to lint");
    }

    #[test]
    fn a_long_file_and_a_mod_rs_are_named_and_a_lock_file_may_be_long() {
        let long = "line\n".repeat(MOST_LINES + 1);
        assert_eq!((complaints("a.rs", &long).len(), complaints("a/mod.rs", "").len()), (1, 1));
        assert!(complaints("Cargo.lock", &long).is_empty());
    }

    #[test]
    fn the_path_of_a_machine_is_found_and_the_rest_of_another_path_is_not() {
        for folder in MACHINE_FOLDERS {
            let own = format!("see /{folder}/me/x");
            assert_eq!(complaints("a.md", &own), [format!("line 1: /{folder}/ is one machine's")]);
            assert!(complaints("a.md", &format!("docs/{folder}/page.html")).is_empty());
        }
    }
}
