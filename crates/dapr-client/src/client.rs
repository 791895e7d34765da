//! The client: a backend, and the options of all calls.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::http::HttpBackend;
use crate::backend::{Backend, CallOptions};
use crate::transport::Transport;
use crate::{Endpoint, TraceContext};

/// Timeout of a call unless [`Dapr::with_deadline`] sets another.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// A Dapr client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Dapr {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) call_options: CallOptions,
}

impl Dapr {
    /// Connects with the target's backend.
    ///
    /// This is the HTTP API at `endpoint`, without any request before the first call; in a component, the host's
    /// imports, which need no endpoint.
    #[must_use]
    pub fn connect(endpoint: Endpoint) -> Self {
        #[cfg(all(target_os = "wasi", target_env = "p2"))]
        {
            drop(endpoint);
            Self::from_backend(Arc::new(crate::backend::wit::WitBackend))
        }
        #[cfg(not(all(target_os = "wasi", target_env = "p2")))]
        Self::with_transport(endpoint, Arc::new(crate::transport::HyperTransport::new()))
    }

    /// Connects to the HTTP API through a given transport.
    #[must_use]
    pub fn with_transport(endpoint: Endpoint, transport: Arc<dyn Transport>) -> Self {
        Self::from_backend(Arc::new(HttpBackend::new(endpoint, transport)))
    }

    fn from_backend(backend: Arc<dyn Backend>) -> Self {
        Self { backend, call_options: CallOptions { deadline: DEFAULT_DEADLINE, trace: TraceContext::default() } }
    }

    /// Sets the timeout of each call.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { backend: self.backend.clone(), call_options: CallOptions { deadline, ..self.call_options.clone() } }
    }

    /// Adds a trace context to each call.
    #[must_use]
    pub fn with_trace(&self, trace: TraceContext) -> Self {
        Self { backend: self.backend.clone(), call_options: CallOptions { trace, ..self.call_options.clone() } }
    }
}

impl std::fmt::Debug for Dapr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dapr").field("deadline", &self.call_options.deadline).finish_non_exhaustive()
    }
}
