//! Round trips through Kubernetes' types: fields that do not survive are unknown to Kubernetes.

use k8s_openapi::Resource;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::node::v1::RuntimeClass;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Converts a value into a type and back.
type RoundTrip = fn(&Value) -> serde_json::Result<Value>;

/// A kind of resource, and its type.
struct Kind {
    api_version: &'static str,
    kind: &'static str,
    there_and_back: RoundTrip,
}

/// Returns every kind that `deploy/` uses.
fn kinds() -> [Kind; 13] {
    [
        kind::<Deployment>(),
        kind::<HorizontalPodAutoscaler>(),
        kind::<Namespace>(),
        kind::<NetworkPolicy>(),
        kind::<PersistentVolumeClaim>(),
        kind::<PodDisruptionBudget>(),
        kind::<Role>(),
        kind::<RoleBinding>(),
        kind::<RuntimeClass>(),
        kind::<Secret>(),
        kind::<Service>(),
        kind::<ServiceAccount>(),
        kind::<StatefulSet>(),
    ]
}

fn kind<T: Resource + DeserializeOwned + Serialize>() -> Kind {
    let there_and_back: RoundTrip = |value| serde_json::to_value(serde_json::from_value::<T>(value.clone())?);
    Kind { api_version: T::API_VERSION, kind: T::KIND, there_and_back }
}

/// Lists the parts of a value that its type rejects or drops.
pub(crate) fn problems(value: &Value) -> Vec<String> {
    let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let (api_version, name) = (text("apiVersion"), text("kind"));
    let Some(kind) = kinds().into_iter().find(|it| it.api_version == api_version && it.kind == name) else {
        return vec![format!("{api_version} {name} is none of the kinds in typed.rs")];
    };
    match (kind.there_and_back)(value) {
        Ok(back) => {
            let mut problems = Vec::new();
            compare("", value, &back, &mut problems);
            problems
        }
        Err(error) => vec![error.to_string()],
    }
}

fn compare(path: &str, before: &Value, after: &Value, problems: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                let path = format!("{path}/{key}");
                match after.get(key) {
                    Some(kept) => compare(&path, value, kept, problems),
                    // In a patch, null removes a field.
                    None if value.is_null() => {}
                    None => problems.push(format!("{path} is unknown")),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (value, kept)) in before.iter().zip(after).enumerate() {
                compare(&format!("{path}/{index}"), value, kept, problems);
            }
        }
        _ if before == after => {}
        _ => problems.push(format!("{path} is {before}, and would become {after}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn valid_manifest_has_no_problems() {
        let port = json!({"name": "http", "port": 80, "targetPort": "http"});
        let service =
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [port]}});
        assert_eq!(problems(&service), Vec::<String>::new());
    }

    #[test]
    fn unknown_fields_types_and_kinds_are_reported_with_path() {
        let misspelled =
            json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80, "tragetPort": 1}]}});
        assert_eq!(problems(&misspelled), ["/spec/ports/0/tragetPort is unknown"]);
        let wrong = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": "http"}]}});
        assert_eq!(problems(&wrong).len(), 1);
        assert_eq!(
            problems(&json!({"apiVersion": "v2", "kind": "Service"})),
            ["v2 Service is none of the kinds in typed.rs"]
        );
    }

    #[test]
    fn null_in_a_patch_is_valid() {
        assert!(problems(&json!({"apiVersion": "v1", "kind": "Service", "spec": null})).is_empty());
    }
}
