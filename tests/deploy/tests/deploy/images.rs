//! The images contain what the manifests start. These tests build no images.

use deploy_tests::{repository, text};
use serde_json::json;

use crate::application::{base, manifests, services, version};

const DOCKERFILE: &str = "deploy/Dockerfile";

#[test]
fn every_service_has_a_stage_with_its_module() {
    let dockerfile = text(DOCKERFILE);
    for service in services() {
        let stage = format!("FROM scratch AS {0}\nCOPY --from=modules /src/wasm/{0}.wasm /service.wasm\n", service.id);
        assert!(dockerfile.contains(&stage), "{}", service.id);
        let folder = format!("mkdir data {}", sorted_ids().join(" "));
        assert!(dockerfile.contains(&folder), "daprlet starts each service in its folder: {folder}");
    }
}

#[test]
fn model_path_matches_dapr_yaml() {
    let classify = services().into_iter().find(|service| service.id == "image-api-classify").unwrap();
    assert!(classify.command.contains(&"models:../models:readonly".to_owned()));
    // If nothing was downloaded, the last model is used.
    let models = classify.command.iter().find_map(|word| word.strip_prefix("MODEL_DIR=")).unwrap();
    let folder = models.split(',').next_back().unwrap();
    let dockerfile = text(DOCKERFILE);
    assert!(dockerfile.contains(&format!("COPY {folder} /model\n")));
    assert!(dockerfile.contains(&format!("COPY {folder} {folder}\n")));
}

#[test]
fn toolchain_matches_the_repository() {
    let toolchain = text("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"')).unwrap();
    let dockerfile = text(DOCKERFILE);
    let images: Vec<&str> = dockerfile.lines().filter(|line| line.contains(" rust:")).collect();
    assert_eq!(images.len(), 2);
    assert!(images.iter().all(|line| line.contains(&format!(" rust:{channel}-"))), "{images:?}");
}

#[test]
fn image_user_is_unprivileged_and_matches_the_manifests() {
    let context = base("Deployment", "events-service").at("/spec/template/spec/securityContext").clone();
    assert_eq!((&context["runAsUser"], &context["runAsGroup"]), (&json!(65532), &json!(65532)));
    let dockerfile = text(DOCKERFILE);
    assert_eq!(dockerfile.matches("USER 65532:65532\n").count(), 2, "of services, and of daprlet");
}

#[test]
fn image_version_matches_the_workspace() {
    let ours = |image: &str| image.starts_with("daprlet/").then(|| image.to_owned());
    let images =
        manifests().iter().filter_map(|it| ours(it.text("/spec/template/spec/containers/0/image"))).collect::<Vec<_>>();
    assert_eq!(images.len(), services().len() + 1, "and daprlet");
    assert!(images.iter().all(|image| image.ends_with(&format!(":{}", version()))), "{images:?}");
    let overlay = text("deploy/kubernetes/overlays/runtime-class/kustomization.yaml");
    assert_eq!(overlay.matches(&format!("newTag: {}-portable\n", version())).count(), services().len());
}

#[test]
fn images_exclude_secrets_and_data_of_a_checkout() {
    let ignored = text("deploy/Dockerfile.dockerignore");
    for name in ["data", "target", "wasm", ".git"] {
        assert!(ignored.lines().any(|line| line == name), "{name}");
    }
    assert!(repository("deploy/Dockerfile.dockerignore").is_file(), "BuildKit looks beside the Dockerfile");
}

fn sorted_ids() -> Vec<String> {
    let mut ids: Vec<String> = services().into_iter().map(|service| service.id).collect();
    ids.sort();
    ids
}
