//! Requests and responses of locks.

use std::time::Duration;

use dapr_client::lock::UnlockStatus;
use serde_json::{Value, json};

use crate::server::Server;

#[tokio::test]
async fn lock_is_requested_with_owner_and_whole_seconds() {
    let server = Server::with_response(200, &[], r#"{"success":true}"#).await;
    let client = server.client();
    assert!(client.locks("st ore").try_lock("r", "o", Duration::from_millis(1500)).await.unwrap());
    let request = server.only_request();
    assert_eq!(request.uri().path(), "/v1.0-alpha1/lock/st%20ore");
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body, json!({"resourceId": "r", "lockOwner": "o", "expiryInSeconds": 2}));
}

#[tokio::test]
async fn release_reports_its_outcome() {
    for (body, expected) in [
        (r#"{"status":0}"#, UnlockStatus::Success),
        (r#"{"status":1}"#, UnlockStatus::NotFound),
        (r#"{"status":2}"#, UnlockStatus::OtherOwner),
    ] {
        let server = Server::with_response(200, &[], body).await;
        assert_eq!(server.client().locks("store").unlock("r", "o").await.unwrap(), expected);
    }
}
