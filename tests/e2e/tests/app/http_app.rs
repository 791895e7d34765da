//! A small HTTP server that acts as an application or a token issuer.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Responds to the first line and headers of a request with a status and a body.
type Respond = dyn Fn(&str) -> (u16, String) + Send + Sync;

/// The server; its thread ends with the test process.
pub(crate) struct HttpApp {
    pub(crate) port: u16,
}

impl HttpApp {
    pub(crate) fn start(respond: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let respond: Arc<Respond> = Arc::new(respond);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let respond = respond.clone();
                thread::spawn(move || serve(stream, &*respond));
            }
        });
        Self { port }
    }
}

/// Serves one request; returns `None` if the peer closes early.
fn serve(mut stream: TcpStream, respond: &Respond) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head);
    // A socket that is closed with unread bytes resets the connection, and the response may be lost.
    std::io::copy(&mut (&stream).take(content_length(&head)), &mut std::io::sink()).ok()?;
    let (status, body) = respond(&head);
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").ok()
}

fn content_length(head: &str) -> u64 {
    let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    head.lines().find_map(length).unwrap_or_default()
}
