//! What a failure at the server means in the words of the contract.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::bindings::exports::dapr::components::state::{Error, InitError};

/// A failure of a first connection: whether waiting may help.
pub(crate) fn init_error(error: RedisError) -> InitError {
    let is_for_good = match error.kind() {
        ErrorKind::AuthenticationFailed
        | ErrorKind::InvalidClientConfig
        | ErrorKind::Server(ServerErrorKind::NoPerm) => true,
        _ => error.code() == Some("NOAUTH"),
    };
    let told = error.to_string();
    if is_for_good { InitError::Misconfigured(told) } else { InitError::Unavailable(told) }
}

/// A failure of a call that no script of ours refused.
pub(crate) fn failure(error: RedisError) -> Error {
    if error.is_io_error() { Error::Unavailable(error.to_string()) } else { Error::Other(error.to_string()) }
}

/// A failure of a transaction: what the first operation that failed says.
pub(crate) fn of_transaction(error: RedisError) -> Error {
    let of_operations = error.clone().into_server_errors();
    match of_operations.as_ref().and_then(|errors| errors.first()) {
        Some((_, first)) => Error::Other(format!("{} {}", first.code(), first.details().unwrap_or_default())),
        None => failure(error),
    }
}

/// Whether a script of ours refused: its own words come back with the error.
pub(crate) fn is_refusal(error: &RedisError) -> bool {
    said(error).contains(": failed to ")
}

/// An error as the server wrote it.
pub(crate) fn said(error: &RedisError) -> String {
    format!("{} {}", error.code().unwrap_or("ERR"), error.detail().unwrap_or_default())
}
