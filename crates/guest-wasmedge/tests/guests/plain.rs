//! Programs that use the published crates, unchanged.

use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Setting, fixture, start, until};

const REQUEST: &[u8] = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

/// Reads one response of the plain server and returns its body.
async fn body(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
            if body.len() == length.parse::<usize>().unwrap() {
                return body.to_owned();
            }
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the connection ended after {text:?}");
        seen.extend(&buffer[..count]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hyper_server_responds_over_tcp_and_memory_promptly() {
    let guest = start(&fixture("plain-server"), Setting::default());
    let (address, queue) = guest.network.listener(8080).await;

    let mut tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let begin = Instant::now();
    for _ in 0..50 {
        tcp.write_all(REQUEST).await.unwrap();
        assert_eq!(body(&mut tcp).await, "/x 0");
    }
    // With WasmEdge each of these takes 44 ms, two seconds in all; a wide margin keeps a loaded machine from failing.
    assert!(begin.elapsed().as_millis() < 1_500, "50 keep-alive requests took {:?}", begin.elapsed());

    let (mut inside, _) = queue.connect("127.0.0.1:5".parse().unwrap()).unwrap();
    inside.write_all(b"POST /y HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
    inside.write_all(&vec![b'z'; 1_000_000]).await.unwrap();
    assert_eq!(body(&mut inside).await, "/y 1000000");
    guest.end.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn hundred_connections_are_served_at_once() {
    let guest = start(&fixture("plain-server"), Setting::default());
    let (address, queue) = guest.network.listener(8080).await;
    let clients: Vec<_> = (0..100)
        .map(|number| {
            let queue = queue.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    if number % 2 == 0 {
                        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                        stream.write_all(REQUEST).await.unwrap();
                        assert_eq!(body(&mut stream).await, "/x 0");
                    } else {
                        let (mut stream, _) = queue.connect("127.0.0.1:5".parse().unwrap()).unwrap();
                        stream.write_all(REQUEST).await.unwrap();
                        assert_eq!(body(&mut stream).await, "/x 0");
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    guest.end.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_client_talks_to_a_real_server() {
    let server = start(&fixture("plain-server"), Setting::default());
    let (address, _) = server.network.listener(8080).await;
    let arguments = vec![format!("http://{address}/client")];
    let client = start(&fixture("plain-client"), Setting { arguments, ..Setting::default() });
    assert_eq!(client.end.await.unwrap().unwrap(), 0, "{:?}", client.lines.all());
    let expected = ["GET /client 0", "POST 200 /client 0", "POST 200 /client 10", "POST 200 /client 1000000"];
    assert_eq!(client.lines.all(), expected);
    server.end.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn blocking_guest_uses_sockets_files_lookup_and_arguments() {
    let echo = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = echo.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = echo.accept().await.unwrap();
        let mut buffer = [0; 4];
        stream.read_exact(&mut buffer).await.unwrap();
        stream.write_all(b"pong").await.unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let preopen = guest_wasmedge::Preopen { host: folder.path().into(), guest: "/data".into(), read_only: false };
    let setting = Setting {
        arguments: vec![port.to_string(), free_udp_port(), free_udp_port()],
        environment: vec![("A".into(), "b".into())],
        preopens: vec![preopen],
        ..Setting::default()
    };
    let guest = start(&fixture("plain-blocking"), setting);
    assert_eq!(guest.end.await.unwrap().unwrap(), 0, "{:?}", guest.lines.all());
    let expected = [
        "arguments 4 A=Some(\"b\") PATH=None".to_owned(),
        "lookup [127.0.0.1:80]".to_owned(),
        "service [127.0.0.1:443]".to_owned(),
        "name and port Some(127.0.0.1:3306)".to_owned(),
        "no service true".to_owned(),
        "tcp pong true".to_owned(),
        "udp 8 true".to_owned(),
        "files [\"sub\"] written by the guest".to_owned(),
        "outside true".to_owned(),
    ];
    assert_eq!(guest.lines.all(), expected);
    assert_eq!(std::fs::read_to_string(folder.path().join("sub/file.txt")).unwrap(), "written by the guest");
}

fn free_udp_port() -> String {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn udp_is_echoed_over_ipv4_and_ipv6() {
    for host in ["127.0.0.1", "[::1]"] {
        let free = std::net::UdpSocket::bind(format!("{host}:0")).unwrap().local_addr().unwrap();
        let guest = start(&fixture("plain-udp"), Setting { arguments: vec![free.to_string()], ..Setting::default() });
        let socket = std::net::UdpSocket::bind(format!("{host}:0")).unwrap();
        socket.set_nonblocking(true).unwrap();
        let echoed = until(|| {
            // Until the guest has bound its port, the datagram is lost.
            let _ = socket.send_to(b"hello", free);
            let mut buffer = [0; 16];
            socket.recv_from(&mut buffer).ok().map(|(count, _)| buffer[..count].to_vec())
        })
        .await;
        assert_eq!(echoed, b"hello");
        guest.end.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_connection_fails_in_the_guest_only() {
    let denied = "127.0.0.1:9".parse().unwrap();
    let setting = Setting { arguments: vec![format!("http://{denied}/")], denied: vec![denied], ..Setting::default() };
    let guest = start(&fixture("plain-client"), setting);
    assert_eq!(guest.end.await.unwrap().unwrap(), 1);
    let said = guest.lines.all().join("\n");
    assert!(said.starts_with("Error: reqwest::Error"), "{said}");
}
