//! How daprlet ends when it cannot go on.

use std::io::Write as _;
use std::process::ExitCode;

use dapr_resources::Problems;

/// `EX_USAGE` of sysexits.h: the user can mend this in a file or on the command line.
const USAGE: u8 = 64;

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
    let is_usage = error.is::<Problems>()
        || error.is::<UsageError>()
        || error.downcast_ref::<app_runtime::StartError>().is_some_and(app_runtime::StartError::is_configuration);
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    // If standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "daprlet: {text}");
    ExitCode::from(if is_usage { USAGE } else { 1 })
}
