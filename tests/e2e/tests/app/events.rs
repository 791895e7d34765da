//! Events: recorded once, never lost, and never a delay for users.

use e2e::{Deployment, Options};
use image::ImageFormat;

use crate::pictures::picture;

fn grayscale_events(deployment: &Deployment) -> usize {
    let answer = deployment.events("GET", "/events").send();
    if answer.status == 200 { answer.json().as_array().unwrap().len() } else { 0 }
}

#[test]
fn template_commands_keep_their_responses() {
    let deployment = Deployment::start(&crate::options());
    assert_eq!(deployment.events("GET", "/init").send().text(), r#"{"status":true}"#);
    assert_eq!(deployment.events("GET", "/events").send().text(), "[]");
    let event = r#"{"event_ts": 1, "op_type": "grayscale", "input_size": 68016}"#;
    let created = deployment.events("POST", "/create_event").body(event).send();
    assert_eq!((created.status, created.text().as_str()), (200, r#"{"status":true}"#));
    let expected = r#"[{"id":1,"event_ts":1,"op_type":"grayscale","input_size":68016}]"#;
    assert_eq!(deployment.events("GET", "/events").send().text(), expected);
    assert_eq!(deployment.events("POST", "/init").send().text(), r#"{"status":true}"#);
    assert_eq!(deployment.events("GET", "/events").send().text(), expected, "init drops nothing");
}

#[test]
fn sql_in_a_field_is_text() {
    let deployment = Deployment::start(&crate::options());
    let nasty = "'); DROP TABLE image_evts; --";
    let event = serde_json::json!({ "event_ts": 5, "op_type": nasty, "input_size": 1 });
    assert_eq!(deployment.events("POST", "/create_event").body(event.to_string()).send().status, 200);
    assert_eq!(deployment.events("GET", "/events").send().json()[0]["op_type"], nasty);
}

#[test]
fn invalid_event_is_rejected_with_its_field() {
    let deployment = Deployment::start(&crate::options());
    for (event, field) in [
        (r#"{"op_type": "x", "input_size": 1}"#, "event_ts"),
        (r#"{"event_ts": 1, "input_size": 1}"#, "op_type"),
        (r#"{"event_ts": 1, "op_type": "x"}"#, "input_size"),
        (r#"{"event_ts": "now", "op_type": "x", "input_size": 1}"#, "event_ts"),
        (r#"{"event_ts": 1, "op_type": "x", "input_size": -1}"#, "input_size"),
        (r#"{"event_ts": 1, "op_type": 7, "input_size": 1}"#, "op_type"),
    ] {
        let answer = deployment.events("POST", "/create_event").body(event).send();
        assert_eq!(answer.status, 400, "{event}");
        assert!(answer.text().contains(field), "{event}: {}", answer.text());
    }
    assert_eq!(deployment.events("POST", "/create_event").body("{").send().status, 400);
    assert_eq!(deployment.events("GET", "/events").send().text(), "[]");
}

#[test]
fn pages_go_from_new_to_old() {
    let deployment = Deployment::start(&crate::options());
    for number in 1..=5 {
        let event = serde_json::json!({ "event_ts": number, "op_type": "x", "input_size": number });
        assert_eq!(deployment.events("POST", "/create_event").body(event.to_string()).send().status, 200);
    }
    let ids = |path: &str| -> Vec<i64> {
        let page = deployment.events("GET", path).send().json();
        page.as_array().unwrap().iter().map(|event| event["id"].as_i64().unwrap()).collect()
    };
    let mut all = ids("/events?limit=2");
    all.sort_unstable();
    assert_eq!(all, [4, 5]);
    let mut older = ids("/events?limit=2&before=4");
    older.sort_unstable();
    assert_eq!(older, [2, 3]);
}

#[test]
fn event_arrives_once_the_missing_secret_appears() {
    let options = Options { secrets: serde_json::json!({}), ..crate::options() };
    let deployment = Deployment::start(&options);
    let answer = deployment.grayscale("POST", "/grayscale").body(picture(ImageFormat::Png)).send();
    assert_eq!((answer.status, answer.header("event-delivery")), (200, "deferred"));
    let health = deployment.events("GET", "/healthz").send();
    assert_eq!(health.status, 503, "{}", health.text());

    // Acknowledged events survive SIGKILL of everything.
    let deployment = deployment.restart(&crate::options());
    deployment.daprlet.until(|| (grayscale_events(&deployment) == 1).then_some(()));
    // Another delivery must not record the event again.
    let again = deployment.grayscale("POST", "/deliver-events").send();
    assert_eq!((again.status, grayscale_events(&deployment)), (200, 1));
}

#[test]
fn hanging_recorder_delays_image_only_to_the_deadline() {
    // An application with the recorder's app id that accepts connections and never responds.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let more_apps = format!("- {{appID: silent, appDirPath: more, appPort: {port}}}\n");
    let settings = vec!["EVENTS_APP_ID=silent".to_owned()];
    let deployment = Deployment::start(&Options { settings, more_apps, ..crate::options() });
    let begin = std::time::Instant::now();
    let answer = deployment.grayscale("POST", "/grayscale").body(picture(ImageFormat::Png)).send();
    assert_eq!((answer.status, answer.header("event-delivery")), (200, "deferred"));
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
    drop(silent);
}

#[test]
fn missing_state_store_degrades_health_but_not_images() {
    let broken = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: statestore}\n\
                  spec: {type: state.redis, version: v1, initTimeout: 1s, metadata: [{name: redisHost, value: '127.0.0.1:1'}]}\n";
    let components = vec![("statestore.yaml".to_owned(), broken.to_owned())];
    // Without a store, an event that misses the deadline is lost; a busy machine may need longer than the default.
    let settings = vec!["EVENT_DEADLINE_MS=10000".to_owned()];
    let deployment = Deployment::start(&Options { settings, components, ..crate::options() });
    let answer = deployment.grayscale("POST", "/grayscale").body(picture(ImageFormat::Png)).send();
    assert_eq!((answer.status, answer.header("event-delivery")), (200, "recorded"));
    let health = deployment.grayscale("GET", "/healthz").send();
    assert!(health.text().contains("state store"), "{}", health.text());
    let metadata = deployment.dapr("GET", "/v1.0/metadata").send().json();
    assert_eq!(metadata["extended"]["daprletComponentsNotReady"], "statestore");
}
