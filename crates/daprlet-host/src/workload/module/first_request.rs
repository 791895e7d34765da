//! Holds a new connection back from guests until its client has sent the header of a request.
//!
//! A client that sends nothing, or never ends its first header, would otherwise keep a descriptor and a place at an
//! instance for as long as it likes. Between later requests a client may wait.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Timeout for the header of the first request, as on the Dapr ports.
pub(crate) const FIRST_HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout while many clients are held back.
const SHORT_HEADER_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum connections of one port that are held back at once. More stay in the kernel's queue.
pub(crate) const MAX_HELD_BACK: usize = 512;

/// Maximum bytes of a header that are inspected. A longer one goes to the guest, which has its own limit.
const MAX_PEEKED_BYTES: usize = 8 * 1024;
/// Time between two peeks at a header that arrives in pieces.
const PEEK_INTERVAL: Duration = Duration::from_millis(10);

/// Selects the timeout of a connection that arrives while `held_back` others are held back.
pub(crate) fn header_timeout(held_back: usize) -> Duration {
    if held_back < MAX_HELD_BACK / 2 { FIRST_HEADER_TIMEOUT } else { SHORT_HEADER_TIMEOUT }
}

/// Returns `stream` once a guest can read a request's header on it.
///
/// It is also returned if its bytes are not HTTP/1.1.
///
/// # Errors
/// `TimedOut` after `timeout`, and `UnexpectedEof` if the client leaves before.
pub(crate) async fn wait_for_header(stream: TcpStream, timeout: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + timeout;
    let mut bytes = vec![0; MAX_PEEKED_BYTES];
    loop {
        let Ok(peeked) = timeout_at(deadline, stream.peek(&mut bytes)).await else {
            return Err(io::ErrorKind::TimedOut.into());
        };
        match peeked? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count if is_enough(bytes.get(..count).unwrap_or_default()) => return Ok(stream),
            _ => {}
        }
        // A peek leaves the bytes in the socket, which stays readable: only a timer can wait for more.
        sleep_until(deadline.min(Instant::now() + PEEK_INTERVAL)).await;
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
}

/// Returns true if `bytes` need no more waiting.
///
/// They contain the end of a header, are too many, or do not start like HTTP.
fn is_enough(bytes: &[u8]) -> bool {
    let is_http = bytes.iter().find(|byte| !matches!(byte, b'\r' | b'\n')).is_none_or(u8::is_ascii_alphabetic);
    let has_end = || bytes.windows(2).any(|two| two == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n");
    !is_http || bytes.len() >= MAX_PEEKED_BYTES || has_end()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    async fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    async fn check(sent: &[u8], timeout: Duration) -> io::Result<TcpStream> {
        let (mut client, server) = connection().await;
        client.write_all(sent).await.unwrap();
        wait_for_header(server, timeout).await
    }

    #[tokio::test]
    async fn whole_header_or_other_protocol_passes() {
        for sent in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"GET / HTTP/1.0\n\n",
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01",
            &[b'A'; MAX_PEEKED_BYTES],
        ] {
            check(sent, FIRST_HEADER_TIMEOUT).await.unwrap();
        }
    }

    #[tokio::test]
    async fn silent_or_slow_client_times_out() {
        for sent in [&b""[..], b"GET / HTTP/1.1\r\n", b"\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n"] {
            let error = check(sent, Duration::from_millis(30)).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[tokio::test]
    async fn header_in_pieces_passes_when_it_is_complete() {
        let (mut client, server) = connection().await;
        let waiting = tokio::spawn(wait_for_header(server, FIRST_HEADER_TIMEOUT));
        for piece in [&b"GET / HTT"[..], b"P/1.1\r\nHost: a", b"\r\n\r\n"] {
            client.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn client_that_leaves_is_an_error() {
        let (client, server) = connection().await;
        drop(client);
        let error = wait_for_header(server, FIRST_HEADER_TIMEOUT).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
