//! Output binding behind a socket.

use async_trait::async_trait;
use dapr_building_blocks::binding::{BindingError, InvokeRequest, InvokeResponse};
use dapr_building_blocks::{InitError, OutputBinding, Properties};

use super::connection::{Channel, metadata, with_timeout};
use super::error;
use crate::contract::output_binding_client::OutputBindingClient;
use crate::contract::{self, ListOperationsRequest, MAX_MESSAGE_SIZE, OutputBindingInitRequest};

/// Output binding served by another process.
pub(super) struct Binding {
    client: OutputBindingClient<Channel>,
    operations: Vec<String>,
}

impl Binding {
    /// Initialises the component with its properties, and lists its operations.
    pub(super) async fn open(channel: Channel, properties: &Properties) -> Result<Self, InitError> {
        let mut client = OutputBindingClient::new(channel).max_decoding_message_size(MAX_MESSAGE_SIZE);
        let init = OutputBindingInitRequest { metadata: metadata(properties) };
        client.init(with_timeout(init)).await.map_err(|status| error::init(&status))?;
        let answer = client.list_operations(with_timeout(ListOperationsRequest {})).await;
        let operations = answer.map_err(|status| error::init(&status))?.into_inner().operations;
        Ok(Self { client, operations })
    }
}

#[async_trait]
impl OutputBinding for Binding {
    fn operations(&self) -> Vec<&str> {
        self.operations.iter().map(String::as_str).collect()
    }

    async fn invoke(&self, request: InvokeRequest) -> Result<InvokeResponse, BindingError> {
        let InvokeRequest { operation, data, metadata } = request;
        let request = with_timeout(contract::InvokeRequest { data, metadata, operation });
        let answer = self.client.clone().invoke(request).await.map_err(|status| error::binding(&status))?.into_inner();
        let data = (!answer.data.is_empty()).then_some(answer.data);
        Ok(InvokeResponse { data, metadata: answer.metadata })
    }
}
