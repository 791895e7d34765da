//! Misbehaving guests beside well-behaved services.

use e2e::{Deployment, Options, request, wasm};

/// Starts a deployment with the plain server as a further guest, `odd`, under the given flags of wasmedge.
fn deployment_with_odd_guest(arguments: &[&str]) -> (Deployment, u16, u16) {
    let [port, dapr_port]: [u16; 2] = e2e::free_ports();
    let command = serde_json::json!(["wasmedge", wasm("plain-server"), port.to_string()]);
    let more_apps =
        format!("- {{appID: odd, appDirPath: more, appPort: {port}, daprHTTPPort: {dapr_port}, command: {command}}}\n");
    let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
    let deployment = Deployment::start(&Options { more_apps, arguments, ..Options::default() });
    let ready = format!("http://127.0.0.1:{dapr_port}/v1.0/healthz");
    deployment.daprlet.until(|| (request("GET", &ready).send().status == 204).then_some(()));
    (deployment, port, dapr_port)
}

#[test]
fn trapped_guest_restarts_without_affecting_others() {
    let (deployment, port, _) = deployment_with_odd_guest(&[]);
    let odd = |path: &str| request("GET", &format!("http://127.0.0.1:{port}{path}")).send();
    assert_eq!(odd("/").status, 200);
    assert_eq!(odd("/trap").status, 0);
    assert_eq!(deployment.grayscale("GET", "/").send().status, 200);
    deployment.daprlet.until(|| (odd("/").status == 200).then_some(()));
    let said = deployment.daprlet.said();
    assert!(said.contains("restarting: ") && said.contains("wasm backtrace"), "{said}");
}

#[test]
fn endless_guest_is_ended_without_affecting_others() {
    let (deployment, port, _) = deployment_with_odd_guest(&["--guest-cpu", "1"]);
    let url = format!("http://127.0.0.1:{port}/spin");
    let spinning = std::thread::spawn(move || request("GET", &url).send().status);
    for _ in 0..20 {
        assert_eq!(deployment.grayscale("GET", "/").send().status, 200);
    }
    assert_eq!(spinning.join().unwrap(), 0);
    deployment.daprlet.until(|| deployment.daprlet.said().contains("computed for 1 s without waiting").then_some(()));
    let again = format!("http://127.0.0.1:{port}/");
    deployment.daprlet.until(|| (request("GET", &again).send().status == 200).then_some(()));
}

#[test]
fn guest_over_memory_limit_is_ended() {
    let (deployment, port, _) = deployment_with_odd_guest(&["--guest-memory", "64"]);
    assert_eq!(request("GET", &format!("http://127.0.0.1:{port}/memory")).send().status, 0);
    let again = format!("http://127.0.0.1:{port}/");
    deployment.daprlet.until(|| (request("GET", &again).send().status == 200).then_some(()));
    assert_eq!(deployment.grayscale("GET", "/").send().status, 200);
}

#[test]
fn denied_connection_is_logged_with_the_flag_to_allow_it() {
    let target = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = target.local_addr().unwrap();
    let command = serde_json::json!(["wasmedge", wasm("plain-client"), format!("http://{address}/")]);
    let more_apps = format!("- {{appID: nosy, appDirPath: more, command: {command}}}\n");
    let deployment = Deployment::start(&Options { more_apps, ..Options::default() });
    let expected = format!("--allow-outbound {address}");
    deployment.daprlet.until(|| deployment.daprlet.said().contains(&expected).then_some(()));
    assert!(deployment.daprlet.said().contains("nosy wanted to connect to"), "{}", deployment.daprlet.said());
    target.set_nonblocking(true).unwrap();
    assert!(target.accept().is_err(), "no connection may have arrived");
}

#[test]
fn listening_on_another_port_is_denied_with_one_line() {
    let [port, dapr_port, another]: [u16; 3] = e2e::free_ports();
    let command = serde_json::json!(["wasmedge", wasm("plain-server"), another.to_string()]);
    let more_apps = format!(
        "- {{appID: thief, appDirPath: more, appPort: {port}, daprHTTPPort: {dapr_port}, command: {command}}}\n"
    );
    let without_port = format!("- {{appID: portless, appDirPath: more, command: {command}}}\n");
    let deployment = Deployment::start(&Options { more_apps: more_apps + &without_port, ..Options::default() });
    let denied = format!("thief wanted to listen on {another}, which is not its app port {port}");
    let no_port = format!("portless wanted to listen on {another} and has no app port");
    deployment.daprlet.until(|| {
        (deployment.daprlet.said().contains(&denied) && deployment.daprlet.said().contains(&no_port)).then_some(())
    });
    // The port is still free for others.
    std::net::TcpListener::bind(("127.0.0.1", another)).unwrap();
    assert_eq!(deployment.daprlet.said().matches("wanted to listen on").count(), 2, "{}", deployment.daprlet.said());
}

#[test]
fn invocation_sets_the_callers_identity_on_the_host() {
    let (deployment, _, dapr_port) = deployment_with_odd_guest(&[]);
    let url = format!("http://127.0.0.1:{dapr_port}/v1.0/invoke/events-service/method/events");
    let answer = request("GET", &url).header("dapr-caller-app-id", "image-api-grayscale").send();
    assert_eq!((answer.status, answer.text().as_str()), (200, "[]"));
    let unknown = request("GET", &format!("http://127.0.0.1:{dapr_port}/v1.0/invoke/nobody/method/x")).send();
    assert_eq!((unknown.status, unknown.json()["errorCode"].as_str()), (500, Some("ERR_DIRECT_INVOKE")));
    drop(deployment);
}

#[test]
fn url_invocation_needs_outbound_permission() {
    let outside = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = outside.local_addr().unwrap();
    let path = format!("/v1.0/invoke/http://{address}/method/x?q=1");
    let denied = Deployment::start(&Options::default()).dapr("GET", &path).send();
    assert_eq!(denied.json()["errorCode"], "ERR_DIRECT_INVOKE");
    assert!(denied.text().contains(&format!("--allow-outbound {address}")), "{}", denied.text());

    let arguments = vec!["--allow-outbound".to_owned(), address.to_string()];
    let deployment = Deployment::start(&Options { arguments, ..Options::default() });
    let server = std::thread::spawn(move || {
        use std::io::{BufRead as _, BufReader, Write as _};
        let (mut stream, _) = outside.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        head
    });
    assert_eq!(deployment.dapr("GET", &path).send().text(), "hello");
    let head = server.join().unwrap();
    assert_eq!(head[0], "GET /x?q=1 HTTP/1.1");
    assert!(!head.iter().any(|line| line.contains("image-api-grayscale")), "{head:?}");
}
