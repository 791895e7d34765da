//! Requests and response handling of each building block.

use std::time::Duration;

use dapr_client::state::{Concurrency, Consistency, Etag, Operation, WriteOptions};
use dapr_client::{Dapr, Endpoint, Error, TraceContext};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::server::Server;

fn body_of(server: &Server) -> Value {
    serde_json::from_slice(server.only_request().body()).unwrap()
}

#[tokio::test]
async fn record_is_read_with_its_etag_and_expiry() {
    let headers = [("etag", "7"), ("metadata.ttlExpireTime", "2030-01-01T00:00:00Z")];
    let server = Server::with_response(200, &headers, "[1,2]").await;
    let entry = server.client().state("st ore").get::<Vec<u8>>("a/b").await.unwrap().unwrap();
    assert_eq!(entry.value, [1, 2]);
    assert_eq!(entry.etag, Some(Etag::new("7")));
    assert_eq!(entry.expires.as_deref(), Some("2030-01-01T00:00:00Z"));
    assert_eq!(server.only_request().uri().path(), "/v1.0/state/st%20ore/a%2Fb");
}

#[tokio::test]
async fn missing_record_is_none() {
    let server = Server::with_response(204, &[], "").await;
    let state = server.client();
    let entry = state.state("store").get_consistent::<String>("key", Consistency::Strong).await.unwrap();
    assert_eq!(entry, None);
    assert_eq!(server.only_request().uri().query(), Some("consistency=strong"));
}

#[tokio::test]
async fn record_is_saved_with_etag_concurrency_and_ttl() {
    let server = Server::with_response(204, &[], "").await;
    let options = WriteOptions::if_unchanged(Etag::new("7")).expiring_in(Duration::from_millis(1500));
    server.client().state("store").save_with("key", &json!({"n": 1}), &options).await.unwrap();
    let expected = json!([{
        "key": "key", "value": {"n": 1}, "etag": "7",
        "metadata": {"ttlInSeconds": "2"}, "options": {"concurrency": "first-write"},
    }]);
    assert_eq!(body_of(&server), expected);
}

#[tokio::test]
async fn etag_mismatch_is_a_conflict_with_daprs_message() {
    let body = r#"{"errorCode":"ERR_STATE_SAVE","message":"possible etag mismatch"}"#;
    let server = Server::with_response(409, &[], body).await;
    let error = server.client().state("store").save("key", &1).await.unwrap_err();
    assert!(error.is_conflict());
    assert_eq!(error.code(), Some("ERR_STATE_SAVE"));
}

#[tokio::test]
async fn record_is_deleted_with_its_etag() {
    let server = Server::with_response(204, &[], "").await;
    let options =
        WriteOptions { concurrency: Some(Concurrency::FirstWrite), ..WriteOptions::if_unchanged(Etag::new("7")) };
    server.client().state("store").delete("key", &options).await.unwrap();
    let request = server.only_request();
    assert_eq!((request.method(), request.uri().query()), (&Method::DELETE, Some("concurrency=first-write")));
    assert_eq!(request.headers()["if-match"], "7");
}

#[tokio::test]
async fn bulk_read_distinguishes_found_missing_and_failed() {
    let body = r#"[{"key":"a","data":5,"etag":"1"},{"key":"b"},{"key":"c","error":"broken"}]"#;
    let server = Server::with_response(200, &[], body).await;
    let items = server.client().state("store").get_all::<u8>(&["a", "b", "c"]).await.unwrap();
    assert_eq!(items[0].entry.as_ref().unwrap().as_ref().unwrap().value, 5);
    assert_eq!(items[1].entry, Ok(None));
    assert_eq!(items[2].entry, Err("broken".to_owned()));
    assert_eq!(body_of(&server), json!({"keys": ["a", "b", "c"]}));
}

#[tokio::test]
async fn transaction_keeps_the_order_of_operations() {
    let server = Server::with_response(204, &[], "").await;
    let none = WriteOptions::default();
    let operations = [Operation::upsert("a", &1, &none).unwrap(), Operation::delete("b", &none)];
    server.client().state("store").transaction(&operations).await.unwrap();
    let expected = json!({"operations": [
        {"operation": "upsert", "request": {"key": "a", "value": 1}},
        {"operation": "delete", "request": {"key": "b"}},
    ]});
    assert_eq!(body_of(&server), expected);
}

