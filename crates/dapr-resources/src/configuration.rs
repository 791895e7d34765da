//! Configuration resources: `dapr/pkg/config/configuration.go`. Of a Configuration this reads what daprlet serves (secret
//! scopes, API lists, and who may invoke the application); the rest is accepted and has no effect.

use std::path::{Path, PathBuf};

use dapr_http::{ApiAccess, ApiRule};
use sidecar::{DefaultAccess, SecretScope};

use crate::document::{self, Document, Reader};
use crate::expand::expand;
use crate::problem::{Problem, Problems};

/// What a Configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// `spec.secrets.scopes`.
    pub secret_scopes: Vec<SecretScope>,
    /// `spec.api`.
    pub api_access: ApiAccess,
    /// `spec.accessControl.defaultAction`: whether other applications may invoke this one.
    pub denies_invocation: bool,
}

/// Parts of a Configuration that have no effect here.
const WITHOUT_EFFECT: &[&str] = &[
    "appHttpPipeline",
    "components",
    "features",
    "httpPipeline",
    "logging",
    "metric",
    "metrics",
    "mtls",
    "nameResolution",
    "tracing",
    "wasm",
    "workflow",
];

/// Reads the files one after another; later ones win. In all of their text, `$NAME` and `${NAME}` stand for what `environment`
/// has under that name.
///
/// # Errors
/// Every mistake in them.
pub fn load(files: &[PathBuf], environment: &dyn Fn(&str) -> Option<String>) -> Result<Configuration, Problems> {
    let mut configuration = Configuration::default();
    let mut problems = Problems::default();
    for file in files {
        for document in problems.collect(documents(file, environment)).unwrap_or_default() {
            let root = Reader::new(&document.file, document.offset, "", &document.root, &mut problems);
            let Some(mut root) = root else { continue };
            let kind = root.required("kind", &mut problems);
            if !kind.is_empty() && kind != "Configuration" {
                let message = format!("kind is {kind}, but a configuration file holds a Configuration");
                problems.push(Problem::new(&root.place(), message));
                continue;
            }
            root.ignore(&["apiVersion", "metadata"]);
            if let Some(spec) = root.mapping("spec", &mut problems) {
                read_spec(spec, &mut configuration, &mut problems);
            }
            root.finish(&mut problems);
        }
    }
    problems.into_result().map(|()| configuration)
}

fn documents(file: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Document>, Problems> {
    document::parse(&file.display().to_string(), &expand(&document::text(file)?, environment))
}

fn read_spec(mut spec: Reader<'_>, configuration: &mut Configuration, problems: &mut Problems) {
    spec.ignore(WITHOUT_EFFECT);
    if let Some(mut secrets) = spec.mapping("secrets", problems) {
        for scope in secrets.mappings("scopes", problems) {
            configuration.secret_scopes.push(read_scope(scope, problems));
        }
        secrets.finish(problems);
    }
    if let Some(mut api) = spec.mapping("api", problems) {
        configuration.api_access.allowed.extend(read_rules(&mut api, "allowed", problems));
        configuration.api_access.denied.extend(read_rules(&mut api, "denied", problems));
        api.finish(problems);
    }
    if let Some(mut control) = spec.mapping("accessControl", problems) {
        // Policies are for callers that have proved who they are with a certificate, which needs mTLS.
        control.ignore(&["policies", "trustDomain"]);
        configuration.denies_invocation = match control.text("defaultAction", problems).as_deref() {
            None | Some("" | "allow") => false,
            Some("deny") => true,
            Some(other) => {
                let message = format!("is {other:?}, but must be allow or deny");
                control.mistake("defaultAction", message, problems);
                true
            }
        };
        control.finish(problems);
    }
    spec.finish(problems);
}

fn read_scope(mut scope: Reader<'_>, problems: &mut Problems) -> SecretScope {
    let default_access = match scope.text("defaultAccess", problems).as_deref() {
        None | Some("" | "allow") => DefaultAccess::Allow,
        Some("deny") => DefaultAccess::Deny,
        Some(other) => {
            scope.mistake("defaultAccess", format!("is {other:?}, but must be allow or deny"), problems);
            DefaultAccess::Deny
        }
    };
    let read = SecretScope {
        store: scope.required("storeName", problems),
        default_access,
        allowed: scope.texts("allowedSecrets", problems),
        denied: scope.texts("deniedSecrets", problems),
    };
    scope.finish(problems);
    read
}

/// Rules for other protocols than HTTP do not concern this API.
fn read_rules(api: &mut Reader<'_>, field: &'static str, problems: &mut Problems) -> Vec<ApiRule> {
    let mut rules = Vec::new();
    for mut rule in api.mappings(field, problems) {
        let protocol = rule.text("protocol", problems).unwrap_or_default();
        let version = rule.text("version", problems).unwrap_or_else(|| "v1".to_owned());
        let name = rule.required("name", problems);
        rule.finish(problems);
        if protocol.is_empty() || protocol == "http" {
            rules.push(ApiRule { name, version });
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_environment_stand_anywhere_in_a_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("configuration.yaml");
        let text = "kind: Configuration\nspec:\n  secrets:\n    scopes:\n    - {storeName: $STORE, defaultAccess: ${ACCESS}${NOTHING}}\n";
        std::fs::write(&file, text).unwrap();
        let known = |name: &str| match name {
            "STORE" => Some("local-store".to_owned()),
            "ACCESS" => Some("deny".to_owned()),
            _ => None,
        };
        let scope = load(&[file], &known).unwrap().secret_scopes.remove(0);
        assert_eq!((scope.store.as_str(), scope.default_access), ("local-store", DefaultAccess::Deny));
    }
}
