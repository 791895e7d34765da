//! Shell scripts pass shellcheck, and the smoke test detects errors.

use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, TcpListener};
use std::process::{Command, Output};

use deploy_tests::repository;

const SCRIPTS: &[&str] = &[".ci/run", "deploy/kubernetes/create-secrets", "deploy/smoke-test"];

#[test]
fn scripts_pass_shellcheck() {
    let scripts = SCRIPTS.iter().map(repository);
    let Ok(output) = Command::new("shellcheck").args(scripts).output() else {
        println!("DID NOT RUN: shellcheck is not installed");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Starts a server with the same response to every request.
fn answering(body: &'static str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
            // Read to the end of the request: closing with unread bytes would reset the connection.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    format!("http://{address}")
}

/// Runs the smoke test against an address; `None` without curl.
fn smoke_test(service: &str) -> Option<Output> {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("DID NOT RUN: curl is not installed");
        return None;
    }
    let mut script = Command::new(repository("deploy/smoke-test"));
    script.env_remove("DAPR").env("PATIENCE", "1");
    Some(script.env("GRAYSCALE", service).env("CLASSIFY", service).env("EVENTS", service).output().unwrap())
}

#[test]
fn smoke_test_fails_without_a_response() {
    let Some(output) = smoke_test("http://127.0.0.1:1") else { return };
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("FAILED: after 1 s"), "{output:?}");
}

#[test]
fn smoke_test_fails_on_a_wrong_response_or_missing_event() {
    let Some(output) = smoke_test(&answering("fine")) else { return };
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("answers no PNG but fine"), "{output:?}");

    let output = smoke_test(&answering("iVBORw0K")).unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("has_event_after"), "{output:?}");
}
