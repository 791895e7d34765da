//! Service of an input binding.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dapr_building_blocks::InputBinding as Native;
use dapr_building_blocks::binding::{BindingEvent, DeliveryError, EventSink};
use futures_util::Stream;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::instances::Instances;
use super::status;
use crate::contract::input_binding_server::InputBinding;
use crate::contract::{
    InputBindingInitRequest, InputBindingInitResponse, PingRequest, PingResponse, ReadRequest, ReadResponse,
};

/// Limit on events that wait for the sidecar to receive them.
const EVENT_QUEUE_LENGTH: usize = 16;

/// Bindings behind a socket.
pub(super) struct Bindings(pub(super) Instances<dyn Native>);

#[tonic::async_trait]
impl InputBinding for Bindings {
    type ReadStream = Pin<Box<dyn Stream<Item = Result<ReadResponse, Status>> + Send>>;

    async fn init(
        &self,
        request: Request<InputBindingInitRequest>,
    ) -> Result<Response<InputBindingInitResponse>, Status> {
        self.0.init(&request, request.get_ref().metadata.as_ref()).await?;
        Ok(Response::new(InputBindingInitResponse {}))
    }

    /// Runs the binding until the sidecar closes the stream.
    async fn read(&self, request: Request<Streaming<ReadRequest>>) -> Result<Response<Self::ReadStream>, Status> {
        let binding = self.0.get(&request)?;
        let (events, stream) = mpsc::channel(EVENT_QUEUE_LENGTH);
        let reader = Arc::new(Reader { events: events.clone(), pending: Mutex::default() });
        let ended = CancellationToken::new();
        tokio::spawn(dispatch_responses(request.into_inner(), reader.clone(), ended.clone()));
        tokio::spawn(async move {
            if let Err(error) = binding.run(reader, ended).await {
                // The sidecar may be gone.
                let _ = events.send(Err(status::binding(&error))).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        self.0.get(&request)?;
        Ok(Response::new(PingResponse {}))
    }
}

/// Sidecar that receives events.
struct Reader {
    events: mpsc::Sender<Result<ReadResponse, Status>>,
    pending: Mutex<PendingEvents>,
}

#[derive(Default)]
struct PendingEvents {
    last: u64,
    waiting: BTreeMap<String, oneshot::Sender<ReadRequest>>,
}

#[async_trait]
impl EventSink for Reader {
    async fn deliver(&self, event: BindingEvent) -> Result<Option<bytes::Bytes>, DeliveryError> {
        let closed = || DeliveryError("the sidecar closed the stream".into());
        let (response, received) = oneshot::channel();
        let message_id = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.last += 1;
            let id = pending.last.to_string();
            pending.waiting.insert(id.clone(), response);
            id
        };
        let BindingEvent { data, metadata } = event;
        let message = ReadResponse { data, metadata, content_type: String::new(), message_id };
        self.events.send(Ok(message)).await.map_err(|_| closed())?;
        let ReadRequest { response_data, response_error, .. } = received.await.map_err(|_| closed())?;
        match response_error {
            Some(error) => Err(DeliveryError(error.message.into())),
            None => Ok((!response_data.is_empty()).then_some(response_data)),
        }
    }
}

/// Passes each response to the event that waits for it, until the sidecar closes the stream.
async fn dispatch_responses(mut incoming: Streaming<ReadRequest>, reader: Arc<Reader>, ended: CancellationToken) {
    while let Ok(Some(response)) = incoming.message().await {
        let waiting =
            reader.pending.lock().unwrap_or_else(PoisonError::into_inner).waiting.remove(&response.message_id);
        if let Some(waiting) = waiting {
            // The event may no longer be waiting.
            let _ = waiting.send(response);
        }
    }
    ended.cancel();
    reader.pending.lock().unwrap_or_else(PoisonError::into_inner).waiting.clear();
}
