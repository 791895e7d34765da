//! Delivers events of input bindings: `dapr/pkg/runtime/processor/binding`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dapr_building_blocks::binding::{BindingEvent, DeliveryError, EventSink};
use dapr_building_blocks::middleware::{empty_body, full_body};
use dapr_building_blocks::{BoxError, InputBinding};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio_util::sync::CancellationToken;

use super::App;
use crate::bindings::Input;
use crate::calls::{CallError, CallTarget, Calls};
use crate::resiliency::{ComponentKind, Interruption, Verdict};
use crate::{Sidecar, app_path};

/// Timeout of the request that asks whether the application subscribes to an input binding.
const SUBSCRIPTION_TIMEOUT: Duration = Duration::from_secs(3);
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Input bindings that were started, or that the application does not subscribe to, by name.
#[derive(Default)]
pub(super) struct RunningBindings(BTreeMap<String, (Arc<dyn InputBinding>, CancellationToken)>);

impl RunningBindings {
    /// Starts and ends input bindings, until `shutdown`, so that they are those of the sidecar that the application
    /// subscribes to.
    pub(super) async fn update(&mut self, sidecar: &Sidecar, shutdown: &CancellationToken) {
        let components = sidecar.components();
        let wanted = &components.bindings.input;
        self.0.retain(|name, (binding, end)| {
            let is_same = wanted.get(name).is_some_and(|input| Arc::ptr_eq(&input.binding, binding));
            if !is_same {
                end.cancel();
            }
            is_same
        });
        for (name, input) in wanted {
            if self.0.contains_key(name) {
                continue;
            }
            let end = shutdown.child_token();
            self.0.insert(name.clone(), (input.binding.clone(), end.clone()));
            start(sidecar, name, input, end).await;
        }
    }
}

/// Starts an input binding, if the application subscribes to it, until `end`.
async fn start(sidecar: &Sidecar, name: &str, input: &Input, end: CancellationToken) {
    let app = sidecar.app_id().to_owned();
    let path = match app_path(&input.route) {
        Ok(path) => path,
        Err(error) => {
            tracing::error!(app, binding = name, route = input.route, error, "cannot deliver input binding");
            return;
        }
    };
    if !(input.is_explicit || is_subscribed(sidecar.app(), name, &path).await) {
        tracing::info!(app, binding = name, "application not subscribed to input binding");
        return;
    }
    let (name, calls) = (name.to_owned(), sidecar.calls.clone());
    let sink = Arc::new(Sink { path, name: name.clone(), app: sidecar.app().clone(), calls });
    let binding = input.binding.clone();
    tokio::spawn(async move {
        if let Err(error) = binding.run(sink, end).await {
            tracing::error!(app, binding = name, %error, "input binding failed");
        }
    });
}

/// Asks whether the application subscribes.
///
/// It does so by a response of 2xx or 405 to `OPTIONS` on the route, within the time that daprd allows.
async fn is_subscribed(app: &App, name: &str, path: &PathAndQuery) -> bool {
    let mut request = Request::new(empty_body());
    *request.method_mut() = Method::OPTIONS;
    *request.uri_mut() = path.clone().into();
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    match tokio::time::timeout(SUBSCRIPTION_TIMEOUT, app.call(request)).await {
        Ok(Ok(response)) => response.status().is_success() || response.status() == StatusCode::METHOD_NOT_ALLOWED,
        Ok(Err(error)) => {
            tracing::warn!(binding = name, %error, "cannot ask the application about input binding");
            false
        }
        Err(_) => {
            tracing::warn!(binding = name, "no response about input binding in time");
            false
        }
    }
}

struct Sink {
    path: PathAndQuery,
    /// Name of the binding.
    name: String,
    app: Arc<App>,
    calls: Calls,
}

/// Why the application has not processed an event.
enum NotProcessed {
    Failed(BoxError),
    Status(StatusCode, Bytes),
}

impl CallError for NotProcessed {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(_) => Verdict::Failure,
            Self::Status(status, _) => Verdict::Status(status.as_u16()),
        }
    }

    fn interrupted(why: Interruption) -> Self {
        Self::Failed(why.into())
    }
}

#[async_trait]
impl EventSink for Sink {
    async fn deliver(&self, event: BindingEvent) -> Result<Option<Bytes>, DeliveryError> {
        let target = CallTarget::FromComponent(ComponentKind::Binding, &self.name);
        let delivered = self.calls.run(target, "deliver", event, |event| self.post(event)).await;
        delivered.map_err(|error| match error {
            NotProcessed::Failed(error) => DeliveryError(error),
            NotProcessed::Status(status, body) => {
                let body = String::from_utf8_lossy(&body);
                DeliveryError(format!("the application answered {status} {body}").trim_end().into())
            }
        })
    }
}

