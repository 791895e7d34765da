//! What a file claims to be.

/// The two kinds of WebAssembly binaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A core module.
    Module,
    /// A component.
    Component,
}

/// What `bytes` claim to be; `None` where they do not begin as WebAssembly does.
#[must_use]
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    // After the magic number: a version, and since there are components, a layer.
    match bytes.strip_prefix(b"\0asm")? {
        [_, _, 1, 0, ..] => Some(Kind::Component),
        _ => Some(Kind::Module),
    }
}
