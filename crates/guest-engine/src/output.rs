//! Splits a guest's output into lines for the host's log.

use std::sync::Arc;

/// Maximum length of a line, in bytes; a longer one is split. Bounds the memory for it.
const MAX_LINE: usize = 16 * 1024;

/// Standard output or standard error of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Receives the lines that a guest prints.
pub trait Output: Send + Sync + 'static {
    /// Writes one line, without its line end.
    fn line(&self, stream: OutputStream, line: &str);
}

/// Buffers a guest's output until a line is complete.
pub struct LineBuffer {
    output: Arc<dyn Output>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl LineBuffer {
    /// Creates a buffer for `output`.
    #[must_use]
    pub fn new(output: Arc<dyn Output>) -> Self {
        Self { output, stdout: Vec::new(), stderr: Vec::new() }
    }

    /// Appends output; passes complete lines on.
    pub fn print(&mut self, stream: OutputStream, bytes: &[u8]) {
        let pending = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(MAX_LINE) {
                pending.extend_from_slice(part);
                if pending.ends_with(b"\n") || pending.len() >= MAX_LINE {
                    emit(&*self.output, stream, pending);
                }
            }
        }
    }
}

impl Drop for LineBuffer {
    fn drop(&mut self) {
        emit(&*self.output, OutputStream::Stdout, &mut self.stdout);
        emit(&*self.output, OutputStream::Stderr, &mut self.stderr);
    }
}

fn emit(output: &dyn Output, stream: OutputStream, pending: &mut Vec<u8>) {
    let line = String::from_utf8_lossy(pending);
    let line = line.trim_end_matches(['\r', '\n']);
    if !pending.is_empty() {
        output.line(stream, line);
    }
    pending.clear();
}
