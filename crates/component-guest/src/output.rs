//! What an instance prints, as lines of the host's log.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasm_engine::{LineBuffer, Output, OutputStream};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{Pollable, StreamResult};

/// How much an instance may write at once, in bytes.
const WINDOW: usize = 64 << 10;

/// Standard output or standard error of one instance.
#[derive(Clone)]
pub(crate) struct Printed {
    stream: OutputStream,
    lines: Arc<Mutex<LineBuffer>>,
}

impl Printed {
    /// Standard output and standard error, whose lines go to `output`.
    pub(crate) fn both(output: &Arc<dyn Output>) -> (Self, Self) {
        let lines = Arc::new(Mutex::new(LineBuffer::new(output.clone())));
        (Self { stream: OutputStream::Stdout, lines: lines.clone() }, Self { stream: OutputStream::Stderr, lines })
    }
}

impl StdoutStream for Printed {
    /// Only WASI 0.3 asks for this one, and no component of it runs here.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn wasmtime_wasi::p2::OutputStream> {
        Box::new(self.clone())
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl wasmtime_wasi::p2::OutputStream for Printed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).print(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WINDOW)
    }
}

#[async_trait::async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}
