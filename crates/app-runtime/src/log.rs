//! Where the lines of applications go.

use std::sync::Arc;

use wasmedge_guest::{Output, OutputStream};

/// Takes the lines that applications print. The binary decides how they look.
pub trait AppLog: Send + Sync + 'static {
    /// One line of the application `app`, without its end.
    fn line(&self, app: &str, stream: OutputStream, line: &str);
}

/// The lines of one application.
pub(crate) struct NamedLog {
    pub(crate) app: String,
    pub(crate) log: Arc<dyn AppLog>,
}

impl Output for NamedLog {
    fn line(&self, stream: OutputStream, line: &str) {
        self.log.line(&self.app, stream, line);
    }
}