#[tokio::test]
async fn secret_is_found_under_its_own_name() {
    let server = Server::with_response(200, &[], r#"{"DB_URL:MYSQL":"mysql://u:p@h/d"}"#).await;
    let secret = server.client().secrets("local-store").get("DB_URL:MYSQL").await.unwrap().unwrap();
    assert_eq!(secret.reveal(), "mysql://u:p@h/d");
    assert_eq!(server.only_request().uri().path(), "/v1.0/secrets/local-store/DB_URL%3AMYSQL");
}

#[tokio::test]
async fn missing_secret_of_the_file_store_is_none() {
    let body = r#"{"errorCode":"ERR_SECRET_GET","message":"failed getting secret with key K from secret store S: secret K not found"}"#;
    let server = Server::with_response(500, &[], body).await;
    assert_eq!(server.client().secrets("S").get("K").await.unwrap(), None);
}

#[tokio::test]
async fn binding_sends_and_returns_data_and_metadata() {
    let server = Server::with_response(200, &[("metadata.rows-affected", "3")], "[]").await;
    let call = server.client();
    let call =
        call.binding("db").operation("exec").metadata("sql", "SELECT ?").json_metadata("params", &["a"]).data(&1);
    let answer = call.send().await.unwrap();
    assert_eq!(answer.metadata("rows-affected"), Some("3"));
    assert_eq!(&answer.data[..], b"[]");
    let expected = json!({"operation": "exec", "data": 1, "metadata": {"sql": "SELECT ?", "params": "[\"a\"]"}});
    assert_eq!(body_of(&server), expected);
}

#[tokio::test]
async fn error_of_the_invoked_service_is_a_response() {
    let server = Server::with_response(422, &[], "bad picture").await;
    let response = server.client().invoke("app", Method::POST, "a/b?c=d").body("x").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(&response.body()[..], b"bad picture");
    assert_eq!(server.only_request().uri(), "/v1.0/invoke/app/method/a/b?c=d");
}

#[tokio::test]
async fn unreachable_service_is_an_error() {
    let server =
        Server::with_response(500, &[], r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke"}"#).await;
    let error = server.client().invoke("app", Method::GET, "x").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ERR_DIRECT_INVOKE"));
}

#[tokio::test]
async fn metadata_lists_components_and_health_is_a_204() {
    let body =
        r#"{"id":"app","runtimeVersion":"1.18.3","components":[{"name":"s","type":"state.sqlite","version":"v1"}]}"#;
    let server = Server::with_response(200, &[], body).await;
    let metadata = server.client().metadata().await.unwrap();
    assert_eq!((metadata.id.as_str(), metadata.components[0].kind.as_str()), ("app", "state.sqlite"));
    assert!(Server::with_response(204, &[], "").await.client().health().await.is_ok());
    let error = Server::with_response(500, &[], r#"{"errorCode":"ERR_HEALTH_NOT_READY","message":"not ready"}"#).await;
    assert_eq!(error.client().outbound_health().await.unwrap_err().code(), Some("ERR_HEALTH_NOT_READY"));
}

#[tokio::test]
async fn token_and_trace_are_sent_with_every_call() {
    let server = Server::with_response(204, &[], "").await;
    let port = server.port.to_string();
    let lookup = |name: &str| match name {
        "DAPR_HTTP_PORT" => Some(port.clone()),
        "DAPR_API_TOKEN" => Some("hunter2".to_owned()),
        _ => None,
    };
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", "00-1-2-01".parse().unwrap());
    let dapr = Dapr::connect(Endpoint::from_lookup(lookup, 1).unwrap());
    dapr.with_trace(TraceContext::from_headers(&headers)).health().await.unwrap();
    let request = server.only_request();
    assert_eq!(request.headers()["dapr-api-token"], "hunter2");
    assert_eq!(request.headers()["traceparent"], "00-1-2-01");
    assert!(!format!("{dapr:?}").contains("hunter2"));
}

#[tokio::test]
async fn closed_port_is_unreachable() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = Dapr::connect(Endpoint::local(port)).health().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}
