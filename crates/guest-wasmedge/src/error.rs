//! Errors that keep a guest from starting, or end it.

/// An error that kept a guest from starting, or ended it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// wasmtime does not support this machine.
    #[error("the WebAssembly engine cannot be set up on this machine")]
    Engine(#[source] wasmtime::Error),
    /// The epoch thread, which makes guests yield, could not be started.
    #[error("no thread for the guests' clock")]
    Clock(#[source] std::io::Error),
    /// The file is a native library made by `wasmedge compile`.
    #[error("this is native code compiled by WasmEdge for WasmEdge; name the portable .wasm file it was made from")]
    SharedObject,
    /// The file is not WebAssembly.
    #[error("this is no WebAssembly module: it does not begin with the bytes 00 61 73 6d")]
    NotWasm,
    /// The module is malformed, or uses features that wasmtime does not support.
    #[error("the module cannot be compiled")]
    Compile(#[source] wasmtime::Error),
    /// The module imports functions that do not exist.
    #[error("the module imports what does not exist here: {}", .0.join(", "))]
    UnknownImports(Vec<String>),
    /// The module has no `_start`.
    #[error("the module exports no function `_start`: it is a library, not a program")]
    NoStart(#[source] wasmtime::Error),
    /// The module cannot be instantiated: it needs more memory than allowed, or traps before `_start`.
    #[error("the module cannot be instantiated (--guest-memory limits its memory)")]
    Instantiate(#[source] wasmtime::Error),
    /// The guest exited with a code for rejected settings (`EX_USAGE`, `EX_CONFIG`).
    #[error("the guest refuses its settings (exit code {0}); its log lines say why")]
    SettingsRefused(i32),
    /// The guest trapped; the source carries the backtrace.
    #[error("the guest trapped")]
    Trap(#[source] wasmtime::Error),
}

/// The trap's cause when a guest exceeds its processor time.
#[derive(Debug, thiserror::Error)]
#[error("the guest computed for {0} s without waiting for anything")]
pub(crate) struct Hung(pub(crate) u64);

impl GuestError {
    /// Returns whether the guest exceeded its processor time.
    #[must_use]
    pub fn is_hung(&self) -> bool {
        matches!(self, Self::Trap(error) if error.is::<Hung>())
    }

    /// Renders the error with all its causes and, for a trap, the guest's stack, for a log.
    #[must_use]
    pub fn report(&self) -> String {
        let mut report = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            report.push_str(": ");
            report.push_str(&error.to_string());
            cause = error.source();
        }
        report
    }
}
