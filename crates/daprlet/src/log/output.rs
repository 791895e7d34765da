//! Bounded buffer of log lines, with a thread that writes them.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Time that a line waits to be written together with others.
const BATCH_DELAY: Duration = Duration::from_millis(5);

/// Delay before writing again to a descriptor that is not ready.
const WRITE_RETRY_DELAY: Duration = Duration::from_millis(10);

/// Longest time that the process waits at exit for lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// Limit on buffered bytes; lines beyond it are dropped.
const MAX_BUFFERED_BYTES: usize = 4 << 20;

/// Limit on one application's buffered bytes, so that the others have room.
const MAX_BUFFERED_BYTES_PER_APP: usize = 1 << 20;

/// Number of bytes that are written at once without waiting for more.
const FULL_BATCH: usize = 64 << 10;

/// Non-blocking destination of lines from any thread.
pub(crate) struct Output(Arc<Shared>);

#[derive(Default)]
struct Shared {
    buffer: Mutex<Buffer>,
    /// Signalled when lines arrive in an empty buffer, or fill a batch.
    arrived: Condvar,
    /// Signalled when the writer has written a batch.
    written: Condvar,
}

#[derive(Default)]
struct Buffer {
    text: Vec<u8>,
    /// Bytes of `text` that belong to each application.
    shares: BTreeMap<String, usize>,
    /// Lines dropped since the last notice, by application; `None` is daprlet.
    dropped: BTreeMap<Option<String>, u64>,
    /// True while the writer writes a batch.
    is_writing: bool,
}

impl Output {
    /// Starts the thread that writes to `out`; `notice` formats a line about dropped lines.
    pub(super) fn start(
        out: impl io::Write + Send + 'static,
        notice: impl Fn(Option<&str>, u64) -> String + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let writer = shared.clone();
        // The thread ends with the process.
        thread::Builder::new().name("log".into()).spawn(move || writer.write_all(out, notice))?;
        Ok(Self(shared))
    }

    /// Adds a line of an application, or of daprlet. Drops it if the buffer or the application's share is full.
    pub(super) fn push(&self, app: Option<&str>, line: &[u8]) {
        let mut buffer = self.0.lock();
        if !buffer.has_room(app, line.len()) {
            buffer.drop_lines(app.map(str::to_owned), 1);
            return;
        }
        let before = buffer.text.len();
        buffer.text.extend_from_slice(line);
        if let Some(app) = app {
            *buffer.share(app) += line.len();
        }
        if before == 0 || (before < FULL_BATCH && buffer.text.len() >= FULL_BATCH) {
            self.0.arrived.notify_one();
        }
    }

    /// Waits until everything is written, for at most [`FLUSH_TIMEOUT`].
    pub(super) fn flush(&self) {
        let is_pending = |buffer: &mut Buffer| buffer.is_writing || !buffer.text.is_empty();
        // Poisoned or timed out: the process exits either way.
        let _ = self.0.written.wait_timeout_while(self.0.lock(), FLUSH_TIMEOUT, is_pending);
    }
}

impl Buffer {
    fn has_room(&self, app: Option<&str>, length: usize) -> bool {
        let share = app.and_then(|app| self.shares.get(app)).copied().unwrap_or(0);
        let fits_share = app.is_none() || share + length <= MAX_BUFFERED_BYTES_PER_APP;
        fits_share && self.text.len() + length <= MAX_BUFFERED_BYTES
    }

    fn share(&mut self, app: &str) -> &mut usize {
        if !self.shares.contains_key(app) {
            self.shares.insert(app.to_owned(), 0);
        }
        self.shares.entry(app.to_owned()).or_default()
    }

    fn drop_lines(&mut self, app: Option<String>, lines: u64) {
        *self.dropped.entry(app).or_default() += lines;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut out: impl io::Write, notice: impl Fn(Option<&str>, u64) -> String) {
        let mut text = Vec::new();
        loop {
            let dropped = self.take(&mut text);
            let notices = dropped.iter().map(|(app, lines)| notice(app.as_deref(), *lines)).collect::<String>();
            let is_lost = !write(&mut out, notices.as_bytes()).is_empty();
            let lost = lines(write(&mut out, &text));
            text.clear();
            let mut buffer = self.lock();
            if is_lost {
                dropped.into_iter().for_each(|(app, lines)| buffer.drop_lines(app, lines));
            }
            if lost > 0 {
                buffer.drop_lines(None, lost);
            }
            buffer.is_writing = false;
            drop(buffer);
            self.written.notify_all();
        }
    }

