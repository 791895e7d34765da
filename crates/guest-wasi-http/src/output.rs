//! Output of an instance, as lines of the host's log.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use guest_engine::{LineBuffer, Output, OutputStream};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{Pollable, StreamResult};

/// Number of bytes that an instance may write at once.
const MAX_WRITE_BYTES: usize = 64 << 10;

/// Standard output or standard error of one instance.
#[derive(Clone)]
pub(crate) struct GuestOutput {
    stream: OutputStream,
    lines: Arc<Mutex<LineBuffer>>,
}

impl GuestOutput {
    /// Creates standard output and standard error, whose lines go to `output`.
    pub(crate) fn pair(output: &Arc<dyn Output>) -> (Self, Self) {
        let lines = Arc::new(Mutex::new(LineBuffer::new(output.clone())));
        (Self { stream: OutputStream::Stdout, lines: lines.clone() }, Self { stream: OutputStream::Stderr, lines })
    }
}

impl StdoutStream for GuestOutput {
    /// Returns a sink. Only WASI 0.3 uses this method, and no such component runs here.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn wasmtime_wasi::p2::OutputStream> {
        Box::new(self.clone())
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl wasmtime_wasi::p2::OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).print(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE_BYTES)
    }
}

#[async_trait::async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}
