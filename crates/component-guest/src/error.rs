//! Why a component does not run.

/// Why a component could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// wasmtime does not work here.
    #[error("the WebAssembly engine cannot be set up on this machine")]
    Engine(#[source] wasmtime::Error),
    /// The thread that makes guests yield could not be started.
    #[error("no thread for the guests' clock")]
    Clock(#[source] std::io::Error),
    /// The component is damaged, or uses what wasmtime does not support.
    #[error("the component cannot be compiled")]
    Compile(#[source] wasmtime::Error),
    /// The component wants what nobody gives.
    #[error("the component imports what does not exist here")]
    Imports(#[source] wasmtime::Error),
    /// The component is no service.
    #[error("the component does not export wasi:http/incoming-handler@0.2, so it is no service")]
    NoHandler(#[source] wasmtime::Error),
    /// The component broke before its first request.
    #[error("the component broke while it was started")]
    Start(#[source] wasmtime::Error),
}

impl ComponentError {
    /// The error with all its causes and, for a trap, the component's own stack: what a log should show.
    #[must_use]
    pub fn report(&self) -> String {
        let causes = std::iter::successors(std::error::Error::source(self), |cause| cause.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}