impl Sink {
    async fn post(&self, event: BindingEvent) -> Result<Option<Bytes>, NotProcessed> {
        let mut request = Request::new(full_body(event.data));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone().into();
        for (name, value) in &event.metadata {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                request.headers_mut().insert(name, value);
            }
        }
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        let response = self.app.call(request).await.map_err(|error| NotProcessed::Failed(error.into()))?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(NotProcessed::Failed)?.to_bytes();
        if status.is_success() {
            Ok((!body.is_empty()).then_some(body))
        } else {
            Err(NotProcessed::Status(status, body))
        }
    }
}

#[cfg(test)]
mod tests {
    use dapr_building_blocks::binding::BindingError;
    use dapr_building_blocks::{Component, ComponentSpec, InputBinding};
    use tokio::sync::mpsc;

    use super::*;
    use crate::app::tests::ScriptedChannel;
    use crate::components::Components;
    use crate::tests::sidecar;

    /// A binding with one event, which reports its outcome.
    struct Once(mpsc::Sender<Result<Option<Bytes>, String>>);

    #[async_trait]
    impl InputBinding for Once {
        async fn run(&self, sink: Arc<dyn EventSink>, _: CancellationToken) -> Result<(), BindingError> {
            let outcome = sink.deliver(BindingEvent::default()).await;
            self.0.send(outcome.map_err(|error| error.to_string())).await.unwrap();
            Ok(())
        }
    }

    /// Runs a binding with these properties against an application with these responses.
    ///
    /// Returns the outcome of its event, and the requests to the application.
    async fn outcome(
        properties: &[(&str, &str)],
        responses: &[(u16, &'static str)],
    ) -> (Option<Result<Option<Bytes>, String>>, Vec<String>) {
        let (sender, mut outcomes) = mpsc::channel(1);
        let component = Component { input_binding: Some(Arc::new(Once(sender))), ..Component::default() };
        let spec = ComponentSpec {
            name: "tick".into(),
            type_: "bindings.cron".into(),
            properties: properties.iter().copied().collect(),
            ..ComponentSpec::default()
        };
        let sidecar = sidecar();
        let mut components = Components::default();
        components.add(&spec, &component).unwrap();
        drop(component);
        sidecar.set_components(components);
        let channel = ScriptedChannel::new(responses);
        sidecar.app().set_channel(channel.clone());
        let mut running = RunningBindings::default();
        running.update(&sidecar, &CancellationToken::new()).await;
        drop(running);
        // Without a subscription there is no event, and the sender is dropped with the binding.
        sidecar.set_components(Components::default());
        let outcome = outcomes.recv().await;
        let requests = channel.requests.lock().unwrap().clone();
        (outcome, requests)
    }

    #[tokio::test]
    async fn explicit_input_is_delivered_without_options_request() {
        let (outcome, asked) = outcome(&[("direction", "input")], &[(200, "ok")]).await;
        assert_eq!((outcome, asked), (Some(Ok(Some("ok".into()))), vec!["POST /tick".to_owned()]));
    }

    #[tokio::test]
    async fn route_replaces_the_name() {
        let (outcome, asked) = outcome(&[("route", "/on/tick?x=1")], &[(200, "ok"), (200, "ok")]).await;
        assert_eq!(outcome, Some(Ok(Some("ok".into()))));
        assert_eq!(asked, ["OPTIONS /on/tick?x=1", "POST /on/tick?x=1"]);
    }

    #[tokio::test]
    async fn any_status_from_200_to_299_accepts_an_event() {
        let input = [("direction", "input")];
        let accepted = outcome(&input, &[(204, "")]).await.0;
        assert_eq!(accepted, Some(Ok(None)));
        let accepted = outcome(&input, &[(201, "x")]).await.0;
        assert_eq!(accepted, Some(Ok(Some("x".into()))));
        let refused = outcome(&input, &[(300, "no")]).await.0;
        assert!(refused.unwrap().unwrap_err().contains("300"));
    }

    #[tokio::test]
    async fn output_only_binding_sends_no_requests() {
        let (outcome, asked) = outcome(&[("direction", "output")], &[]).await;
        assert_eq!((outcome, asked), (None, Vec::new()));
    }

    #[tokio::test]
    async fn application_that_responds_404_gets_no_events() {
        let (outcome, asked) = outcome(&[], &[(404, "")]).await;
        assert_eq!((outcome, asked), (None, vec!["OPTIONS /tick".to_owned()]));
    }
}
