//! Tests of http-wasm guests in a pipeline: allowed changes, and hostile modules.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dapr_building_blocks::HttpMiddleware;
use dapr_building_blocks::middleware::{Body, Pipeline, full_body};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use http_wasm::{HttpWasm, Options};

/// Imports and texts of the test guests.
const IMPORTS: &str = r#"
(import "http_handler" "enable_features" (func $enable_features (param i32) (result i32)))
(import "http_handler" "get_config" (func $get_config (param i32 i32) (result i32)))
(import "http_handler" "get_uri" (func $get_uri (param i32 i32) (result i32)))
(import "http_handler" "set_uri" (func $set_uri (param i32 i32)))
(import "http_handler" "set_method" (func $set_method (param i32 i32)))
(import "http_handler" "get_source_addr" (func $get_source_addr (param i32 i32) (result i32)))
(import "http_handler" "get_header_names" (func $get_header_names (param i32 i32 i32) (result i64)))
(import "http_handler" "get_header_values" (func $get_header_values (param i32 i32 i32 i32 i32) (result i64)))
(import "http_handler" "set_header_value" (func $set_header_value (param i32 i32 i32 i32 i32)))
(import "http_handler" "add_header_value" (func $add_header_value (param i32 i32 i32 i32 i32)))
(import "http_handler" "remove_header" (func $remove_header (param i32 i32 i32)))
(import "http_handler" "read_body" (func $read_body (param i32 i32 i32) (result i64)))
(import "http_handler" "write_body" (func $write_body (param i32 i32 i32)))
(import "http_handler" "set_status_code" (func $set_status_code (param i32)))
(import "http_handler" "get_status_code" (func $get_status_code (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
(memory (export "memory") 1)
(data (i32.const 0) "/otherPUTaccept12")
"#;
const BUFFER_REQUEST: u32 = 1;
const BUFFER_RESPONSE: u32 = 2;

fn module(features: u32, request: &str, response: &str) -> Vec<u8> {
    let text = format!(
        r#"(module {IMPORTS}
        (func (export "_start") (drop (call $enable_features (i32.const {features}))))
        (func (export "handle_request") (result i64) {request})
        (func (export "handle_response") (param $context i32) (param $is_error i32) {response}))"#
    );
    wat::parse_str(text).unwrap()
}

async fn load(module: Vec<u8>, guest_config: &str) -> HttpWasm {
    let call_timeout = Duration::from_millis(500);
    let options = Options { guest_config: guest_config.to_owned(), call_timeout, ..Options::default() };
    HttpWasm::new(module, options).await.unwrap()
}

/// Request received by the endpoint.
#[derive(Debug, PartialEq, Eq)]
struct ReceivedRequest {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: String,
}

async fn text(body: Body) -> String {
    String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// Posts "hello" through the guest; the endpoint responds with 202 "world".
async fn post(guest: Arc<HttpWasm>) -> (Option<ReceivedRequest>, StatusCode, HeaderMap, String) {
    let request = Request::post("/path?a=1").header("accept", "text/plain").body(full_body("hello")).unwrap();
    let seen = Mutex::new(None);
    let endpoint = async |request: Request<Body>| {
        let (head, body) = request.into_parts();
        let body = text(body).await;
        *seen.lock().unwrap() =
            Some(ReceivedRequest { method: head.method, target: head.uri.to_string(), headers: head.headers, body });
        Response::builder().status(202).header("content-length", "5").body(full_body("world")).unwrap()
    };
    let response = Pipeline::new(vec![guest as Arc<dyn HttpMiddleware>]).run(request, endpoint).await;
    let (head, body) = response.into_parts();
    (seen.into_inner().unwrap(), head.status, head.headers, text(body).await)
}

async fn post_through(
    features: u32,
    request: &str,
    response: &str,
) -> (Option<ReceivedRequest>, StatusCode, HeaderMap, String) {
    post(Arc::new(load(module(features, request, response), "configured").await)).await
}

const PASS: &str = "(i64.const 1)";

#[tokio::test]
async fn request_and_response_pass_unchanged() {
    let (seen, status, headers, body) = post_through(0, PASS, "").await;
    let seen = seen.unwrap();
    assert_eq!((seen.method, seen.target.as_str(), seen.body.as_str()), (Method::POST, "/path?a=1", "hello"));
    assert_eq!((status.as_u16(), headers["content-length"].to_str().unwrap(), body.as_str()), (202, "5", "world"));
}

#[tokio::test]
async fn guest_responds_itself() {
    let request = "(call $set_status_code (i32.const 401))
        (call $add_header_value (i32.const 1) (i32.const 9) (i32.const 6) (i32.const 15) (i32.const 1))
        (call $add_header_value (i32.const 1) (i32.const 9) (i32.const 6) (i32.const 16) (i32.const 1))
        (drop (call $get_config (i32.const 100) (i32.const 100)))
        (call $write_body (i32.const 1) (i32.const 100) (i32.const 10))
        (i64.const 0)";
    let (seen, status, headers, body) = post_through(0, request, "unreachable").await;
    assert!(seen.is_none());
    assert_eq!((status.as_u16(), body.as_str()), (401, "configured"));
    assert_eq!(headers.get_all("accept").iter().collect::<Vec<_>>(), ["1", "2"]);
}

#[tokio::test]
async fn guest_changes_the_request() {
    let request = "(call $set_method (i32.const 6) (i32.const 3))
        (call $set_uri (i32.const 0) (i32.const 6))
        (call $set_header_value (i32.const 0) (i32.const 9) (i32.const 6) (i32.const 15) (i32.const 2))
        (call $write_body (i32.const 0) (i32.const 0) (i32.const 6))
        (i64.const 1)";
    let seen = post_through(0, request, "").await.0.unwrap();
    assert_eq!((seen.method, seen.target.as_str(), seen.body.as_str()), (Method::PUT, "/other", "/other"));
    assert_eq!(seen.headers.get_all("accept").iter().collect::<Vec<_>>(), ["12"]);
}

#[tokio::test]
async fn read_body_is_passed_on_if_buffered() {
    let request = "(drop (call $read_body (i32.const 0) (i32.const 100) (i32.const 3))) (i64.const 1)";
    assert_eq!(post_through(BUFFER_REQUEST, request, "").await.0.unwrap().body, "hello");
    assert_eq!(post_through(0, request, "").await.0.unwrap().body, "lo");
}

#[tokio::test]
async fn guest_changes_a_buffered_response() {
    // The status is incremented, the body is replaced with a part of what was read, and the last piece is flagged.
    let response = "(call $set_status_code (i32.add (call $get_status_code) (i32.const 1)))
        (if (i64.ne (call $read_body (i32.const 1) (i32.const 100) (i32.const 4)) (i64.const 4)) (then unreachable))
        (if (i64.ne (call $read_body (i32.const 1) (i32.const 104) (i32.const 4)) (i64.const 0x1_0000_0001))
            (then unreachable))
        (call $write_body (i32.const 1) (i32.const 101) (i32.const 3))";
    let (_, status, headers, body) = post_through(BUFFER_RESPONSE, PASS, response).await;
    assert_eq!((status.as_u16(), body.as_str()), (203, "orl"));
    assert!(!headers.contains_key("content-length"));
}

#[tokio::test]
async fn unbuffered_response_cannot_be_changed() {
    let (_, status, _, body) = post_through(0, PASS, "(call $set_status_code (i32.const 500))").await;
    assert_eq!((status.as_u16(), body.as_str()), (202, "world"));
}

#[tokio::test]
async fn lists_and_texts_report_length_if_buffer_is_too_small() {
    // The list of names is "accept\0"; nothing is written if it does not fit.
    let request =
        "(if (i64.ne (call $get_header_names (i32.const 0) (i32.const 100) (i32.const 6)) (i64.const 0x1_0000_0007))
            (then unreachable))
        (if (i32.load8_u (i32.const 100)) (then unreachable))
        (drop (call $get_header_values (i32.const 0) (i32.const 9) (i32.const 6) (i32.const 100) (i32.const 50)))
        (if (i32.ne (call $get_uri (i32.const 200) (i32.const 3)) (i32.const 9)) (then unreachable))
        (if (i32.load8_u (i32.const 200)) (then unreachable))
        (call $write_body (i32.const 1) (i32.const 100) (i32.const 11))
        (i64.const 0)";
    assert_eq!(post_through(0, request, "").await.3, "text/plain\0");
}

#[tokio::test]
async fn failing_guest_only_fails_its_request() {
    // Traps unless the URI is the one that a previous request set.
    let request = "(drop (call $get_uri (i32.const 100) (i32.const 100)))
        (if (i32.eq (i32.load8_u (i32.const 101)) (i32.const 112)) (then unreachable))
        (i64.const 1)";
    let guest = Arc::new(load(module(0, request, ""), "").await);
    for _ in 0..3 {
        let (seen, status, _, body) = post(guest.clone()).await;
        assert_eq!((seen, status.as_u16(), body.as_str()), (None, 500, "Internal Server Error"));
    }
}

#[tokio::test]
async fn hostile_arguments_fail_the_request() {
    for request in [
        "(call $set_uri (i32.const 65530) (i32.const 100))",
        "(call $set_uri (i32.const -1) (i32.const -1))",
        "(call $set_uri (i32.const 1) (i32.const 5))",
        "(call $set_method (i32.const 0) (i32.const 0))",
        "(call $set_status_code (i32.const 100))",
        "(call $set_status_code (i32.const 70000))",
        "(call $write_body (i32.const 7) (i32.const 0) (i32.const 1))",
        "(call $remove_header (i32.const 2) (i32.const 9) (i32.const 6))",
        "(call $remove_header (i32.const 0) (i32.const 0) (i32.const 0))",
        "(drop (call $get_header_names (i32.const 9) (i32.const 0) (i32.const 0)))",
        "(drop (call $read_body (i32.const 0) (i32.const 65535) (i32.const 100)))",
        "(drop (call $read_body (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(loop (call $write_body (i32.const 1) (i32.const 0) (i32.const 65536)) (br 0))",
        "(loop (call $add_header_value (i32.const 1) (i32.const 9) (i32.const 6) (i32.const 0) (i32.const 9)) (br 0))",
        "(loop (br 0))",
    ] {
        let (seen, status, ..) = post_through(0, &format!("{request} (i64.const 1)"), "").await;
        assert_eq!((seen, status.as_u16()), (None, 500), "{request}");
    }
}

#[tokio::test]
async fn strict_sandbox_clocks_only_count() {
    let request = "(drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 104)))
        (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 112)))
        (call $write_body (i32.const 1) (i32.const 104) (i32.const 16)) (i64.const 0)";
    let options = Options { strict_sandbox: true, ..Options::default() };
    let guest = HttpWasm::new(module(0, request, ""), options).await.unwrap();
    let body = post(Arc::new(guest)).await.3.into_bytes();
    let times: Vec<u64> = body.chunks(8).map(|time| u64::from_le_bytes(time.try_into().unwrap())).collect();
    assert_eq!(times[1] - times[0], 1_000_000);
}

#[tokio::test]
async fn unsuitable_modules_are_rejected() {
    let with = |text: &str| wat::parse_str(text).unwrap();
    for (module, expected) in [
        (b"rubbish".to_vec(), "not a Wasm module"),
        (with("(component)"), "a component of the component model"),
        (with("(module)"), "memory"),
        (with("(module (memory (export \"memory\") 1))"), "handle_request"),
        (with("(module (import \"env\" \"f\" (func)))"), "env"),
        (with("(module (memory (export \"memory\") 1) (func $s unreachable) (start $s))"), "unreachable"),
        (with("(module (memory 10000))"), "memory"),
    ] {
        let error = HttpWasm::new(module, Options::default()).await.err().unwrap();
        assert!(error.contains(expected), "{error}");
    }
}