    /// Waits for a batch of lines and takes it. Returns the number of lines dropped before it.
    fn take(&self, text: &mut Vec<u8>) -> BTreeMap<Option<String>, u64> {
        let buffer = self.arrived.wait_while(self.lock(), |buffer| buffer.text.is_empty());
        let buffer = buffer.unwrap_or_else(PoisonError::into_inner);
        let is_small = |buffer: &mut Buffer| buffer.text.len() < FULL_BATCH;
        let batched = self.arrived.wait_timeout_while(buffer, BATCH_DELAY, is_small);
        let (mut buffer, _) = batched.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut buffer.text, text);
        buffer.shares.clear();
        buffer.is_writing = true;
        std::mem::take(&mut buffer.dropped)
    }
}

/// Writes `text`, however slow the reader is; returns the rest that could not be written.
fn write<'a>(out: &mut impl io::Write, mut text: &'a [u8]) -> &'a [u8] {
    while !text.is_empty() {
        match out.write(text) {
            Ok(0) => return text,
            Ok(length) => text = text.get(length..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(WRITE_RETRY_DELAY),
            // A closed pipe or a full disk; there is no better place to report it.
            Err(_) => return text,
        }
    }
    text
}

fn lines(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::sync::mpsc;

    use super::*;

    fn notice(app: Option<&str>, lines: u64) -> String {
        format!("{}:{lines}\n", app.unwrap_or("-"))
    }

    fn read(mut reader: impl io::Read, length: usize) -> String {
        let mut text = vec![0; length];
        reader.read_exact(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn flush_writes_all_lines_in_order() {
        let (reader, writer) = io::pipe().unwrap();
        let output = Output::start(writer, notice).unwrap();
        let expected: String = (0..1000).map(|number| format!("line {number:03}\n")).collect();
        let length = expected.len();
        let reads = thread::spawn(move || read(reader, length));
        expected.split_inclusive('\n').for_each(|line| output.push(Some("a"), line.as_bytes()));
        output.flush();
        assert!(!output.0.lock().is_writing && output.0.lock().text.is_empty());
        assert_eq!(reads.join().unwrap(), expected);
    }

    #[test]
    fn unread_output_drops_and_counts_without_blocking() {
        let (mut reader, writer) = io::pipe().unwrap();
        let output = Output::start(writer, notice).unwrap();
        // More than a pipe holds: the writer takes the first line and blocks.
        let line = [b"x".repeat(256 * 1024 - 1), b"\n".to_vec()].concat();
        output.push(Some("chatty"), &line);
        while !output.0.lock().is_writing {
            thread::yield_now();
        }
        let lines_of_share = MAX_BUFFERED_BYTES_PER_APP / line.len();
        (0..lines_of_share + 3).for_each(|_| output.push(Some("chatty"), &line));
        output.push(Some("quiet"), b"here\n");
        output.push(None, b"own\n");
        assert_eq!(output.0.lock().dropped, BTreeMap::from([(Some("chatty".to_owned()), 3)]));
        let mut text = vec![0; line.len() * (1 + lines_of_share)];
        reader.read_exact(&mut text[..line.len()]).unwrap();
        let notices = read(&mut reader, "chatty:3\n".len());
        reader.read_exact(&mut text[line.len()..]).unwrap();
        assert_eq!((notices.as_str(), read(&mut reader, "here\nown\n".len()).as_str()), ("chatty:3\n", "here\nown\n"));
    }

    /// Writer that fails like a full disk while `is_full` is set, and otherwise forwards its input.
    struct Disk {
        is_full: Arc<Mutex<bool>>,
        written: mpsc::Sender<String>,
    }

    impl io::Write for Disk {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            if *self.is_full.lock().unwrap() {
                return Err(ErrorKind::StorageFull.into());
            }
            self.written.send(String::from_utf8(text.to_vec()).unwrap()).unwrap();
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn full_disk_drops_lines_and_reports_them_later() {
        let (written, writes) = mpsc::channel();
        let is_full = Arc::new(Mutex::new(true));
        let output = Output::start(Disk { is_full: is_full.clone(), written }, notice).unwrap();
        output.push(None, b"lost\n");
        output.flush();
        *is_full.lock().unwrap() = false;
        output.push(None, b"kept\n");
        output.flush();
        assert_eq!(writes.try_iter().collect::<String>(), "-:1\nkept\n");
    }
}
