//! Checks of the source tree beyond the compiler's.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use super::words;
use crate::repository::Repository;

/// Longest file: with more lines it has more than one idea.
const MAX_LINES: usize = 500;

/// Files that nobody reads from top to bottom.
const UNCHECKED_LENGTH: &[&str] = &["Cargo.lock", "LICENSE", "go.sum"];

/// Top-level directories with personal or machine-specific files; nothing in the repository may depend on one machine.
const MACHINE_FOLDERS: &[&str] = &["home", "root", "Users", "work"];

/// Characters before an absolute path: after others, it is the rest of a longer path.
const PATH_PREFIX_CHARS: &[char] = &[' ', '"', '\'', '`', '(', '=', ':', '>'];

/// Checks every file, and reports all errors.
pub(crate) fn check(repository: &Repository) -> Result<()> {
    let mut errors = Vec::new();
    for file in repository.files()? {
        // Other files are images or models.
        let Ok(text) = fs::read_to_string(repository.path(&file)) else { continue };
        errors.extend(check_file(&file, &text).into_iter().map(|what| format!("{}: {what}", file.display())));
    }
    if !errors.is_empty() {
        bail!("the tree is not tidy\n  {}", errors.join("\n  "));
    }
    Ok(())
}

fn check_file(file: &Path, text: &str) -> Vec<String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if UNCHECKED_LENGTH.contains(&name.as_ref()) {
        return Vec::new();
    }
    let mut errors = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        errors.push(format!("{lines} lines; a file has one idea and at most {MAX_LINES} lines"));
    }
    if name == "mod.rs" {
        errors.push("a module `foo` is foo.rs, beside its folder foo/".to_owned());
    }
    if name == "Cargo.toml" && text.contains("[package]") && !text.contains("[lints]\nworkspace = true") {
        errors.push("[lints] workspace = true is missing".to_owned());
    }
    if name.ends_with(".rs") {
        errors.extend(words::check(text));
    }
    for (number, line) in text.lines().enumerate() {
        errors.extend(machine_path(line).map(|path| format!("line {}: {path} is one machine's", number + 1)));
    }
    errors
}

fn machine_path(line: &str) -> Option<String> {
    MACHINE_FOLDERS.iter().map(|folder| format!("/{folder}/")).find(|path| {
        // A prefix alone is not a path.
        line.match_indices(path.as_str()).any(|(at, _)| {
            let (before, after) = (line.get(..at).unwrap_or_default(), line.get(at + path.len()..).unwrap_or_default());
            (before.is_empty() || before.ends_with(PATH_PREFIX_CHARS)) && after.starts_with(char::is_alphanumeric)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(file: &str, text: &str) -> Vec<String> {
        check_file(Path::new(file), text)
    }

    #[test]
    fn ordinary_file_passes() {
        assert_eq!(errors("src/lib.rs", "//! One idea.\n"), Vec::<String>::new());
    }

    #[test]
    fn crate_without_workspace_lints_is_an_error() {
        assert_eq!(errors("Cargo.toml", "[package]\n").len(), 1);
        assert!(errors("Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n").is_empty());
        assert!(errors("Cargo.toml", "[workspace]\n").is_empty(), "the workspace itself has nothing to lint");
    }

    #[test]
    fn long_file_and_mod_rs_are_errors_except_lock_files() {
        let long = "line\n".repeat(MAX_LINES + 1);
        assert_eq!((errors("a.rs", &long).len(), errors("a/mod.rs", "").len()), (1, 1));
        assert!(errors("Cargo.lock", &long).is_empty());
    }

    #[test]
    fn machine_path_is_found_and_path_suffix_is_not() {
        for folder in MACHINE_FOLDERS {
            let own = format!("see /{folder}/me/x");
            assert_eq!(errors("a.md", &own), [format!("line 1: /{folder}/ is one machine's")]);
            assert!(errors("a.md", &format!("docs/{folder}/page.html")).is_empty());
        }
    }
}
