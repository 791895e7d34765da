//! Output of `daprlet --version`.

use std::io::Write as _;
use std::path::Path;

/// Prints the same text as `daprlet --version`.
pub(crate) fn print() -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "daprlet {}", long())?;
    Ok(())
}

/// Returns the version and the components of this build.
pub(crate) fn long() -> String {
    let mut text = format!("{}\ncompatible with Dapr 1.18; components:", env!("CARGO_PKG_VERSION"));
    for type_ in crate::components::built_in(Path::new("")).types() {
        text.push_str("\n  ");
        text.push_str(type_);
    }
    text
}
