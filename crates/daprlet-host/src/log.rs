//! Destination of the applications' output lines.

use std::sync::Arc;

use guest_wasmedge::{Output, OutputStream};

/// Receives the lines that applications print. The binary decides on their format.
pub trait AppLog: Send + Sync + 'static {
    /// Writes one line of the application `app`, without its line end.
    fn line(&self, app: &str, stream: OutputStream, line: &str);
}

/// The output of one application.
pub(crate) struct NamedLog {
    pub(crate) app: String,
    pub(crate) log: Arc<dyn AppLog>,
}

impl Output for NamedLog {
    fn line(&self, stream: OutputStream, line: &str) {
        self.log.line(&self.app, stream, line);
    }
}
