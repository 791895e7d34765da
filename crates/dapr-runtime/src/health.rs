//! Readiness of the sidecar: components and application.

use tokio::sync::watch;

/// Two flags: components loaded (polled by SDKs) and application ready (polled by probes).
#[derive(Debug, Default)]
pub struct Health(watch::Sender<Flags>);

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    components: bool,
    application: bool,
}

impl Health {
    /// Sets whether all components are loaded.
    pub fn components_are_ready(&self, ready: bool) {
        self.0.send_modify(|flags| flags.components = ready);
    }

    /// Sets whether the application accepts connections.
    pub fn application_is_ready(&self, ready: bool) {
        self.0.send_modify(|flags| flags.application = ready);
    }

    /// Returns the status for `/v1.0/healthz/outbound`.
    #[must_use]
    pub fn outbound(&self) -> bool {
        self.0.borrow().components
    }

    /// Returns the status for `/v1.0/healthz`.
    #[must_use]
    pub fn all(&self) -> bool {
        let flags = *self.0.borrow();
        flags.components && flags.application
    }

    /// Waits until [`all`](Self::all) is true.
    pub async fn ready(&self) {
        let mut changes = self.0.subscribe();
        // The sender is this very object, so waiting cannot fail.
        let _ = changes.wait_for(|flags| flags.components && flags.application).await;
    }
}
