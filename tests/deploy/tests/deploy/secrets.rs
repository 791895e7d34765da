//! The script that creates secrets creates those that manifests name, and shows none.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use dapr_resources::resources;
use dapr_resources::value::MetadataValue;
use deploy_tests::{Manifest, repository};
use serde_json::Value;

use crate::application::manifests;

/// A fake kubectl that keeps its arguments and its input.
const KUBECTL: &str = "#!/bin/sh
echo \"$*\" >>\"$KEPT/arguments\"
case \"$*\" in *'-f -') cat >\"$KEPT/input\" ;; esac
";

/// Arguments and input of kubectl.
struct KubectlInput {
    arguments: String,
    secrets: Vec<Manifest>,
}

fn create_secrets() -> KubectlInput {
    let folder = tempfile::tempdir().unwrap();
    let kubectl = folder.path().join("kubectl");
    fs::write(&kubectl, KUBECTL).unwrap();
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut script = Command::new(repository("deploy/kubernetes/create-secrets"));
    let output = script.env("PATH", path).env("KEPT", folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let kept = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    KubectlInput { arguments: kept("arguments"), secrets: Manifest::parse("create-secrets", &kept("input")) }
}

/// Returns the values of each secret, by name.
fn values(input: &KubectlInput) -> BTreeMap<String, BTreeMap<String, String>> {
    let data = |secret: &Manifest| serde_json::from_value(secret.at("/stringData").clone()).unwrap();
    input.secrets.iter().map(|secret| (secret.name().to_owned(), data(secret))).collect()
}

#[test]
fn script_creates_every_named_secret_with_valid_keys() {
    let input = create_secrets();
    for secret in &input.secrets {
        assert_eq!(secret.problems(), Vec::<String>::new());
        assert_eq!(secret.text("/metadata/namespace"), "daprlet");
    }
    let made = values(&input);
    for (name, key) in find_references() {
        assert!(made.get(&name).is_some_and(|secret| secret.contains_key(&key)), "{name}, {key}");
    }
    for key in made.values().flat_map(BTreeMap::keys) {
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)), "{key}");
    }
}

#[test]
fn database_secret_has_one_valid_value() {
    let made = values(&create_secrets());
    // A secret with one value is that value, whatever its key: `dapr_client::SecretStore::get`.
    assert_eq!(made["events-db-url"].len(), 1);
    let (url, password) = (&made["events-db-url"]["url"], &made["events-db-server"]["password"]);
    assert_eq!(*url, format!("mysql://events:{password}@mysql:3306/events"));
    let binding = &made["events-db-server"]["binding-url"];
    assert_eq!(*binding, format!("events:{password}@tcp(mysql:3306)/events"), "as Go's driver has it");
}

#[test]
fn passwords_are_long_random_and_not_on_command_lines() {
    let (first, second) = (create_secrets(), create_secrets());
    let passwords =
        |input: &KubectlInput| ["redis", "events-db-server"].map(|name| values(input)[name]["password"].clone());
    let all = [passwords(&first), passwords(&second)].concat();
    for (index, password) in all.iter().enumerate() {
        assert!(password.len() == 32 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{password}");
        assert!(!all[..index].contains(password), "the same password twice");
        assert!(!first.arguments.contains(password) && !second.arguments.contains(password));
    }
}

/// Returns the secrets and keys that manifests and components name.
fn find_references() -> Vec<(String, String)> {
    let mut named = Vec::new();
    for manifest in manifests() {
        walk(&manifest.value, &mut named);
    }
    for component in resources::load(&[repository("deploy/kubernetes/base/dapr/components")], None).unwrap().components
    {
        for item in component.metadata {
            if let MetadataValue::SecretKeyRef { name, key } = item.value {
                named.push((name, key));
            }
        }
    }
    assert!(named.len() >= 4, "{named:?}");
    named
}

/// Collects the references of containers and volumes.
fn walk(value: &Value, named: &mut Vec<(String, String)>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("secretKeyRef") {
                named.push((text(&reference["name"]), text(&reference["key"])));
            }
            for item in fields.get("items").and_then(Value::as_array).into_iter().flatten() {
                if let Some(name) = fields.get("secretName") {
                    named.push((text(name), text(&item["key"])));
                }
            }
            fields.values().for_each(|value| walk(value, named));
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, named)),
        _ => {}
    }
}
