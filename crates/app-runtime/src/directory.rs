//! All applications of the process, and the calls between them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use dapr_http::ApiToken;
use http::header::HeaderValue;
use http::{Request, Response};
use sidecar::{Body, InvokeError, Invoker};
use tokio::sync::Semaphore;

use crate::allow::AllowList;
use crate::channel::AppChannel;
use crate::{external, forward};

/// One application as others reach it.
pub(crate) struct Callee {
    pub(crate) channel: AppChannel,
    token: Option<ApiToken>,
    turns: Option<Semaphore>,
}

impl Callee {
    pub(crate) fn new(channel: AppChannel, token: Option<ApiToken>, max_concurrency: u32) -> Self {
        let turns = (max_concurrency > 0).then(|| Semaphore::new(max_concurrency as usize));
        Self { channel, token, turns }
    }

    /// Calls the application as its own sidecar does.
    pub(crate) async fn call(&self, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        if let Some(token) = self.token.as_ref().and_then(|token| HeaderValue::from_str(token.expose()).ok()) {
            request.headers_mut().insert("dapr-api-token", token);
        }
        // The semaphore is never closed, so a turn always comes.
        let _turn = match &self.turns {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        };
        let mut response = self.channel.send(request).await.map_err(InvokeError::Channel)?;
        forward::response(&mut response);
        Ok(response)
    }
}

/// The applications by their ids.
#[derive(Default)]
pub(crate) struct Directory(RwLock<BTreeMap<String, Arc<Callee>>>);

impl Directory {
    pub(crate) fn add(&self, id: String, callee: Arc<Callee>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, callee);
    }

    fn find(&self, id: &str) -> Option<Arc<Callee>> {
        // Dapr accepts `id.namespace`; there is one namespace here.
        let applications = self.0.read().unwrap_or_else(PoisonError::into_inner);
        applications.get(id).or_else(|| applications.get(id.strip_suffix(".default")?)).cloned()
    }
}

/// Invocations by one application. Who calls is decided when this is made, not by what a request says.
pub(crate) struct Caller {
    pub(crate) id: String,
    pub(crate) directory: Arc<Directory>,
    /// What the application may reach outside.
    pub(crate) allow: Arc<AllowList>,
}

#[async_trait]
impl Invoker for Caller {
    async fn invoke(&self, target: &str, mut request: Request<Body>) -> Result<Response<Body>, InvokeError> {
        if external::is_url(target) {
            return external::call(target, &self.allow, request).await;
        }
        let callee = self.directory.find(target).ok_or_else(|| InvokeError::Unknown { target: target.to_owned() })?;
        forward::request(&mut request, &self.id, target);
        callee.call(request).await
    }
}
