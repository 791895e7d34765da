use super::*;
use crate::repository::Repository;

/// Checks lines of one page, in their order.
fn errors(lines: &[&str]) -> Vec<String> {
    let repository = Repository::new(None);
    let facts = Facts::read(&repository).unwrap();
    let mut page = Page::default();
    lines.iter().flat_map(|line| check_line(&facts, &mut page, line, false)).collect()
}

fn is_valid(line: &str) -> bool {
    errors(&[line]).is_empty()
}

#[test]
fn unknown_flags_are_errors() {
    assert!(is_valid("cargo xtask build-wasm --components") && !is_valid("cargo xtask build-wasm --component"));
    assert!(is_valid("daprlet run -f dapr.yaml --page docs") && !is_valid("daprlet run -f dapr.yaml --pages docs"));
    assert!(is_valid("dapr run -f dapr.yaml") && !is_valid("dapr stop -f dapr.yaml"));
    assert!(!is_valid("kubectl get pods") && !is_valid("cargo flamegraph"));
}

#[test]
fn missing_files_and_packages_are_errors() {
    assert!(is_valid("cargo install --path crates/daprlet --locked") && !is_valid("cargo install --path crates/dapr"));
    assert!(is_valid("cargo test -p daprlet") && !is_valid("cargo test -p note-keeper"));
    assert!(is_valid("cd events-service && daprlet run -d ../config") && !is_valid("daprlet run -d ../config"));
    assert!(is_valid("wasmtime run wasm/components/keyvalue.wasm") && !is_valid("wasmtime run wasm/keyvalue.wasm"));
    assert!(is_valid("daprlet run -- wasm/events-service.wasm") && !is_valid("daprlet run -- wasm/events.wasm"));
}

#[test]
fn written_file_exists_afterwards() {
    let compose =
        "daprlet compose wasm/components/keyvalue-demo.wasm --plug wasm/components/keyvalue.wasm -o fused.wasm";
    assert_eq!(errors(&["wasmtime run fused.wasm", compose]).len(), 1);
    assert!(errors(&[compose, "wasmtime run fused.wasm"]).is_empty());
}

#[test]
fn curl_needs_a_known_port_and_route() {
    assert!(is_valid("curl localhost:9007/events?limit=1") && !is_valid("curl localhost:9007/event"));
    assert!(is_valid("curl localhost:8080") && !is_valid("curl localhost:9099/"));
    assert!(is_valid("curl localhost:3503/v1.0/metadata") && !is_valid("curl localhost:3503/v2/metadata"));
    assert!(is_valid("curl localhost:3503/v1.0/invoke/events-service/method/events"));
    assert!(!is_valid("curl localhost:3503/v1.0/invoke/events/method/events"));
    assert!(is_valid("curl localhost:9005/grayscale --data-binary @docs/sample.jpg"));
    assert!(!is_valid("curl localhost:9005/grayscale --data-binary @docs/samples.jpg"));
}

#[test]
fn new_service_has_the_next_ports() {
    let new = "cargo xtask new-service note-keeper";
    assert!(errors(&[new, "cargo test -p note-keeper", "curl localhost:9008/note"]).is_empty());
    assert_eq!(errors(&[new, "curl localhost:9009/note", "curl localhost:9008/notes"]).len(), 2);
}

#[test]
fn app_has_the_ports_of_the_run_template() {
    assert!(is_valid("daprlet run --app-id events-service --app-port 9007 --dapr-http-port 3505"));
    assert!(!is_valid("daprlet run --app-id events-service --app-port 9006"));
}

#[test]
fn placeholders_in_text_leave_only_flags() {
    let repository = Repository::new(None);
    let facts = Facts::read(&repository).unwrap();
    let valid = |text: &str| check_line(&facts, &mut Page::default(), text, true).is_empty();
    assert!(valid("cargo xtask chaos --minutes N --seed S") && !valid("cargo xtask chaos --minute N"));
    assert!(valid("cargo xtask new-service NAME") && !valid("cargo xtask new-service one"));
}
