//! A binding behind a socket that is called.

use async_trait::async_trait;
use building_blocks::binding::{BindingError, InvokeRequest, InvokeResponse};
use building_blocks::{InitError, OutputBinding, Properties};

use super::connection::{Channel, limited, metadata};
use super::error;
use crate::contract::output_binding_client::OutputBindingClient;
use crate::contract::{self, LARGEST_MESSAGE, ListOperationsRequest, OutputBindingInitRequest};

/// A binding that somebody else serves.
pub(super) struct Binding {
    client: OutputBindingClient<Channel>,
    operations: Vec<String>,
}

impl Binding {
    /// Tells the component its properties, and asks what it can do.
    pub(super) async fn open(channel: Channel, properties: &Properties) -> Result<Self, InitError> {
        let mut client = OutputBindingClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
        let init = OutputBindingInitRequest { metadata: metadata(properties) };
        client.init(limited(init)).await.map_err(|status| error::init(&status))?;
        let answer = client.list_operations(limited(ListOperationsRequest {})).await;
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
        let request = limited(contract::InvokeRequest { data, metadata, operation });
        let answer = self.client.clone().invoke(request).await.map_err(|status| error::binding(&status))?.into_inner();
        let data = (!answer.data.is_empty()).then_some(answer.data);
        Ok(InvokeResponse { data, metadata: answer.metadata })
    }
}
