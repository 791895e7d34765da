//! Standard output and standard error of a guest, as log lines at level debug.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use guest_engine::{LineBuffer, Output, OutputStream};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{self, Pollable, StreamResult};

/// Limit on the bytes that a guest prints in one call.
const MAX_WRITE: usize = 64 << 10;

/// Log of one component.
struct Log(Arc<str>);

impl Output for Log {
    fn line(&self, stream: OutputStream, line: &str) {
        let stream = if stream == OutputStream::Stdout { "stdout" } else { "stderr" };
        tracing::debug!(component = %self.0, stream, "{}", line.replace(char::is_control, " "));
    }
}

/// One of the two streams.
#[derive(Clone)]
pub(crate) struct GuestOutput {
    stream: OutputStream,
    buffer: Arc<Mutex<LineBuffer>>,
}

impl GuestOutput {
    pub(crate) fn new(component: Arc<str>, stream: OutputStream) -> Self {
        Self { stream, buffer: Arc::new(Mutex::new(LineBuffer::new(Arc::new(Log(component))))) }
    }
}

impl StdoutStream for GuestOutput {
    /// Returns a sink. Only WASI 0.3 uses this method, and no such module runs here.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn p2::OutputStream> {
        Box::new(self.clone())
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl p2::OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner).print(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE)
    }
}

#[async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}
