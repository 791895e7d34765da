//! Output bindings.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::path::ApiPath;
use crate::{Dapr, Error};

const OPERATION: &str = "invoke a binding";

/// One output binding.
#[derive(Clone, Copy)]
pub struct Binding<'a> {
    dapr: &'a Dapr,
    name: &'a str,
}

/// A call of a binding's operation, being put together.
#[must_use = "nothing is sent before `send`"]
pub struct BindingCall<'a> {
    binding: Binding<'a>,
    body: Result<Body<'a>, Error>,
}

#[derive(Serialize)]
struct Body<'a> {
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    metadata: BTreeMap<&'a str, String>,
}

/// What a binding answered.
#[derive(Debug)]
pub struct BindingAnswer {
    /// The component's bytes; empty where it answered none.
    pub data: Bytes,
    headers: HeaderMap,
}

impl Dapr {
    /// The output binding of that name.
    #[must_use]
    pub fn binding<'a>(&'a self, name: &'a str) -> Binding<'a> {
        Binding { dapr: self, name }
    }
}

impl<'a> Binding<'a> {
    /// Starts a call of an operation, such as `exec`.
    pub fn operation(self, operation: &'a str) -> BindingCall<'a> {
        BindingCall { binding: self, body: Ok(Body { operation, data: None, metadata: BTreeMap::new() }) }
    }
}

impl<'a> BindingCall<'a> {
    /// Adds request metadata, such as `sql`.
    pub fn metadata(mut self, name: &'a str, value: impl Into<String>) -> Self {
        if let Ok(body) = &mut self.body {
            body.metadata.insert(name, value.into());
        }
        self
    }

    /// Adds request metadata that the component expects as JSON text, such as `params`.
    pub fn json_metadata(mut self, name: &'a str, value: &impl Serialize) -> Self {
        self.body = self.body.and_then(|mut body| {
            let text = serde_json::to_string(value).map_err(|source| Error::Encode { operation: OPERATION, source })?;
            body.metadata.insert(name, text);
            Ok(body)
        });
        self
    }

    /// Sets the data.
    pub fn data(mut self, value: &impl Serialize) -> Self {
        self.body = self.body.and_then(|mut body| {
            let data = to_raw_value(value).map_err(|source| Error::Encode { operation: OPERATION, source })?;
            body.data = Some(data);
            Ok(body)
        });
        self
    }

    /// Sends the call. It is never repeated: only the component knows what a second time would do.
    ///
    /// # Errors
    /// When Dapr or the component cannot be reached or refuses.
    pub async fn send(self) -> Result<BindingAnswer, Error> {
        let Binding { dapr, name } = self.binding;
        let path = ApiPath::new("/v1.0/bindings").segment(name);
        let call = dapr.form(OPERATION, Method::POST, &path)?.json(&self.body?)?;
        let (head, data) = dapr.succeed(call).await?.into_parts();
        Ok(BindingAnswer { data, headers: head.headers })
    }
}

impl BindingAnswer {
    /// Response metadata, such as `rows-affected`.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.headers.get(format!("metadata.{name}"))?.to_str().ok()
    }
}
