//! Service invocation.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response};
use serde::Serialize;

use crate::backend::{MethodCall, Repeat, operation};
use crate::{Dapr, Error};

/// Builder of a call to another service's method.
#[must_use = "nothing is sent before `send`"]
pub struct Invocation<'a> {
    dapr: &'a Dapr,
    call: Result<MethodCall, Error>,
}

impl Dapr {
    /// Calls a method of the application `app_id`.
    ///
    /// `path` is written as in a request line: it may have several segments and a query, and must already be
    /// percent-encoded.
    pub fn invoke(&self, app_id: &str, method: Method, path: &str) -> Invocation<'_> {
        let call = MethodCall {
            app_id: app_id.to_owned(),
            repeat: if method.is_idempotent() { Repeat::Safe } else { Repeat::Never },
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        Invocation { dapr: self, call: Ok(call) }
    }
}

impl Invocation<'_> {
    /// Sends a JSON body.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        self.call = self.call.and_then(|mut call| {
            let encoded = serde_json::to_vec(value);
            call.body = encoded.map_err(|source| Error::Encode { operation: operation::INVOKE, source })?.into();
            call.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(call)
        });
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        if let Ok(call) = &mut self.call {
            call.body = body.into();
        }
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Ok(call) = &mut self.call {
            call.headers.append(name, value);
        }
        self
    }

    /// Declares that the method may run twice, for example because the body has an idempotency key.
    ///
    /// Without this, a `POST` or `PATCH` is not repeated when its connection breaks.
    pub fn repeatable(mut self) -> Self {
        if let Ok(call) = &mut self.call {
            call.repeat = Repeat::Safe;
        }
        self
    }

    /// Sends the call. Returns the service's response, whatever its status.
    ///
    /// # Errors
    /// If the service was not reached: Dapr's own `ERR_DIRECT_INVOKE` is distinguished from responses of the service.
    pub async fn send(self) -> Result<Response<Bytes>, Error> {
        let response = self.dapr.backend.invoke(&self.dapr.call_options, self.call?).await?;
        if response.status().is_client_error() || response.status().is_server_error() {
            let error = Error::from_response(operation::INVOKE, response.status(), response.body());
            if error.code() == Some("ERR_DIRECT_INVOKE") {
                return Err(error);
            }
        }
        Ok(response)
    }
}
