//! One access-log line for each request.

use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};
use http_body::Body as _;

use crate::ClientAddress;

/// Destination of log lines.
pub trait Log: Send + Sync {
    /// Writes one line.
    fn line(&self, line: &str);
}

/// Lines on standard error, which the host prefixes with the service's name.
#[derive(Debug, Clone, Copy)]
pub struct StderrLog;

impl Log for StderrLog {
    fn line(&self, line: &str) {
        // One write per line, so that lines of several services do not mix; a closed stderr is ignored.
        let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
    }
}

/// Marks a response that gets no access-log line, such as one to a timer tick without work.
#[derive(Debug, Clone, Copy)]
pub struct Unlogged;

/// Logged facts about a request. Headers and the query are left out, because secrets travel there.
struct AccessLine<'a> {
    method: &'a Method,
    path: &'a str,
    status: StatusCode,
    bytes: u64,
    ms: u128,
    user: IpAddr,
}

/// Handles a request, and logs it.
pub(crate) async fn log(
    State(log): State<Arc<dyn Log>>,
    ClientAddress(user): ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    let (began, method, uri) = (Instant::now(), request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    if response.extensions().get::<Unlogged>().is_none() {
        let (status, bytes, ms) = (response.status(), length(&response), began.elapsed().as_millis());
        log.line(&AccessLine { method: &method, path: uri.path(), status, bytes, ms, user }.to_string());
    }
    response
}

/// Returns the length of the body, which a response to `HEAD` only announces.
fn length(response: &Response) -> u64 {
    let announced = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    announced.or(response.body().size_hint().exact()).unwrap_or_default()
}

impl fmt::Display for AccessLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, status, bytes, ms, user } = self;
        let status = status.as_u16();
        write!(f, "method={method} path={path} status={status} bytes={bytes} ms={ms} user={user}")
    }
}
