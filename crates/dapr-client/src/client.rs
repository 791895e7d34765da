//! The client itself: the way to Dapr, and what holds for all calls.

use std::sync::Arc;
use std::time::Duration;

use crate::face::http::HttpFace;
use crate::face::{Face, Terms};
use crate::transport::Transport;
use crate::{Endpoint, TraceContext};

/// How long a call may take unless [`Dapr::with_deadline`] says otherwise.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// Dapr, as one service sees it. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Dapr {
    pub(crate) face: Arc<dyn Face>,
    pub(crate) terms: Terms,
}

impl Dapr {
    /// A client by the way of this target: the HTTP API at `endpoint`, with nothing sent before the first call; in a
    /// component, the functions that the host gives, which need no endpoint.
    #[must_use]
    pub fn connect(endpoint: Endpoint) -> Self {
        #[cfg(all(target_os = "wasi", target_env = "p2"))]
        {
            drop(endpoint);
            Self::of(Arc::new(crate::face::imports::ImportsFace))
        }
        #[cfg(not(all(target_os = "wasi", target_env = "p2")))]
        Self::with_transport(endpoint, Arc::new(crate::transport::HyperTransport::new()))
    }

    /// A client of the HTTP API, on a transport of the caller's choice.
    #[must_use]
    pub fn with_transport(endpoint: Endpoint, transport: Arc<dyn Transport>) -> Self {
        Self::of(Arc::new(HttpFace::new(endpoint, transport)))
    }

    fn of(face: Arc<dyn Face>) -> Self {
        Self { face, terms: Terms { deadline: DEFAULT_DEADLINE, trace: TraceContext::default() } }
    }

    /// The same client with another deadline for each call.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { face: self.face.clone(), terms: Terms { deadline, ..self.terms.clone() } }
    }

    /// The same client with its calls belonging to a trace.
    #[must_use]
    pub fn with_trace(&self, trace: TraceContext) -> Self {
        Self { face: self.face.clone(), terms: Terms { trace, ..self.terms.clone() } }
    }
}

impl std::fmt::Debug for Dapr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dapr").field("deadline", &self.terms.deadline).finish_non_exhaustive()
    }
}
