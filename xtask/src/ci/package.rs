//! Checks that each public crate can be packaged, and that its package has every file that its sources include.
//!
//! A crate is public if its manifest says `publish = true`. Nothing is compiled and nothing is published.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::repository::{Package, Repository, Workspace, output, run};

/// Most keywords that the crate registry accepts.
const MAX_KEYWORDS: usize = 5;

/// Macros that include a file, by a path that is relative to the source file.
const INCLUDES: &[&str] = &["include!(", "include_bytes!(", "include_str!("];

/// Macros that read a directory of WIT, by a path that is relative to the manifest.
const BINDINGS: &[&str] = &["bindgen!(", "generate!("];

/// Directory that [`BINDINGS`] read without a path.
const DEFAULT_WIT: &str = "wit";

/// Checks metadata, packages and included files of all public crates, and reports every error.
pub(crate) fn check(repository: &Repository) -> Result<()> {
    let workspace = repository.workspace()?;
    let public: Vec<&Package> = workspace.packages.iter().filter(|package| package.is_published()).collect();
    let mut errors: Vec<String> = public.iter().flat_map(|package| metadata_errors(package, &workspace)).collect();
    // Offline, cargo does not look for newer dependencies of each package.
    run(&mut repository.cargo(&["fetch", "--locked", "--quiet"]))?;
    // All at once: cargo then resolves their dependencies on each other.
    let mut cargo = repository.cargo(&["package", "--no-verify", "--allow-dirty", "--locked", "--offline", "--quiet"]);
    run(cargo.args(public.iter().flat_map(|package| ["--package", package.name.as_str()])))?;
    for package in &public {
        let packaged = packaged_files(repository, package, &workspace.target_directory)?;
        errors.extend(missing_files(package, &packaged)?);
    }
    if !errors.is_empty() {
        bail!("crates that cannot be published:\n  {}", errors.join("\n  "));
    }
    Ok(())
}

fn metadata_errors(package: &Package, workspace: &Workspace) -> Vec<String> {
    let mut errors = Vec::new();
    let fields =
        [("description", &package.description), ("license", &package.license), ("repository", &package.repository)];
    errors.extend(fields.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| format!("has no {name}")));
    if package.keywords.is_empty() || package.keywords.len() > MAX_KEYWORDS {
        errors.push(format!("has {} keywords, not 1 to {MAX_KEYWORDS}", package.keywords.len()));
    }
    if package.categories.is_empty() {
        errors.push("has no categories".to_owned());
    }
    let is_packaged = |kind: &Option<String>| kind.as_deref() != Some("dev");
    for dependency in package.dependencies.iter().filter(|it| it.path.is_some()) {
        let found = workspace.packages.iter().find(|it| it.name == dependency.name);
        // Cargo leaves out a development dependency that has no version.
        if is_packaged(&dependency.kind) && !found.is_some_and(Package::is_published) {
            errors.push(format!("depends on {}, which is not public", dependency.name));
        }
        let expected = format!("^{}", found.map_or("", |it| it.version.as_str()));
        if dependency.req != expected && (dependency.req != "*" || is_packaged(&dependency.kind)) {
            errors.push(format!("depends on {} {}, not {expected}", dependency.name, dependency.req));
        }
    }
    errors.into_iter().map(|error| format!("{} {error}", package.name)).collect()
}

/// Lists the files of a package, relative to its root.
fn packaged_files(repository: &Repository, package: &Package, target: &Path) -> Result<BTreeSet<PathBuf>> {
    let root = format!("{}-{}", package.name, package.version);
    let list = output(repository.command("tar").arg("-tzf").arg(target.join(format!("package/{root}.crate"))))?;
    Ok(list.lines().filter_map(|file| Path::new(file).strip_prefix(&root).ok()).map(Path::to_owned).collect())
}

/// Finds files that sources include but the package lacks.
fn missing_files(package: &Package, packaged: &BTreeSet<PathBuf>) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for file in packaged.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        let path = package.folder().join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut wanted = included(file, &text);
        if file == Path::new("build.rs") {
            wanted.extend(
                literals(&text).map(str::to_owned).filter(|path| path != "." && package.folder().join(path).exists()),
            );
        }
        let lacks = |path: &String| !contains(packaged, Path::new(path));
        let errors = wanted.into_iter().filter(lacks);
        missing.extend(errors.map(|path| format!("{}: {} reads {path}", package.name, file.display())));
    }
    Ok(missing)
}

