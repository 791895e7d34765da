//! What went wrong on the way to a server, as Go's HTTP client tells it.

use std::error::Error;
use std::fmt::Display;
use std::io;

use building_blocks::BoxError;
use http::Method;
use sidecar::InvokeError;

/// The request, and the innermost reason, which is what helps.
pub(crate) fn told(method: &Method, url: impl Display, error: &(dyn Error + 'static)) -> InvokeError {
    let (first, rest) = method.as_str().split_at_checked(1).unwrap_or((method.as_str(), ""));
    let reason = root_cause(error);
    InvokeError::Channel(format!("{first}{} \"{url}\": {reason}", rest.to_lowercase()).into())
}

/// The innermost error.
pub(crate) fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason
}

/// Why nobody could be reached at `address`.
pub(crate) fn unreachable(address: impl Display, error: io::Error) -> BoxError {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return format!("dial tcp {address}: connect: connection refused").into();
    }
    error.into()
}
