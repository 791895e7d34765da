//! Exit codes, and the report of a fatal error.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use dapr_resources::ConfigErrors;

/// Table of exit codes, for `--help`.
pub(crate) const TABLE: &str = "Exit codes:
  0    ended as asked
  1    the environment: a port in use, a file, disk or database that fails; a restart may help
  64   usage or configuration: flags, YAML, a module that cannot run or rejects its settings; needs a correction
  130  ended immediately by a second SIGINT (143: SIGTERM, 129: SIGHUP)
`daprlet run -- COMMAND` has the exit code of its application, or 128 plus the signal's number if a signal ended it.";

/// `EX_USAGE` of sysexits.h.
pub(crate) const USAGE: u8 = 64;

/// Timeout of the last message if standard error is blocked.
const REPORT_TIMEOUT: Duration = Duration::from_millis(500);

/// Command-line error that the parser cannot detect.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Prints the error with all its causes, and returns the matching exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    write_stderr(format!("daprlet: {text}\n"));
    ExitCode::from(if is_usage(error) { USAGE } else { 1 })
}

fn is_usage(error: &anyhow::Error) -> bool {
    let is_start = |error: &daprlet_host::StartError| error.is_configuration();
    error.is::<ConfigErrors>()
        || error.is::<UsageError>()
        || error.downcast_ref::<daprlet_host::StartError>().is_some_and(is_start)
}

/// Writes to standard error with a timeout. A blocked reader cannot keep the process from exiting.
fn write_stderr(text: String) {
    let (done, written) = mpsc::channel();
    std::thread::spawn(move || {
        // A closed standard error leaves no way to report the error.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
        let _ = done.send(());
    });
    let _ = written.recv_timeout(REPORT_TIMEOUT);
}
