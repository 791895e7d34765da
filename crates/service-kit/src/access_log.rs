//! One access-log line for each request.

use std::fmt;
use std::io::Write;
use std::net::IpAddr;

use http::{Method, StatusCode};

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
pub(crate) struct Unlogged;

/// Logged facts about a request. Headers and the query are left out, because secrets travel there.
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
