//! One connection to the server, with limits on time and memory.

use std::io::{self, Read, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use redis::{ConnectionLike, ErrorKind, Parser, RedisError, RedisResult, Value};
use redis_layout::Server;

/// Largest response in bytes: hosts accept as much from one call of a component with the usual memory.
const MAX_RESPONSE_BYTES: usize = 64 << 20;

pub(crate) struct Connection {
    stream: TcpStream,
    parser: Parser,
    timeout: Duration,
    database: i64,
    is_broken: bool,
}

impl Connection {
    /// Connects, authenticates and selects the database.
    pub(crate) fn open(server: &Server) -> RedisResult<Self> {
        let stream = dial(server)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(server.read_timeout))?;
        let mut connection = Self {
            stream,
            parser: Parser::new(),
            timeout: server.read_timeout,
            database: server.database,
            is_broken: false,
        };
        connection.authenticate(server)?;
        if server.database != 0 {
            let selected = redis::cmd("SELECT").arg(server.database).query::<()>(&mut connection);
            selected.map_err(|error| match error.kind() {
                ErrorKind::Server(_) => {
                    (ErrorKind::InvalidClientConfig, "the server does not have the database redisDB").into()
                }
                _ => error,
            })?;
        }
        Ok(connection)
    }

    fn authenticate(&mut self, server: &Server) -> RedisResult<()> {
        let Some(password) = &server.password else { return Ok(()) };
        let mut auth = redis::cmd("AUTH");
        if let Some(username) = &server.username {
            auth.arg(username);
        }
        auth.arg(password).query::<()>(self).map_err(|error| match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension if !is_full(&error) => {
                // Not the server's message: some repeat the password.
                (ErrorKind::AuthenticationFailed, "the server refused redisUsername or redisPassword").into()
            }
            _ => error,
        })
    }

    /// Returns true if a request can be sent: the server has neither closed the connection nor sent unexpected data.
    pub(crate) fn is_usable(&mut self) -> bool {
        let is_quiet = !self.is_broken && {
            let looked = self.stream.set_nonblocking(true).and_then(|()| self.stream.read(&mut [0]));
            matches!(looked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
        };
        is_quiet && self.stream.set_nonblocking(false).is_ok()
    }

    /// Runs a step, and marks the connection as broken if it fails.
    fn or_break<T>(&mut self, step: impl FnOnce(&mut Self) -> RedisResult<T>) -> RedisResult<T> {
        let done = step(self);
        self.is_broken |= done.is_err();
        done
    }

    fn send(&mut self, packed: &[u8]) -> RedisResult<()> {
        self.stream.write_all(packed).map_err(|error| in_time(error).into())
    }

    fn receive(&mut self) -> RedisResult<Value> {
        let until = Instant::now() + self.timeout;
        let mut answer = ResponseReader { stream: &self.stream, until, left: MAX_RESPONSE_BYTES };
        let parsed = self.parser.parse_value(&mut answer);
        if answer.left == 0 {
            return Err((ErrorKind::Parse, "the server's answer is larger than it may be").into());
        }
        parsed
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command(&mut self, packed: &[u8]) -> RedisResult<Value> {
        self.or_break(|it| {
            it.send(packed)?;
            it.receive()
        })
    }

    fn req_packed_commands(&mut self, packed: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        let mut answers = self.or_break(|it| {
            it.send(packed)?;
            (0..offset + count).map(|_| it.receive()).collect::<RedisResult<Vec<_>>>()
        })?;
        let wanted = answers.split_off(offset);
        // Earlier responses say whether a transaction accepted each of its commands.
        answers.into_iter().try_for_each(|answer| answer.extract_error().map(drop))?;
        Ok(wanted)
    }

    fn get_db(&self) -> i64 {
        self.database
    }

    fn check_connection(&mut self) -> bool {
        redis::cmd("PING").query::<()>(self).is_ok()
    }

    fn is_open(&self) -> bool {
        !self.is_broken
    }
}

/// A response with limits on time and size.
struct ResponseReader<'a> {
    stream: &'a TcpStream,
    until: Instant,
    left: usize,
}

impl Read for ResponseReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wait = self.until.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Err(in_time(io::ErrorKind::TimedOut.into()));
        }
        self.stream.set_read_timeout(Some(wait))?;
        let read = self.stream.take(self.left as u64).read(buffer).map_err(in_time)?;
        self.left -= read;
        Ok(read)
    }
}

/// Tries all addresses of the server until one accepts.
fn dial(server: &Server) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name redisHost has no address");
    for address in (server.host.as_str(), server.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, server.dial_timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = in_time(error),
        }
    }
    Err(last)
}

/// Replaces the unclear messages of timeouts, which differ between systems.
fn in_time(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::new(io::ErrorKind::TimedOut, "the server did not answer in time")
        }
        _ => error,
    }
}

/// Returns true if the server has too many clients, which is transient.
fn is_full(error: &RedisError) -> bool {
    error.detail().is_some_and(|detail| detail.starts_with("max number of clients"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn endless_response_is_aborted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"$1000000000000\r\n").unwrap();
            while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
        });
        let properties = [("redisHost", host.as_str()), ("readTimeout", "60s")].into_iter().collect();
        let mut connection = Connection::open(&Server::read(&properties).unwrap()).unwrap();
        let error = redis::cmd("GET").arg("k").query::<Vec<u8>>(&mut connection).unwrap_err();
        assert!(error.to_string().contains("larger than it may be"), "{error}");
        assert!(!connection.is_usable());
    }
}
