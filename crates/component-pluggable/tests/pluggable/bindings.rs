//! Bindings, in both directions.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use component_pluggable::{Block, ComponentFactory};
use dapr_building_blocks::binding::{
    BindingError, BindingEvent, DeliveryError, EventSink, InvokeRequest, InvokeResponse,
};
use dapr_building_blocks::{Component, InputBinding, Metadata, OutputBinding};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::Sockets;

/// Binding with one operation, which sends three events and reports the outcome of each.
#[derive(Clone)]
struct TestBinding(mpsc::UnboundedSender<Result<Option<Bytes>, String>>);

#[async_trait]
impl OutputBinding for TestBinding {
    fn operations(&self) -> Vec<&str> {
        vec!["turn"]
    }

    async fn invoke(&self, request: InvokeRequest) -> Result<InvokeResponse, BindingError> {
        if request.operation != "turn" {
            return Err(BindingError::InvalidRequest(format!("no {}", request.operation)));
        }
        let turned: Vec<u8> = request.data.iter().rev().copied().collect();
        Ok(InvokeResponse { data: Some(turned.into()), metadata: request.metadata })
    }
}

#[async_trait]
impl InputBinding for TestBinding {
    async fn run(&self, sink: Arc<dyn EventSink>, shutdown: CancellationToken) -> Result<(), BindingError> {
        for number in 0..3 {
            let metadata = Metadata::from([("number".to_owned(), number.to_string())]);
            let outcome = sink.deliver(BindingEvent { data: "event".into(), metadata }).await;
            self.0.send(outcome.map_err(|error| error.to_string())).unwrap();
        }
        shutdown.cancelled().await;
        Ok(())
    }
}

/// Application that rejects the second event.
#[derive(Default)]
struct Application(Mutex<Vec<BindingEvent>>);

#[async_trait]
impl EventSink for Application {
    async fn deliver(&self, event: BindingEvent) -> Result<Option<Bytes>, DeliveryError> {
        let number = event.metadata.get("number").cloned();
        self.0.lock().unwrap().push(event);
        match number.as_deref() {
            Some("0") => Ok(Some("seen".into())),
            Some("1") => Err(DeliveryError("not this one".into())),
            _ => Ok(None),
        }
    }
}

fn both() -> (ComponentFactory, mpsc::UnboundedReceiver<Result<Option<Bytes>, String>>) {
    let (outcomes, events) = mpsc::unbounded_channel();
    let binding = TestBinding(outcomes);
    let factory: ComponentFactory = Arc::new(move |_, _| {
        let binding = binding.clone();
        Box::pin(async move { Ok(Component::from_binding(binding)) })
    });
    (factory, events)
}

#[tokio::test]
async fn output_binding_behind_a_socket_is_invoked() {
    let (sockets, (factory, _events)) = (Sockets::new(), both());
    let _served = sockets.serve("both", Block::Binding, factory).await;
    let binding = sockets.create("bindings.both", "b", &[]).await.unwrap().output_binding.unwrap();
    assert_eq!(binding.operations(), ["turn"]);
    let metadata = Metadata::from([("a".to_owned(), "b".to_owned())]);
    let request = InvokeRequest { operation: "turn".into(), data: "abc".into(), metadata: metadata.clone() };
    let answer = binding.invoke(request).await.unwrap();
    assert_eq!(answer, InvokeResponse { data: Some("cba".into()), metadata });
    let error = binding.invoke(InvokeRequest { operation: "x".into(), ..InvokeRequest::default() }).await.unwrap_err();
    assert_eq!(error.to_string(), "rpc error: code = InvalidArgument desc = no x");
}

#[tokio::test]
async fn input_binding_behind_a_socket_learns_event_outcomes() {
    let (sockets, (factory, mut events)) = (Sockets::new(), both());
    let _served = sockets.serve("both", Block::Binding, factory).await;
    let binding = sockets.create("bindings.both", "b", &[]).await.unwrap().input_binding.unwrap();
    let (application, shutdown) = (Arc::new(Application::default()), CancellationToken::new());
    let running = tokio::spawn({
        let (application, shutdown) = (application.clone(), shutdown.clone());
        async move { binding.run(application, shutdown).await }
    });
    let mut next = async || tokio::time::timeout(Duration::from_secs(30), events.recv()).await.unwrap().unwrap();
    assert_eq!(next().await.unwrap().unwrap(), "seen");
    assert!(next().await.unwrap_err().contains("not this one"));
    assert_eq!(next().await.unwrap(), None);
    let seen = application.0.lock().unwrap().len();
    assert_eq!(seen, 3);
    shutdown.cancel();
    running.await.unwrap().unwrap();
}
