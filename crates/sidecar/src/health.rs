//! Whether the sidecar, its components and its application are ready.

use std::sync::atomic::{AtomicBool, Ordering};

/// Two flags: what SDKs poll (components are there) and what probes poll (the application is there too).
#[derive(Debug, Default)]
pub struct Health {
    components: AtomicBool,
    application: AtomicBool,
}

impl Health {
    /// All components are loaded.
    pub fn components_are_ready(&self, ready: bool) {
        self.components.store(ready, Ordering::Release);
    }

    /// The application accepts connections.
    pub fn application_is_ready(&self, ready: bool) {
        self.application.store(ready, Ordering::Release);
    }

    /// `/v1.0/healthz/outbound`.
    #[must_use]
    pub fn outbound(&self) -> bool {
        self.components.load(Ordering::Acquire)
    }

    /// `/v1.0/healthz`.
    #[must_use]
    pub fn all(&self) -> bool {
        self.outbound() && self.application.load(Ordering::Acquire)
    }
}
