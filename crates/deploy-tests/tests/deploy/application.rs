//! What the rest of the repository says about the application.

use std::collections::{BTreeMap, BTreeSet};

use dapr_resources::run_template;
use deploy_tests::{Manifest, files, repository, text};

/// A service, as `dapr.yaml` has it.
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) port: u16,
    pub(crate) dapr_port: u16,
    /// The options that its WasmEdge gets, the module among them.
    pub(crate) command: Vec<String>,
}

/// The services of `dapr.yaml` that claim to be deployed, by `package.metadata.deploy` of their manifests. A service is born
/// without.
pub(crate) fn services() -> Vec<Service> {
    let template = run_template::load(&repository("dapr.yaml"), None).unwrap();
    let is_deployed = |id: &str| text(format!("{id}/Cargo.toml")).contains("\n[package.metadata.deploy]\n");
    let deployed = template.apps.into_iter().filter(|app| is_deployed(&app.app_id));
    let services = deployed.map(|app| Service {
        id: app.app_id,
        port: app.app_port.unwrap(),
        dapr_port: app.dapr_http_port.unwrap(),
        command: app.command,
    });
    services.collect()
}

/// Every manifest below `deploy/kubernetes`.
pub(crate) fn manifests() -> Vec<Manifest> {
    let yaml = files("deploy/kubernetes").into_iter().filter(|file| file.extension().is_some_and(|it| it == "yaml"));
    let manifests = yaml.flat_map(|file| Manifest::read(&file));
    manifests.filter(|manifest| manifest.kind() != "Kustomization").collect()
}

/// The manifest of that kind and name below `deploy/kubernetes/base`.
pub(crate) fn base(kind: &str, name: &str) -> Manifest {
    let mut found = manifests();
    found.retain(|it| it.origin.contains("/base/") && it.kind() == kind && it.name() == name);
    assert_eq!(found.len(), 1, "{kind} {name} in deploy/kubernetes/base; deploy/README.md says what a service needs");
    found.remove(0)
}

/// The settings of the services with their defaults, as the README tells them.
pub(crate) fn settings() -> BTreeMap<String, String> {
    let readme = text("README.md");
    let table = readme.split("| setting | default | of |").nth(1).expect("the README's table of settings");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(quoted).collect::<Vec<_>>());
    cells.flat_map(|cells| cells[1].iter().map(|name| (name.clone(), cells[2].join(" "))).collect::<Vec<_>>()).collect()
}

/// The version of the workspace, which images carry.
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// What is in backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn application_of_the_readme_is_deployed() {
    let ids: Vec<_> = services().into_iter().map(|service| service.id).collect();
    assert_eq!(ids, ["image-api-grayscale", "image-api-classify", "events-service"]);
}

#[test]
fn the_readme_tells_the_settings() {
    let settings = settings();
    assert_eq!(settings["SECRET_STORE"], "local-store");
    let known: BTreeSet<&str> = settings.keys().map(String::as_str).collect();
    assert!(known.is_superset(&["APP_PORT", "PORT", "DAPR_HTTP_PORT", "LISTEN_ADDRESS"].into()), "{known:?}");
}
