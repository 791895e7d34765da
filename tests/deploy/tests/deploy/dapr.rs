//! Dapr resources: the components of `config/` on other stores, and access rights.

use std::collections::BTreeMap;

use dapr_resources::component::ComponentResource;
use dapr_resources::configuration;
use dapr_resources::resources;
use dapr_resources::value::MetadataValue;
use deploy_tests::{Manifest, repository, text};
use serde::Deserialize;

use crate::application::{base, manifests, services, settings};

const FOLDER: &str = "deploy/kubernetes/base/dapr";

/// Component types of the cluster, and their properties that we use: the `metadata.yaml` of each component of
/// components-contrib 1.18.
const PROPERTIES: &[(&str, &[&str])] = &[
    ("bindings.cron", &["direction", "schedule"]),
    ("bindings.mysql", &["url"]),
    ("pubsub.redis", &["redisHost", "redisPassword"]),
    ("secretstores.kubernetes", &[]),
    ("state.redis", &["redisHost", "redisPassword"]),
];

/// `spec.accessControl` as in `pkg/config/configuration.go`; `dapr-resources` leaves it to the real Dapr.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AccessControl {
    default_action: String,
    trust_domain: String,
    policies: Vec<Policy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Policy {
    app_id: String,
    default_action: String,
    trust_domain: String,
    namespace: String,
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Operation {
    name: String,
    http_verb: Vec<String>,
    action: String,
}

fn components(folder: &str) -> BTreeMap<String, ComponentResource> {
    let components = resources::load(&[repository(folder)], None).unwrap().components;
    components.into_iter().map(|component| (component.name.clone(), component)).collect()
}

#[test]
fn cluster_has_config_components_in_scope_of_their_users() {
    let (here, there) = (components(&format!("{FOLDER}/components")), components("config"));
    assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (name, component) in &here {
        for service in services() {
            let needs = there[name].is_visible_to(&service.id) && uses(&service.id, name);
            assert_eq!(component.is_visible_to(&service.id), needs, "{} and {name}", service.id);
        }
    }
    let (ours, same) = (&here["deliver-events"], &there["deliver-events"]);
    assert_eq!((&ours.type_, &ours.metadata, &ours.scopes), (&same.type_, &same.metadata, &same.scopes));
}

#[test]
fn component_names_match_the_services() {
    let (components, settings) = (components(&format!("{FOLDER}/components")), settings());
    for setting in ["STATE_STORE", "SECRET_STORE", "SQL_BINDING"] {
        assert!(components.contains_key(&settings[setting]), "{setting}");
    }
    let routes = text("image-api-grayscale/src/lib.rs");
    assert!(
        routes.contains("/deliver-events") && components.contains_key("deliver-events"),
        "a cron binding calls its name"
    );
}

#[test]
fn component_properties_are_known_to_dapr() {
    for component in components(&format!("{FOLDER}/components")).values() {
        let known = PROPERTIES.iter().find(|(type_, _)| *type_ == component.type_);
        let (_, known) = known.unwrap_or_else(|| panic!("{} is not in PROPERTIES", component.type_));
        for item in &component.metadata {
            assert!(known.contains(&item.name.as_str()), "{}: {}", component.type_, item.name);
            let is_secret = ["redisPassword", "url"].contains(&item.name.as_str());
            assert_eq!(matches!(item.value, MetadataValue::SecretKeyRef { .. }), is_secret, "{}", item.name);
        }
    }
}

#[test]
fn hosts_are_services_of_this_namespace() {
    let components = components(&format!("{FOLDER}/components"));
    let stores = manifests().into_iter().filter(|it| it.kind() == "Service" && it.origin.contains("/stores/"));
    let hosts: Vec<String> = stores.map(|it| format!("{}:{}", it.name(), it.at("/spec/ports/0/port"))).collect();
    assert_eq!(hosts, ["mysql:3306", "redis:6379"]);
    for name in ["messages", "statestore"] {
        let host = components[name].metadata.iter().find(|item| item.name == "redisHost").unwrap();
        assert_eq!(host.value, MetadataValue::Plain(hosts[1].clone()), "{name}");
    }
}

#[test]
fn only_events_service_may_read_its_secret() {
    for service in services() {
        let name = base("Deployment", &service.id);
        let name = name.text("/spec/template/metadata/annotations/dapr.io~1config");
        let file = repository(format!("{FOLDER}/configurations/{name}.yaml"));
        let read = configuration::load(&[file], &|_| None).unwrap();
        let allowed: Vec<&String> = read.secret_scopes.iter().flat_map(|scope| &scope.allowed).collect();
        if service.id == "events-service" {
            let args = base("Deployment", &service.id);
            let env = args.list("/spec/template/spec/containers/0/env");
            let key = env.iter().find(|it| it["name"] == "DB_SECRET_KEY").unwrap();
            assert_eq!(allowed, [key["value"].as_str().unwrap()]);
        } else {
            assert!(allowed.is_empty(), "{}: {allowed:?}", service.id);
        }
        assert!(
            read.secret_scopes
                .iter()
                .all(|scope| scope.default_access == dapr_resources::configuration::DefaultAccess::Deny)
        );
    }
}

#[test]
fn only_image_services_may_invoke_events_service() {
    let configuration = base("Configuration", "events-service");
    let access: AccessControl = serde_json::from_value(configuration.at("/spec/accessControl").clone()).unwrap();
    assert_eq!((access.default_action.as_str(), access.trust_domain.as_str()), ("deny", "public"));
    let callers: Vec<&str> = access.policies.iter().map(|policy| policy.app_id.as_str()).collect();
    let config = "/spec/template/metadata/annotations/dapr.io~1config";
    let is_image_service = |id: &String| base("Deployment", id).text(config) == "image-services";
    let expected: Vec<String> = services().into_iter().map(|it| it.id).filter(is_image_service).collect();
    assert_eq!(callers, expected);
    let source = text("events-service/src/lib.rs");
    let kustomization = Manifest::read(&repository("deploy/kubernetes/base/kustomization.yaml")).remove(0);
    for policy in &access.policies {
        assert_eq!((policy.default_action.as_str(), policy.trust_domain.as_str()), ("deny", "public"));
        assert_eq!(policy.namespace, kustomization.text("/namespace"));
        let allowed = policy.operations.iter().map(|it| (it.name.as_str(), it.http_verb.join(" "), it.action.as_str()));
        let (create, health) = (("/create_event", "POST".to_owned(), "allow"), ("/healthz", "GET".to_owned(), "allow"));
        assert_eq!(allowed.collect::<Vec<_>>(), [create, health]);
    }
    assert!(source.contains("\"/create_event\""));
    assert!(text("crates/service-kit/src/usage.rs").contains("Method::GET, \"healthz\""));
}

/// Returns true if a service uses a component: no other needs to see it.
fn uses(service: &str, component: &str) -> bool {
    let of_events_service = ["events-db", "local-store", "messages"].contains(&component);
    of_events_service == (service == "events-service")
}
