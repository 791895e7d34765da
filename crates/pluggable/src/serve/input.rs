//! The service of a binding that calls.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use building_blocks::InputBinding as Native;
use building_blocks::binding::{BindingEvent, DeliveryError, EventSink};
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

/// How many events wait for the sidecar to take them.
const WAITING: usize = 16;

/// The bindings behind a socket.
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

    /// Runs the binding until the sidecar hangs up.
    async fn read(&self, request: Request<Streaming<ReadRequest>>) -> Result<Response<Self::ReadStream>, Status> {
        let binding = self.0.of(&request)?;
        let (events, taken) = mpsc::channel(WAITING);
        let reader = Arc::new(Reader { events: events.clone(), unanswered: Mutex::default() });
        let ended = CancellationToken::new();
        tokio::spawn(answers(request.into_inner(), reader.clone(), ended.clone()));
        tokio::spawn(async move {
            if let Err(error) = binding.run(reader, ended).await {
                // The sidecar may be gone.
                let _ = events.send(Err(status::binding(&error))).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(taken))))
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        self.0.of(&request)?;
        Ok(Response::new(PingResponse {}))
    }
}

/// A sidecar that reads.
struct Reader {
    events: mpsc::Sender<Result<ReadResponse, Status>>,
    unanswered: Mutex<Unanswered>,
}

#[derive(Default)]
struct Unanswered {
    last: u64,
    waiting: BTreeMap<String, oneshot::Sender<ReadRequest>>,
}

#[async_trait]
impl EventSink for Reader {
    async fn deliver(&self, event: BindingEvent) -> Result<Option<bytes::Bytes>, DeliveryError> {
        let gone = || DeliveryError("the sidecar has hung up".into());
        let (answer, answered) = oneshot::channel();
        let message_id = {
            let mut unanswered = self.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
            unanswered.last += 1;
            let id = unanswered.last.to_string();
            unanswered.waiting.insert(id.clone(), answer);
            id
        };
        let BindingEvent { data, metadata } = event;
        let message = ReadResponse { data, metadata, content_type: String::new(), message_id };
        self.events.send(Ok(message)).await.map_err(|_| gone())?;
        let ReadRequest { response_data, response_error, .. } = answered.await.map_err(|_| gone())?;
        match response_error {
            Some(error) => Err(DeliveryError(error.message.into())),
            None => Ok((!response_data.is_empty()).then_some(response_data)),
        }
    }
}

/// Hands each answer to the event that waits for it, until the sidecar hangs up.
async fn answers(mut coming: Streaming<ReadRequest>, reader: Arc<Reader>, ended: CancellationToken) {
    while let Ok(Some(answer)) = coming.message().await {
        let waiting =
            reader.unanswered.lock().unwrap_or_else(PoisonError::into_inner).waiting.remove(&answer.message_id);
        if let Some(waiting) = waiting {
            // Who waited may have stopped.
            let _ = waiting.send(answer);
        }
    }
    ended.cancel();
    reader.unanswered.lock().unwrap_or_else(PoisonError::into_inner).waiting.clear();
}
