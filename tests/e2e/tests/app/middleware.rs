//! Middleware in front of the Dapr API and of an application.

use base64::Engine as _;
use e2e::{free_ports, request};

use crate::http_app::HttpApp;

const RESOURCES: &str = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: alias}
spec: {type: middleware.http.routeralias, version: v1, metadata: [{name: routes, value: '{\"/who\":\"/v1.0/metadata\"}'}]}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: once}
spec: {type: middleware.http.ratelimit, version: v1, metadata: [{name: maxRequestsPerSecond, value: '0.001'}]}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: store}
spec: {type: state.in-memory, version: v1}
";

fn with_pipeline(handlers: &str) -> (tempfile::TempDir, u16, e2e::Process) {
    start(RESOURCES, handlers, &[])
}

/// Starts a daprlet with these components, this pipeline and additional files.
fn start(resources: &str, handlers: &str, files: &[(&str, &[u8])]) -> (tempfile::TempDir, u16, e2e::Process) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("components.yaml"), resources).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    std::fs::create_dir(folder.path().join("configuration")).unwrap();
    let configuration = format!("kind: Configuration\nspec: {{httpPipeline: {{handlers: [{handlers}]}}}}\n");
    std::fs::write(folder.path().join("configuration/c.yaml"), configuration).unwrap();
    let [port] = free_ports();
    let arguments =
        ["run", "--app-id", "a", "--dapr-http-port", &port.to_string(), "-d", ".", "-c", "configuration/c.yaml"];
    let daprlet = e2e::daprlet(folder.path(), &arguments.map(str::to_owned));
    (folder, port, daprlet)
}

#[test]
fn requests_pass_the_pipeline_and_health_does_not() {
    let pipeline = "{name: once, type: middleware.http.ratelimit}, {name: alias, type: middleware.http.routeralias}";
    let (_folder, port, daprlet) = with_pipeline(pipeline);
    let get = |path: &str| request("GET", &format!("http://127.0.0.1:{port}{path}")).send();
    daprlet.until(|| (get("/v1.0/healthz").status == 204).then_some(()));
    assert_eq!(get("/who").json()["id"], "a");
    let limited = get("/who");
    assert_eq!((limited.status, limited.text().as_str()), (429, "You have reached maximum request limit."));
    assert_eq!(get("/v1.0/healthz").status, 204);
}

#[test]
fn pipeline_that_cannot_be_served_ends_the_start() {
    for (handler, expected) in [
        ("{name: x, type: middleware.http.oauth2}", "is no middleware of daprlet"),
        ("{name: missing, type: middleware.http.uppercase}", "no component of this application has this name"),
        ("{name: alias, type: middleware.http.routeralias, selector: {}}", "selector: unknown field"),
    ] {
        let (_folder, _, daprlet) = with_pipeline(handler);
        assert_eq!(daprlet.wait().code(), Some(64), "{handler}");
        assert!(daprlet.said().contains(expected), "{handler}: {}", daprlet.said());
    }
}

#[test]
fn bearer_lets_only_valid_tokens_through() {
    const SECRET: &[u8] = b"a secret of thirty-two bytes....";
    let key = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(SECRET);
    let keys = format!(r#"{{"keys":[{{"kty":"oct","kid":"1","alg":"HS256","k":"{key}"}}]}}"#);
    let issuer = HttpApp::start(move |head| (if head.starts_with("GET /keys ") { 200 } else { 404 }, keys.clone()));
    let component = |keys: &str| {
        format!(
            "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {{name: tokens}}
spec:
  type: middleware.http.bearer
  version: v1
  metadata: [{{name: issuer, value: me}}, {{name: audience, value: you}}, {{name: jwksURL, value: 'http://127.0.0.1:{}/{keys}'}}]
",
            issuer.port
        )
    };
    let pipeline = "{name: tokens, type: middleware.http.bearer}";
    let (_folder, port, daprlet) = start(&component("keys"), pipeline, &[]);
    let get = |path: &str| request("GET", &format!("http://127.0.0.1:{port}{path}"));
    daprlet.until(|| (get("/v1.0/healthz").send().status == 204).then_some(()));
    let token = |audience: &str| {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        header.kid = Some("1".to_owned());
        let claims = serde_json::json!({"iss": "me", "aud": audience});
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET);
        format!("Bearer {}", jsonwebtoken::encode(&header, &claims, &key).unwrap())
    };
    let answer = get("/v1.0/metadata").send();
    assert_eq!((answer.status, answer.text().as_str()), (401, "Unauthorized"));
    assert_eq!(get("/v1.0/metadata").header("authorization", &token("others")).send().status, 401);
    assert_eq!(get("/v1.0/metadata").header("authorization", &token("you")).send().status, 200);

    let (_folder, _, daprlet) = start(&component("nothing"), pipeline, &[]);
    assert_ne!(daprlet.wait().code(), Some(0));
    assert!(daprlet.said().contains("status 404"), "{}", daprlet.said());
}

#[test]
fn wasm_middleware_runs_an_http_wasm_guest() {
    let guest = r#"(module
        (import "http_handler" "get_config" (func $get_config (param i32 i32) (result i32)))
        (import "http_handler" "set_uri" (func $set_uri (param i32 i32)))
        (memory (export "memory") 1)
        (func (export "handle_request") (result i64)
            (call $set_uri (i32.const 0) (call $get_config (i32.const 0) (i32.const 100)))
            (i64.const 1))
        (func (export "handle_response") (param i32 i32)))"#;
    let component = "apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: guest}
spec:
  type: middleware.http.wasm
  version: v1
  metadata: [{name: url, value: 'file://guest.wasm'}, {name: guestConfig, value: /v1.0/metadata}]
";
    let module = wat::parse_str(guest).unwrap();
    let (_folder, port, daprlet) =
        start(component, "{name: guest, type: middleware.http.wasm}", &[("guest.wasm", module.as_slice())]);
    let get = |path: &str| request("GET", &format!("http://127.0.0.1:{port}{path}")).send();
    daprlet.until(|| (get("/v1.0/healthz").status == 204).then_some(()));
    assert_eq!(get("/anything").json()["id"], "a");

    let (_folder, _, daprlet) = start(component, "{name: guest, type: middleware.http.wasm}", &[]);
    assert_ne!(daprlet.wait().code(), Some(0));
    assert!(daprlet.said().contains("guest.wasm"), "{}", daprlet.said());
}
