//! Connections that say what no HTTP library would say.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// The longest wait for a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to a port of this machine.
pub(crate) fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(RESPONSE_TIMEOUT))?;
    stream.set_write_timeout(Some(RESPONSE_TIMEOUT))?;
    Ok(stream)
}

/// Sends these bytes and returns all that comes until the connection is closed.
pub(crate) fn exchange(port: u16, bytes: &[u8]) -> io::Result<String> {
    let mut stream = connect(port)?;
    stream.write_all(bytes)?;
    let mut response = Vec::new();
    // A reset after the response is an end, too.
    match stream.read_to_end(&mut response) {
        Err(error) if response.is_empty() || error.kind() == io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(String::from_utf8_lossy(&response).into_owned()),
    }
}
