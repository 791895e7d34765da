//! What `daprlet --version` tells.

use std::path::Path;

/// The version and the components of this build.
pub(crate) fn long() -> String {
    let mut text = format!("{}\nanswers as Dapr 1.18; components:", env!("CARGO_PKG_VERSION"));
    for type_ in crate::components::of_this_build(Path::new("")).types() {
        text.push_str("\n  ");
        text.push_str(type_);
    }
    text
}
