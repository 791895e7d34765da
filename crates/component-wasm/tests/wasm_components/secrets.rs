//! Secret stores implemented by components.

use std::path::Path;

use dapr_building_blocks::component::CreateError;
use dapr_building_blocks::secret::SecretError;
use dapr_building_blocks::{Component, ComponentSpec, Context, Metadata, Registry};

use crate::support::path;

async fn create(folder: &Path, properties: &[(&str, &str)]) -> Result<Component, CreateError> {
    let mut registry = Registry::default();
    component_wasm::register(&mut registry, None);
    let module = path("secrets-env-file").canonicalize().unwrap();
    let mut all = vec![("module", module.to_str().unwrap())];
    all.extend_from_slice(properties);
    let spec = ComponentSpec {
        name: "secrets".into(),
        type_: "secretstores.wasm".into(),
        properties: all.into_iter().collect(),
        folder: folder.to_owned(),
        ..ComponentSpec::default()
    };
    registry.create(spec, Context::default()).await
}

#[tokio::test]
async fn secrets_come_from_the_granted_file_and_change_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets.env");
    std::fs::write(&file, "A=one\nB=\"two words\"\n").unwrap();
    let grant = [("allowDirs", "config:.:readonly"), ("path", "config/secrets.env")];
    let store = create(folder.path(), &grant).await.unwrap().secret_store.unwrap();
    let metadata = Metadata::new();
    assert_eq!(store.get("A", &metadata).await.unwrap()["A"].expose(), "one");
    let all = store.bulk_get(&metadata).await.unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(all["B"]["B"].expose(), "two words");
    assert!(matches!(store.get("C", &metadata).await, Err(SecretError::NotFound { name }) if name == "C"));
    std::fs::write(&file, "A=changed\n").unwrap();
    assert_eq!(store.get("A", &metadata).await.unwrap()["A"].expose(), "changed");
    std::fs::write(&file, "A=1\nhunter2\n").unwrap();
    let told = store.get("A", &metadata).await.unwrap_err().to_string();
    assert!(told.contains("config/secrets.env:2") && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn missing_directory_or_property_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secrets.env"), "A=one\n").unwrap();
    let file = folder.path().join("secrets.env");
    let error = create(folder.path(), &[("path", file.to_str().unwrap())]).await.err().unwrap();
    assert!(error.to_string().contains("cannot be read") && !error.is_retryable(), "{error}");
    let error = create(folder.path(), &[]).await.err().unwrap();
    assert!(error.to_string().contains("property \"path\" is required"), "{error}");
}

#[tokio::test]
async fn state_store_is_not_a_secret_store() {
    let module = path("state-in-memory").canonicalize().unwrap();
    let error = create(Path::new(""), &[("module", module.to_str().unwrap())]).await.err().unwrap();
    assert!(error.to_string().contains("exports no dapr:components/secrets@0.1.0"), "{error}");
}
