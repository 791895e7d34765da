//! Writes a component's output to the host's log, line by line.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Maximum length of a line, in bytes; a longer one is split. Bounds the memory for it.
const MAX_LINE: usize = 16 * 1024;

/// Standard output or standard error of one instance.
#[derive(Clone)]
pub(crate) struct Lines {
    component: Arc<str>,
    pending: Arc<Mutex<Vec<u8>>>,
}

impl Lines {
    pub(crate) fn new(component: Arc<str>) -> Self {
        Self { component, pending: Arc::default() }
    }

    fn print(&self, bytes: &[u8]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(MAX_LINE) {
                pending.extend_from_slice(part);
                if pending.ends_with(b"\n") || pending.len() >= MAX_LINE {
                    let line = String::from_utf8_lossy(&pending);
                    // Control characters are removed: a terminal would act on them.
                    let line = line.trim_end().replace(char::is_control, " ");
                    tracing::info!(component = %self.component, "{line}");
                    pending.clear();
                }
            }
        }
    }
}

impl StdoutStream for Lines {
    /// Only WASI 0.3 calls this, which is not supported here.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_LINE)
    }
}

#[async_trait::async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}
