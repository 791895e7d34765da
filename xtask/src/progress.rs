//! One progress line for several builds at once, instead of cargo's hundreds of lines.
//!
//! On a terminal the line is rewritten in place; elsewhere a new one is printed periodically. Cargo's other output
//! (warnings, errors) is passed on.

use std::io::{self, BufReader, IsTerminal as _, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Time between lines if they cannot be rewritten in place.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// The line, and the state of each build.
pub(crate) struct Progress {
    begin: Instant,
    is_terminal: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    builds: Vec<Build>,
    last_line: Option<Instant>,
}

struct Build {
    name: &'static str,
    /// Crates done, and their total, as cargo counts.
    done: String,
}

impl Progress {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { begin: Instant::now(), is_terminal: io::stderr().is_terminal(), state: Mutex::default() })
    }

    /// Starts a cargo whose progress is shown under `name`.
    pub(crate) fn spawn(self: &Arc<Self>, name: &'static str, cargo: &mut Command) -> Result<Shown> {
        cargo.stderr(Stdio::piped()).env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "100");
        if self.is_terminal {
            cargo.env("CARGO_TERM_COLOR", "always");
        }
        let mut child = cargo.spawn().context("cannot start cargo")?;
        let stderr = child.stderr.take().context("cargo has no standard error")?;
        let build = {
            let mut state = self.lock();
            // Several runs of cargo may be one build to users.
            state.builds.retain(|build| build.name != name);
            state.builds.push(Build { name, done: "starting".to_owned() });
            name
        };
        let progress = self.clone();
        let reads = thread::spawn(move || progress.follow(build, stderr));
        Ok(Shown { child, reads })
    }

    /// Reads cargo's output: pieces end with a newline or, for progress, with a carriage return.
    fn follow(&self, build: &str, stderr: impl Read) {
        let mut piece = Vec::new();
        for byte in BufReader::new(stderr).bytes().map_while(io::Result::ok) {
            if byte != b'\n' && byte != b'\r' {
                piece.push(byte);
                continue;
            }
            self.take(build, &String::from_utf8_lossy(&piece));
            piece.clear();
        }
    }

    fn take(&self, build: &str, piece: &str) {
        let plain = without_escapes(piece);
        let mut state = self.lock();
        if let Some(done) = parse(&plain) {
            if let Some(build) = state.builds.iter_mut().find(|it| it.name == build) {
                build.done = done;
            }
            self.show(&mut state);
        } else if !is_routine(&plain) {
            self.clear();
            eprintln!("{piece}");
        }
    }

    fn show(&self, state: &mut State) {
        let line = line(&state.builds, self.begin.elapsed());
        if self.is_terminal {
            eprint!("\r\x1b[K{line}");
            // Nothing can be shown if the terminal is gone.
            let _ = io::stderr().flush();
        } else if state.last_line.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
            state.last_line = Some(Instant::now());
            eprintln!("{line}");
        }
    }

    fn clear(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A running cargo whose progress is shown.
pub(crate) struct Shown {
    child: Child,
    reads: JoinHandle<()>,
}

impl Shown {
    pub(crate) fn wait(mut self) -> Result<std::process::ExitStatus> {
        let status = self.child.wait().context("cannot wait for cargo")?;
        // A thread that only reads does not panic.
        let _ = self.reads.join();
        Ok(status)
    }

    pub(crate) fn kill(&mut self) {
        // It may have exited by itself.
        let _ = self.child.kill();
    }
}

fn line(builds: &[Build], elapsed: Duration) -> String {
    let builds: Vec<_> = builds.iter().map(|build| format!("{} {}", build.name, build.done)).collect();
    let seconds = elapsed.as_secs();
    format!("Compiling {} after {} min {:02} s", builds.join(", "), seconds / 60, seconds % 60)
}

/// Parses cargo's progress line: `Building [=>  ] 12/34: crates`.
fn parse(piece: &str) -> Option<String> {
    let rest = piece.trim_start().strip_prefix("Building [")?;
    let (_, rest) = rest.split_once(']')?;
    let done = rest.split(':').next().unwrap_or_default().trim();
    done.contains('/').then(|| done.to_owned())
}

/// Returns true for lines that repeat the progress line.
fn is_routine(line: &str) -> bool {
    const ROUTINE: [&str; 12] = [
        "Adding",
        "Blocking",
        "Building",
        "Checking",
        "Compiling",
        "Downloaded",
        "Downloading",
        "Finished",
        "Fresh",
        "Locking",
        "Running",
        "Updating",
    ];
    line.trim().is_empty() || ROUTINE.contains(&line.split_whitespace().next().unwrap_or_default())
}

/// Removes colours and cursor movements from a text.
fn without_escapes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = behind
            .find(|end: char| end.is_ascii_alphabetic())
            .and_then(|end| behind.get(end + 1..))
            .unwrap_or_default();
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_progress_is_parsed() {
        let read = |text: &str| parse(&without_escapes(text));
        let expected = Some("12/345".to_owned());
        assert_eq!(
            read("\x1b[K\x1b[1m\x1b[96m    Building\x1b[0m [=====>    ] 12/345: wasmtime, image(build)"),
            expected
        );
        assert_eq!(read("    Building [=> ] 1/2"), Some("1/2".to_owned()));
        assert_eq!(read("   Compiling wasmtime v48.0.8"), None);
    }

    #[test]
    fn only_relevant_lines_are_passed_on() {
        for routine in ["   Compiling a v1", "    Finished `dev` profile", "", "  Downloaded b v2"] {
            assert!(is_routine(routine), "{routine}");
        }
        assert!(!is_routine("error[E0425]: cannot find value") && !is_routine("warning: unused"));
    }

    #[test]
    fn line_shows_every_build_and_the_time() {
        let build = |name, done: &str| Build { name, done: done.to_owned() };
        let builds = [build("daprlet", "3/9"), build("services", "starting")];
        assert_eq!(line(&builds, Duration::from_secs(61)), "Compiling daprlet 3/9, services starting after 1 min 01 s");
    }
}
