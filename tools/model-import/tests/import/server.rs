//! An HTTP server with faults.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Fault of one response.
#[derive(Clone, Copy)]
pub(crate) enum FaultMode {
    /// None: the file, or its requested range.
    Good,
    /// Ignores ranges: always sends the whole file.
    WithoutRanges,
    /// Closes the connection after so many bytes.
    Cut(usize),
    /// Stalls after so many bytes.
    Silent(usize),
    /// Responds with 404.
    Missing,
}

/// A running server; it ends with the test.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves `file`; each request gets the next fault mode, and the last one stays.
    pub(crate) fn start(file: &[u8], modes: &[FaultMode]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (file, modes, seen) = (file.to_vec(), modes.to_vec(), Arc::clone(&requests));
        let next = AtomicUsize::new(0);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mode = modes[next.fetch_add(1, Ordering::Relaxed).min(modes.len() - 1)];
                answer(connection.unwrap(), &file, mode, &seen);
            }
        });
        Self { url, requests }
    }

    /// Returns the `Range` header of each request, empty if there was none.
    pub(crate) fn ranges(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut connection: TcpStream, file: &[u8], mode: FaultMode, seen: &Mutex<Vec<String>>) {
    let mut range = String::new();
    for line in BufReader::new(connection.try_clone().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("range: ") {
            range = value.to_owned();
        }
        if line.is_empty() {
            break;
        }
    }
    seen.lock().unwrap().push(range.clone());
    let from: usize = range.strip_prefix("bytes=").and_then(|it| it.strip_suffix('-')?.parse().ok()).unwrap_or(0);
    let from = if matches!(mode, FaultMode::WithoutRanges) { 0 } else { from };
    let rest = &file[from.min(file.len())..];
    let head = match mode {
        FaultMode::Missing => "HTTP/1.1 404 Not Found\r\n".to_owned(),
        _ if from > 0 => {
            format!("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{}\r\n", file.len() - 1, file.len())
        }
        _ => "HTTP/1.1 200 OK\r\n".to_owned(),
    };
    let body = match mode {
        FaultMode::Missing => &[],
        FaultMode::Cut(count) | FaultMode::Silent(count) => &rest[..count.min(rest.len())],
        FaultMode::Good | FaultMode::WithoutRanges => rest,
    };
    let length = if matches!(mode, FaultMode::Missing) { 0 } else { rest.len() };
    // The client may close the connection at any time.
    let _ = write!(connection, "{head}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = connection.write_all(body);
    if matches!(mode, FaultMode::Silent(_)) {
        // Stalls until the client closes the connection.
        let _ = std::io::Read::read(&mut connection, &mut [0]);
    }
}
