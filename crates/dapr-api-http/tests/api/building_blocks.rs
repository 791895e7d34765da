use dapr_api_http::{ApiToken, Options};
use dapr_resources::configuration::{ApiAccess, ApiRule};

use crate::support::{api, api_with};

#[tokio::test]
async fn secrets_are_returned_within_their_scopes() {
    let api = api_with(Options::default(), &[("env", "secretstores.local.env", &[])]).await;
    assert_eq!(api.call("GET", "/v1.0/secrets/env/SHOWN", "").await.body, "{\"SHOWN\":\"1\"}\n");
    let denied = api.call("GET", "/v1.0/secrets/env/HIDDEN", "").await;
    assert_eq!((denied.status, denied.code().as_str()), (403, "ERR_PERMISSION_DENIED"));
    assert!(denied.body.contains(r#"access denied by policy to get \"HIDDEN\" from \"env\""#), "{}", denied.body);
    assert_eq!(api.call("GET", "/v1.0/secrets/env/bulk", "").await.body, "{\"SHOWN\":{\"SHOWN\":\"1\"}}\n");
    let unknown = api.call("GET", "/v1.0/secrets/nowhere/x", "").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (401, "ERR_SECRET_STORE_NOT_FOUND"));
    let none = api_with(Options::default(), &[]).await.call("GET", "/v1.0/secrets/s/x", "").await;
    assert_eq!((none.status, none.code().as_str()), (500, "ERR_SECRET_STORES_NOT_CONFIGURED"));
}

#[tokio::test]
async fn missing_binding_or_operation_is_an_error() {
    let api = api().await;
    let missing = api.call("POST", "/v1.0/bindings/b", r#"{"operation":"create","data":1}"#).await;
    let expected = r#"{"errorCode":"ERR_INVOKE_OUTPUT_BINDING","message":"error invoking output binding b: couldn't find output binding b"}"#;
    assert_eq!((missing.status, missing.body.as_str()), (500, expected));
    let nothing = api.call("POST", "/v1.0/bindings/b", "{}").await;
    assert!(nothing.body.contains("operation field is missing from request"), "{}", nothing.body);
    assert_eq!(api.call("POST", "/v1.0/bindings/b", "[").await.status, 400);
}

#[tokio::test]
async fn metadata_lists_components_and_keeps_attributes() {
    let api = api().await;
    assert_eq!(api.call("PUT", "/v1.0/metadata/mine", "yes").await.status, 204);
    let metadata: serde_json::Value = serde_json::from_str(&api.call("GET", "/v1.0/metadata", "").await.body).unwrap();
    assert_eq!(metadata["id"], "app");
    assert_eq!(metadata["extended"]["mine"], "yes");
    assert_eq!(
        (&metadata["components"][0]["name"], &metadata["components"][0]["type"]),
        (&"store".into(), &"state.in-memory".into())
    );
    let capabilities = metadata["components"][0]["capabilities"].as_array().unwrap();
    assert!(capabilities.contains(&"ACTOR".into()) && capabilities.contains(&"TTL".into()), "{capabilities:?}");
    assert_eq!(metadata["appConnectionProperties"]["port"], 80);
}

#[tokio::test]
async fn health_needs_components_and_application() {
    let api = api().await;
    let unready = api.call("GET", "/v1.0/healthz", "").await;
    assert_eq!((unready.status, unready.code().as_str()), (500, "ERR_HEALTH_NOT_READY"));
    let outbound = api.call("GET", "/v1.0/healthz/outbound", "").await;
    assert_eq!((outbound.status, outbound.code().as_str()), (500, "ERR_OUTBOUND_HEALTH_NOT_READY"));
    api.sidecar.health().components_are_ready(true);
    assert_eq!(api.call("GET", "/v1.0/healthz/outbound", "").await.status, 204);
    assert_eq!(api.call("GET", "/v1.0/healthz", "").await.status, 500);
    api.sidecar.health().application_is_ready(true);
    assert_eq!(api.call("GET", "/v1.0/healthz/?appid=app", "").await.status, 204);
    let other = api.call("GET", "/v1.0/healthz?appid=other", "").await;
    assert_eq!((other.status, other.code().as_str()), (500, "ERR_HEALTH_APPID_NOT_MATCH"));
    assert!(!api.shutdown.is_cancelled());
    assert_eq!(api.call("POST", "/v1.0/shutdown", "").await.status, 204);
    assert!(api.shutdown.is_cancelled());
}

#[tokio::test]
async fn api_token_is_required_except_for_probes() {
    let options = Options { token: ApiToken::new("opens".into()), ..Options::default() };
    let api = api_with(options, &[]).await;
    let refused = api.call("GET", "/v1.0/metadata", "").await;
    assert_eq!((refused.status, refused.body.as_str()), (401, "invalid api token\n"));
    assert_eq!(api.call("GET", "/v1.0/healthz", "").await.status, 500);
    let shown = [("dapr-api-token", "opens")];
    let response = api.call_with("GET", "/v1.0/invoke/echo/method/x", &shown, "").await;
    assert!(response.body.starts_with("GET /x\n") && !response.body.contains("opens"), "{}", response.body);
}

#[tokio::test]
async fn disallowed_endpoints_are_not_found() {
    let rule = |name: &str| ApiRule { name: name.into(), version: "v1".into() };
    let access = ApiAccess { allowed: vec![rule("state")], denied: Vec::new() };
    let api = api_with(Options { access, ..Options::default() }, &[("store", "state.in-memory", &[])]).await;
    assert_eq!(api.call("GET", "/v1.0/state/store/k", "").await.status, 204);
    for path in ["/v1.0/metadata", "/v1.0/invoke/echo/method/x"] {
        // Without invocation there is nothing to fall through to.
        let response = api.call("GET", path, "").await;
        assert_eq!((response.status, response.body.as_str()), (404, "404 page not found\n"), "{path}");
    }
    assert_eq!(api.call("GET", "/v1.0/healthz", "").await.status, 500);
}
