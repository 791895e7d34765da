//! Secrets. This is where they leave the host, which is their purpose.

use dapr_building_blocks::secret::SecretValues;
use dapr_runtime::ApiError;

use crate::DaprWit;
use crate::contract::secrets as wit;
use crate::contract::types::{self, Error, Milliseconds};
use crate::error::{metadata, within};

impl wit::Host for DaprWit {
    async fn get(
        &mut self,
        store: String,
        name: String,
        extra: types::Metadata,
        deadline: Option<Milliseconds>,
    ) -> Result<wit::Secret, Error> {
        let sidecar = &self.sidecar;
        within(deadline, async {
            let found = sidecar.secret(&store, &name, &metadata(extra)).await;
            found.map(exposed).map_err(|error| ApiError::secret(&store, Some(&name), &error))
        })
        .await
    }

    async fn get_all(
        &mut self,
        store: String,
        extra: types::Metadata,
        deadline: Option<Milliseconds>,
    ) -> Result<Vec<(String, wit::Secret)>, Error> {
        let sidecar = &self.sidecar;
        within(deadline, async {
            let found = sidecar.secrets(&store, &metadata(extra)).await;
            let found = found.map_err(|error| ApiError::secret(&store, None, &error))?;
            Ok(found.into_iter().map(|(name, values)| (name, exposed(values))).collect())
        })
        .await
    }
}

fn exposed(values: SecretValues) -> wit::Secret {
    values.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
}
