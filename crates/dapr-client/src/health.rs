//! Whether Dapr is ready.

use http::Method;

use crate::path::ApiPath;
use crate::{Dapr, Error};

impl Dapr {
    /// Succeeds once Dapr and the application are ready.
    ///
    /// # Errors
    /// When Dapr cannot be reached or is not ready.
    pub async fn health(&self) -> Result<(), Error> {
        self.probe("/v1.0/healthz").await
    }

    /// Succeeds once components can be called, even before the application listens.
    ///
    /// # Errors
    /// When Dapr cannot be reached or is not ready.
    pub async fn outbound_health(&self) -> Result<(), Error> {
        self.probe("/v1.0/healthz/outbound").await
    }

    async fn probe(&self, path: &str) -> Result<(), Error> {
        self.succeed(self.form("ask for Dapr's health", Method::GET, &ApiPath::new(path))?).await.map(drop)
    }
}
