//! Dapr's HTTP API with the default, durable state store.

use e2e::{Deployment, Options, request};

#[test]
fn state_is_saved_read_and_deleted_with_etags() {
    let deployment = Deployment::start(&Options::default());
    let state = "/v1.0/state/statestore";
    let key = "/v1.0/state/statestore/a";
    assert_eq!(deployment.dapr("GET", key).send().status, 204);
    assert_eq!(deployment.dapr("POST", state).body(r#"[{"key":"a","value":"<b>"}]"#).send().status, 204);
    let found = deployment.dapr("GET", key).send();
    assert_eq!((found.status, found.text().as_str()), (200, r#""\u003cb\u003e""#));
    let etag = found.header("etag").to_owned();
    let stale = deployment.dapr("POST", state).body(r#"[{"key":"a","value":1,"etag":"stale"}]"#).send();
    assert_eq!((stale.status, stale.json()["errorCode"].as_str()), (409, Some("ERR_STATE_SAVE")));
    assert_eq!(deployment.dapr("DELETE", key).header("If-Match", "stale").send().status, 409);
    assert_eq!(deployment.dapr("DELETE", key).header("If-Match", &etag).send().status, 204);
    assert_eq!(deployment.dapr("GET", key).send().status, 204);
}

#[test]
fn errors_have_daprs_codes_and_details() {
    let deployment = Deployment::start(&Options::default());
    let missing = deployment.dapr("GET", "/v1.0/state/nowhere/a").send();
    let expected = concat!(
        r#"{"errorCode":"ERR_STATE_STORE_NOT_FOUND","message":"state store nowhere is not found","#,
        r#""details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"dapr.io","#,
        r#""metadata":{"appID":"image-api-grayscale"},"reason":"DAPR_STATE_NOT_FOUND"}]}"#,
    );
    assert_eq!((missing.status, missing.text().as_str()), (400, expected));
    let secret = deployment.dapr("GET", "/v1.0/secrets/nowhere/a").send();
    assert_eq!((secret.status, secret.json()["errorCode"].as_str()), (401, Some("ERR_SECRET_STORE_NOT_FOUND")));
    let none = deployment.dapr("POST", "/foo").send();
    assert_eq!((none.status, none.json()["errorCode"].as_str()), (404, Some("ERR_DIRECT_INVOKE")));
    let malformed = deployment.dapr("POST", "/v1.0/state/statestore").body("{").send();
    assert_eq!((malformed.status, malformed.json()["errorCode"].as_str()), (400, Some("ERR_MALFORMED_REQUEST")));
}

#[test]
fn transaction_is_atomic() {
    let deployment = Deployment::start(&Options::default());
    let path = "/v1.0/state/statestore/transaction";
    let good = r#"{"operations":[{"operation":"upsert","request":{"key":"x","value":1}},
                                 {"operation":"upsert","request":{"key":"y","value":2}}]}"#;
    assert_eq!(deployment.dapr("POST", path).body(good).send().status, 204);
    let bad = r#"{"operations":[{"operation":"delete","request":{"key":"x"}},
                                {"operation":"upsert","request":{"key":"y","value":3,"etag":"stale"}}]}"#;
    let refused = deployment.dapr("POST", path).body(bad).send();
    assert_eq!((refused.status, refused.json()["errorCode"].as_str()), (500, Some("ERR_STATE_TRANSACTION")));
    let keys = r#"{"keys":["x","y","z"]}"#;
    let found = deployment.dapr("POST", "/v1.0/state/statestore/bulk").body(keys).send().json();
    assert_eq!((&found[0]["data"], &found[1]["data"]), (&1.into(), &2.into()));
    assert_eq!(found[2], serde_json::json!({ "key": "z" }));
}

#[test]
fn api_token_is_required_except_for_health_probes() {
    let deployment = Deployment::start(&Options::default());
    // The token comes from the environment, so this test needs its own process.
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut guarded = std::process::Command::new(e2e::program())
        .args(["run", "--app-id", "a", "--dapr-http-port", &port])
        .env("DAPR_API_TOKEN", "opens")
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    let ask = |path: &str| request("GET", &format!("http://127.0.0.1:{port}{path}"));
    deployment.daprlet.until(|| (ask("/v1.0/healthz").send().status == 204).then_some(()));
    assert_eq!(ask("/v1.0/metadata").send().status, 401);
    assert_eq!(ask("/v1.0/metadata").header("dapr-api-token", "wrong").send().text(), "invalid api token\n");
    assert_eq!(ask("/v1.0/metadata").header("dapr-api-token", "opens").send().status, 200);
    guarded.kill().unwrap();
    guarded.wait().unwrap();
}

#[test]
fn shutdown_call_ends_its_app_and_the_last_the_process() {
    let deployment = Deployment::start(&Options::default());
    let dapr = |port: u16, path: &str| request("POST", &format!("http://127.0.0.1:{port}{path}"));
    let [first, others @ ..] = deployment.ports.dapr();
    let from_a_page = dapr(first, "/v1.0/shutdown").header("origin", "http://elsewhere.example").send();
    assert_eq!((from_a_page.status, from_a_page.json()["errorCode"].as_str()), (403, Some("ERR_ORIGIN_NOT_ALLOWED")));
    assert_eq!(dapr(first, "/v1.0/shutdown").send().status, 204);
    deployment.daprlet.until(|| deployment.daprlet.said().contains("application ended").then_some(()));
    assert_eq!(dapr(first, "/v1.0/shutdown").send().status, 0);
    assert_eq!(deployment.grayscale("GET", "/").send().status, 0);
    assert_eq!(deployment.events("GET", "/").send().status, 200);
    assert!(deployment.daprlet.said().contains("peer=127.0.0.1:"), "{}", deployment.daprlet.said());
    for port in others {
        assert!(!deployment.daprlet.has_ended());
        assert_eq!(dapr(port, "/v1.0/shutdown").send().status, 204);
    }
    assert_eq!(deployment.daprlet.wait().code(), Some(0));
}
