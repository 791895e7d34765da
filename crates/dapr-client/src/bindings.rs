//! Output bindings.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::to_raw_value;

use crate::backend::{BindingRequest, operation};
use crate::{Dapr, Error};

/// One output binding.
#[derive(Clone, Copy)]
pub struct Binding<'a> {
    dapr: &'a Dapr,
    name: &'a str,
}

/// Builder of a call to a binding.
#[must_use = "nothing is sent before `send`"]
pub struct BindingCall<'a> {
    binding: Binding<'a>,
    request: Result<BindingRequest<'a>, Error>,
}

/// Response of a binding.
#[derive(Debug)]
pub struct BindingResponse {
    /// Data of the response; empty if there was none.
    pub data: Bytes,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Dapr {
    /// Returns a handle to an output binding.
    #[must_use]
    pub fn binding<'a>(&'a self, name: &'a str) -> Binding<'a> {
        Binding { dapr: self, name }
    }
}

impl<'a> Binding<'a> {
    /// Starts a call of an operation, such as `exec`.
    pub fn operation(self, operation: &'a str) -> BindingCall<'a> {
        BindingCall { binding: self, request: Ok(BindingRequest { operation, data: None, metadata: BTreeMap::new() }) }
    }
}

impl<'a> BindingCall<'a> {
    /// Adds request metadata, such as `sql`.
    pub fn metadata(mut self, name: &'a str, value: impl Into<String>) -> Self {
        if let Ok(request) = &mut self.request {
            request.metadata.insert(name, value.into());
        }
        self
    }

    /// Adds request metadata that the component expects as JSON text, such as `params`.
    pub fn json_metadata(mut self, name: &'a str, value: &impl Serialize) -> Self {
        self.request = self.request.and_then(|mut request| {
            let text = serde_json::to_string(value)
                .map_err(|source| Error::Encode { operation: operation::BINDING, source })?;
            request.metadata.insert(name, text);
            Ok(request)
        });
        self
    }

    /// Sets the data.
    pub fn data(mut self, value: &impl Serialize) -> Self {
        self.request = self.request.and_then(|mut request| {
            let data = to_raw_value(value).map_err(|source| Error::Encode { operation: operation::BINDING, source })?;
            request.data = Some(data);
            Ok(request)
        });
        self
    }

    /// Sends the call. It is never repeated: only the component knows whether that is safe.
    ///
    /// # Errors
    /// If Dapr or the component cannot be reached or responds with an error.
    pub async fn send(self) -> Result<BindingResponse, Error> {
        let Binding { dapr, name } = self.binding;
        dapr.backend.binding(&dapr.call_options, name, self.request?).await
    }
}

impl BindingResponse {
    /// Returns response metadata, such as `rows-affected`.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(String::as_str)
    }

    /// Returns all response metadata.
    #[must_use]
    pub const fn all_metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}
