//! A server that misbehaves as it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What becomes of one request.
#[derive(Clone, Copy)]
pub(crate) enum Mood {
    /// The file, or what is left of it.
    Good,
    /// The file, whatever was asked for.
    WithoutRanges,
    /// So many bytes of what was asked for, then nothing.
    Cut(usize),
    /// So many bytes, then silence.
    Silent(usize),
    /// No such file.
    Missing,
}

/// A running server; it ends with the test.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves `file`; each request finds the next mood, and the last one stays.
    pub(crate) fn start(file: &[u8], moods: &[Mood]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (file, moods, seen) = (file.to_vec(), moods.to_vec(), Arc::clone(&requests));
        let next = AtomicUsize::new(0);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mood = moods[next.fetch_add(1, Ordering::Relaxed).min(moods.len() - 1)];
                answer(connection.unwrap(), &file, mood, &seen);
            }
        });
        Self { url, requests }
    }

    /// The `Range` header of each request, empty where there was none.
    pub(crate) fn ranges(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut connection: TcpStream, file: &[u8], mood: Mood, seen: &Mutex<Vec<String>>) {
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
    let from = if matches!(mood, Mood::WithoutRanges) { 0 } else { from };
    let rest = &file[from.min(file.len())..];
    let head = match mood {
        Mood::Missing => "HTTP/1.1 404 Not Found\r\n".to_owned(),
        _ if from > 0 => {
            format!("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{}\r\n", file.len() - 1, file.len())
        }
        _ => "HTTP/1.1 200 OK\r\n".to_owned(),
    };
    let body = match mood {
        Mood::Missing => &[],
        Mood::Cut(count) | Mood::Silent(count) => &rest[..count.min(rest.len())],
        Mood::Good | Mood::WithoutRanges => rest,
    };
    let length = if matches!(mood, Mood::Missing) { 0 } else { rest.len() };
    // Who asks may hang up at any time.
    let _ = write!(connection, "{head}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = connection.write_all(body);
    if matches!(mood, Mood::Silent(_)) {
        // Silence lasts until the other side has had enough of it.
        let _ = std::io::Read::read(&mut connection, &mut [0]);
    }
}
