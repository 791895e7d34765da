//! The response to a request that no instance has time for.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Time limit for discarding the rest of a request.
///
/// A client that is still sending when its connection is closed never sees the response.
const LINGER: Duration = Duration::from_secs(5);

/// 503 with `retry-after` in seconds.
const RESPONSE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    retry-after: 5\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 44\r\n\
    connection: close\r\n\
    \r\n\
    the application is busy; try again in a bit\n";

/// Sends the response, and waits until the client has closed.
pub(super) async fn send(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let sent = async {
        stream.write_all(RESPONSE).await?;
        stream.shutdown().await?;
        let mut rest = vec![0; 16 << 10];
        while stream.read(&mut rest).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // The client may be gone already.
    let _ = tokio::time::timeout(LINGER, sent).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sending_client_gets_retry_after() {
        let (mut client, host) = tokio::io::duplex(1 << 10);
        let sending = tokio::spawn(send(host));
        client.write_all(&[b'x'; 4 << 10]).await.unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).await.unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nretry-after: 5\r\n"), "{head}");
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{response}");
        drop(client);
        sending.await.unwrap();
    }
}
