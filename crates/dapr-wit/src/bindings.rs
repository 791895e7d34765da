//! Output bindings.

use building_blocks::binding::InvokeRequest;
use sidecar::Refusal;

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
            let answer = sidecar.invoke_binding(&name, request).await;
            let answer = answer.map_err(|error| Refusal::binding(&name, &error))?;
            Ok(wit::Answer {
                data: answer.data.unwrap_or_default().into(),
                metadata: answer.metadata.into_iter().collect(),
            })
        })
        .await
    }
}
