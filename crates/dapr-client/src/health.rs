//! Health of Dapr.

use crate::{Dapr, Error};

impl Dapr {
    /// Succeeds once Dapr and the application are ready.
    ///
    /// # Errors
    /// If Dapr cannot be reached or is not ready.
    pub async fn health(&self) -> Result<(), Error> {
        self.backend.health(&self.call_options, false).await
    }

    /// Succeeds once components can be called, even before the application listens.
    ///
    /// # Errors
    /// If Dapr cannot be reached or is not ready.
    pub async fn outbound_health(&self) -> Result<(), Error> {
        self.backend.health(&self.call_options, true).await
    }
}
