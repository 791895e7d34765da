//! A well-behaved app beside the attack, asked over one connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The longest that one response may take before it counts as none.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// The app that nobody attacks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neighbour {
    pub(crate) port: u16,
}

/// Requests over one connection, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Requests a second.
    pub(crate) rate: f64,
    /// The time within which 99 of 100 were answered.
    pub(crate) p99: Duration,
}

impl Neighbour {
    /// Sends `GET /` for so long. Nothing answered counts as no rate at all.
    pub(crate) fn measure(self, duration: Duration) -> Measured {
        self.try_measure(duration).unwrap_or(Measured { rate: 0.0, p99: RESPONSE_TIMEOUT })
    }

    fn try_measure(self, duration: Duration) -> io::Result<Measured> {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port))?);
        stream.get_ref().set_nodelay(true)?;
        stream.get_ref().set_read_timeout(Some(RESPONSE_TIMEOUT))?;
        get(&mut stream)?;
        let (begin, mut times) = (Instant::now(), Vec::new());
        while begin.elapsed() < duration {
            let sent = Instant::now();
            get(&mut stream)?;
            times.push(sent.elapsed());
        }
        let rate = times.len() as f64 / begin.elapsed().as_secs_f64();
        times.sort_unstable();
        Ok(Measured { rate, p99: times.get(times.len() * 99 / 100).copied().unwrap_or_default() })
    }
}

fn get(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    stream.get_ref().write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")?;
    let (mut line, mut length) = (String::new(), 0);
    stream.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200 ") {
        return Err(io::Error::other(line));
    }
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    stream.read_exact(&mut vec![0; length])
}
