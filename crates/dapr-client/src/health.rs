//! Whether Dapr is ready.

use crate::{Dapr, Error};

impl Dapr {
    /// Succeeds once Dapr and the application are ready.
    ///
    /// # Errors
    /// When Dapr cannot be reached or is not ready.
    pub async fn health(&self) -> Result<(), Error> {
        self.face.health(&self.terms, false).await
    }

    /// Succeeds once components can be called, even before the application listens.
    ///
    /// # Errors
    /// When Dapr cannot be reached or is not ready.
    pub async fn outbound_health(&self) -> Result<(), Error> {
        self.face.health(&self.terms, true).await
    }
}
