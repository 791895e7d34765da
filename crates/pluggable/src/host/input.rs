//! A binding behind a socket that calls.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use building_blocks::binding::{BindingError, BindingEvent, EventSink};
use building_blocks::{ComponentSpec, InitError, InputBinding};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;

use super::connection::{Channel, limited, metadata};
use super::error;
use crate::contract::input_binding_client::InputBindingClient;
use crate::contract::{
    AckResponseError, InputBindingInitRequest, LARGEST_MESSAGE, MetadataRequest, ReadRequest, ReadResponse,
};

/// How many events the application has at once.
const AT_ONCE: usize = 64;

/// How long to wait before a component is asked again that has hung up.
const PAUSE: Duration = Duration::from_secs(1);

/// A binding that somebody else serves.
pub(super) struct Binding {
    name: String,
    client: InputBindingClient<Channel>,
    metadata: Option<MetadataRequest>,
}

impl Binding {
    /// Tells the component its properties.
    pub(super) async fn open(channel: Channel, spec: &ComponentSpec) -> Result<Self, InitError> {
        let client = InputBindingClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
        let binding = Self { name: spec.name.clone(), client, metadata: metadata(&spec.properties) };
        binding.init().await.map_err(|status| error::init(&status))?;
        Ok(binding)
    }

    async fn init(&self) -> Result<(), Status> {
        let init = InputBindingInitRequest { metadata: self.metadata.clone() };
        self.client.clone().init(limited(init)).await.map(drop)
    }

    /// Reads until the component hangs up.
    async fn read(&self, sink: &Arc<dyn EventSink>) -> Result<(), Status> {
        let (answers, outgoing) = mpsc::channel(AT_ONCE);
        let mut events = self.client.clone().read(ReceiverStream::new(outgoing)).await?.into_inner();
        let (room, delivered) = (Arc::new(Semaphore::new(AT_ONCE)), TaskTracker::new());
        while let Some(event) = events.message().await? {
            let place = room.clone().acquire_owned().await.map_err(|closed| Status::internal(closed.to_string()))?;
            let (sink, answers) = (sink.clone(), answers.clone());
            delivered.spawn(async move {
                // The component may have hung up; then it sends the event again, or not, as it likes.
                let _ = answers.send(deliver(sink.as_ref(), event).await).await;
                drop(place);
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
            let why = ended.err().map_or_else(|| "it has hung up".to_owned(), |status| status.message().to_owned());
            tracing::warn!(component = %self.name, error = %why, "a pluggable binding sends nothing any more; it is asked again");
            loop {
                if shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                    return Ok(());
                }
                // One that has started again knows nothing of us.
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
        Ok(answer) => ReadRequest { response_data: answer.unwrap_or_default(), message_id, response_error: None },
        Err(error) => {
            let response_error = Some(AckResponseError { message: error.to_string() });
            ReadRequest { response_data: bytes::Bytes::new(), message_id, response_error }
        }
    }
}
