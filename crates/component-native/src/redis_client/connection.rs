//! Connection to the server: one for all requests, restored when it is lost.
//!
//! As in Dapr's client (go-redis), a request waits for a server that is briefly unavailable, and is resent if that
//! cannot take effect twice.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
#[cfg(feature = "state-redis")]
use redis::aio::PubSub;
use redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind};
use redis_layout::Server;
use tokio::net::TcpStream;

use super::settings::Settings;

/// Limit on the connection attempts per attempt of a request, and the delay between them.
const DIALS: u32 = 5;
const DIAL_DELAY: Duration = Duration::from_millis(100);

/// Shared connection to the server.
pub(crate) struct Link {
    settings: Settings,
    current: Mutex<Option<Open>>,
}

#[derive(Clone)]
struct Open {
    connection: MultiplexedConnection,
    is_closed: Arc<AtomicBool>,
}

impl Open {
    fn is_usable(&self) -> bool {
        !self.is_closed.load(Ordering::Acquire)
    }
}

/// Safety of resending a request that may have reached the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Repeating the request has no further effect.
    Harmless,
    /// The result depends on state that the first attempt may have changed.
    Harmful,
}

impl Link {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, current: Mutex::default() }
    }

    /// Sends a request, and resends it over a new connection if the connection is lost.
    pub(crate) async fn send<T, F>(
        &self,
        repeat: Repeat,
        request: impl Fn(MultiplexedConnection) -> F + Send + Sync,
    ) -> RedisResult<T>
    where
        T: Send,
        F: Future<Output = RedisResult<T>> + Send,
    {
        let mut attempt = 0;
        loop {
            let (error, is_unsent) = match self.open().await {
                Ok(open) => match request(open.connection.clone()).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => {
                        let is_unsent = is_turned_away(&error);
                        if is_lost(&error) {
                            self.forget(&open);
                        }
                        (error, is_unsent)
                    }
                },
                Err(error) => (error, true),
            };
            let may_repeat = is_unsent || repeat == Repeat::Harmless;
            if attempt == self.settings.retries || !may_repeat || !(is_lost(&error) || is_turned_away(&error)) {
                return Err(error);
            }
            tokio::time::sleep(self.delay(attempt)).await;
            attempt += 1;
        }
    }

    /// Returns the open connection, or opens a new one in several attempts.
    async fn open(&self) -> RedisResult<Open> {
        if let Some(open) = self.usable() {
            return Ok(open);
        }
        let mut dials = 1;
        loop {
            match self.dial().await {
                Ok(open) => {
                    let mut current = self.current();
                    // Another request may have connected first.
                    let faster = current.clone().filter(Open::is_usable);
                    return Ok(current.insert(faster.unwrap_or(open)).clone());
                }
                Err(error) if dials < DIALS && is_lost(&error) => tokio::time::sleep(DIAL_DELAY).await,
                Err(error) => return Err(error),
            }
            dials += 1;
            if let Some(open) = self.usable() {
                return Ok(open);
            }
        }
    }

    async fn dial(&self) -> RedisResult<Open> {
        let is_closed = Arc::new(AtomicBool::new(false));
        let connection = self.connect(self.settings.server.read_timeout, is_closed.clone()).await?;
        Ok(Open { connection, is_closed })
    }

    /// Opens another connection, for commands that block for up to `block`. It is closed once it is dropped.
    #[cfg(feature = "pubsub-redis")]
    pub(crate) async fn open_blocking(&self, block: Duration) -> RedisResult<MultiplexedConnection> {
        let response_timeout = block.saturating_add(self.settings.server.read_timeout);
        self.connect(response_timeout, Arc::default()).await
    }

    /// Opens a connection, and sets `is_closed` once it is closed.
    async fn connect(
        &self,
        response_timeout: Duration,
        is_closed: Arc<AtomicBool>,
    ) -> RedisResult<MultiplexedConnection> {
        let server = &self.settings.server;
        let login = login(server);
        let connect = async {
            let stream = TcpStream::connect((server.host.as_str(), server.port)).await?;
            stream.set_nodelay(true)?;
            let config = AsyncConnectionConfig::new().set_response_timeout(Some(response_timeout));
            MultiplexedConnection::new_with_config(&login, stream, config).await
        };
        let connected = tokio::time::timeout(server.dial_timeout, connect).await;
        let (connection, driver) =
            connected.map_err(|_| RedisError::from(io::Error::from(io::ErrorKind::TimedOut)))??;
        tokio::spawn(async move {
            driver.await;
            // A request that checks this flag is not sent over a closed connection.
            is_closed.store(true, Ordering::Release);
        });
        Ok(connection)
    }

    /// Opens another connection, for messages of the server.
    #[cfg(feature = "state-redis")]
    pub(crate) async fn listen(&self) -> RedisResult<PubSub> {
        let server = &self.settings.server;
        let connect = async {
            let stream = TcpStream::connect((server.host.as_str(), server.port)).await?;
            PubSub::new(&login(server), stream).await
        };
        let connected = tokio::time::timeout(server.dial_timeout, connect).await;
        connected.map_err(|_| RedisError::from(io::Error::from(io::ErrorKind::TimedOut)))?
    }

    /// Returns the number of the database.
    #[cfg(feature = "state-redis")]
    pub(crate) fn database(&self) -> i64 {
        self.settings.server.database
    }

    fn usable(&self) -> Option<Open> {
        self.current().clone().filter(Open::is_usable)
    }

    fn forget(&self, lost: &Open) {
        self.current().take_if(|open| Arc::ptr_eq(&open.is_closed, &lost.is_closed));
    }

    fn current(&self) -> MutexGuard<'_, Option<Open>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the delay after an attempt.
    ///
    /// It grows with the attempt's number and is random, so that many requests do not retry together.
    fn delay(&self, attempt: u32) -> Duration {
        let Settings { min_delay, max_delay, .. } = self.settings;
        let spread = min_delay.saturating_mul(1 << attempt.min(16));
        let nanos = u64::try_from(spread.as_nanos()).unwrap_or(u64::MAX);
        min_delay.saturating_add(Duration::from_nanos(fastrand::u64(0..=nanos))).min(max_delay)
    }
}

/// Returns the credentials and the database that a connection begins with.
fn login(server: &Server) -> RedisConnectionInfo {
    let mut login = RedisConnectionInfo::default().set_db(server.database);
    if let Some(username) = &server.username {
        login = login.set_username(username);
    }
    if let Some(password) = &server.password {
        login = login.set_password(password);
    }
    login
}

/// Returns true if the connection is no longer usable.
fn is_lost(error: &RedisError) -> bool {
    error.is_io_error() || error.is_timeout() || error.is_connection_dropped()
}

/// Returns true if the server did nothing and may accept the request soon.
fn is_turned_away(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, ReadOnly, TryAgain};
    matches!(error.kind(), ErrorKind::Server(BusyLoading | ClusterDown | MasterDown | ReadOnly | TryAgain))
        || error.detail().is_some_and(|detail| detail.contains("max number of clients reached"))
}
