//! The answer to a request that no instance has time for.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest time for which the rest of a request is read and thrown away: a client that still sends when its connection is
/// closed never sees the answer.
const LINGER: Duration = Duration::from_secs(5);

/// How soon to come back, in seconds.
const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    retry-after: 5\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 44\r\n\
    connection: close\r\n\
    \r\n\
    the application is busy; try again in a bit\n";

/// Tells the client, and waits until it has noticed.
pub(super) async fn tell(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let told = async {
        stream.write_all(ANSWER).await?;
        stream.shutdown().await?;
        let mut rest = vec![0; 16 << 10];
        while stream.read(&mut rest).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // Who is gone need not be told.
    let _ = tokio::time::timeout(LINGER, told).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn client_that_sends_is_told_when_to_come_back() {
        let (mut client, host) = tokio::io::duplex(1 << 10);
        let telling = tokio::spawn(tell(host));
        client.write_all(&[b'x'; 4 << 10]).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nretry-after: 5\r\n"), "{head}");
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{answer}");
        drop(client);
        telling.await.unwrap();
    }
}
