//! Secret stores.

use component_pluggable::Block;
use dapr_building_blocks::Metadata;
use dapr_building_blocks::secret::SecretFeature;

use crate::support::{Sockets, native};

#[tokio::test]
async fn secrets_behind_a_socket_are_read_singly_and_in_bulk() {
    let sockets = Sockets::new();
    let file = sockets.folder.path().join("secrets.json");
    std::fs::write(&file, r#"{"db": {"user": "u", "password": "p"}, "key": "v"}"#).unwrap();
    let _served = sockets.serve("file", Block::SecretStore, native("secretstores.local.file")).await;
    let properties = [("secretsFile", file.to_str().unwrap()), ("multiValued", "true")];
    let store = sockets.create("secretstores.file", "secrets", &properties).await.unwrap().secret_store.unwrap();
    assert_eq!(store.features(), [SecretFeature::MultipleKeyValuesPerSecret]);
    let metadata = Metadata::new();
    assert_eq!(store.get("db", &metadata).await.unwrap()["password"].expose(), "p");
    let all = store.bulk_get(&metadata).await.unwrap();
    assert_eq!(all["key"]["key"].expose(), "v");
    let error = store.get("none", &metadata).await.unwrap_err().to_string();
    assert_eq!(error, "rpc error: code = NotFound desc = secret none not found");
}

#[tokio::test]
async fn store_that_rejects_its_properties_reports_why() {
    let sockets = Sockets::new();
    let _served = sockets.serve("file", Block::SecretStore, native("secretstores.local.file")).await;
    let error = sockets.create("secretstores.file", "secrets", &[]).await.err().unwrap();
    assert!(!error.is_retryable(), "{error}");
    assert!(error.to_string().contains("rpc error: code = InvalidArgument desc = "), "{error}");
    assert!(error.to_string().contains("secretsFile"), "{error}");
}
