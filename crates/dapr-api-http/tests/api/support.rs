//! A sidecar with an in-memory store, environment secrets, and one application that echoes requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use dapr_api_http::{DaprHttp, Options};
use dapr_building_blocks::component::{ComponentSpec, Context};
use dapr_building_blocks::{Properties, Secret};
use dapr_resources::configuration::{AccessControl, DefaultAccess, SecretScope};
use dapr_runtime::{
    App, AppChannel, AppConnection, AppSettings, Body, Components, Directory, InvokeError, Settings, Sidecar, full_body,
};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio_util::sync::CancellationToken;

/// Responds with the request line, the headers and the body, one per line.
struct Echo;

#[async_trait]
impl AppChannel for Echo {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(InvokeError::Channel)?.to_bytes();
        let mut text = format!("{} {}\n", parts.method, parts.uri);
        for (name, value) in &parts.headers {
            text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
        }
        text.push_str(&String::from_utf8_lossy(&body));
        Ok(Response::builder().status(203).header("x-app", "echo").body(full_body(text)).unwrap())
    }

    async fn ready(&self) {}
}

/// The applications `echo` and `closed`, which denies everything.
struct Apps(BTreeMap<&'static str, Arc<App>>);

impl Apps {
    fn new() -> Self {
        let app = |denies_by_default| {
            let access_control = AccessControl { denies_by_default, ..AccessControl::default() };
            let app = App::new(AppSettings { port: Some(80), access_control, ..AppSettings::default() });
            app.set_channel(Arc::new(Echo));
            Arc::new(app)
        };
        Self(BTreeMap::from([("echo", app(false)), ("closed", app(true))]))
    }
}

#[async_trait]
impl Directory for Apps {
    fn find(&self, app_id: &str) -> Option<Arc<App>> {
        self.0.get(app_id).cloned()
    }
}

pub(crate) struct Api {
    http: DaprHttp,
    pub(crate) sidecar: Arc<Sidecar>,
    pub(crate) shutdown: CancellationToken,
}

/// A response with its body as text.
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl ApiResponse {
    pub(crate) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["errorCode"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) async fn api() -> Api {
    api_with(Options::default(), &[("store", "state.in-memory", &[])]).await
}

/// A component definition: name, type, properties.
pub(crate) type ComponentDef = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Creates an API in front of these components.
pub(crate) async fn api_with(options: Options, components: &[ComponentDef]) -> Api {
    let registry = component_native::registry();
    let environment = [("SHOWN", "1"), ("HIDDEN", "2")].map(|(name, value)| (name.to_owned(), Secret::from(value)));
    let context = Context { app_id: "app".into(), environment: Arc::new(environment.into()), ..Context::default() };
    let shutdown = CancellationToken::new();
    let sidecar = Arc::new(Sidecar::new(Settings {
        connection: AppConnection { port: 80, protocol: "http".into(), ..AppConnection::default() },
        secret_scopes: vec![SecretScope {
            store: "env".into(),
            default_access: DefaultAccess::Allow,
            denied: vec!["HIDDEN".into()],
            ..SecretScope::default()
        }],
        directory: Arc::new(Apps::new()),
        shutdown: shutdown.clone(),
        ..Settings::new("app")
    }));
    let mut loaded = Components::default();
    for (name, type_, properties) in components {
        let properties: Properties = properties.iter().copied().collect();
        let spec =
            ComponentSpec { name: (*name).into(), type_: (*type_).into(), properties, ..ComponentSpec::default() };
        loaded.add(&spec, &registry.create(spec.clone(), context.clone()).await.unwrap()).unwrap();
    }
    sidecar.set_components(loaded);
    Api { http: DaprHttp::new(sidecar.clone(), options), sidecar, shutdown }
}

impl Api {
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> ApiResponse {
        self.call_with(method, path, &[], body).await
    }

    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> ApiResponse {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.http.handle(request.body(full_body(body.to_owned())).unwrap()).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        ApiResponse {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.into()).unwrap(),
        }
    }
}
