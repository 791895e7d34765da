//! Clients of app ports and Dapr ports.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Attack, images};
use crate::raw;
use crate::target::{Setup, Target, tally};

/// The size of a body that stays unfinished.
const BODY: usize = 3 << 20;

pub(super) fn all() -> Vec<Attack> {
    let nothing = |_: &mut Setup| {};
    let limited = |setup: &mut Setup| {
        setup.setting("RATE_LIMIT_PER_MINUTE=60");
        setup.setting("RATE_LIMIT_BURST=3");
    };
    vec![
        Attack::new("client: unfinished bodies", nothing, unfinished_bodies).loading_clients(),
        Attack::new("client: bulk reads", nothing, bulk_reads).loading_clients(),
        Attack::new("client: 200 images at once", nothing, images_at_once).loading_clients(),
        Attack::new("client: idle connections", nothing, idle_connections),
        Attack::new("client: slow headers", nothing, slow_headers),
        Attack::new("client: ambiguous framing", nothing, ambiguous_framing),
        Attack::new("client: foreign origin", nothing, foreign_origin),
        Attack::new("client: forged address", limited, forged_address),
        Attack::new("client: rubbish", nothing, rubbish),
        Attack::new("client: shutdown of one app", nothing, shutdown_of_one),
    ]
}

/// Bodies of 3 MiB on 500 connections, none of which is finished.
fn unfinished_bodies(target: &Target, _: Duration) -> Result<String> {
    let port = target.deployment.ports.grayscale_dapr;
    let head = format!("POST /v1.0/state/statestore HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n[", BODY + 100);
    let body = vec![b' '; 1 << 16];
    let mut connections = Vec::new();
    for _ in 0..500 {
        let mut stream = raw::connect(port)?;
        stream.set_write_timeout(Some(Duration::from_millis(200)))?;
        let mut sent = stream.write_all(head.as_bytes());
        for _ in 0..BODY / body.len() {
            sent = sent.and_then(|()| stream.write_all(&body));
        }
        connections.push((stream, sent.is_ok()));
    }
    let taken = connections.iter().filter(|(_, is_taken)| *is_taken).count();
    let memory = target.memory();
    ensure!(memory < 700, "the process has {memory} MiB");
    Ok(format!("{taken} of 500 were taken"))
}

/// Requests of 2.8 kB that ask for 1.2 GB.
fn bulk_reads(target: &Target, _: Duration) -> Result<String> {
    let value = serde_json::json!([{ "key": "big", "value": "x".repeat(3_000_000) }]);
    let saved = target.deployment.dapr("POST", "/v1.0/state/statestore").body(value.to_string()).send();
    ensure!(saved.status == 204, "the value is not saved: {}", saved.status);
    let keys = serde_json::json!({ "keys": vec!["big"; 400] }).to_string();
    let statuses: Vec<String> = std::thread::scope(|scope| {
        let ask = || target.deployment.dapr("POST", "/v1.0/state/statestore/bulk").body(keys.clone()).send();
        let askers: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
        askers.into_iter().filter_map(|it| it.join().ok()).map(|it| it.status.to_string()).collect()
    });
    let memory = target.peak_memory();
    ensure!(memory < 1200, "the process had {memory} MiB");
    Ok(tally(&statuses))
}

/// Large images on 200 connections: each is answered, or told to come back.
fn images_at_once(target: &Target, _: Duration) -> Result<String> {
    let image = images::large_png();
    let words: Vec<String> = std::thread::scope(|scope| {
        let send = || target.deployment.grayscale("POST", "/grayscale").body(image.clone()).send();
        let senders: Vec<_> = (0..200).map(|_| scope.spawn(send)).collect();
        let responses = senders.into_iter().filter_map(|it| it.join().ok());
        responses
            .map(|it| match it.status {
                503 if it.header("retry-after").is_empty() => "503 without Retry-After".to_owned(),
                0 => "cut off".to_owned(),
                status => status.to_string(),
            })
            .collect()
    });
    let are_right = words.iter().all(|word| matches!(word.as_str(), "200" | "503" | "429"));
    ensure!(are_right, "{}", tally(&words));
    Ok(tally(&words))
}

/// A thousand connections that never say anything.
fn idle_connections(target: &Target, duration: Duration) -> Result<String> {
    let ports = [target.deployment.ports.grayscale, target.deployment.ports.grayscale_dapr];
    let connections: Vec<TcpStream> = (0..1000).map(|it| raw::connect(ports[it % 2])).collect::<Result<_, _>>()?;
    std::thread::sleep(duration);
    let responses =
        [target.deployment.grayscale("GET", "/").send(), target.deployment.dapr("GET", "/v1.0/healthz").send()];
    let [app, dapr] = responses.map(|it| it.status);
    ensure!((app, dapr) == (200, 204), "beside {} connections: {app}, {dapr}", connections.len());
    Ok(String::new())
}

