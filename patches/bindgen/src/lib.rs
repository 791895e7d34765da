//! A replacement of the `bindgen` crate that cannot generate bindings.
//!
//! The build script of `mysql_common` uses bindgen only for its authors' test against MySQL's sources. The real crate
//! and its dependencies are a noticeable part of a first build. The root manifest installs this one with
//! `[patch.crates-io]`.

use std::io;
use std::path::Path;

/// A builder that ignores its settings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builder;

/// Bindings that cannot be created.
#[derive(Clone, Copy, Debug)]
pub struct Bindings(std::convert::Infallible);

/// Creates a builder.
#[must_use]
pub const fn builder() -> Builder {
    Builder
}

impl Builder {
    /// Returns an error.
    ///
    /// # Errors
    /// Always.
    pub fn generate(self) -> io::Result<Bindings> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "bindgen is left out of this build"))
    }
}

/// Settings without effect.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty)?);)*) => {
        impl Builder {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(self $(, $argument: $type)?) -> Self {
                $(let _ = $argument;)?
                self
            })*
        }
    };
}

settings! {
    /// Would read this header.
    header(path: impl Into<String>);
    /// Would give this to clang.
    clang_arg(argument: impl Into<String>);
    /// Would take what allowed items need.
    allowlist_recursively(yes: bool);
    /// Would take this type.
    allowlist_type(pattern: impl AsRef<str>);
    /// Would take this function.
    allowlist_function(pattern: impl AsRef<str>);
    /// Would derive `Debug`.
    derive_debug(yes: bool);
    /// Would use `core`.
    use_core();
    /// Would keep comments.
    generate_comments(yes: bool);
}

impl Bindings {
    /// Never called, because there are no bindings.
    ///
    /// # Errors
    /// Never.
    pub fn write_to_file(&self, _path: impl AsRef<Path>) -> io::Result<()> {
        match self.0 {}
    }
}
