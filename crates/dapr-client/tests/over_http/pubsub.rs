//! Requests of published messages.

use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn message_is_posted_with_its_type_and_metadata() {
    let server = Server::with_response(204, &[], "").await;
    let client = server.client();
    client.topic("p", "a/b").json(&json!({"id": 1})).metadata("ttlInSeconds", "60").send().await.unwrap();
    let request = server.only_request();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri().to_string(), "/v1.0/publish/p/a%2Fb?metadata.ttlInSeconds=60");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.body().as_ref(), br#"{"id":1}"#);
}

#[tokio::test]
async fn refused_message_is_an_error_with_daprs_code() {
    let server = Server::with_response(403, &[], r#"{"errorCode":"ERR_PUBSUB_FORBIDDEN","message":"no"}"#).await;
    let error = server.client().topic("p", "t").data("text/plain", "x").send().await.unwrap_err();
    assert!(error.to_string().contains("ERR_PUBSUB_FORBIDDEN"), "{error}");
}
