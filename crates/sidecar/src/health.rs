//! Whether the sidecar, its components and its application are ready.

use tokio::sync::watch;

/// Two flags: what SDKs poll (components are there) and what probes poll (the application is there too).
#[derive(Debug, Default)]
pub struct Health(watch::Sender<Flags>);

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    components: bool,
    application: bool,
}

impl Health {
    /// All components are loaded.
    pub fn components_are_ready(&self, ready: bool) {
        self.0.send_modify(|flags| flags.components = ready);
    }

    /// The application accepts connections.
    pub fn application_is_ready(&self, ready: bool) {
        self.0.send_modify(|flags| flags.application = ready);
    }

    /// `/v1.0/healthz/outbound`.
    #[must_use]
    pub fn outbound(&self) -> bool {
        self.0.borrow().components
    }

    /// `/v1.0/healthz`.
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
