//! Facts about the application in the rest of the repository.

use std::collections::{BTreeMap, BTreeSet};

use dapr_resources::run_template;
use deploy_tests::{Manifest, files, repository, text};

/// A service in `dapr.yaml`.
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) port: u16,
    pub(crate) dapr_port: u16,
    /// Options of its WasmEdge command, including the module.
    pub(crate) command: Vec<String>,
}

/// Returns the services of `dapr.yaml` with `package.metadata.deploy` in their manifests. A new service has none.
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

/// Returns every manifest below `deploy/kubernetes`.
pub(crate) fn manifests() -> Vec<Manifest> {
    let yaml = files("deploy/kubernetes").into_iter().filter(|file| file.extension().is_some_and(|it| it == "yaml"));
    let manifests = yaml.flat_map(|file| Manifest::read(&file));
    manifests.filter(|manifest| manifest.kind() != "Kustomization").collect()
}

/// Returns a manifest below `deploy/kubernetes/base`.
pub(crate) fn base(kind: &str, name: &str) -> Manifest {
    let mut found = manifests();
    found.retain(|it| it.origin.contains("/base/") && it.kind() == kind && it.name() == name);
    assert_eq!(found.len(), 1, "{kind} {name} in deploy/kubernetes/base; deploy/README.md says what a service needs");
    found.remove(0)
}

/// Returns the settings of the services with their defaults, from the book.
pub(crate) fn settings() -> BTreeMap<String, String> {
    let readme = text("book/reference/settings.md");
    let table = readme.split("| setting | default | of |").nth(1).expect("the book's table of settings");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(backticked_texts).collect::<Vec<_>>());
    cells.flat_map(|cells| cells[1].iter().map(|name| (name.clone(), cells[2].join(" "))).collect::<Vec<_>>()).collect()
}

/// Returns the version of the workspace, which images have as their tag.
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Returns the texts in backticks.
fn backticked_texts(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn application_of_the_readme_is_deployed() {
    let ids: Vec<_> = services().into_iter().map(|service| service.id).collect();
    assert_eq!(ids, ["image-api-grayscale", "image-api-classify", "events-service"]);
}

#[test]
fn readme_lists_the_settings() {
    let settings = settings();
    assert_eq!(settings["SECRET_STORE"], "local-store");
    let known: BTreeSet<&str> = settings.keys().map(String::as_str).collect();
    assert!(known.is_superset(&["APP_PORT", "PORT", "DAPR_HTTP_PORT", "LISTEN_ADDRESS"].into()), "{known:?}");
}
