//! Output bindings.

use dapr_building_blocks::binding::InvokeRequest;
use dapr_runtime::ApiError;

use crate::DaprWit;
use crate::contract::bindings as wit;
use crate::contract::types::{self, Error, Milliseconds};
use crate::error::{metadata, within};

impl wit::Host for DaprWit {
    async fn send(
        &mut self,
        name: String,
        operation: String,
        data: Vec<u8>,
        extra: types::Metadata,
        deadline: Option<Milliseconds>,
    ) -> Result<wit::Answer, Error> {
        let sidecar = &self.sidecar;
        within(deadline, async {
            let request = InvokeRequest { operation, data: data.into(), metadata: metadata(extra) };
            let output = sidecar.invoke_binding(&name, request).await;
            let output = output.map_err(|error| ApiError::binding(&name, &error))?;
            Ok(wit::Answer {
                data: output.data.unwrap_or_default().into(),
                metadata: output.metadata.into_iter().collect(),
            })
        })
        .await
    }
}
