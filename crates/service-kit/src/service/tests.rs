//! The shared layers around a small service.

use std::net::IpAddr;
use std::sync::Mutex;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Query;
use axum::response::Response;
use axum::routing::post;
use http::{Request, StatusCode};
use serde::Deserialize;
use tower::ServiceExt as _;

use super::*;
use crate::events::Round;
use crate::{ClientAddress, Endpoint, Environment, Peer};

const DESCRIPTION: Description =
    Description { name: "scales", about: "Weighs", endpoints: &[Endpoint::post("/weigh", "weighs a body")] };

const USER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

#[derive(Deserialize)]
struct Unit {
    gram: u32,
}

async fn weigh(body: Bytes) -> String {
    body.len().to_string()
}

fn router(variables: &[(&str, &str)], log: Arc<Lines>) -> Router {
    let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let settings = EdgeSettings::read(&mut Environment::new(&lookup), 0, 1000);
    let routes = Router::new()
        .route("/weigh", post(weigh).get(async || "weigh"))
        .route("/unit", get(async |Query(unit): Query<Unit>| unit.gram.to_string()))
        .route("/who", get(async |ClientAddress(user): ClientAddress| user.to_string()))
        .route("/idle", post(async || Round::default()))
        .route("/busy", post(async || Round { delivered: 1, ..Round::default() }));
    Service::new(DESCRIPTION, settings, routes).with_log(log).into_router()
}

async fn send(router: &Router, request: http::request::Builder) -> Response {
    let request = request.extension(Peer(USER)).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn ask(request: http::request::Builder) -> Response {
    send(&router(&[], Arc::default()), request).await
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn description_lists_common_and_own_endpoints() {
    let response = ask(Request::get("/")).await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let expected = concat!(
        r#"{"about":"Weighs","endpoints":[{"about":"describes this service","method":"GET","path":"/"},"#,
        r#"{"about":"says whether this service can do its work, and what is missing","method":"GET","path":"/healthz"},"#,
        r#"{"about":"weighs a body","method":"POST","path":"/weigh"}],"name":"scales","version":"0.1.0"}"#,
    );
    assert_eq!(text(response).await, expected);
}

#[tokio::test]
async fn wrong_method_and_unknown_path_are_problems() {
    let wrong = ask(Request::delete("/weigh")).await;
    assert_eq!((wrong.status(), wrong.headers()["content-type"].as_bytes()), (StatusCode::METHOD_NOT_ALLOWED, PROBLEM));
    assert_eq!(wrong.headers()["allow"], "POST, GET, HEAD, OPTIONS");
    let unknown = ask(Request::get("/nothing")).await;
    assert_eq!((unknown.status(), unknown.headers()["content-type"].as_bytes()), (StatusCode::NOT_FOUND, PROBLEM));
}

const PROBLEM: &[u8] = b"application/problem+json";

#[tokio::test]
async fn head_announces_the_length_and_sends_nothing() {
    let head = ask(Request::head("/weigh")).await;
    assert_eq!((head.status(), &head.headers()["content-length"]), (StatusCode::OK, &"5".parse().unwrap()));
    assert_eq!(text(head).await, "");
}

#[tokio::test]
async fn dapr_probe_sees_which_paths_exist() {
    let probe = ask(Request::options("/idle")).await;
    assert_eq!(
        (probe.status(), &probe.headers()["allow"]),
        (StatusCode::NO_CONTENT, &"POST, OPTIONS".parse().unwrap())
    );
    assert_eq!(ask(Request::options("/nothing")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn preflight_allows_method_and_headers() {
    let preflight = Request::options("/weigh").header("origin", "https://a.example");
    let preflight = preflight.header("access-control-request-method", "POST");
    let response = ask(preflight.header("access-control-request-headers", "x")).await;
    assert!(response.status().is_success());
    for (name, value) in [("origin", "*"), ("methods", "POST"), ("headers", "x")] {
        assert_eq!(response.headers()[format!("access-control-allow-{name}")], value);
    }
    assert_eq!(response.headers()["access-control-max-age"], "600");
}

#[tokio::test]
async fn only_listed_origins_may_read_responses() {
    let router = router(&[("ALLOWED_ORIGINS", "https://a.example, http://localhost:8080")], Arc::default());
    let allowed = send(&router, Request::get("/").header("origin", "http://localhost:8080")).await;
    assert_eq!(allowed.headers()["access-control-allow-origin"], "http://localhost:8080");
    assert_eq!(allowed.headers()["vary"], "origin");
    let other = send(&router, Request::get("/").header("origin", "https://b.example")).await;
    assert_eq!(other.headers().get("access-control-allow-origin"), None);
    let error = ask(Request::get("/nothing").header("origin", "https://b.example")).await;
    assert_eq!(error.headers()["access-control-allow-origin"], "*");
    assert_eq!(error.headers()["access-control-expose-headers"], "event-delivery,retry-after,server-timing");
}

#[tokio::test]
async fn rejection_of_an_extractor_is_a_problem() {
    let response = ask(Request::get("/unit?gram=x")).await;
    assert_eq!((response.status(), response.headers()["content-type"].as_bytes()), (StatusCode::BAD_REQUEST, PROBLEM));
    assert!(text(response).await.contains("gram: invalid digit"));
}

#[tokio::test]
async fn client_address_is_the_peer_or_what_a_proxy_says() {
    assert_eq!(text(ask(Request::get("/who").header("x-forwarded-for", "1.2.3.4")).await).await, "9.9.9.9");
    let router = router(&[("TRUSTED_PROXIES", "9.9.9.9")], Arc::default());
    let response = send(&router, Request::get("/who").header("x-forwarded-for", "1.2.3.4")).await;
    assert_eq!(text(response).await, "1.2.3.4");
}

#[tokio::test]
async fn requests_are_logged_except_idle_rounds() {
    let log = Arc::<Lines>::default();
    let router = router(&[], Arc::clone(&log));
    for request in [Request::head("/weigh?secret"), Request::post("/idle"), Request::post("/busy"), Request::get("/x")]
    {
        send(&router, request).await;
    }
    let lines =
        log.0.lock().unwrap().iter().map(|line| line.split(" ms=").next().unwrap().to_owned()).collect::<Vec<_>>();
    let expected = [
        "method=HEAD path=/weigh status=200 bytes=5",
        "method=POST path=/busy status=200 bytes=39",
        "method=GET path=/x status=404 bytes=",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    assert!(lines.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{lines:?}");
}