/// Returns the paths that a source file includes, relative to the package.
///
/// A path that is no plain literal is returned as it stands, and thus an error; only build products are left out.
fn included(file: &Path, text: &str) -> Vec<String> {
    let directory = file.parent().unwrap_or(Path::new(""));
    let files = INCLUDES.iter().flat_map(|name| arguments(text, name));
    let files = files.filter(|argument| !argument.contains("env!(\"OUT_DIR\")")).map(|argument| {
        let path = literals(argument).next().filter(|_| argument.trim_start().starts_with('"'));
        path.map_or_else(|| argument.to_owned(), |path| normalize(&directory.join(path)))
    });
    let wit = BINDINGS.iter().flat_map(|name| arguments(text, name)).filter(|argument| !argument.contains("inline:"));
    let wit = wit.map(|argument| {
        let path = argument.split_once("path:").and_then(|(_, rest)| literals(rest).next());
        normalize(Path::new(path.unwrap_or(DEFAULT_WIT)))
    });
    files.chain(wit).collect()
}

/// Returns the arguments of each call of a macro, up to its closing parenthesis.
fn arguments<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let is_whole =
        |at: usize| !text.get(..at).unwrap_or_default().ends_with(|it: char| it.is_alphanumeric() || it == '_');
    let calls = text.match_indices(name).filter(move |(at, _)| is_whole(*at));
    calls.filter_map(move |(at, _)| {
        let rest = text.get(at + name.len()..)?;
        let mut depth = 1_usize;
        let end = rest.char_indices().find(|(_, it)| {
            match it {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        rest.get(..end?.0)
    })
}

/// Returns the string literals of a text without escapes.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// Resolves `..` as far as it stays inside the package.
fn normalize(path: &Path) -> String {
    let mut inside = PathBuf::new();
    for component in path.components() {
        let is_below = matches!(inside.components().next_back(), Some(Component::Normal(_)));
        if component == Component::ParentDir && is_below {
            inside.pop();
        } else {
            inside.push(component);
        }
    }
    inside.display().to_string()
}

/// Returns true if a package has a file, or a file in a directory.
fn contains(packaged: &BTreeSet<PathBuf>, path: &Path) -> bool {
    packaged.iter().any(|file| file.starts_with(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn included_by(text: &str) -> Vec<String> {
        included(Path::new("src/a.rs"), text)
    }

    #[test]
    fn included_files_are_relative_to_the_source() {
        assert_eq!(included_by("const A: &str = include_str!(\"set.lua\");"), ["src/set.lua"]);
        assert_eq!(included_by("include_bytes!(\"../../../docs/a.jpg\")"), ["../../docs/a.jpg"]);
        assert_eq!(included_by("include!(concat!(env!(\"OUT_DIR\"), \"/a.rs\"));"), Vec::<String>::new());
    }

    #[test]
    fn computed_include_is_an_error() {
        let wanted = included_by("include_str!(env!(\"A_FILE\"))");
        assert_eq!(wanted, ["env!(\"A_FILE\")"]);
        assert!(!contains(&BTreeSet::from([PathBuf::from("src/a.rs")]), Path::new(&wanted[0])));
    }

    #[test]
    fn bindings_read_a_directory_of_the_package() {
        let text = "wasmtime::component::bindgen!({\n    path: \"wit/nn\",\n    world: \"ml\",\n});";
        assert_eq!(included_by(text), ["wit/nn"]);
        assert_eq!(included_by("wit_bindgen::generate!({ path: \"../../wit/nn\" });"), ["../../wit/nn"]);
        assert_eq!(included_by("wit_bindgen::generate!({ world: \"a\" });"), ["wit"]);
        let packaged = BTreeSet::from([PathBuf::from("wit/nn/package.wit")]);
        assert!(contains(&packaged, Path::new("wit/nn")));
        assert!(!contains(&packaged, Path::new("wit/n")) && !contains(&packaged, Path::new("../../wit/nn")));
    }

    #[test]
    fn public_crates_have_complete_metadata() {
        let workspace = Repository::new(None).workspace().unwrap();
        let public: Vec<&Package> = workspace.packages.iter().filter(|package| package.is_published()).collect();
        assert!(public.iter().any(|package| package.name == "daprlet"));
        let errors: Vec<String> = public.iter().flat_map(|package| metadata_errors(package, &workspace)).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}
