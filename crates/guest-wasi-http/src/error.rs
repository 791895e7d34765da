//! Errors of loading a component.

/// Reason why a component could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// wasmtime cannot be set up.
    #[error("the WebAssembly engine cannot be set up on this machine")]
    Engine(#[source] wasmtime::Error),
    /// The thread that makes guests yield could not be started.
    #[error("no thread for the guests' clock")]
    Clock(#[source] std::io::Error),
    /// The component is damaged, or uses unsupported features.
    #[error("the component cannot be compiled")]
    Compile(#[source] wasmtime::Error),
    /// The component has imports that the host does not provide.
    #[error("the component imports what does not exist here")]
    Imports(#[source] wasmtime::Error),
    /// The component does not export an HTTP handler.
    #[error("the component does not export wasi:http/incoming-handler@0.2, so it is no service")]
    NoHandler(#[source] wasmtime::Error),
    /// The component failed before its first request.
    #[error("the component failed during its start")]
    Start(#[source] wasmtime::Error),
}

impl ComponentError {
    /// Formats the error with all its causes, for the log. A trap has the component's own stack.
    #[must_use]
    pub fn report(&self) -> String {
        let causes = std::iter::successors(std::error::Error::source(self), |cause| cause.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}
