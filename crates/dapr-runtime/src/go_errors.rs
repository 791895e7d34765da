//! Errors of requests to servers, in the words of Go's HTTP client.

use std::error::Error;
use std::fmt::Display;
use std::io;

use dapr_building_blocks::BoxError;
use http::Method;

use crate::InvokeError;

/// Formats an error with the request's method and URL, and its innermost cause.
pub fn url_error(method: &Method, url: impl Display, error: &(dyn Error + 'static)) -> InvokeError {
    let (first, rest) = method.as_str().split_at_checked(1).unwrap_or((method.as_str(), ""));
    let reason = root_cause(error);
    InvokeError::Channel(format!("{first}{} \"{url}\": {reason}", rest.to_lowercase()).into())
}

/// Finds the innermost error.
pub(crate) fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason
}

/// Formats a connect error to `address`.
pub fn dial_error(address: impl Display, error: io::Error) -> BoxError {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return format!("dial tcp {address}: connect: connection refused").into();
    }
    error.into()
}