/// Headers that come a byte at a time.
fn slow_headers(target: &Target, duration: Duration) -> Result<String> {
    let ports = [target.deployment.ports.classify, target.deployment.ports.classify_dapr];
    let mut connections: Vec<TcpStream> = (0..200).map(|it| raw::connect(ports[it % 2])).collect::<Result<_, _>>()?;
    let begin = Instant::now();
    for byte in b"GET / HTTP/1.1\r\nX-Long: ".iter().chain(std::iter::repeat(&b'a')) {
        if begin.elapsed() > duration {
            break;
        }
        for stream in &mut connections {
            // It may be closed already, as it should be some time.
            let _ = stream.write_all(&[*byte]);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = target.deployment.classify("GET", "/").send().status;
    ensure!(status == 200, "beside slow headers: {status}");
    Ok(String::new())
}

/// Requests whose end two servers would see at different places.
fn ambiguous_framing(target: &Target, _: Duration) -> Result<String> {
    const HEADS: [&str; 6] = [
        "Host: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Host: h\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc",
        "Host: h\r\nContent-Length: +3\r\n\r\nabc",
        "Host: h\r\nHost: other\r\nContent-Length: 0\r\n\r\n",
        "Content-Length: 0\r\n\r\n",
    ];
    let ports = &target.deployment.ports;
    let mut statuses = Vec::new();
    for port in [ports.grayscale, ports.grayscale_dapr] {
        for head in HEADS {
            // The second request would be smuggled.
            let bytes = format!("POST / HTTP/1.1\r\n{head}GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
            let response = raw::exchange(port, bytes.as_bytes())?;
            let count = response.matches("HTTP/1.1 ").count();
            ensure!(count <= 1, "{head:?} on port {port} has {count} responses:\n{response}");
            statuses.push(response.get(9..12).unwrap_or("closed").to_owned());
        }
    }
    // RFC 9112, section 6.3, lets a server go by Transfer-Encoding, if it closes the connection; it was closed.
    ensure!(statuses.iter().all(|it| it != "200"), "{}", tally(&statuses));
    Ok(tally(&statuses))
}

/// Posts that a browser sends for a page of somebody else.
fn foreign_origin(target: &Target, _: Duration) -> Result<String> {
    for (path, body) in [("/v1.0/state/statestore", r#"[{"key":"k","value":1}]"#), ("/v1.0/shutdown", "")] {
        let post = target.deployment.dapr("POST", path).header("Origin", "http://elsewhere.example");
        let status = post.header("Content-Type", "text/plain").body(body).send().status;
        ensure!(status == 403, "POST {path} of a foreign page: {status}");
    }
    Ok("403".to_owned())
}

/// A client that claims to be another one with every request.
fn forged_address(target: &Target, _: Duration) -> Result<String> {
    let statuses: Vec<String> = (0..10)
        .map(|it| {
            let request = target.deployment.grayscale("POST", "/grayscale").body(images::small_png());
            request.header("X-Forwarded-For", &format!("203.0.113.{it}")).send().status.to_string()
        })
        .collect();
    ensure!(statuses.iter().any(|it| it == "429"), "the limit was evaded: {}", tally(&statuses));
    Ok(tally(&statuses))
}

/// Bytes that are no HTTP, and heads that are too long.
fn rubbish(target: &Target, _: Duration) -> Result<String> {
    let long = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: a\r\n".repeat(50_000));
    let path = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(1 << 20));
    let inputs = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(100),
        (0..=255_u8).cycle().take(100_000).collect(),
        vec![0; 1 << 20],
        long.into_bytes(),
        many.into_bytes(),
        path.into_bytes(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
    ];
    let ports = &target.deployment.ports;
    for port in [ports.grayscale, ports.grayscale_dapr, ports.events, ports.events_dapr] {
        for input in &inputs {
            let mut stream = raw::connect(port)?;
            // It is closed before all of it is read.
            let _ = stream.write_all(input);
        }
    }
    Ok(String::new())
}

/// Ends the app whose API is asked, and no other.
fn shutdown_of_one(target: &Target, _: Duration) -> Result<String> {
    let url = format!("http://127.0.0.1:{}/v1.0/shutdown", target.deployment.ports.events_dapr);
    let status = e2e::request("POST", &url).send().status;
    ensure!(status == 204, "shutdown: {status}");
    let port = target.deployment.ports.events_dapr;
    target.deployment.daprlet.until(|| raw::connect(port).is_err().then_some(()));
    Ok("the others answer".to_owned())
}
