//! Standard output, written by a thread of its own: what many requests say within a moment is one write, and none of them waits
//! for who reads it, unless that one falls far behind.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a line waits for others that go with it.
const MOMENT: Duration = Duration::from_millis(5);

/// How much waits at most, in bytes; who has more to say waits, too.
const MOST: usize = 1024 * 1024;

/// How long the end of the process waits for a reader who has stopped reading.
const PATIENCE: Duration = Duration::from_millis(500);

/// Takes lines from any thread. Dropping it waits until all are written.
pub(crate) struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Something waits, and nothing did before.
    arrived: Condvar,
    /// What was taken has been written.
    written: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    /// What was taken last is not written yet.
    taken: bool,
}

impl Lines {
    /// Lines that go to `out`.
    pub(crate) fn to(out: impl io::Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let writes = shared.clone();
        // It ends with the process.
        thread::Builder::new().name("lines".into()).spawn(move || writes.write(out))?;
        Ok(Self(shared))
    }

    /// Takes a line, with its end.
    pub(crate) fn push(&self, line: &str) {
        let full = |waiting: &mut Waiting| waiting.text.len() >= MOST;
        let mut waiting = self.0.written.wait_while(self.0.lock(), full).unwrap_or_else(PoisonError::into_inner);
        if waiting.text.is_empty() {
            self.0.arrived.notify_one();
        }
        waiting.text.extend_from_slice(line.as_bytes());
    }

    /// Waits until everything is written, unless that takes too long.
    fn flush(&self) {
        let left = |waiting: &mut Waiting| waiting.taken || !waiting.text.is_empty();
        // Poisoned or too late: the process ends all the same.
        let _ = self.0.written.wait_timeout_while(self.0.lock(), PATIENCE, left);
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mut out: impl io::Write) {
        let mut text = Vec::new();
        loop {
            drop(self.arrived.wait_while(self.lock(), |waiting| waiting.text.is_empty()));
            thread::sleep(MOMENT);
            {
                let mut waiting = self.lock();
                std::mem::swap(&mut waiting.text, &mut text);
                waiting.taken = true;
            }
            // Nobody reads any more: there is no better place to say so.
            let _ = out.write_all(&text).and_then(|()| out.flush());
            text.clear();
            self.lock().taken = false;
            self.written.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn all_lines_arrive_in_order_also_those_of_the_last_moment() {
        let (mut reader, writer) = io::pipe().unwrap();
        let lines = Lines::to(writer).unwrap();
        let reads = thread::spawn(move || {
            let mut text = vec![0; "line 000\n".len() * 1000];
            reader.read_exact(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        });
        for number in 0..1000 {
            lines.push(&format!("line {number:03}\n"));
        }
        let shared = lines.0.clone();
        drop(lines);
        assert!(!shared.lock().taken && shared.lock().text.is_empty());
        let expected: String = (0..1000).map(|number| format!("line {number:03}\n")).collect();
        assert_eq!(reads.join().unwrap(), expected);
    }

    #[test]
    fn who_is_not_read_waits_and_keeps_no_more_than_a_little() {
        let (mut reader, writer) = io::pipe().unwrap();
        let lines = Arc::new(Lines::to(writer).unwrap());
        let line = "x".repeat(64 * 1024);
        let all = 64;
        let speaks = {
            let (lines, line) = (lines.clone(), line.clone());
            thread::spawn(move || (0..all).for_each(|_| lines.push(&line)))
        };
        while lines.0.lock().text.len() < MOST {
            thread::yield_now();
        }
        lines.flush();
        assert!(!speaks.is_finished(), "nobody has read");
        assert!(lines.0.lock().text.len() <= MOST + line.len());
        let mut text = vec![0; line.len() * all];
        reader.read_exact(&mut text).unwrap();
        speaks.join().unwrap();
        assert!(text.iter().all(|byte| *byte == b'x'));
    }
}
