//! Input binding behind a socket.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::binding::{BindingError, BindingEvent, EventSink};
use dapr_building_blocks::{ComponentSpec, InitError, InputBinding};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;

use super::connection::{Channel, metadata, with_timeout};
use super::error;
use crate::contract::input_binding_client::InputBindingClient;
use crate::contract::{
    AckResponseError, InputBindingInitRequest, MAX_MESSAGE_SIZE, MetadataRequest, ReadRequest, ReadResponse,
};

/// Limit on events that the application handles at once.
const MAX_CONCURRENT_EVENTS: usize = 64;

/// Delay before reconnecting to a component that closed the stream.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// Input binding served by another process.
pub(super) struct Binding {
    name: String,
    client: InputBindingClient<Channel>,
    metadata: Option<MetadataRequest>,
}

impl Binding {
    /// Initialises the component with its properties.
    pub(super) async fn open(channel: Channel, spec: &ComponentSpec) -> Result<Self, InitError> {
        let client = InputBindingClient::new(channel).max_decoding_message_size(MAX_MESSAGE_SIZE);
        let binding = Self { name: spec.name.clone(), client, metadata: metadata(&spec.properties) };
        binding.init().await.map_err(|status| error::init(&status))?;
        Ok(binding)
    }

    async fn init(&self) -> Result<(), Status> {
        let init = InputBindingInitRequest { metadata: self.metadata.clone() };
        self.client.clone().init(with_timeout(init)).await.map(drop)
    }

    /// Forwards events until the component closes the stream.
    async fn read(&self, sink: &Arc<dyn EventSink>) -> Result<(), Status> {
        let (responses, outgoing) = mpsc::channel(MAX_CONCURRENT_EVENTS);
        let mut events = self.client.clone().read(ReceiverStream::new(outgoing)).await?.into_inner();
        let (capacity, delivered) = (Arc::new(Semaphore::new(MAX_CONCURRENT_EVENTS)), TaskTracker::new());
        while let Some(event) = events.message().await? {
            let permit =
                capacity.clone().acquire_owned().await.map_err(|closed| Status::internal(closed.to_string()))?;
            let (sink, responses) = (sink.clone(), responses.clone());
            delivered.spawn(async move {
                // The component may have closed the stream; then it decides whether to send the event again.
                let _ = responses.send(deliver(sink.as_ref(), event).await).await;
                drop(permit);
            });
        }
        delivered.close();
        delivered.wait().await;
        Ok(())
    }
}

#[async_trait]
impl InputBinding for Binding {
    async fn run(&self, sink: Arc<dyn EventSink>, shutdown: CancellationToken) -> Result<(), BindingError> {
        loop {
            let Some(ended) = shutdown.run_until_cancelled(self.read(&sink)).await else { return Ok(()) };
            let why =
                ended.err().map_or_else(|| "it closed the stream".to_owned(), |status| status.message().to_owned());
            tracing::warn!(component = %self.name, error = %why, "pluggable binding disconnected; reconnecting");
            loop {
                if shutdown.run_until_cancelled(tokio::time::sleep(RECONNECT_DELAY)).await.is_none() {
                    return Ok(());
                }
                // A restarted component must be initialised again.
                if self.init().await.is_ok() {
                    break;
                }
            }
        }
    }
}

async fn deliver(sink: &dyn EventSink, event: ReadResponse) -> ReadRequest {
    let ReadResponse { data, metadata, message_id, .. } = event;
    match sink.deliver(BindingEvent { data, metadata }).await {
        Ok(response) => ReadRequest { response_data: response.unwrap_or_default(), message_id, response_error: None },
        Err(error) => {
            let response_error = Some(AckResponseError { message: error.to_string() });
            ReadRequest { response_data: bytes::Bytes::new(), message_id, response_error }
        }
    }
}
