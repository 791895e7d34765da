//! Standard output and standard error of a guest, as lines of the log at level debug.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use wasm_engine::{LineBuffer, Output, OutputStream};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{self, Pollable, StreamResult};

/// Most bytes that a guest prints in one call.
const MAX_WRITE: usize = 64 << 10;

/// The log of one component.
struct Log(Arc<str>);

impl Output for Log {
    fn line(&self, stream: OutputStream, line: &str) {
        let stream = if stream == OutputStream::Stdout { "stdout" } else { "stderr" };
        tracing::debug!(component = %self.0, stream, "{}", line.replace(char::is_control, " "));
    }
}

/// One of the two streams.
#[derive(Clone)]
pub(crate) struct Printed {
    stream: OutputStream,
    buffer: Arc<Mutex<LineBuffer>>,
}

impl Printed {
    pub(crate) fn new(component: Arc<str>, stream: OutputStream) -> Self {
        Self { stream, buffer: Arc::new(Mutex::new(LineBuffer::new(Arc::new(Log(component))))) }
    }
}

impl StdoutStream for Printed {
    /// Only WASI 0.3 asks for this one, and no module of it runs here.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn p2::OutputStream> {
        Box::new(self.clone())
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl p2::OutputStream for Printed {
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
impl Pollable for Printed {
    async fn ready(&mut self) {}
}
