//! A planted secret must not leak.

use e2e::{Options, World, request};

const PLANTED: &str = "hunter2-planted";

#[test]
fn secret_never_appears_in_logs_errors_or_health() {
    let url = format!("mysql://root:{PLANTED}@127.0.0.1:1/events");
    let secrets = serde_json::json!({ "DB_URL": { "MYSQL": url }, "other": PLANTED });
    let world = World::start(&Options { secrets, ..Options::default() });
    let event = r#"{"event_ts": 1, "op_type": "x", "input_size": 1}"#;
    let answers = [
        world.events("GET", "/healthz").send(),
        world.events("GET", "/init").send(),
        world.events("GET", "/events").send(),
        world.events("POST", "/create_event").body(event).send(),
        world.events("GET", "/").send(),
        request("GET", &format!("http://127.0.0.1:{}/v1.0/metadata", world.ports.events_dapr)).send(),
        request("GET", &format!("http://127.0.0.1:{}/v1.0/secrets/local-store/no", world.ports.events_dapr)).send(),
    ];
    assert!(answers[0].status == 503 && answers[2].status >= 500, "{answers:?}");
    for answer in &answers {
        assert!(!answer.text().contains(PLANTED), "{}", answer.text());
    }
    // The secrets API returns the secret: that is its purpose.
    let asked = format!("http://127.0.0.1:{}/v1.0/secrets/local-store/other", world.ports.events_dapr);
    assert_eq!(request("GET", &asked).send().json()["other"], PLANTED);
    assert!(!world.daprlet.said().contains(PLANTED));
}
