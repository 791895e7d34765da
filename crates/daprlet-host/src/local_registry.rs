//! Registry of applications in other daprlet processes on this machine: a directory of sockets.
//!
//! Each application listens on the Unix socket `ID.sock` of the directory, which only its user may enter. A process
//! that can connect therefore belongs to the same user, and its claim of the caller's id is trusted; the application's
//! access control decides as for callers in its own process. Dapr uses mDNS for this.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dapr_building_blocks::BoxError;
use dapr_runtime::{App, Body, InvokeError, full_body};
use http::header::{HOST, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::{UnixListener, UnixStream};

use crate::accept::AcceptRetry;
use crate::lifetime::Lifetime;

/// Header with the caller's app id, in requests between two processes.
const CALLER: HeaderName = HeaderName::from_static("daprlet-caller");
/// Header that marks a response as an error of the other process, not of the application.
const ERROR: HeaderName = HeaderName::from_static("daprlet-error");
/// Name of the listeners, for the log.
const NAME: &str = "the local registry";
/// Maximum size of such an error, in bytes.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// The registry's directory.
#[derive(Clone, Debug)]
pub struct LocalRegistry(PathBuf);

/// An [`InvokeError`] in transit between two processes.
#[derive(Serialize, Deserialize)]
enum RemoteError {
    Denied { caller: String, operation: String, verb: String },
    NoApplication,
    Channel(String),
}

impl LocalRegistry {
    /// Opens the directory `path`, and creates it if missing.
    ///
    /// # Errors
    /// When it cannot be created, or is accessible to other users.
    pub fn open(path: &Path) -> io::Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let metadata = std::fs::symlink_metadata(path)?;
        if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
            let message = format!("{} is not a directory that this user alone may enter", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        Ok(Self(path.to_owned()))
    }

    fn socket(&self, app: &str) -> PathBuf {
        self.0.join(format!("{app}.sock"))
    }

    /// Registers an application until the host ends.
    pub(crate) async fn register(&self, app: String, callee: Arc<App>, lifetime: &Lifetime) {
        match self.bind(&app).await {
            Ok(listener) => {
                let socket = Registered { path: self.socket(&app), listener };
                lifetime.spawn("local registry", socket.serve(callee, lifetime.clone()));
            }
            Err(error) => {
                tracing::warn!(app, %error, "app not registered: other daprlet processes do not find it");
            }
        }
    }

    async fn bind(&self, app: &str) -> io::Result<UnixListener> {
        let path = self.socket(app);
        match UnixListener::bind(&path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if UnixStream::connect(&path).await.is_ok() {
                    let message = "an application of this id runs in another daprlet process already";
                    return Err(io::Error::new(io::ErrorKind::AddrInUse, message));
                }
                // Left behind by a process that was killed.
                std::fs::remove_file(&path)?;
                UnixListener::bind(&path)
            }
            bound => bound,
        }
    }

    /// Calls an application of another process. Returns the request if there is none of that id.
    pub(crate) async fn call(
        &self,
        app: &str,
        caller: &str,
        request: Request<Body>,
    ) -> Result<Result<Response<Body>, InvokeError>, Request<Body>> {
        // The id becomes part of a path.
        if dapr_resources::run_template::check_app_id(app).is_err() {
            return Err(request);
        }
        match UnixStream::connect(self.socket(app)).await {
            Ok(stream) => Ok(send(stream, caller, request).await),
            Err(_) => Err(request),
        }
    }
}

async fn send(stream: UnixStream, caller: &str, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
    let channel = |error: hyper::Error| InvokeError::Channel(error.into());
    let caller = HeaderValue::from_str(caller).map_err(|error| InvokeError::Channel(error.into()))?;
    request.headers_mut().insert(CALLER, caller);
    // HTTP/1.1 requires it; the other process removes it again.
    request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    let (mut requests, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(channel)?;
    // The request reports how the connection ends.
    tokio::spawn(async { drop(connection.await) });
    let response = requests.send_request(request).await.map_err(channel)?;
    if !response.headers().contains_key(ERROR) {
        return Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()));
    }
    let error: Result<RemoteError, BoxError> = async {
        let body = Limited::new(response.into_body(), MAX_ERROR_BYTES).collect().await?.to_bytes();
        Ok(serde_json::from_slice(&body)?)
    }
    .await;
    Err(match error.map_err(InvokeError::Channel)? {
        RemoteError::Denied { caller, operation, verb } => InvokeError::Denied { caller, operation, verb },
        RemoteError::NoApplication => InvokeError::NoApplication,
        RemoteError::Channel(why) => InvokeError::Channel(why.into()),
    })
}

/// The socket of one application, removed on drop.
struct Registered {
    path: PathBuf,
    listener: UnixListener,
}

impl Drop for Registered {
    fn drop(&mut self) {
        // It may have been removed already.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Registered {
    async fn serve(self, callee: Arc<App>, lifetime: Lifetime) {
        let mut retry = AcceptRetry::default();
        while let Some(accepted) = lifetime.draining.run_until_cancelled(self.listener.accept()).await {
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tokio::time::sleep(retry.failed(NAME, &error)).await;
                    continue;
                }
            };
            retry.succeeded(NAME);
            let callee = callee.clone();
            let respond = move |request| {
                let callee = callee.clone();
                async move { respond(&callee, request).await }
            };
            lifetime.spawn_under_way(dapr_api_http::serve_http(stream, lifetime.draining.clone(), respond));
        }
    }
}

async fn respond(callee: &App, mut request: Request<Body>) -> Response<Body> {
    let caller = request.headers_mut().remove(CALLER);
    request.headers_mut().remove(HOST);
    let caller = caller.as_ref().and_then(|caller| caller.to_str().ok()).unwrap_or_default();
    let outcome = match callee.authorize(caller, &request) {
        Ok(()) => callee.call(request).await,
        Err(error) => Err(error),
    };
    let error = match outcome {
        Ok(mut response) => {
            response.headers_mut().remove(ERROR);
            return response;
        }
        Err(InvokeError::Denied { caller, operation, verb }) => RemoteError::Denied { caller, operation, verb },
        Err(InvokeError::NoApplication) => RemoteError::NoApplication,
        Err(error) => RemoteError::Channel(error.to_string()),
    };
    let body = serde_json::to_vec(&error).unwrap_or_default();
    let mut response = Response::new(full_body(body));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.headers_mut().insert(ERROR, HeaderValue::from_static("1"));
    response
}
