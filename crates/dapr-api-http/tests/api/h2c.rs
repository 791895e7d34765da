//! HTTP/2 on a connection that began as HTTP/1.1.

use dapr_runtime::{Body, full_body};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_util::sync::CancellationToken;

/// Connects to a server that echoes version, method, path, a header and body length.
fn connect() -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let respond = async |request: Request<Body>| {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let header = head.headers.get("x-mine").map(|value| value.to_str().unwrap().to_owned());
        let others = head.headers.contains_key("upgrade") || head.headers.contains_key("http2-settings");
        let echo = format!("{:?} {} {} {header:?} {others} {}", head.version, head.method, head.uri.path(), body.len());
        Response::new(full_body(echo))
    };
    let respond = move |request| Box::pin(respond(request));
    tokio::spawn(dapr_api_http::serve_http(theirs, CancellationToken::new(), respond));
    ours
}

async fn head(stream: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Reads the data of the first stream, until it ends.
async fn first_stream(stream: &mut DuplexStream) -> String {
    let mut data = Vec::new();
    loop {
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        let [s0, s1, s2, kind, flags, _, _, _, id] = frame;
        let mut content = vec![0; usize::from(s0) << 16 | usize::from(s1) << 8 | usize::from(s2)];
        stream.read_exact(&mut content).await.unwrap();
        assert!(kind != 7 && kind != 3, "the server gave up: {content:?}");
        if id == 1 && kind == 0 {
            data.extend(content);
        }
        if id == 1 && flags & 1 == 1 {
            return String::from_utf8(data).unwrap();
        }
    }
}

const UPGRADE: &str = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n";
const BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn h2c_upgrade_request_is_served_over_http_2() {
    for (method, body) in [("GET", 0), ("POST", 40_000)] {
        let mut stream = connect();
        let request =
            format!("{method} /a/b?c HTTP/1.1\r\nhost: h\r\nx-mine: 1\r\n{UPGRADE}content-length: {body}\r\n\r\n");
        stream.write_all(&[request.as_bytes(), &vec![b'x'; body]].concat()).await.unwrap();
        let agreed = head(&mut stream).await.to_lowercase();
        assert!(agreed.starts_with("http/1.1 101 ") && agreed.contains("upgrade: h2c\r\n"), "{agreed}");
        stream.write_all(BEGINNING).await.unwrap();
        let echo = first_stream(&mut stream).await;
        assert_eq!(echo, format!("HTTP/2.0 {method} /a/b Some(\"1\") false {body}"));
    }
}

#[tokio::test]
async fn request_unfit_for_h2c_is_served_over_http_1() {
    for (headers, body) in [
        // An incomplete upgrade, another protocol, and more than the initial window.
        ("upgrade: h2c\r\n".to_owned(), 0),
        ("connection: upgrade\r\nupgrade: websocket\r\n".to_owned(), 0),
        (UPGRADE.to_owned(), 70_000),
    ] {
        let mut stream = connect();
        let request = format!("POST /a HTTP/1.1\r\nhost: h\r\n{headers}content-length: {body}\r\n\r\n");
        stream.write_all(&[request.as_bytes(), &vec![b'x'; body]].concat()).await.unwrap();
        let response = head(&mut stream).await;
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }
}

#[tokio::test]
async fn upgrade_without_preface_ends_the_connection() {
    let mut stream = connect();
    stream.write_all(format!("GET / HTTP/1.1\r\nhost: h\r\n{UPGRADE}\r\n").as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 101 "));
    stream.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n, and so on, for longer").await.unwrap();
    assert_eq!(stream.read(&mut [0; 10]).await.unwrap(), 0);
}
