//! An application that a test answers for.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;

/// Responds with the next of its responses, and records the requests as `METHOD PATH`.
pub(crate) struct ScriptedChannel {
    responses: Mutex<Vec<(u16, &'static str)>>,
    pub(crate) requests: Mutex<Vec<String>>,
}

impl ScriptedChannel {
    /// Creates a channel with statuses and bodies, in order.
    pub(crate) fn new(responses: &[(u16, &'static str)]) -> Arc<Self> {
        let responses = responses.iter().rev().copied().collect();
        Arc::new(Self { responses: Mutex::new(responses), requests: Mutex::default() })
    }
}

#[async_trait]
impl AppChannel for ScriptedChannel {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        self.requests.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        let (status, body) = self.responses.lock().unwrap().pop().ok_or(InvokeError::NoApplication)?;
        Ok(Response::builder().status(status).body(full_body(body)).unwrap())
    }

    async fn ready(&self) {}
}

/// Never responds.
struct SilentChannel;

#[async_trait]
impl AppChannel for SilentChannel {
    async fn send(&self, _: Request<Body>) -> Result<Response<Body>, InvokeError> {
        std::future::pending().await
    }

    async fn ready(&self) {}
}

fn app(settings: AppSettings) -> App {
    App::new(AppSettings { port: Some(80), ..settings })
}

#[tokio::test(start_paused = true)]
async fn slow_request_gets_gateway_timeout() {
    let app = app(AppSettings { request_timeout: Some(Duration::from_secs(1)), ..AppSettings::default() });
    app.set_channel(Arc::new(SilentChannel));
    let response = app.call(Request::new(empty_body())).await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn app_that_has_not_started_refuses_connections() {
    let request = Request::get("/m").body(empty_body()).unwrap();
    let error = app(AppSettings::default()).call(request).await.unwrap_err().to_string();
    assert_eq!(error, "Get \"http://127.0.0.1:80/m\": dial tcp 127.0.0.1:80: connect: connection refused");
}

#[tokio::test]
async fn app_without_port_cannot_be_called() {
    let app = App::new(AppSettings::default());
    app.set_channel(ScriptedChannel::new(&[(200, "")]));
    let called = app.call(Request::new(empty_body())).await;
    assert!(matches!(called, Err(InvokeError::NoApplication)));
}

#[tokio::test]
async fn denied_caller_is_named_in_the_error() {
    let access_control = AccessControl { denies_by_default: true, ..AccessControl::default() };
    let app = app(AppSettings { access_control, ..AppSettings::default() });
    let error = app.authorize("other", &Request::get("/a/b").body(empty_body()).unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("operation: a/b verb: GET"), "{error}");
}
