//! A planted secret must not leak.

use e2e::{Deployment, Options, request};

const PLANTED: &str = "hunter2-planted";

#[test]
fn secret_never_appears_in_logs_errors_or_health() {
    let url = format!("mysql://root:{PLANTED}@127.0.0.1:1/events");
    let secrets = serde_json::json!({ "DB_URL": { "MYSQL": url }, "other": PLANTED });
    let deployment = Deployment::start(&Options { secrets, ..Options::default() });
    let event = r#"{"event_ts": 1, "op_type": "x", "input_size": 1}"#;
    let answers = [
        deployment.events("GET", "/healthz").send(),
        deployment.events("GET", "/init").send(),
        deployment.events("GET", "/events").send(),
        deployment.events("POST", "/create_event").body(event).send(),
        deployment.events("GET", "/").send(),
        request("GET", &format!("http://127.0.0.1:{}/v1.0/metadata", deployment.ports.events_dapr)).send(),
        request("GET", &format!("http://127.0.0.1:{}/v1.0/secrets/local-store/no", deployment.ports.events_dapr))
            .send(),
    ];
    assert!(answers[0].status == 503 && answers[2].status >= 500, "{answers:?}");
    for answer in &answers {
        assert!(!answer.text().contains(PLANTED), "{}", answer.text());
    }
    // The secrets API returns the secret: that is its purpose.
    let asked = format!("http://127.0.0.1:{}/v1.0/secrets/local-store/other", deployment.ports.events_dapr);
    assert_eq!(request("GET", &asked).send().json()["other"], PLANTED);
    assert!(!deployment.daprlet.said().contains(PLANTED));
}
