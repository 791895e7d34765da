use dapr_api_http::Options;

use crate::support::{ComponentDef, api, api_with};

const STORE: &str = "/v1.0/state/store";

#[tokio::test]
async fn value_is_returned_as_dapr_stores_it() {
    let api = api().await;
    let body = r#"[{"KEY": "k", "value": {"b": 9007199254740993, "a": "<"}, "unknown": 1}]"#;
    assert_eq!(api.call("PUT", STORE, body).await.status, 204);
    let found = api.call("GET", "/v1.0/state/store/k?consistency=strong", "").await;
    assert_eq!((found.status, found.body.as_str()), (200, r#"{"a":"\u003c","b":9007199254740992}"#));
    assert_eq!(found.headers["content-type"], "application/json");
    assert!(!found.headers["etag"].to_str().unwrap().contains('"'));
}

#[tokio::test]
async fn malformed_requests_have_distinct_errors() {
    let api = api().await;
    for (body, message) in [
        ("[]", ""),
        ("null", ""),
        (r#"[{"value":1}]"#, r#""key" is a required field"#),
        (r#"[{"key":"k","etag":123}]"#, "cannot unmarshal number into Go struct field SetRequest.etag of type string"),
        (r#"{"key":"k"}"#, "cannot unmarshal object into Go value of type []state.SetRequest"),
    ] {
        let response = api.call("POST", STORE, body).await;
        if message.is_empty() {
            assert_eq!(response.status, 204, "{body}");
        } else {
            assert_eq!((response.status, response.code().as_str()), (400, "ERR_MALFORMED_REQUEST"), "{body}");
            let unescaped = response.body.replace("\\\"", "\"");
            assert!(unescaped.contains(message), "{body}: {}", response.body);
        }
    }
    let option = api.call("POST", STORE, r#"[{"key":"k","options":{"concurrency":"x"}}]"#).await;
    assert_eq!((option.status, option.code().as_str()), (500, "ERR_STATE_SAVE"));
    assert!(option.body.contains("unrecognized concurrency model 'x'"), "{}", option.body);
}

#[tokio::test]
async fn first_write_and_wrong_etags_are_conflicts() {
    let api = api().await;
    let first = r#"[{"key":"k","value":1,"options":{"concurrency":"first-write"}}]"#;
    assert_eq!(api.call("POST", STORE, first).await.status, 204);
    let second = api.call("POST", STORE, first).await;
    assert_eq!((second.status, second.code().as_str()), (409, "ERR_STATE_SAVE"));
    let expected = "failed saving state in state store store: possible etag mismatch. error from state store: ";
    assert!(second.body.contains(expected), "{}", second.body);
    let deleted = api.call_with("DELETE", "/v1.0/state/store/k", &[("if-match", "wrong")], "").await;
    assert_eq!((deleted.status, deleted.code().as_str()), (409, "ERR_STATE_DELETE"));
    assert_eq!(api.call("DELETE", "/v1.0/state/store/k", "").await.status, 204);
    assert_eq!(api.call("DELETE", "/v1.0/state/store/k", "").await.status, 204);
}

#[tokio::test]
async fn ttl_is_metadata_and_query_string_overrides_it() {
    let api = api().await;
    let body = r#"[{"key":"k","value":1,"metadata":{"ttlInSeconds":"-1"}}]"#;
    assert_eq!(api.call("POST", "/v1.0/state/store?metadata.ttlInSeconds=100", body).await.status, 204);
    let found = api.call("GET", "/v1.0/state/store/k", "").await;
    assert!(found.headers["metadata.ttlexpiretime"].to_str().unwrap().ends_with('Z'), "{:?}", found.headers);
    let bad = api.call("POST", "/v1.0/state/store?metadata.ttlInSeconds=soon", body).await;
    assert_eq!((bad.status, bad.code().as_str()), (500, "ERR_STATE_SAVE"));
}

#[tokio::test]
async fn illegal_key_error_has_three_details() {
    let api = api().await;
    let response = api.call("GET", "/v1.0/state/store/a%7C%7Cb", "").await;
    assert_eq!((response.status, response.code().as_str()), (400, "ERR_MALFORMED_REQUEST"));
    assert!(response.body.contains("input key/keyPrefix 'a||b' can't contain '||'"), "{}", response.body);
    assert_eq!(response.body.matches("@type").count(), 3, "{}", response.body);
    assert!(response.body.contains("DAPR_STATE_ILLEGAL_KEY"), "{}", response.body);
}

#[tokio::test]
async fn bulk_read_keeps_order_and_ends_with_newline() {
    let api = api().await;
    let saved = api.call("POST", STORE, r#"[{"key":"a","value":[1, "x"]},{"key":"b","value":null}]"#).await;
    assert_eq!(saved.status, 204);
    let found = api.call("POST", "/v1.0/state/store/bulk", r#"{"keys":["c","a"],"parallelism":2}"#).await;
    let start = r#"[{"key":"c"},{"key":"a","data":[1,"x"],"etag":""#;
    assert!(found.body.starts_with(start) && found.body.ends_with("}]\n"), "{}", found.body);
    assert_eq!(api.call("POST", "/v1.0/state/store/bulk", r#"{"keys":[]}"#).await.body, "[]\n");
    let malformed = api.call("POST", "/v1.0/state/store/bulk", "x").await;
    assert!(malformed.body.contains("failed deserializing HTTP body: "), "{}", malformed.body);
}

#[tokio::test]
async fn transaction_errors_are_400_for_unknown_operation_else_500() {
    let api = api().await;
    let path = "/v1.0/state/store/transaction";
    let unknown = api.call("POST", path, r#"{"operations":[{"operation":"x","request":{}}]}"#).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (400, "ERR_NOT_SUPPORTED_STATE_OPERATION"));
    let stale = r#"{"operations":[{"operation":"delete","request":{"key":"k","etag":"1"}}]}"#;
    let stale = api.call("POST", path, stale).await;
    assert_eq!((stale.status, stale.code().as_str()), (500, "ERR_STATE_TRANSACTION"));
    assert_eq!(api.call("POST", path, r#"{"operations":[]}"#).await.status, 204);
}

#[tokio::test]
async fn no_store_and_no_such_store_differ() {
    let none = api_with(Options::default(), &[]).await.call("GET", "/v1.0/state/s/k", "").await;
    assert_eq!((none.status, none.code().as_str()), (500, "ERR_STATE_STORE_NOT_CONFIGURED"));
    let missing = api().await.call("POST", "/v1.0/state/s", "not even JSON").await;
    assert_eq!((missing.status, missing.code().as_str()), (400, "ERR_STATE_STORE_NOT_FOUND"));
    let query = api().await.call("POST", "/v1.0-alpha1/state/store/query", "{}").await;
    assert_eq!((query.status, query.code().as_str()), (500, "ERR_STATE_STORE_NOT_SUPPORTED"));
}

#[tokio::test]
async fn key_prefix_none_shares_keys() {
    let stores: [ComponentDef; 2] =
        [("store", "state.in-memory", &[("keyPrefix", "none")]), ("bad", "state.in-memory", &[])];
    let api = api_with(Options::default(), &stores).await;
    assert_eq!(api.call("POST", STORE, r#"[{"key":"k","value":1}]"#).await.status, 204);
    assert_eq!(api.call("GET", "/v1.0/state/store/k", "").await.body, "1");
}

#[tokio::test]
async fn ttl_is_as_long_as_gos_int64() {
    let api = api().await;
    for (ttl, status) in [("99999999999", 204), ("9223372036854775807", 204), ("9223372036854775808", 500)] {
        let item = format!(r#"[{{"key":"{ttl}","value":1,"metadata":{{"ttlInSeconds":"{ttl}"}}}}]"#);
        assert_eq!(api.call("POST", STORE, &item).await.status, status, "{ttl}");
        assert_eq!(api.call("GET", &format!("{STORE}/{ttl}"), "").await.status, if status == 204 { 200 } else { 204 });
    }
}

#[tokio::test]
async fn body_over_the_limit_is_rejected() {
    let options = Options { max_body_size: 100, ..Options::default() };
    let api = api_with(options, &[("store", "state.in-memory", &[])]).await;
    let large = format!(r#"[{{"key":"k","value":"{}"}}]"#, "x".repeat(200));
    let response = api.call("POST", STORE, &large).await;
    assert_eq!((response.status, response.code().as_str()), (400, "ERR_MALFORMED_REQUEST"));
    assert!(response.body.contains("stream too large"), "{}", response.body);
    let invoked = api.call("POST", "/v1.0/invoke/echo/method/x", &large).await;
    assert_eq!((invoked.status, invoked.code().as_str()), (500, "ERR_DIRECT_INVOKE"));
}

#[tokio::test]
async fn bulk_read_over_the_limit_has_item_errors() {
    let api = api().await;
    let value = "x".repeat(3 << 20);
    let saved = api.call("POST", STORE, &format!(r#"[{{"key":"big","value":"{value}"}}]"#)).await;
    assert_eq!(saved.status, 204);
    let keys = serde_json::json!({ "keys": vec!["big"; 400] }).to_string();
    let found = api.call("POST", "/v1.0/state/store/bulk", &keys).await;
    let items: Vec<serde_json::Value> = serde_json::from_str(&found.body).unwrap();
    let errors = items.iter().filter_map(|item| item["error"].as_str());
    assert!(errors.clone().all(|error| error.contains("more than 64 MiB; ask for fewer keys")));
    assert_eq!((items.len(), errors.count()), (400, 400 - 21));
}
