//! The log line of an API call: `dapr/pkg/api/http/middlewares.go`.

use std::time::Instant;

use http::{Request, StatusCode};

/// An API call to be logged with its response.
pub(super) struct LoggedCall {
    app: String,
    method: String,
    path: String,
    begin: Instant,
    is_info: bool,
}

impl LoggedCall {
    /// Creates the log record of a call, if enabled.
    ///
    /// At info level if the application wants that, else with `--log-level debug`. Query strings are left out, since
    /// they may carry secrets.
    pub(super) fn new<B>(request: &Request<B>, app: &str, is_info: bool) -> Option<Self> {
        if !is_info && !tracing::enabled!(tracing::Level::DEBUG) {
            return None;
        }
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        Some(Self { app: app.to_owned(), method, path, begin: Instant::now(), is_info })
    }

    pub(super) fn log(self, status: StatusCode) {
        let Self { app, method, path, begin, is_info } = self;
        let (status, ms) = (status.as_u16(), begin.elapsed().as_secs_f64() * 1000.0);
        if is_info {
            tracing::info!(app, method, path, status, ms, "HTTP API called");
        } else {
            tracing::debug!(app, method, path, status, ms, "HTTP API called");
        }
    }
}
