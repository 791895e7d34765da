//! Cargo features of daprlet that `config/` and `dapr.yaml` need, so that new users wait for no others.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result};

use crate::repository::Repository;
use crate::run_template;

/// Directory of the application's components.
const FOLDER: &str = "config";

/// Package with the features.
const DAPRLET: &str = "daprlet";

/// Returns the features for every component in `config/`.
pub(super) fn for_config(repository: &Repository) -> Result<String> {
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
    features.extend(for_commands(&template).map(str::to_owned));
    // An unknown type is reported by daprlet.
    let workspace = repository.workspace()?;
    let known = &workspace.package(DAPRLET)?.features;
    features.retain(|feature| known.contains_key(feature));
    Ok(features.into_iter().collect::<Vec<_>>().join(","))
}

/// Returns the features that the commands of a run template need, as far as recognised; daprlet reports others.
fn for_commands(template: &str) -> impl Iterator<Item = &'static str> {
    const WORDS: [(&str, &str); 4] = [
        ("wasmtime", "component-apps"),
        ("components/", "component-apps"),
        ("--nn-preload", "wasi-nn"),
        ("nn-graph=", "wasi-nn"),
    ];
    // A command is on one line, or its words are items of a list below it.
    let commands =
        template.lines().filter(|line| ["command:", "- "].iter().any(|start| line.trim_start().starts_with(start)));
    commands
        .flat_map(|command| WORDS.into_iter().filter(|(word, _)| command.contains(word)).map(|(_, feature)| feature))
}

/// Returns the feature that a line of YAML needs. Features are named after component types, with hyphens.
fn feature(line: &str) -> Option<String> {
    let (key, value) = line.trim().split_once(':')?;
    let value = value.trim();
    match (key, value) {
        ("kind", "HTTPEndpoint") => Some("https".to_owned()),
        ("type", "bindings.wasm-component" | "secretstores.wasm" | "state.wasm") => Some("wasm-components".to_owned()),
        ("type", kind) if kind.contains('.') => Some(kind.replace('.', "-")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_needs_a_feature_for_each_component() {
        let features = for_config(&Repository::new(None)).unwrap();
        assert_eq!(features, "bindings-cron,bindings-mysql,pubsub-sqlite,secretstores-local-file,state-sqlite");
    }

    #[test]
    fn command_with_component_or_graph_needs_its_feature() {
        let features = |template| for_commands(template).collect::<Vec<_>>();
        assert_eq!(features("  command: [\"wasmedge\", \"../wasm/components/a.wasm\"]"), ["component-apps"]);
        assert_eq!(
            features("  command: [wasmtime, serve, -Snn, -Snn-graph=onnx::m, a.wasm]"),
            ["component-apps", "wasi-nn"]
        );
        assert_eq!(features("  command: [wasmedge, --nn-preload, \"m:ONNX:CPU:m.onnx\", a.wasm]"), ["wasi-nn"]);
        assert_eq!(features("  command:\n    - wasmedge\n    - ../wasm/components/a.wasm\n"), ["component-apps"]);
        assert!(features("  # components/\n  command: [wasmedge, a.wasm]").is_empty());
    }

    #[test]
    fn modules_and_endpoints_have_other_feature_names() {
        for module in ["state.wasm", "secretstores.wasm", "bindings.wasm-component"] {
            assert_eq!(feature(&format!("  type: {module}")).as_deref(), Some("wasm-components"));
        }
        assert_eq!(feature("kind: HTTPEndpoint").as_deref(), Some("https"));
        assert_eq!(feature("  name: a.b"), None);
    }
}
