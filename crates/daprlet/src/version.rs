//! What `daprlet --version` tells.

use std::io::Write as _;
use std::path::Path;

/// Prints what `daprlet --version` prints.
pub(crate) fn print() -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "daprlet {}", long())?;
    Ok(())
}

/// The version and the components of this build.
pub(crate) fn long() -> String {
    let mut text = format!("{}\nanswers as Dapr 1.18; components:", env!("CARGO_PKG_VERSION"));
    for type_ in crate::components::of_this_build(Path::new("")).types() {
        text.push_str("\n  ");
        text.push_str(type_);
    }
    text
}
