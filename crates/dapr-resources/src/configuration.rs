//! Configuration resources: `dapr/pkg/config/configuration.go`.
//!
//! Fields that protect something are supported or rejected; other unsupported fields cause a warning.

pub mod access_control;
mod api_access;
mod secret_scope;

use std::path::{Path, PathBuf};

pub use self::access_control::AccessControl;
use self::access_control::{AccessPolicy, OperationRule, Operations};
pub use self::api_access::{ApiAccess, ApiRule};
pub use self::secret_scope::{DefaultAccess, SecretScope};
use crate::config_error::{ConfigError, ConfigErrors};
use crate::document::{self, Document, Names, Reader};
use crate::expand::expand;

/// Contents of Configuration files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// `spec.secrets.scopes`.
    pub secret_scopes: Vec<SecretScope>,
    /// `spec.api`.
    pub api_access: ApiAccess,
    /// `spec.accessControl`: the other applications that may invoke this one.
    pub access_control: AccessControl,
    /// `spec.httpPipeline`: the middleware of the Dapr API.
    pub http_pipeline: Vec<Handler>,
    /// `spec.appHttpPipeline`: the middleware in front of the application.
    pub app_http_pipeline: Vec<Handler>,
    /// `spec.features`: the names of the enabled ones.
    pub enabled_features: Vec<String>,
    /// `spec.components.deny`: component types that are not created, as Dapr writes them (`state.redis`,
    /// `state.redis/v1`).
    pub denied_components: Vec<String>,
    /// `spec.logging.apiLogging.enabled`.
    pub api_logging: Option<bool>,
    /// Fields that have no effect.
    pub warnings: Vec<ConfigError>,
}

/// Handler in a pipeline: a reference to a middleware component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// Name of the component.
    pub name: String,
    /// Type of the component.
    pub type_: String,
    /// Position of the handler, as `FILE:LINE`.
    pub origin: String,
}

/// Fields of a Configuration for features that daprlet lacks and that protect nothing.
const WITHOUT_EFFECT: &[&str] = &["metric", "metrics", "nameResolution", "tracing", "wasm", "workflow"];

/// Reads Configuration files in order; later files override earlier ones.
///
/// `$NAME` and `${NAME}` anywhere in their text are replaced with the value of that variable in `environment`.
///
/// # Errors
/// All errors in the files.
pub fn load(files: &[PathBuf], environment: &dyn Fn(&str) -> Option<String>) -> Result<Configuration, ConfigErrors> {
    let mut configuration = Configuration::default();
    let mut errors = ConfigErrors::default();
    for file in files {
        for document in errors.collect(documents(file, environment)).unwrap_or_default() {
            let Some(mut root) = Reader::new(&document, Names::AnyCase, &mut errors) else { continue };
            let kind = root.required("kind", &mut errors);
            if !kind.is_empty() && kind != "Configuration" {
                let message = format!("kind is {kind}, but a configuration file holds a Configuration");
                errors.push(ConfigError::new(&root.place(), message));
                continue;
            }
            root.ignore(&["apiVersion", "metadata", "auth", "scopes"]);
            if let Some(spec) = root.mapping("spec", &mut errors) {
                read_spec(spec, &mut configuration, &mut errors);
            }
            root.finish(&mut errors);
        }
    }
    errors.into_result().map(|warnings| Configuration { warnings, ..configuration })
}

