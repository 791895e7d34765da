//! Each service's manifests match the code, `dapr.yaml` and the book, and grant only what it needs.

use std::collections::BTreeSet;

use deploy_tests::{Manifest, text};
use serde_json::json;

use crate::application::{Service, base, manifests, services, settings, version};

/// Annotations that Dapr's injector reads: `pkg/injector/annotations/annotations.go` of dapr 1.18.
const ANNOTATIONS: &[&str] = &[
    "dapr.io/app-id",
    "dapr.io/app-port",
    "dapr.io/block-shutdown-duration",
    "dapr.io/config",
    "dapr.io/disable-builtin-k8s-secret-store",
    "dapr.io/enabled",
    "dapr.io/log-as-json",
    "dapr.io/max-body-size",
    "dapr.io/sidecar-cpu-request",
    "dapr.io/sidecar-memory-limit",
    "dapr.io/sidecar-memory-request",
    "dapr.io/sidecar-seccomp-profile-type",
];

/// `SidecarHTTPPort` of the same injector; no annotation changes it.
const DAPR_HTTP_PORT: &str = "3500";

/// JSON pointer to a Deployment's only container.
const CONTAINER: &str = "/spec/template/spec/containers/0";

fn deployments() -> Vec<(Service, Manifest)> {
    services().into_iter().map(|service| (base("Deployment", &service.id), service)).map(|(a, b)| (b, a)).collect()
}

#[test]
fn ids_and_ports_match_dapr_yaml() {
    for (service, deployment) in deployments() {
        let port = service.port.to_string();
        let annotations = deployment.at("/spec/template/metadata/annotations").as_object().unwrap();
        assert_eq!(annotations["dapr.io/app-id"], json!(service.id));
        assert_eq!(annotations["dapr.io/app-port"], json!(port));
        assert_eq!(annotations["dapr.io/enabled"], json!("true"));
        for name in annotations.keys() {
            assert!(ANNOTATIONS.contains(&name.as_str()), "{name}: does Dapr's injector know it?");
        }
        let ports = json!([{"name": "http", "containerPort": service.port}]);
        assert_eq!(*deployment.at(&format!("{CONTAINER}/ports")), ports);
        let ports = json!([{"name": "http", "port": service.port, "targetPort": "http"}]);
        assert_eq!(*base("Service", &service.id).at("/spec/ports"), ports);
    }
}

#[test]
fn selectors_match_the_pods_of_the_service() {
    for (service, deployment) in deployments() {
        let name = "app.kubernetes.io~1name";
        assert_eq!(deployment.text(&format!("/spec/template/metadata/labels/{name}")), service.id);
        assert_eq!(deployment.text(&format!("/spec/selector/matchLabels/{name}")), service.id);
        assert_eq!(base("Service", &service.id).text(&format!("/spec/selector/{name}")), service.id);
        let budget = base("PodDisruptionBudget", &service.id);
        assert_eq!(budget.text(&format!("/spec/selector/matchLabels/{name}")), service.id);
        assert_eq!(budget.at("/spec/maxUnavailable"), &json!(1));
        let scaler = base("HorizontalPodAutoscaler", &service.id);
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": service.id});
        assert_eq!(*scaler.at("/spec/scaleTargetRef"), target);
        assert_eq!(
            scaler.at("/spec/metrics/0/containerResource/container"),
            deployment.at(&format!("{CONTAINER}/name"))
        );
        assert!(deployment.at("/spec/replicas").is_null(), "the autoscaler decides");
        assert_eq!(
            deployment.text("/spec/template/spec/serviceAccountName"),
            base("ServiceAccount", &service.id).name()
        );
        assert_eq!(deployment.text(&format!("{CONTAINER}/image")), format!("daprlet/{}:{}", service.id, version()));
    }
}

#[test]
fn service_gets_its_address_and_daprs() {
    for (service, deployment) in deployments() {
        let variables = variables(&deployment);
        let value = |name: &str| variables.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str());
        assert_eq!(value("LISTEN_ADDRESS"), Some("0.0.0.0"), "{}", service.id);
        assert_eq!(value("DAPR_HTTP_PORT"), Some(DAPR_HTTP_PORT), "{}", service.id);
    }
}

