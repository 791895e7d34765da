//! The service as its users see it, with an in-memory SQL binding.

use std::sync::Mutex;

use axum::body::{Body, to_bytes};
use dapr_client::fake::{FakeDapr, FaultMode, reply};
use http::Request;
use serde_json::{Value, json};
use service_kit::Log;
use tower::ServiceExt as _;

use super::*;

struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

struct TestService {
    dapr: Arc<FakeDapr>,
    service: Router,
    log: Arc<Lines>,
    /// Recorded statements with their parameters.
    statements: Arc<Mutex<Vec<(String, Value)>>>,
}

/// Creates a binding that accepts everything, and responds to queries of the table with `rows`.
fn service(rows: &'static str, may_delete: bool) -> TestService {
    let (dapr, statements) = (FakeDapr::new(), Arc::new(Mutex::new(Vec::new())));
    dapr.put_secret("DB_URL:MYSQL", "sqlite:hunter2.db");
    let seen = Arc::clone(&statements);
    dapr.on_binding(move |name, request| {
        assert_eq!(name, "events-db");
        let call: Value = serde_json::from_slice(request.body()).unwrap();
        let sql = call["metadata"]["sql"].as_str().unwrap().to_owned();
        let params =
            call["metadata"]["params"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
        let answer = if sql.contains("COUNT(*)") { r#"[{"n":"0"}]"# } else { rows };
        seen.lock().unwrap().push((sql, params));
        reply(StatusCode::OK, if call["operation"] == "query" { answer } else { "" })
    });
    let mut environment = Environment::new(&|_| None);
    let edge = EdgeSettings::read(&mut environment, PORT, MAX_BODY_BYTES);
    let settings = DatabaseSettings {
        secret_store: "local-store".to_owned(),
        secret_key: "DB_URL:MYSQL".to_owned(),
        binding: "events-db".to_owned(),
        deadline: std::time::Duration::from_secs(5),
    };
    let log = Arc::new(Lines(Mutex::default()));
    let publisher = Arc::new(Publisher::new(dapr.client(), "messages".to_owned()));
    let repository = Arc::new(DatabaseSource::new(dapr.client(), settings));
    let events = Events { repository, publisher, may_delete };
    let service = Service::new(DESCRIPTION, edge, router(events)).with_log(Arc::clone(&log) as Arc<dyn Log>);
    let service = service.into_router();
    TestService { dapr, service, log, statements }
}

impl TestService {
    async fn ask(&self, request: http::request::Builder, body: impl Into<Body>) -> (StatusCode, String) {
        let response = self.service.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        (head.status, String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap())
    }

    fn last_statement(&self) -> (String, Value) {
        self.statements.lock().unwrap().last().unwrap().clone()
    }
}

#[tokio::test]
async fn init_creates_table_column_and_index_and_drops_nothing() {
    let service = service("null", false);
    assert_eq!(service.ask(Request::get("/init"), "").await, (StatusCode::OK, r#"{"status":true}"#.to_owned()));
    let statements = service.statements.lock().unwrap();
    let said = |text: &str| statements.iter().any(|(sql, _)| sql.contains(text));
    assert!(
        said("CREATE TABLE IF NOT EXISTS image_evts") && said("ADD COLUMN event_id") && said("CREATE UNIQUE INDEX")
    );
    assert!(!said("DROP") && !said("DELETE"));
}

#[tokio::test]
async fn event_values_are_sent_as_parameters() {
    let service = service("null", false);
    let event = json!({"event_ts": 5, "op_type": "x'; DROP TABLE image_evts; --", "input_size": 9, "event_id": "k"});
    let answer = service.ask(Request::post("/create_event"), event.to_string()).await;
    assert_eq!(answer, (StatusCode::OK, r#"{"status":true}"#.to_owned()));
    let (sql, params) = service.last_statement();
    assert!(sql.starts_with("INSERT INTO image_evts") && !sql.contains("DROP"));
    assert_eq!(params, json!([5, "x'; DROP TABLE image_evts; --", 9, "k"]));
}

#[tokio::test]
async fn invalid_event_is_rejected_with_its_field_name() {
    let service = service("null", false);
    let (status, body) = service.ask(Request::post("/create_event"), r#"{"event_ts":1,"op_type":"a"}"#).await;
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("input_size")));
}

#[tokio::test]
async fn events_are_listed_by_ascending_id() {
    let rows =
        r#"[{"id":2,"event_ts":6,"op_type":"b","input_size":1},{"id":1,"event_ts":5,"op_type":"a","input_size":9}]"#;
    let (_, body) = service(rows, false).ask(Request::get("/events"), "").await;
    let expected =
        r#"[{"id":1,"event_ts":5,"op_type":"a","input_size":9},{"id":2,"event_ts":6,"op_type":"b","input_size":1}]"#;
    assert_eq!(body, expected);
    assert_eq!(service("null", false).ask(Request::get("/events"), "").await, (StatusCode::OK, "[]".to_owned()));
}

#[tokio::test]
async fn page_query_has_limit_and_id() {
    let service = service("null", false);
    service.ask(Request::get("/events?limit=2&before=9"), "").await;
    let (sql, params) = service.last_statement();
    assert!(sql.ends_with("WHERE id < ? ORDER BY id DESC LIMIT 2"), "{sql}");
    assert_eq!(params, json!([9]));
    assert_eq!(service.ask(Request::get("/events?limit=0"), "").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn recorded_event_is_published() {
    let service = service("null", false);
    let event = json!({"event_ts": 5, "op_type": "grayscale", "input_size": 9});
    service.ask(Request::post("/create_event"), event.to_string()).await;
    let published = service.dapr.published();
    let [message] = published.as_slice() else { panic!("{published:?}") };
    assert_eq!((message.pubsub.as_str(), message.topic.as_str()), ("messages", TOPIC));
    assert_eq!(serde_json::from_slice::<Value>(&message.data).unwrap(), event);
    let refused = service.ask(Request::post("/create_event"), "{}").await.0;
    assert_eq!((refused, service.dapr.published().len()), (StatusCode::BAD_REQUEST, 1));
}

#[tokio::test]
async fn live_events_follow_the_last_one() {
    let rows =
        r#"[{"id":8,"event_ts":6,"op_type":"b","input_size":1},{"id":9,"event_ts":7,"op_type":"a","input_size":2}]"#;
    let two = service(rows, false);
    let (_, body) = two.ask(Request::get("/events/live?after=7"), "").await;
    let expected = "retry: 1000\n\nid: 8\ndata: {\"id\":8,\"event_ts\":6,\"op_type\":\"b\",\"input_size\":1}\n\n\
        id: 9\ndata: {\"id\":9,\"event_ts\":7,\"op_type\":\"a\",\"input_size\":2}\n\n";
    assert_eq!(body, expected);
    two.ask(Request::get("/events/live?after=7").header("last-event-id", "9"), "").await;
    let (sql, params) = two.last_statement();
    assert!(sql.ends_with("WHERE id > ? ORDER BY id LIMIT 1000") && params == json!([9]), "{sql} {params}");
    // A client without events begins with the newest, which it does not show.
    let newest = r#"[{"id":9,"event_ts":7,"op_type":"a","input_size":2}]"#;
    assert_eq!(service(newest, false).ask(Request::get("/events/live"), "").await.1, "retry: 1000\n\nid: 9\n\n");
    let empty = service("null", false);
    assert_eq!(empty.ask(Request::get("/events/live"), "").await.1, "retry: 1000\n\nid: 0\n\n");
    assert!(!empty.log.0.lock().unwrap().iter().any(|line| line.contains("live")), "nothing new is not logged");
    let bad = empty.ask(Request::get("/events/live").header("last-event-id", "x"), "").await.0;
    assert_eq!(bad, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn deletion_needs_permission_and_same_origin() {
    let request = || Request::delete("/events").header("host", "127.0.0.1:9007");
    assert_eq!(service("null", false).ask(request(), "").await.0, StatusCode::FORBIDDEN);
    let service = service("null", true);
    assert_eq!(service.ask(request().header("origin", "http://evil.example"), "").await.0, StatusCode::FORBIDDEN);
    assert_eq!(service.ask(request().header("sec-fetch-site", "cross-site"), "").await.0, StatusCode::FORBIDDEN);
    assert_eq!(service.ask(request().header("origin", "http://127.0.0.1:9007"), "").await.0, StatusCode::OK);
    assert_eq!(service.ask(request(), "").await.0, StatusCode::OK);
    assert_eq!(service.last_statement().0, "DELETE FROM image_evts");
}

#[tokio::test]
async fn late_secret_is_found_and_never_shown() {
    let service = service("null", false);
    service.dapr.set_secret_mode(FaultMode::Failing);
    let event = r#"{"event_ts":1,"op_type":"a","input_size":1}"#;
    let (status, body) = service.ask(Request::post("/create_event"), event).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let (health, reasons) = service.ask(Request::get("/healthz"), "").await;
    assert_eq!(health, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reasons.contains("secret"), "{reasons}");

    service.dapr.set_secret_mode(FaultMode::Healthy);
    assert_eq!(service.ask(Request::post("/create_event"), event).await.0, StatusCode::OK);
    assert_eq!(service.ask(Request::get("/healthz"), "").await.0, StatusCode::OK);
    let log = service.log.0.lock().unwrap().join("\n");
    assert!(![body, reasons, log].concat().contains("hunter2"));
}

#[tokio::test]
async fn read_only_database_is_unavailable() {
    let service = service("[]", false);
    service.dapr.on_binding(|_, request| {
        let call: Value = serde_json::from_slice(request.body()).unwrap();
        if call["operation"] == "query" {
            return reply(StatusCode::OK, "[]");
        }
        let full = r#"{"errorCode":"ERR_INVOKE_OUTPUT_BINDING","message":"database or disk is full"}"#;
        reply(StatusCode::INTERNAL_SERVER_ERROR, full)
    });
    let (health, reasons) = service.ask(Request::get("/healthz"), "").await;
    assert_eq!(health, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reasons.contains("disk is full"), "{reasons}");
}

#[tokio::test]
async fn failed_database_is_reconnected() {
    let service = service("null", false);
    service.ask(Request::get("/init"), "").await;
    service.dapr.on_binding(|_, _| {
        reply(
            StatusCode::INTERNAL_SERVER_ERROR,
            r#"{"errorCode":"ERR_INVOKE_OUTPUT_BINDING","message":"no such table"}"#,
        )
    });
    assert_eq!(service.ask(Request::get("/events"), "").await.0, StatusCode::SERVICE_UNAVAILABLE);
    let healed = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&healed);
    service.dapr.on_binding(move |_, request| {
        seen.lock().unwrap().push(String::from_utf8(request.body().to_vec()).unwrap());
        reply(StatusCode::OK, "null")
    });
    assert_eq!(service.ask(Request::get("/events"), "").await.0, StatusCode::OK);
    assert!(healed.lock().unwrap()[0].contains("CREATE TABLE"), "the table is made again");
}
