//! Exit codes, and the last words before a failure.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use dapr_resources::Problems;

/// The table of exit codes, for `--help`.
pub(crate) const TABLE: &str = "Exit codes:
  0    ended as asked
  1    the environment: a port in use, a file, disk or database that fails; starting again may help
  64   usage or configuration: flags, YAML, a module that cannot run or refuses its settings; a person has to mend it
  130  ended at once by a second SIGINT (143: SIGTERM, 129: SIGHUP)
`daprlet run -- COMMAND` has the exit code of its application; 128 and the signal's number if a signal ended it.";

/// `EX_USAGE` of sysexits.h.
pub(crate) const USAGE: u8 = 64;

/// The longest time that the last words may take where standard error is blocked.
const REPORT_TIMEOUT: Duration = Duration::from_millis(500);

/// A mistake on the command line that the parser cannot see.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Says what is wrong, with all causes, and gives the exit code that fits.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    say(format!("daprlet: {text}\n"));
    ExitCode::from(if is_usage(error) { USAGE } else { 1 })
}

fn is_usage(error: &anyhow::Error) -> bool {
    let is_start = |error: &app_runtime::StartError| error.is_configuration();
    error.is::<Problems>()
        || error.is::<UsageError>()
        || error.downcast_ref::<app_runtime::StartError>().is_some_and(is_start)
}

/// Writes to standard error, unless that is blocked: nothing may keep the process from ending.
fn say(text: String) {
    let (done, written) = mpsc::channel();
    std::thread::spawn(move || {
        // If standard error is closed there is nobody to tell.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
        let _ = done.send(());
    });
    let _ = written.recv_timeout(REPORT_TIMEOUT);
}
