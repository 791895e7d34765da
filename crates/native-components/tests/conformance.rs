//! The conformance suite of building-blocks over every state store of this crate.

use std::sync::Arc;

use building_blocks::conformance::{self, Behaviours};
use building_blocks::{ComponentSpec, Context, StateStore};

async fn store(type_: &str, properties: &[(&str, &str)]) -> Arc<dyn StateStore> {
    let spec = ComponentSpec {
        name: "store".into(),
        type_: type_.into(),
        properties: properties.iter().copied().collect(),
        ..ComponentSpec::default()
    };
    let component = native_components::registry().create(spec, Context::default()).await.unwrap();
    component.state_store.unwrap()
}

#[tokio::test]
async fn state_in_memory_conforms() {
    let store = store("state.in-memory", &[]).await;
    conformance::run(store, Behaviours::default()).await.assert_passed();
}

#[tokio::test]
async fn state_sqlite_conforms_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/folder/state.db");
    let store = store("state.sqlite", &[("connectionString", file.to_str().unwrap())]).await;
    conformance::run(store, Behaviours::default()).await.assert_passed();
}

#[tokio::test]
async fn state_sqlite_conforms_in_memory() {
    let store = store("state.sqlite", &[("connectionString", ":memory:")]).await;
    conformance::run(store, Behaviours::default()).await.assert_passed();
}
