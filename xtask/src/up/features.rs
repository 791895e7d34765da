//! The Cargo features of daprlet that `config/` and `dapr.yaml` need: a new user waits for nothing else.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result};

use crate::repository::Repository;
use crate::run_template;

/// Where the components of the application are.
const FOLDER: &str = "config";

/// The package that has them.
const DAPRLET: &str = "daprlet";

/// The features for every component in `config/`.
pub(super) fn of_config(repository: &Repository) -> Result<String> {
    let folder = repository.path(FOLDER);
    let files = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut features = BTreeSet::new();
    for file in files {
        let path = file.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            features.extend(text.lines().filter_map(feature));
        }
    }
    let template = repository.path(run_template::FILE);
    let template = fs::read_to_string(&template).with_context(|| format!("cannot read {}", template.display()))?;
    if names_components(&template) {
        features.insert("component-apps".to_owned());
    }
    // Of a type that daprlet does not have, it is daprlet that says so.
    let workspace = repository.workspace()?;
    let known = &workspace.package(DAPRLET)?.features;
    features.retain(|feature| known.contains_key(feature));
    Ok(features.into_iter().collect::<Vec<_>>().join(","))
}

/// Whether a run template has commands that are components, as far as their names tell; daprlet tells, too.
fn names_components(template: &str) -> bool {
    let mut commands = template.lines().filter(|line| line.trim_start().starts_with("command:"));
    commands.any(|command| command.contains("wasmtime") || command.contains("components/"))
}

/// The feature that a line of YAML asks for. Features are called as types of components are, with hyphens.
fn feature(line: &str) -> Option<String> {
    let (key, value) = line.trim().split_once(':')?;
    let value = value.trim();
    match (key, value) {
        ("kind", "HTTPEndpoint") => Some("https".to_owned()),
        ("type", "state.wasm" | "secretstores.wasm") => Some("wasm-components".to_owned()),
        ("type", kind) if kind.contains('.') => Some(kind.replace('.', "-")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_needs_a_feature_for_each_of_its_components() {
        let features = of_config(&Repository::new(None)).unwrap();
        assert_eq!(features, "bindings-cron,bindings-mysql,secretstores-local-file,state-sqlite");
    }

    #[test]
    fn a_command_that_names_a_component_needs_what_runs_it() {
        assert!(names_components("  command: [\"wasmedge\", \"../wasm/components/a.wasm\"]"));
        assert!(names_components("  command: [wasmtime, serve, a.wasm]"));
        assert!(!names_components("  # components/\n  command: [wasmedge, a.wasm]"));
    }

    #[test]
    fn modules_and_endpoints_have_features_of_other_names() {
        assert_eq!(feature("  type: state.wasm").as_deref(), Some("wasm-components"));
        assert_eq!(feature("kind: HTTPEndpoint").as_deref(), Some("https"));
        assert_eq!(feature("  name: a.b"), None);
    }
}
