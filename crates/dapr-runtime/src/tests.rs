//! Invocations between applications, without any guest.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dapr_resources::configuration::AccessControl;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;

use super::*;

/// Responds with the headers that the application sees.
struct Echo;

#[async_trait]
impl AppChannel for Echo {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        let headers = request.headers().iter();
        let lines = headers.map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
        Ok(Response::new(full_body(lines.collect::<String>())))
    }

    async fn ready(&self) {}
}

struct Apps(BTreeMap<&'static str, Arc<App>>);

#[async_trait]
impl Directory for Apps {
    fn find(&self, app_id: &str) -> Option<Arc<App>> {
        self.0.get(app_id).cloned()
    }
}

/// Creates the sidecar of the application `app`, which knows no others.
pub(crate) fn sidecar() -> Arc<Sidecar> {
    sidecar_with(BTreeMap::new())
}

fn sidecar_with(mut apps: BTreeMap<&'static str, Arc<App>>) -> Arc<Sidecar> {
    let app = Arc::new(App::new(AppSettings { port: Some(80), ..AppSettings::default() }));
    apps.insert("app", app.clone());
    Arc::new(Sidecar::new(Settings { app, directory: Arc::new(Apps(apps)), ..Settings::new("app") }))
}

async fn invoke(target: &str, access_control: AccessControl) -> Result<String, InvokeError> {
    let callee = App::new(AppSettings { port: Some(90), access_control, ..AppSettings::default() });
    callee.set_channel(Arc::new(Echo));
    let sidecar = sidecar_with(BTreeMap::from([("callee", Arc::new(callee))]));
    let request = Request::get("/m").header("dapr-caller-app-id", "forged").body(empty_body()).unwrap();
    let response = sidecar.invoke(target, request).await?;
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn callee_sees_the_sidecar_as_caller() {
    for target in ["callee", "callee.default"] {
        let headers = invoke(target, AccessControl::default()).await.unwrap();
        assert!(headers.contains("dapr-caller-app-id: app\n") && headers.contains("dapr-callee-app-id: callee\n"));
        assert!(headers.contains("host: 127.0.0.1:90\n") && !headers.contains("forged"), "{headers}");
    }
}

#[tokio::test]
async fn access_control_of_the_callee_is_asked() {
    let nobody = AccessControl { denies_by_default: true, ..AccessControl::default() };
    assert!(matches!(invoke("callee", nobody).await, Err(InvokeError::Denied { .. })));
}

#[tokio::test]
async fn unknown_app_is_named_as_it_was_asked_for() {
    let error = invoke("nobody.default", AccessControl::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "couldn't find service: nobody.default");
}
