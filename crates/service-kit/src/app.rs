//! What a service is: routes, and a function from a call to a response.

use std::net::IpAddr;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request};

use crate::{Health, Problem};

/// A response with its whole body.
pub type Response = http::Response<Bytes>;

/// A request with its whole body, and who made it.
#[derive(Debug)]
pub struct Call {
    /// The request.
    pub request: Request<Bytes>,
    /// Who made it, as far as can be told: the peer, or whom a trusted proxy names.
    pub user: IpAddr,
}

/// One line of a service's table of routes.
#[derive(Debug)]
pub struct Route<E> {
    /// The method. `GET` answers `HEAD` too.
    pub method: Method,
    /// The exact path.
    pub path: &'static str,
    /// What it does, for the service's description.
    pub about: &'static str,
    /// What is called.
    pub endpoint: E,
}

impl<E> Route<E> {
    /// A `GET` route.
    pub const fn get(path: &'static str, endpoint: E, about: &'static str) -> Self {
        Self { method: Method::GET, path, about, endpoint }
    }

    /// A `POST` route.
    pub const fn post(path: &'static str, endpoint: E, about: &'static str) -> Self {
        Self { method: Method::POST, path, about, endpoint }
    }

    /// A `DELETE` route.
    pub const fn delete(path: &'static str, endpoint: E, about: &'static str) -> Self {
        Self { method: Method::DELETE, path, about, endpoint }
    }
}

/// A service, without any HTTP server around it.
#[async_trait]
pub trait App: Send + Sync + 'static {
    /// Names what a route calls.
    type Endpoint: Copy + Send + Sync + 'static;

    /// The routes. `GET /`, `GET /healthz` and `OPTIONS` are not among them: every service has those.
    const ROUTES: &'static [Route<Self::Endpoint>];

    /// The service's name, which is its Dapr app id too.
    const NAME: &'static str;

    /// What the service does, in a sentence.
    const ABOUT: &'static str;

    /// Answers a call of one of the routes.
    async fn call(&self, endpoint: Self::Endpoint, call: Call) -> Result<Response, Problem>;

    /// Says whether the service can do its work.
    async fn health(&self) -> Health;
}
