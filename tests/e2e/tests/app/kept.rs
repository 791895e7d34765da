//! Keep-alive connections.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A keep-alive connection.
pub(crate) struct Kept(pub(crate) TcpStream);

impl Kept {
    pub(crate) fn open(port: u16) -> Self {
        Self(TcpStream::connect(("127.0.0.1", port)).unwrap())
    }

    pub(crate) fn ask(&mut self, path: &str) {
        // In one write: a second one would wait until the first is acknowledged.
        self.0.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).unwrap();
    }

    /// Sends a request, and returns the body of the response.
    pub(crate) fn get(&mut self, path: &str) -> String {
        self.ask(path);
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
            let count = self.0.read(&mut buffer).unwrap();
            assert!(count > 0, "the connection ended after {text:?}");
            seen.extend(&buffer[..count]);
        }
    }

    /// Returns true if a response arrives within the connection's read timeout.
    pub(crate) fn is_answered(&mut self) -> bool {
        self.ask("/");
        matches!(self.0.read(&mut [0; 4096]), Ok(1..))
    }

    pub(crate) fn count(&mut self) -> u64 {
        self.get("/count").parse().unwrap()
    }
}
