//! A project outside this repository: a workspace whose services depend on this repository's crates by path.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::repository::{Repository, TEMPLATE};
use crate::run_template;

/// State store of a new project.
const STATE_STORE: &str = "\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: statestore
spec:
  type: state.sqlite
  version: v1
  metadata:
    - name: connectionString
      # From the directory of each service, as all relative names.
      value: ../data/state.db
";

/// Run template without applications.
const TEMPLATE_HEAD: &str = "\
version: 1
common:
  resourcesPath: config
apps:
";

/// Cargo configuration for services as WebAssembly.
const CARGO_CONFIG: &str = "\
[target.wasm32-wasip1]
rustflags = [\"-Ctarget-feature=+simd128\"]
";

/// Cargo's output directory of modules, relative to a service's directory.
pub(crate) const MODULES: &str = "../target/wasm32-wasip1/wasm";

/// Creates the project in `folder` if there is none.
pub(crate) fn make(repository: &Repository, folder: &Path) -> Result<()> {
    let manifest = folder.join("Cargo.toml");
    if manifest.exists() {
        let text = fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
        let is_ours = text.contains("members = [\n") && folder.join(run_template::FILE).is_file();
        ensure!(is_ours, "{} is not a project created by new-service", folder.display());
        return Ok(());
    }
    let root = std::path::absolute(repository.path(""))?;
    let own_manifest = read(&repository.path("Cargo.toml"))?;
    let template = read(&repository.path(TEMPLATE).join("Cargo.toml"))?;
    write(&manifest, &workspace_manifest(&own_manifest, &template, &root)?)?;
    // Uses the dependency versions that the services are tested with.
    write(&folder.join("Cargo.lock"), &read(&repository.path("Cargo.lock"))?)?;
    write(&folder.join(".cargo/config.toml"), CARGO_CONFIG)?;
    write(&folder.join(".gitignore"), "/target/\n/data/\n")?;
    write(&folder.join("config/statestore.yaml"), STATE_STORE)?;
    write(&folder.join("data/.gitignore"), "*\n!.gitignore\n")?;
    write(&folder.join(run_template::FILE), TEMPLATE_HEAD)
}

/// Creates a workspace manifest without members, with everything that the template's manifest inherits.
fn workspace_manifest(own: &str, template: &str, root: &Path) -> Result<String> {
    let section = |name: &str| {
        let (_, rest) = own.split_once(&format!("[{name}]\n"))?;
        rest.split("\n[").next().map(str::trim_end)
    };
    let package = section("workspace.package").context("Cargo.toml has no [workspace.package]")?;
    let dependencies = section("workspace.dependencies").context("Cargo.toml has no [workspace.dependencies]")?;
    let is_inherited = |line: &&str| {
        let name = line.split([' ', '=']).next().unwrap_or_default();
        template.lines().any(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['.', ' ']) && rest.contains("workspace = true"))
        })
    };
    let dependencies: Vec<String> = dependencies
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with(' '))
        .filter(is_inherited)
        .map(|line| line.replace("path = \"", &format!("path = \"{}/", root.display())))
        .collect();
    Ok(format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\n]\n\n[workspace.package]\n{package}\n\n\
         [workspace.dependencies]\n{}\n\n\
         # Small modules. getpeeraddr of wasmedge_wasi_socket does not survive optimisation.\n\
         [profile.wasm]\ninherits = \"release\"\nlto = \"fat\"\ncodegen-units = 1\npanic = \"abort\"\n\
         strip = \"debuginfo\"\n\n[profile.wasm.package.wasmedge_wasi_socket]\nopt-level = 0\n",
        dependencies.join("\n")
    ))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder: PathBuf = path.parent().unwrap_or(path).to_owned();
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_has_inherited_fields_and_absolute_paths() {
        let own = "[workspace.package]\nversion = \"1\"\n\n[workspace.dependencies]\nkit = { path = \"crates/kit\" }\n\
                   http = \"1\"\nhttp-body = \"1\"\nother = \"2\"\nlong = { features = [\n    \"a\",\n] }\n\n[profile.dev]\n";
        let template = "[dependencies]\nkit.workspace = true\nhttp = { workspace = true, features = [\"x\"] }\n";
        let manifest = workspace_manifest(own, template, Path::new("/r")).unwrap();
        assert!(manifest.contains("[workspace.package]\nversion = \"1\"\n"), "{manifest}");
        assert!(
            manifest.contains("[workspace.dependencies]\nkit = { path = \"/r/crates/kit\" }\nhttp = \"1\"\n\n"),
            "{manifest}"
        );
    }
}
