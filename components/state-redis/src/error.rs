//! Conversion of Redis errors to errors of the contract.

use dapr_component::InitError;
use dapr_component::state::Error;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Converts an error of the first connection: permanent or transient.
pub(crate) fn init_error(error: RedisError) -> InitError {
    let is_for_good = match error.kind() {
        ErrorKind::AuthenticationFailed
        | ErrorKind::InvalidClientConfig
        | ErrorKind::Server(ServerErrorKind::NoPerm) => true,
        _ => error.code() == Some("NOAUTH"),
    };
    if is_for_good { InitError::misconfigured(error) } else { InitError::unavailable(error) }
}

/// Converts an error that is not from a script of ours.
pub(crate) fn failure(error: RedisError) -> Error {
    if error.is_io_error() { Error::unavailable(error) } else { Error::other(error) }
}

/// Converts an error of a transaction: the first operation that failed.
pub(crate) fn transaction_error(error: RedisError) -> Error {
    let of_operations = error.clone().into_server_errors();
    match of_operations.as_ref().and_then(|errors| errors.first()) {
        Some((_, first)) => Error::other(format!("{} {}", first.code(), first.details().unwrap_or_default())),
        None => failure(error),
    }
}

/// Returns true if a script of ours rejected the operation: its message comes back with the error.
pub(crate) fn is_script_error(error: &RedisError) -> bool {
    server_message(error).contains(": failed to ")
}

/// Formats an error as the server wrote it.
pub(crate) fn server_message(error: &RedisError) -> String {
    format!("{} {}", error.code().unwrap_or("ERR"), error.detail().unwrap_or_default())
}
