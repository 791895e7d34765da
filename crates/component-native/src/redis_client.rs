//! The client of components on a Redis server.

mod connection;
mod settings;

use dapr_building_blocks::InitError;
use redis::{ErrorKind, RedisError};

pub(crate) use self::connection::{Link, Repeat};
pub(crate) use self::settings::Settings;

/// Classifies an error of the first request.
pub(crate) fn init_error(error: RedisError) -> InitError {
    match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => InitError::misconfigured(error),
        _ => InitError::unavailable(error),
    }
}

/// Returns whether the server could not be reached.
pub(crate) fn is_unavailable(error: &RedisError) -> bool {
    error.is_io_error() || error.is_timeout() || error.is_connection_dropped()
}
