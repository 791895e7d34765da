//! Configuration resources: `dapr/pkg/config/configuration.go`.
//!
//! What protects something is served or is a mistake; what else has no effect here is worth a warning.

use std::path::{Path, PathBuf};

use dapr_http::middleware::TYPES;
use dapr_http::{ApiAccess, ApiRule};
use sidecar::access_control::{AccessControl, AccessPolicy, OperationRule, Operations};
use sidecar::{DefaultAccess, SecretScope};

use crate::document::{self, Document, Names, Reader};
use crate::expand::expand;
use crate::problem::{Problem, Problems};

/// What a Configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// `spec.secrets.scopes`.
    pub secret_scopes: Vec<SecretScope>,
    /// `spec.api`.
    pub api_access: ApiAccess,
    /// `spec.accessControl`: which other applications may invoke this one.
    pub access_control: AccessControl,
    /// `spec.httpPipeline`: the middleware of the API.
    pub http_pipeline: Vec<Handler>,
    /// `spec.appHttpPipeline`: the middleware before the application.
    pub app_http_pipeline: Vec<Handler>,
    /// `spec.features`: the names of those that are enabled.
    pub enabled_features: Vec<String>,
    /// `spec.components.deny`: types of components that are not made, as Dapr writes them (`state.redis`, `state.redis/v1`).
    pub denied_components: Vec<String>,
    /// `spec.logging.apiLogging.enabled`.
    pub api_logging: Option<bool>,
    /// What has no effect.
    pub warnings: Vec<Problem>,
}

/// A place in a pipeline, and the component that fills it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// The component's name.
    pub name: String,
    /// Its type.
    pub type_: String,
    /// Where it was read, as `FILE:LINE`.
    pub origin: String,
}

/// Parts of a Configuration that shape what daprlet does not have, and that protect nothing.
const WITHOUT_EFFECT: &[&str] = &["metric", "metrics", "nameResolution", "tracing", "wasm", "workflow"];

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
            let Some(mut root) = Reader::new(&document, Names::AnyCase, &mut problems) else { continue };
            let kind = root.required("kind", &mut problems);
            if !kind.is_empty() && kind != "Configuration" {
                let message = format!("kind is {kind}, but a configuration file holds a Configuration");
                problems.push(Problem::new(&root.place(), message));
                continue;
            }
            root.ignore(&["apiVersion", "metadata", "auth", "scopes"]);
            if let Some(spec) = root.mapping("spec", &mut problems) {
                read_spec(spec, &mut configuration, &mut problems);
            }
            root.finish(&mut problems);
        }
    }
    problems.into_result().map(|warnings| Configuration { warnings, ..configuration })
}

