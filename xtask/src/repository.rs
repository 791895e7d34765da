//! The repository, through cargo and git.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// Dependency that makes a package with a program a service.
const SERVICE_MARK: &str = "service-kit";

/// Dependencies that make a package a Wasm component: the SDK, or bindings to its own interfaces or WASI's.
const COMPONENT_MARKS: [&str; 3] = ["dapr-component", "wit-bindgen", "wasip2"];

/// Package that `new-service` copies: a service, but not part of the application.
pub(crate) const TEMPLATE: &str = "template-service";

/// A checkout of the project.
pub(crate) struct Repository {
    root: PathBuf,
}

/// Output of `cargo metadata` about the workspace.
#[derive(Deserialize)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

/// One crate of the workspace.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) keywords: Vec<String>,
    pub(crate) categories: Vec<String>,
    /// Registries that it may be published to; `None` means any.
    publish: Option<Vec<String>>,
    targets: Vec<Target>,
    /// Metadata for other programs in the manifest.
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    wasm: Option<Wasm>,
    daprlet: Option<Daprlet>,
}

/// Place of a package in the repository.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Daprlet {
    /// Group of crates with the same rules for dependencies.
    wing: String,
}

/// Build settings for WebAssembly.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wasm {
    /// Arguments of rustc for the module.
    #[serde(default)]
    rustc: Vec<String>,
}

/// A dependency as its manifest states it.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Version requirement; `*` if the manifest has none.
    pub(crate) req: String,
    /// `dev` or `build`; `None` for an ordinary dependency.
    pub(crate) kind: Option<String>,
    /// Directory of a dependency in the repository.
    pub(crate) path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Repository {
    /// Opens the repository at `root`; by default the one of the current directory, which may differ from the one where
    /// this program was built.
    pub(crate) fn new(root: Option<PathBuf>) -> Self {
        let current = || std::env::current_dir().unwrap_or_default();
        Self { root: root.or_else(|| checkout(&current())).unwrap_or_else(current) }
    }

    /// Returns a path inside the repository.
    pub(crate) fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.root.join(inside)
    }

    /// Creates a command that runs in the repository.
    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        command
    }

    /// Creates a command of the cargo that runs this program.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments);
        command
    }

    /// Reads the workspace.
    pub(crate) fn workspace(&self) -> Result<Workspace> {
        let text = output(&mut self.cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
        serde_json::from_str(&text).context("cargo metadata answers something else than it used to")
    }

    /// Lists all files that are tracked or about to be, relative to the root.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let list = &mut self.command("git");
        let list = output(list.args(["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"]))?;
        Ok(list.lines().map(PathBuf::from).filter(|file| self.path(file).is_file()).collect())
    }
}

impl Workspace {
    /// Returns the services of the application.
    pub(crate) fn services(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_service() && package.name != TEMPLATE)
    }

    /// Returns the Wasm components, including those of tests.
    pub(crate) fn components(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_component())
    }

    /// Finds a package by name.
    pub(crate) fn package(&self, name: &str) -> Result<&Package> {
        let found = self.packages.iter().find(|package| package.name == name);
        found.with_context(|| format!("the workspace has no package {name}"))
    }
}

impl Package {
    /// Returns the programs that it builds.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "bin")).map(|it| it.name.as_str())
    }

    /// Returns rustc's arguments for its WebAssembly module or component: `package.metadata.wasm.rustc`.
    pub(crate) fn rustc_for_wasm(&self) -> &[String] {
        let wasm = self.metadata.as_ref().and_then(|metadata| metadata.wasm.as_ref());
        wasm.map_or(&[], |wasm| &wasm.rustc)
    }

    /// Returns the wing that its manifest names: `package.metadata.daprlet.wing`.
    pub(crate) fn wing(&self) -> Option<&str> {
        self.metadata.as_ref()?.daprlet.as_ref().map(|it| it.wing.as_str())
    }

    /// Returns true if its manifest allows to publish it.
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }

    /// Returns its directory.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// Returns true for a program on the services' library, such as a service of the application or the template.
    pub(crate) fn is_service(&self) -> bool {
        self.programs().next().is_some() && self.depends_on(SERVICE_MARK)
    }

    fn is_component(&self) -> bool {
        let is_file = |kind: &String| kind == "bin" || kind == "cdylib";
        // A service may also bind interfaces of its host, but is built differently.
        !self.is_service()
            && COMPONENT_MARKS.iter().any(|mark| self.depends_on(mark))
            && self.targets.iter().any(|target| target.kind.iter().any(is_file))
    }

    fn depends_on(&self, name: &str) -> bool {
        self.dependencies.iter().any(|it| it.name == name)
    }
}

/// Finds the checkout that contains a directory: the nearest parent with a workspace with these commands.
fn checkout(folder: &Path) -> Option<PathBuf> {
    let is_checkout = |folder: &&Path| folder.join("xtask/Cargo.toml").is_file() && folder.join("Cargo.lock").is_file();
    folder.ancestors().find(is_checkout).map(Path::to_owned)
}

/// Runs a program to its end; fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", display(command)))?;
    ensure!(status.success(), "{} failed ({status})", display(command));
    Ok(())
}

/// Runs a program to its end, and returns its output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", display(command)))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed ({}): {}", display(command), output.status, told.trim_end());
    String::from_utf8(output.stdout).with_context(|| format!("{} prints no text", display(command)))
}

fn display(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    format!("`{}`", words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkout_is_the_nearest_parent() {
        let other = tempfile::tempdir().unwrap();
        let inside = other.path().join("crates/a/src");
        std::fs::create_dir_all(&inside).unwrap();
        assert_eq!(checkout(&inside), None);
        std::fs::create_dir(other.path().join("xtask")).unwrap();
        std::fs::write(other.path().join("xtask/Cargo.toml"), "").unwrap();
        std::fs::write(other.path().join("Cargo.lock"), "").unwrap();
        assert_eq!(checkout(&inside).as_deref(), Some(other.path()));
    }
}
