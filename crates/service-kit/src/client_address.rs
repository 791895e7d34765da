//! The address of the user behind a request, as an extractor.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use http::request::Parts;

use crate::TrustedProxies;

/// Address of the other end of the connection, which the server adds to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Address of the user: the peer, or the client that a trusted proxy names.
///
/// All users count as one if the server does not know its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// Finds the user of a request, for the extractor.
pub(crate) async fn resolve(State(proxies): State<Arc<TrustedProxies>>, mut request: Request) -> Request {
    let Peer(peer) = request.extensions().get().copied().unwrap_or(Peer(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    let user = proxies.user(peer, request.headers());
    request.extensions_mut().insert(ClientAddress(user));
    request
}
