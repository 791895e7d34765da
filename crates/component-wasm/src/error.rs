//! Errors of loading, opening and calling components.

use std::path::PathBuf;
use std::time::Duration;

use crate::digest::Digest;

/// An error of loading a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("the module {} cannot be read: {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The file has another digest than configured.
    #[error("the module has the SHA-256 {found}, but {expected} is wanted")]
    Digest {
        /// Configured digest.
        expected: Digest,
        /// Digest of the file.
        found: Digest,
    },
    /// The file is not WebAssembly.
    #[error("this is no WebAssembly: it does not begin with the bytes 00 61 73 6d")]
    NotWasm,
    /// The file is WebAssembly, but not a component.
    #[error("this is a core module and no component; build it for wasm32-wasip2, or make a component of it")]
    CoreModule,
    /// The component is malformed, or uses features that wasmtime does not support.
    #[error("the component cannot be compiled: {0:#}")]
    Compile(wasmtime::Error),
    /// wasmtime does not support this machine.
    #[error("the WebAssembly engine cannot be set up on this machine: {0:#}")]
    Engine(wasmtime::Error),
    /// The epoch thread, which makes components yield, could not be started.
    #[error("no thread for the components' clock")]
    Clock(#[source] std::io::Error),
}

/// An error of opening a loaded component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The component does not implement the required world.
    #[error("the component exports no {missing}, which the world dapr:components/{world} asks for")]
    MissingExport {
        /// Name of the world.
        world: &'static str,
        /// The missing interface or function.
        missing: String,
    },
    /// The component was built against another version of the contract.
    #[error("the component exports {found}, but this host speaks {wanted}")]
    WrongVersion {
        /// Exported interface with its version.
        found: String,
        /// Required interface with its version.
        wanted: String,
    },
    /// The component imports interfaces that no grant covers.
    #[error("the component imports {}, which nothing grants{hint}", imports.join(", "))]
    RefusedImports {
        /// Names of the imports.
        imports: Vec<String>,
        /// Hint at a grant that would help, if any.
        hint: &'static str,
    },
    /// The component's imports or exports have other types than those of the contract.
    #[error("the component does not fit the contract: {0:#}")]
    Mismatch(wasmtime::Error),
    /// A granted directory cannot be opened.
    #[error("the directory {} cannot be shared with the component: {source:#}", path.display())]
    Directory {
        /// Path of the directory.
        path: PathBuf,
        /// The error.
        source: wasmtime::Error,
    },
    /// The component cannot be instantiated: it needs more memory than allowed, for example.
    #[error("the component cannot be started: {0:#}")]
    Start(wasmtime::Error),
    /// The component reports that its properties are wrong.
    #[error("the component rejects its properties: {0}")]
    Misconfigured(String),
    /// The component reports that something it needs is unavailable now.
    #[error("the component is not available now: {0}")]
    Unavailable(String),
    /// The component's `init` failed.
    #[error("the component's init failed: {0}")]
    Init(#[source] CallError),
}

impl OpenError {
    /// Returns whether a later attempt may succeed.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Init(CallError::TimedOut { .. }))
    }
}

/// An error of a call.
///
/// The failed instance has been replaced, or will be with the next call.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The component trapped; the log has the backtrace.
    #[error("the component trapped during {operation}: {reason}")]
    Trapped {
        /// Name of the called operation.
        operation: &'static str,
        /// Reason of the trap.
        reason: String,
    },
    /// The component exceeded its time limit.
    #[error("the component did not answer {operation} within {limit:?}")]
    TimedOut {
        /// Name of the called operation.
        operation: &'static str,
        /// Time limit.
        limit: Duration,
    },
    /// The component's result violates the contract.
    #[error("the component's answer to {operation} breaks the contract: {why}")]
    InvalidResult {
        /// Name of the called operation.
        operation: &'static str,
        /// The violation.
        why: String,
    },
    /// The argument is too large for one call.
    #[error("the request has {bytes} bytes, but this component takes {max} at once")]
    TooLarge {
        /// Size of the argument, in bytes.
        bytes: usize,
        /// Maximum size, in bytes.
        max: usize,
    },
    /// No instance became free.
    #[error("the component was busy with other calls for {limit:?}, so that {operation} did not begin")]
    Busy {
        /// Name of the called operation.
        operation: &'static str,
        /// Time that the call waited.
        limit: Duration,
    },
    /// A failed instance could not be replaced.
    #[error("the component cannot be started again: {0}")]
    Restart(String),
}

/// An error of replacing a component's module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplaceError {
    /// The new module cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new module declares other features, which users of the store do not expect.
    #[error("it declares other features than the one before; start again to use it")]
    Features,
}