fn documents(file: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Document>, ConfigErrors> {
    document::parse(&file.display().to_string(), &expand(&document::text(file)?, environment))
}

fn read_spec(mut spec: Reader<'_>, configuration: &mut Configuration, errors: &mut ConfigErrors) {
    spec.without_effect(WITHOUT_EFFECT, errors);
    if let Some(mut secrets) = spec.mapping("secrets", errors) {
        for scope in secrets.mappings("scopes", errors) {
            configuration.secret_scopes.push(read_scope(scope, errors));
        }
        secrets.finish_strict(errors);
    }
    if let Some(mut api) = spec.mapping("api", errors) {
        configuration.api_access.allowed.extend(read_rules(&mut api, "allowed", errors));
        configuration.api_access.denied.extend(read_rules(&mut api, "denied", errors));
        api.finish_strict(errors);
    }
    if let Some(control) = spec.mapping("accessControl", errors) {
        configuration.access_control = read_access_control(control, errors);
    }
    if let Some(mut mtls) = spec.mapping("mtls", errors)
        && mtls.flag("enabled", errors)
    {
        let message = "daprlet has no certificates: applications in one process need none between them. \
                       Remove it, or set it to false";
        mtls.reject("enabled", message, errors);
    }
    configuration.http_pipeline.extend(read_pipeline(&mut spec, "httpPipeline", errors));
    configuration.app_http_pipeline.extend(read_pipeline(&mut spec, "appHttpPipeline", errors));
    for mut feature in spec.mappings("features", errors) {
        let name = feature.required("name", errors);
        if feature.flag("enabled", errors) {
            configuration.enabled_features.push(name);
        }
        feature.finish(errors);
    }
    if let Some(mut components) = spec.mapping("components", errors) {
        configuration.denied_components.extend(components.texts("deny", errors));
        components.finish_strict(errors);
    }
    if let Some(mut logging) = spec.mapping("logging", errors) {
        if let Some(mut api) = logging.mapping("apiLogging", errors) {
            if api.node("enabled").is_some() {
                configuration.api_logging = Some(api.flag("enabled", errors));
            }
            api.without_effect(&["obfuscateURLs", "omitHealthChecks"], errors);
            api.finish(errors);
        }
        logging.finish(errors);
    }
    spec.finish(errors);
}

fn read_pipeline(spec: &mut Reader<'_>, field: &'static str, errors: &mut ConfigErrors) -> Vec<Handler> {
    let Some(mut pipeline) = spec.mapping(field, errors) else { return Vec::new() };
    let mut handlers = Vec::new();
    for mut handler in pipeline.mappings("handlers", errors) {
        let type_ = handler.required("type", errors);
        let name = handler.required("name", errors);
        handler.ignore(&["version"]);
        // A selector would exempt requests that are meant to pass through the handler.
        let origin = handler.place();
        handler.finish_strict(errors);
        handlers.push(Handler { name, type_, origin });
    }
    pipeline.finish_strict(errors);
    handlers
}

fn read_access_control(mut control: Reader<'_>, errors: &mut ConfigErrors) -> AccessControl {
    let default = read_action(&mut control, "defaultAction", errors);
    // The trust domain would be part of this application's certificates, which do not exist here.
    control.ignore(&["trustDomain"]);
    let policies: Vec<_> =
        control.mappings("policies", errors).into_iter().map(|policy| read_policy(policy, errors)).collect();
    control.finish_strict(errors);
    // With policies and no default action, the safer default applies.
    let denies_by_default = default.map_or(!policies.is_empty(), |allows| !allows);
    AccessControl { denies_by_default, policies }
}

fn read_policy(mut policy: Reader<'_>, errors: &mut ConfigErrors) -> AccessPolicy {
    let read = AccessPolicy {
        app_id: policy.required("appId", errors),
        namespace: policy.required("namespace", errors),
        trust_domain: policy.required("trustDomain", errors),
        denies_by_default: read_action(&mut policy, "defaultAction", errors).map(|allows| !allows),
        operations: Operations::new(
            policy.mappings("operations", errors).into_iter().map(|rule| read_rule(rule, errors)).collect(),
        ),
    };
    policy.finish_strict(errors);
    read
}

fn read_rule(mut operation: Reader<'_>, errors: &mut ConfigErrors) -> OperationRule {
    let rule = OperationRule {
        path: operation.required("name", errors),
        verbs: operation.texts("httpVerb", errors),
        allows: read_action(&mut operation, "action", errors).unwrap_or(false),
    };
    operation.finish_strict(errors);
    rule
}

/// Parses an action and returns true if it allows; `None` if the field is absent.
fn read_action(from: &mut Reader<'_>, field: &'static str, errors: &mut ConfigErrors) -> Option<bool> {
    match from.text(field, errors)?.to_ascii_lowercase().as_str() {
        "" => None,
        "allow" => Some(true),
        "deny" => Some(false),
        other => {
            from.reject(field, format!("is {other:?}, but must be allow or deny"), errors);
            Some(false)
        }
    }
}

fn read_scope(mut scope: Reader<'_>, errors: &mut ConfigErrors) -> SecretScope {
    let default_access = match read_action(&mut scope, "defaultAccess", errors) {
        None | Some(true) => DefaultAccess::Allow,
        Some(false) => DefaultAccess::Deny,
    };
    let read = SecretScope {
        store: scope.required("storeName", errors),
        default_access,
        allowed: scope.texts("allowedSecrets", errors),
        denied: scope.texts("deniedSecrets", errors),
    };
    scope.finish_strict(errors);
    read
}

/// Reads API rules, ignoring those for protocols other than HTTP.
fn read_rules(api: &mut Reader<'_>, field: &'static str, errors: &mut ConfigErrors) -> Vec<ApiRule> {
    let mut rules = Vec::new();
    for mut rule in api.mappings(field, errors) {
        let protocol = rule.text("protocol", errors).unwrap_or_default();
        let version = rule.text("version", errors).unwrap_or_else(|| "v1".to_owned());
        let name = rule.required("name", errors);
        rule.finish_strict(errors);
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
        load(&[file], &|_| None).map_err(|errors| errors.to_string().replace(&place, ""))
    }

    #[test]
    fn unsupported_protective_field_is_an_error() {
        for (spec, expected) in [
            ("{mtls: {enabled: true}}", "spec.mtls.enabled"),
            ("{httpPipeline: {handlers: [{name: a, type: t, selector: {}}]}}", "selector: unknown field"),
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
    fn field_without_effect_is_a_warning_with_line() {
        let read = read("\n  tracing: {samplingRate: '1'}\n  metric: {enabled: false}\n  nonsense: 1").unwrap();
        let warnings: Vec<_> = read.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].ends_with("c.yaml:3: spec.tracing: has no effect in daprlet"), "{warnings:?}");
        assert!(warnings[1].ends_with("c.yaml:5: spec.nonsense: unknown field; it has no effect"), "{warnings:?}");
    }

    #[test]
    fn access_control_features_and_denied_types_are_parsed() {
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
    fn environment_variables_are_expanded_anywhere() {
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
