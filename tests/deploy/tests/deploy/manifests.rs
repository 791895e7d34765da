//! Every file is valid and used.

use std::collections::BTreeSet;
use std::path::Path;

use dapr_resources::{configuration, resources};
use deploy_tests::{Manifest, files, kustomize, repository};
use serde_json::Value;

use crate::application::{base, manifests, services};

/// Kustomizations for `kubectl apply -k`.
const KUSTOMIZATIONS: &[&str] = &[
    "deploy/kubernetes",
    "deploy/kubernetes/edge",
    "deploy/kubernetes/overlays/kind",
    "deploy/kubernetes/overlays/runtime-class",
];

#[test]
fn manifests_have_only_fields_known_to_kubernetes() {
    let manifests = manifests();
    assert!(manifests.len() > 30, "{}", manifests.len());
    assert_eq!(problems(&manifests), Vec::<String>::new());
}

#[test]
fn kustomizations_build_to_valid_manifests() {
    for folder in KUSTOMIZATIONS {
        let Some(built) = kustomize::build(folder) else { return };
        assert_eq!(problems(&built), Vec::<String>::new(), "{folder}");
        let resources = tempfile::tempdir().unwrap();
        for (number, manifest) in built.iter().enumerate().filter(|(_, manifest)| manifest.is_daprs()) {
            let file = resources.path().join(format!("{number}.yaml"));
            std::fs::write(&file, manifest.value.to_string()).unwrap();
            if manifest.kind() == "Configuration" {
                configuration::load(&[file], &|_| None).unwrap();
            }
        }
        let components = resources::load(&[resources.path().to_owned()], Some("daprlet")).unwrap().components;
        // All are in the namespace of the pods that use them, or the list would be empty.
        let expected = built.iter().filter(|manifest| manifest.kind() == "Component").count();
        assert_eq!(components.len(), expected, "{folder}");
    }
}

#[test]
fn overlays_have_their_specific_settings() {
    let Some(kind) = kustomize::build("deploy/kubernetes/overlays/kind") else { return };
    let deployments =
        |built: &[Manifest]| built.iter().filter(|it| it.kind() == "Deployment").cloned().collect::<Vec<_>>();
    assert!(kind.iter().all(|manifest| manifest.kind() != "HorizontalPodAutoscaler"));
    for deployment in deployments(&kind) {
        let container = "/spec/template/spec/containers/0";
        assert_eq!(deployment.text(&format!("{container}/imagePullPolicy")), "Never");
        assert!(deployment.at("/spec/template/spec/runtimeClassName").is_null());
        let args = base("Deployment", deployment.name()).at(&format!("{container}/args")).clone();
        assert_eq!(*deployment.at(&format!("{container}/args")), args, "it runs what others run");
    }

    let wasm = kustomize::build("deploy/kubernetes/overlays/runtime-class").unwrap();
    let class = wasm.iter().find(|manifest| manifest.kind() == "RuntimeClass").unwrap();
    assert_eq!(deployments(&wasm).len(), services().len());
    for deployment in deployments(&wasm) {
        let image = deployment.text("/spec/template/spec/containers/0/image");
        assert!(image.ends_with("-portable"), "{image}");
        assert_eq!(deployment.text("/spec/template/spec/runtimeClassName"), class.name());
        assert!(
            deployment.at("/spec/template/spec/containers/0/args").is_null(),
            "the image's entry point is the module"
        );
    }
}

/// Any resource name is valid there, for hardware unknown to Kubernetes.
#[test]
fn resource_requests_are_cpu_memory_or_storage() {
    let mut requested = BTreeSet::new();
    let mut values: Vec<Value> = manifests().into_iter().map(|manifest| manifest.value).collect();
    while let Some(value) = values.pop() {
        for amounts in ["requests", "limits"].iter().filter_map(|name| value.pointer(&format!("/resources/{name}"))) {
            requested.extend(amounts.as_object().unwrap().keys().cloned());
        }
        match value {
            Value::Object(fields) => values.extend(fields.into_values()),
            Value::Array(elements) => values.extend(elements),
            _ => {}
        }
    }
    assert_eq!(requested, ["cpu", "memory", "storage"].map(str::to_owned).into());
}

#[test]
fn every_file_is_listed_in_its_kustomization() {
    for folder in files("deploy/kubernetes").iter().filter(|it| it.ends_with("kustomization.yaml")) {
        let folder = folder.parent().unwrap();
        let kustomization = Manifest::read(&folder.join("kustomization.yaml")).remove(0);
        let named =
            ["resources", "patches"].into_iter().flat_map(|list| kustomization.list(&format!("/{list}")).to_vec());
        let named = named.filter_map(|it| it.as_str().or(it["path"].as_str()).map(|path| folder.join(path)));
        let named: BTreeSet<_> = named.map(|path| path.canonicalize().expect("a path that leads somewhere")).collect();
        for file in files(folder.strip_prefix(repository("")).unwrap()) {
            let is_yaml = file.extension().is_some_and(|extension| extension == "yaml");
            if is_yaml && nearest_kustomization(&file) == folder && !file.ends_with("kustomization.yaml") {
                assert!(named.contains(&file), "{} is named by no kustomization", file.display());
            }
        }
    }
}

fn nearest_kustomization(file: &Path) -> &Path {
    file.ancestors().skip(1).find(|folder| folder.join("kustomization.yaml").is_file()).unwrap()
}

fn problems(manifests: &[Manifest]) -> Vec<String> {
    manifests.iter().filter(|manifest| !manifest.is_daprs()).flat_map(Manifest::problems).collect()
}
