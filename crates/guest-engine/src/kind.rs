//! Detection of WebAssembly files.

/// The two kinds of WebAssembly binaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A core module.
    Module,
    /// A component.
    Component,
}

/// Detects the kind of `bytes` by their header; `None` if they are not WebAssembly.
#[must_use]
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    // After the magic number: a version, and since the component model, a layer.
    match bytes.strip_prefix(b"\0asm")? {
        [_, _, 1, 0, ..] => Some(Kind::Component),
        _ => Some(Kind::Module),
    }
}