#[test]
fn variables_are_settings_and_reach_the_guest() {
    let settings = settings();
    for (service, deployment) in deployments() {
        let args = deployment.list(&format!("{CONTAINER}/args")).iter().map(|arg| arg.as_str().unwrap());
        let (passed, rest): (Vec<&str>, Vec<&str>) = args.partition(|arg| arg.starts_with("--env="));
        let names: Vec<String> = variables(&deployment).into_iter().map(|(name, _)| name).collect();
        let expected: Vec<String> = names.iter().map(|name| format!("--env={name}=$({name})")).collect();
        assert_eq!(passed, expected, "{}: WasmEdge passes what it is told to pass", service.id);
        for name in names {
            assert!(settings.contains_key(&name), "{name} is no setting in the book");
        }
        // dapr.yaml also gives WasmEdge the model.
        let folders = |words: &[String]| words.iter().filter(|it| it.as_str() == "--dir").count();
        let expected = if folders(&service.command) == 1 {
            vec!["--dir=model:model:readonly", "service.so"]
        } else {
            vec!["service.so"]
        };
        assert_eq!(rest, expected, "{}", service.id);
    }
}

#[test]
fn probes_match_the_services_and_their_start_time() {
    for (service, deployment) in deployments() {
        assert!(text(format!("{}/src/lib.rs", service.id)).contains("\"/healthz\""), "{}", service.id);
        let probe = |name: &str| deployment.at(&format!("{CONTAINER}/{name}")).clone();
        // A service without its database is alive: a restart would not help.
        for (name, path) in [("startupProbe", "/"), ("livenessProbe", "/"), ("readinessProbe", "/healthz")] {
            assert_eq!(probe(name)["httpGet"], json!({"path": path, "port": "http"}), "{} {name}", service.id);
        }
        let milliseconds = |name: &str| settings()[name].parse::<u64>().unwrap_or(0);
        let longest =
            if service.id == "events-service" { milliseconds("DATABASE_DEADLINE_MS").max(5000) } else { 1000 };
        let timeout = probe("readinessProbe")["timeoutSeconds"].as_u64().unwrap();
        assert!(timeout * 1000 > longest, "{}: {timeout} s", service.id);
    }
}

#[test]
fn pods_meet_the_restricted_standard() {
    let pods = manifests().into_iter().filter(|it| ["Deployment", "StatefulSet"].contains(&it.kind()));
    let pods: Vec<Manifest> = pods.filter(|it| !it.origin.contains("/overlays/")).collect();
    assert_eq!(pods.len(), services().len() + 3, "the services, two stores, and daprlet");
    for pod in pods {
        let context = pod.at("/spec/template/spec/securityContext");
        assert_eq!(context["runAsNonRoot"], json!(true), "{}", pod.name());
        assert!(context["runAsUser"].as_u64().unwrap() > 0);
        assert_eq!(context["seccompProfile"], json!({"type": "RuntimeDefault"}));
        let hardened = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        });
        assert_eq!(pod.list("/spec/template/spec/containers").len(), 1);
        assert_eq!(*pod.at(&format!("{CONTAINER}/securityContext")), hardened, "{}", pod.name());
        for resource in ["requests/cpu", "requests/memory", "limits/memory"] {
            assert!(!pod.text(&format!("{CONTAINER}/resources/{resource}")).is_empty(), "{} {resource}", pod.name());
        }
    }
}

#[test]
fn only_events_service_has_kubernetes_access() {
    for (service, _) in deployments() {
        let account = base("ServiceAccount", &service.id);
        let may_ask = account.at("/automountServiceAccountToken") != &json!(false);
        assert_eq!(may_ask, service.id == "events-service", "{}", service.id);
    }
    let roles: BTreeSet<String> =
        manifests().iter().filter(|it| it.kind() == "Role").map(|it| it.name().to_owned()).collect();
    assert_eq!(roles, ["events-service".to_owned()].into());
    let rules =
        json!([{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["events-db-url"], "verbs": ["get"]}]);
    assert_eq!(*base("Role", "events-service").at("/rules"), rules);
    let binding = base("RoleBinding", "events-service");
    assert_eq!(binding.text("/roleRef/name"), "events-service");
    let account = json!([{"kind": "ServiceAccount", "name": "events-service", "namespace": "daprlet"}]);
    assert_eq!(*binding.at("/subjects"), account);
}

/// Returns the container's variables.
fn variables(deployment: &Manifest) -> Vec<(String, String)> {
    let env = deployment.list(&format!("{CONTAINER}/env")).iter();
    env.map(|it| (it["name"].as_str().unwrap().to_owned(), it["value"].as_str().unwrap().to_owned())).collect()
}