fn documents(file: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Document>, Problems> {
    document::parse(&file.display().to_string(), &expand(&document::text(file)?, environment))
}

fn read_spec(mut spec: Reader<'_>, configuration: &mut Configuration, problems: &mut Problems) {
    spec.without_effect(WITHOUT_EFFECT, problems);
    if let Some(mut secrets) = spec.mapping("secrets", problems) {
        for scope in secrets.mappings("scopes", problems) {
            configuration.secret_scopes.push(read_scope(scope, problems));
        }
        secrets.finish_strict(problems);
    }
    if let Some(mut api) = spec.mapping("api", problems) {
        configuration.api_access.allowed.extend(read_rules(&mut api, "allowed", problems));
        configuration.api_access.denied.extend(read_rules(&mut api, "denied", problems));
        api.finish_strict(problems);
    }
    if let Some(control) = spec.mapping("accessControl", problems) {
        configuration.access_control = read_access_control(control, problems);
    }
    if let Some(mut mtls) = spec.mapping("mtls", problems)
        && mtls.flag("enabled", problems)
    {
        let message = "daprlet has no certificates: applications of one process need none between them. \
                       Remove it, or set it to false";
        mtls.mistake("enabled", message, problems);
    }
    configuration.http_pipeline.extend(read_pipeline(&mut spec, "httpPipeline", problems));
    configuration.app_http_pipeline.extend(read_pipeline(&mut spec, "appHttpPipeline", problems));
    for mut feature in spec.mappings("features", problems) {
        let name = feature.required("name", problems);
        if feature.flag("enabled", problems) {
            configuration.enabled_features.push(name);
        }
        feature.finish(problems);
    }
    if let Some(mut components) = spec.mapping("components", problems) {
        configuration.denied_components.extend(components.texts("deny", problems));
        components.finish_strict(problems);
    }
    if let Some(mut logging) = spec.mapping("logging", problems) {
        if let Some(mut api) = logging.mapping("apiLogging", problems) {
            if api.node("enabled").is_some() {
                configuration.api_logging = Some(api.flag("enabled", problems));
            }
            api.without_effect(&["obfuscateURLs", "omitHealthChecks"], problems);
            api.finish(problems);
        }
        logging.finish(problems);
    }
    spec.finish(problems);
}

fn read_pipeline(spec: &mut Reader<'_>, field: &'static str, problems: &mut Problems) -> Vec<Handler> {
    let Some(mut pipeline) = spec.mapping(field, problems) else { return Vec::new() };
    let mut handlers = Vec::new();
    for mut handler in pipeline.mappings("handlers", problems) {
        let type_ = handler.required("type", problems);
        let name = handler.required("name", problems);
        handler.ignore(&["version"]);
        let middleware = type_.to_ascii_lowercase();
        let middleware = middleware.strip_prefix("middleware.http.");
        if !type_.is_empty() && !middleware.is_some_and(|known| TYPES.contains(&known)) {
            let served = TYPES.join(", middleware.http.");
            let message = format!("{type_:?} is no middleware of daprlet; there are middleware.http.{served}");
            handler.mistake("type", message, problems);
        }
        // A selector would leave out requests that are meant to pass it.
        let origin = handler.place();
        handler.finish_strict(problems);
        handlers.push(Handler { name, type_, origin });
    }
    pipeline.finish_strict(problems);
    handlers
}

fn read_access_control(mut control: Reader<'_>, problems: &mut Problems) -> AccessControl {
    let default = read_action(&mut control, "defaultAction", problems);
    // The trust domain is what certificates of this application would say; nobody sees any.
    control.ignore(&["trustDomain"]);
    let policies: Vec<_> =
        control.mappings("policies", problems).into_iter().map(|policy| read_policy(policy, problems)).collect();
    control.finish_strict(problems);
    // With policies and no default, the default is the safer one.
    let denies_by_default = default.map_or(!policies.is_empty(), |allows| !allows);
    AccessControl { denies_by_default, policies }
}

fn read_policy(mut policy: Reader<'_>, problems: &mut Problems) -> AccessPolicy {
    let read = AccessPolicy {
        app_id: policy.required("appId", problems),
        namespace: policy.required("namespace", problems),
        trust_domain: policy.required("trustDomain", problems),
        denies_by_default: read_action(&mut policy, "defaultAction", problems).map(|allows| !allows),
        operations: Operations::new(
            policy.mappings("operations", problems).into_iter().map(|rule| read_rule(rule, problems)).collect(),
        ),
    };
    policy.finish_strict(problems);
    read
}

fn read_rule(mut operation: Reader<'_>, problems: &mut Problems) -> OperationRule {
    let rule = OperationRule {
        path: operation.required("name", problems),
        verbs: operation.texts("httpVerb", problems),
        allows: read_action(&mut operation, "action", problems).unwrap_or(false),
    };
    operation.finish_strict(problems);
    rule
}

/// Whether an action allows something; `None` where it is not given.
fn read_action(from: &mut Reader<'_>, field: &'static str, problems: &mut Problems) -> Option<bool> {
    match from.text(field, problems)?.to_ascii_lowercase().as_str() {
        "" => None,
        "allow" => Some(true),
        "deny" => Some(false),
        other => {
            from.mistake(field, format!("is {other:?}, but must be allow or deny"), problems);
            Some(false)
        }
    }
}

fn read_scope(mut scope: Reader<'_>, problems: &mut Problems) -> SecretScope {
    let default_access = match read_action(&mut scope, "defaultAccess", problems) {
        None | Some(true) => DefaultAccess::Allow,
        Some(false) => DefaultAccess::Deny,
    };
    let read = SecretScope {
        store: scope.required("storeName", problems),
        default_access,
        allowed: scope.texts("allowedSecrets", problems),
        denied: scope.texts("deniedSecrets", problems),
    };
    scope.finish_strict(problems);
    read
}

/// Rules for other protocols than HTTP do not concern this API.
fn read_rules(api: &mut Reader<'_>, field: &'static str, problems: &mut Problems) -> Vec<ApiRule> {
    let mut rules = Vec::new();
    for mut rule in api.mappings(field, problems) {
        let protocol = rule.text("protocol", problems).unwrap_or_default();
        let version = rule.text("version", problems).unwrap_or_else(|| "v1".to_owned());
        let name = rule.required("name", problems);
        rule.finish_strict(problems);
        if protocol.is_empty() || protocol == "http" {
            rules.push(ApiRule { name, version });
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spec: &str) -> Result<Configuration, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.yaml");
        std::fs::write(&file, format!("kind: Configuration\nspec: {spec}\n")).unwrap();
        let place = format!("{}:", file.display());
        load(&[file], &|_| None).map_err(|problems| problems.to_string().replace(&place, ""))
    }

    #[test]
    fn what_protects_and_is_not_served_is_a_mistake() {
        for (spec, expected) in [
            ("{mtls: {enabled: true}}", "spec.mtls.enabled"),
            ("{httpPipeline: {handlers: [{name: a, type: middleware.http.oauth2}]}}", "middleware.http.oauth2"),
            ("{appHttpPipeline: {handlers: [{name: a, type: middleware.http.opa}]}}", "middleware.http.opa"),
            ("{secrets: {scopes: [{storeName: s, allowedSecret: [a]}]}}", "allowedSecret: unknown field"),
            ("{accessControl: {policies: [{appId: a}]}}", "namespace is missing"),
            ("{accessControl: {defaultAction: perhaps}}", "must be allow or deny"),
        ] {
            let error = read(spec).unwrap_err();
            assert!(error.contains(expected), "{spec}: {error}");
        }
        for spec in ["{mtls: {enabled: false}}", "{httpPipeline: {handlers: []}}", "{httpPipeline: null}"] {
            assert_eq!(read(spec).map(|read| read.warnings), Ok(vec![]), "{spec}");
        }
    }

    #[test]
    fn what_has_no_effect_is_a_warning_with_its_line() {
        let read = read("\n  tracing: {samplingRate: '1'}\n  metric: {enabled: false}\n  nonsense: 1").unwrap();
        let warnings: Vec<_> = read.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].ends_with("c.yaml:3: spec.tracing: has no effect in daprlet"), "{warnings:?}");
        assert!(warnings[1].ends_with("c.yaml:5: spec.nonsense: unknown field; it has no effect"), "{warnings:?}");
    }

    #[test]
    fn access_control_features_and_denied_types_are_read() {
        let read = read(
            "{accessControl: {policies: [{appId: a, namespace: default, trustDomain: public, defaultAction: deny, \
             operations: [{name: /x, httpVerb: [GET], action: allow}]}]}, features: [{name: F, enabled: true}, \
             {name: G, enabled: false}], components: {deny: [state.redis]}, logging: {apiLogging: {enabled: true}}}",
        )
        .unwrap();
        assert!(read.access_control.denies_by_default && read.access_control.allows("a", "/x", "GET"));
        assert!(!read.access_control.allows("a", "/y", "GET") && !read.access_control.allows("b", "/x", "GET"));
        assert_eq!(
            (read.enabled_features, read.denied_components),
            (vec!["F".to_owned()], vec!["state.redis".to_owned()])
        );
        assert_eq!(read.api_logging, Some(true));
    }

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
