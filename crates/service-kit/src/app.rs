//! The interface of a service: routes, and a function from a call to a response.

use std::net::IpAddr;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request};

use crate::{Health, Problem};

/// A response with its complete body.
pub type Response = http::Response<Bytes>;

/// A request with its complete body and the address of its user.
#[derive(Debug)]
pub struct Call {
    /// The request.
    pub request: Request<Bytes>,
    /// Address of the user: the peer, or the client that a trusted proxy names.
    pub user: IpAddr,
}

/// One entry of a service's routing table.
#[derive(Debug)]
pub struct Route<E> {
    /// Method. `GET` also answers `HEAD`.
    pub method: Method,
    /// Exact path.
    pub path: &'static str,
    /// Summary for the service's description.
    pub about: &'static str,
    /// Endpoint that handles the request.
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

/// A service without an HTTP server.
#[async_trait]
pub trait App: Send + Sync + 'static {
    /// Name of the endpoint that a route calls.
    type Endpoint: Copy + Send + Sync + 'static;

    /// The service's own routes. `GET /`, `GET /healthz` and `OPTIONS` are added to every service.
    const ROUTES: &'static [Route<Self::Endpoint>];

    /// Name of the service, and its Dapr app id.
    const NAME: &'static str;

    /// One-sentence description of the service.
    const ABOUT: &'static str;

    /// Handles a call of one of the routes.
    async fn call(&self, endpoint: Self::Endpoint, call: Call) -> Result<Response, Problem>;

    /// Checks whether the service can do its work.
    async fn health(&self) -> Health;
}
