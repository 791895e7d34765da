//! Components created from a component YAML.

use dapr_building_blocks::component::CreateError;
use dapr_building_blocks::state::{GetRequest, SetRequest};
use dapr_building_blocks::{Component, ComponentSpec, Context, Registry};

use crate::support::path;

async fn create(properties: &[(&str, &str)]) -> Result<Component, CreateError> {
    let mut registry = Registry::default();
    component_wasm::register(&mut registry, None);
    let spec = ComponentSpec {
        name: "store".into(),
        type_: "state.wasm".into(),
        properties: properties.iter().copied().collect(),
        folder: path("state-in-memory").parent().unwrap().to_owned(),
        ..ComponentSpec::default()
    };
    registry.create(spec, Context::default()).await
}

#[tokio::test]
async fn module_beside_its_yaml_becomes_a_state_store() {
    let store = create(&[("module", "state-in-memory.wasm"), ("maxBytes", "1Mi")]).await.err().unwrap();
    assert!(store.to_string().contains("property \"maxBytes\" must be a number of bytes"), "{store}");
    let store = create(&[("module", "state-in-memory.wasm")]).await.unwrap().state_store.unwrap();
    store.set(SetRequest::new("k", "v")).await.unwrap();
    assert_eq!(store.get(GetRequest::new("k")).await.unwrap().unwrap().value, "v");
}

#[tokio::test]
async fn misconfiguration_is_permanent_and_unavailability_retryable() {
    for (properties, told) in [
        (vec![], "property \"module\" is required"),
        (vec![("module", "gone.wasm")], "gone.wasm cannot be read"),
        (vec![("module", "state-in-memory.wasm"), ("sha256", &*"0".repeat(64))], "0000 is wanted"),
        (vec![("module", "faulty-store.wasm")], "which nothing grants; allowHosts would"),
    ] {
        let error = create(&properties).await.err().unwrap();
        assert!(error.to_string().contains(told) && !error.is_retryable(), "{error}");
    }
    let down = [("module", "faulty-store.wasm"), ("allowHosts", "192.0.2.1:1"), ("fault", "unavailable")];
    assert!(create(&down).await.err().unwrap().is_retryable());
}

#[tokio::test]
async fn replaced_file_is_loaded_unless_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.wasm");
    let mut bytes = std::fs::read(path("state-in-memory")).unwrap();
    std::fs::write(&file, &bytes).unwrap();
    let store = create(&[("module", file.to_str().unwrap())]).await.unwrap().state_store.unwrap();
    store.set(SetRequest::new("k", "v")).await.unwrap();

    // The new component is there once the old one's data is gone.
    let replaced = async || {
        while store.get(GetRequest::new("k")).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    std::fs::write(&file, "damaged").unwrap();
    let waited = tokio::time::timeout(std::time::Duration::from_millis(1200), replaced()).await;
    assert!(waited.is_err(), "a damaged file must change nothing");

    // An empty custom section makes another file of the same component.
    bytes.extend([0, 2, 1, b'x']);
    std::fs::write(&file, &bytes).unwrap();
    replaced().await;
    store.set(SetRequest::new("k", "w")).await.unwrap();
}
