//! Output bindings.

mod world;

use async_trait::async_trait;
use dapr_building_blocks::OutputBinding;
use dapr_building_blocks::binding::{BindingError, InvokeRequest, InvokeResponse};
use futures_util::FutureExt as _;

use crate::contract::OutputBindingWorld;
use crate::contract::binding::{self, Error};
use crate::engine::Module;
use crate::error::{CallError, OpenError, ReplaceError};
use crate::options::Options;
use crate::pool::SwappablePool;
use crate::text::cut;

/// An output binding implemented by a Wasm component.
pub struct WasmOutputBinding {
    current: SwappablePool<OutputBindingWorld>,
    operations: Vec<String>,
}

impl WasmOutputBinding {
    /// Starts a binding. Must run inside a tokio runtime, like all calls.
    ///
    /// # Errors
    /// When the component is not an output binding, imports more than it is granted, or rejects its properties.
    pub async fn open(module: &Module, options: Options) -> Result<Self, OpenError> {
        let current = SwappablePool::<OutputBindingWorld>::open(module, options).await?;
        let operations = current.pool().description().iter().cloned().map(cut).collect();
        Ok(Self { current, operations })
    }

    /// Replaces the module, with the same options; see [`WasmStateStore::replace`].
    ///
    /// # Errors
    /// When the new module cannot be opened, or has other operations; the old one then stays.
    ///
    /// [`WasmStateStore::replace`]: crate::WasmStateStore::replace
    pub async fn replace(&self, module: &Module) -> Result<(), ReplaceError> {
        self.current.replace(module, |old, new| old == new).await
    }
}

#[async_trait]
impl OutputBinding for WasmOutputBinding {
    fn operations(&self) -> Vec<&str> {
        self.operations.iter().map(String::as_str).collect()
    }

    async fn invoke(&self, request: InvokeRequest) -> Result<InvokeResponse, BindingError> {
        let InvokeRequest { operation, data, metadata } = request;
        let pool = self.current.pool();
        let metadata_bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        let (bytes, max) = (operation.len() + data.len() + metadata_bytes, pool.options().limits.call_bytes());
        if bytes > max {
            return Err(call_error(CallError::TooLarge { bytes, max }));
        }
        let request = binding::InvokeRequest { operation, data: data.into(), metadata: metadata.into_iter().collect() };
        let called = pool.call("invoke", move |world, store| {
            async move { world.dapr_components_binding().call_invoke(store, &request).await }.boxed()
        });
        let done = called.await.map_err(call_error)?.map_err(binding_error)?;
        Ok(InvokeResponse { data: done.data.map(Into::into), metadata: done.metadata.into_iter().collect() })
    }
}

fn binding_error(error: Error) -> BindingError {
    match error {
        Error::InvalidRequest(why) => BindingError::InvalidRequest(cut(why)),
        Error::Unavailable(why) => BindingError::Unavailable(cut(why).into()),
        Error::Other(why) => BindingError::Other(cut(why).into()),
    }
}

fn call_error(error: CallError) -> BindingError {
    match error {
        CallError::TooLarge { .. } => BindingError::InvalidRequest(error.to_string()),
        CallError::Busy { .. } | CallError::Restart(_) => BindingError::Unavailable(error.into()),
        _ => BindingError::Other(error.into()),
    }
}
