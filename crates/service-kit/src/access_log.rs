//! One line for each request.

use std::fmt;
use std::io::Write;
use std::net::IpAddr;

use http::{Method, StatusCode};

/// Where lines go.
pub trait Log: Send + Sync {
    /// Writes one line.
    fn line(&self, line: &str);
}

/// Lines on standard error, which the host prefixes with the service's name.
#[derive(Debug, Clone, Copy)]
pub struct StderrLog;

impl Log for StderrLog {
    fn line(&self, line: &str) {
        // One write for each line, so that lines of several services do not mix; a closed stderr is nobody's problem.
        let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
    }
}

/// Marks a response that has no line in the access log: one to a timer that found nothing to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unlogged;

/// What is said about a request: nothing that a header or a query carries, because secrets travel there.
pub(crate) struct AccessLine<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) bytes: usize,
    pub(crate) ms: u128,
    pub(crate) user: IpAddr,
}

impl fmt::Display for AccessLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, status, bytes, ms, user } = self;
        let status = status.as_u16();
        write!(f, "method={method} path={path} status={status} bytes={bytes} ms={ms} user={user}")
    }
}
