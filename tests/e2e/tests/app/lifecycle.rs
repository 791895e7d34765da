//! Start, shutdown, and what survives a restart.

use std::time::{Duration, Instant};

use e2e::{Deployment, Options};

#[cfg(unix)]
#[test]
fn ctrl_c_ends_everything_within_two_seconds() {
    let deployment = Deployment::start(&Options::default());
    deployment.daprlet.until(|| deployment.daprlet.said().contains("Ready:").then_some(()));
    let begin = Instant::now();
    deployment.daprlet.interrupt();
    let status = deployment.daprlet.wait();
    assert_eq!(status.code(), Some(0), "{}", deployment.daprlet.said());
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn state_and_events_survive_a_killed_process() {
    let deployment = Deployment::start(&Options::default());
    let saved = deployment.dapr("POST", "/v1.0/state/statestore").body(r#"[{"key":"k","value":{"a":1}}]"#).send();
    assert_eq!(saved.status, 204);
    let event = r#"{"event_ts": 1, "op_type": "x", "input_size": 1}"#;
    assert_eq!(deployment.events("POST", "/create_event").body(event).send().status, 200);
    let deployment = deployment.restart(&Options::default());
    assert_eq!(deployment.dapr("GET", "/v1.0/state/statestore/k").send().text(), r#"{"a":1}"#);
    assert_eq!(deployment.events("GET", "/events").send().json().as_array().unwrap().len(), 1);
}

#[test]
fn native_process_gets_dapr_environment_and_named_lines() {
    let more_apps = "- {appID: native, appDirPath: more, daprHTTPPort: 0, env: {GREETING: hello}, \
                     command: [sh, -c, 'echo $GREETING $APP_ID ${DAPR_HTTP_PORT:+port}; sleep 600']}\n";
    let deployment = Deployment::start(&Options { more_apps: more_apps.to_owned(), ..Options::default() });
    deployment.daprlet.until(|| deployment.daprlet.said().contains("== native == hello native port").then_some(()));
}

#[test]
fn json_log_lines_name_their_source() {
    let more_apps = "- {appID: native, appDirPath: more, daprHTTPPort: 0, command: [sh, -c, 'echo hello; echo oh >&2; sleep 600']}\n";
    let arguments = vec!["--log-format".to_owned(), "json".to_owned()];
    let deployment = Deployment::start(&Options { arguments, more_apps: more_apps.to_owned(), ..Options::default() });
    let lines = || -> Vec<serde_json::Value> {
        let said = deployment.daprlet.said();
        said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    };
    let of_the_app = |stream: &str, message: &str| {
        let is_it = |line: &serde_json::Value| {
            line["app"] == "native" && line["stream"] == stream && line["message"] == message
        };
        lines().iter().any(|line| is_it(line) && line["level"] == "INFO")
    };
    let found = || of_the_app("stdout", "hello") && of_the_app("stderr", "oh");
    deployment.daprlet.until(|| found().then_some(()));
    // daprlet's own lines have the same fields.
    assert!(lines().iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()), "{:?}", lines());
}
