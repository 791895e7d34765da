//! `type: state.wasm` and `type: secretstores.wasm` in a component YAML.

mod properties;
mod reload;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use building_blocks::{Component, ComponentSpec, Context, InitError, Registry};

use crate::engine::Engine;
use crate::error::{LoadError, OpenError};
use crate::secrets::WasmSecretStore;
use crate::state::WasmStateStore;
use properties::Wanted;

/// Adds the component types that load Wasm modules. Compiled modules are kept in `cache`, where one is given.
pub fn register(registry: &mut Registry, cache: Option<PathBuf>) {
    let engine = Arc::new(LazyEngine { cache, made: Mutex::default() });
    let stores = engine.clone();
    registry.register("state.wasm", move |spec, context| {
        let engine = stores.get();
        async move { state(engine?, spec, &context).await }
    });
    registry.register("secretstores.wasm", move |spec, context| {
        let engine = engine.get();
        async move { secrets(engine?, spec, &context).await }
    });
}

/// The engine, made for the first component that needs it: programs without one pay nothing.
struct LazyEngine {
    cache: Option<PathBuf>,
    made: Mutex<Option<Engine>>,
}

impl LazyEngine {
    fn get(&self) -> Result<Engine, InitError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*made {
            return Ok(engine.clone());
        }
        let engine = Engine::new(self.cache.clone())?;
        Ok(made.insert(engine).clone())
    }
}

async fn state(engine: Engine, spec: ComponentSpec, context: &Context) -> Result<Component, InitError> {
    let Wanted { path, digest, options } = Wanted::of(spec, context)?;
    let version = reload::version(&path).await;
    let module = engine.load(&path, digest).await?;
    let store = Arc::new(WasmStateStore::open(&module, options).await?);
    let watched = Arc::downgrade(&store);
    tokio::spawn(reload::watch(engine, path, digest, version, watched));
    Ok(Component { state_store: Some(store), ..Component::default() })
}

async fn secrets(engine: Engine, spec: ComponentSpec, context: &Context) -> Result<Component, InitError> {
    let Wanted { path, digest, options } = Wanted::of(spec, context)?;
    let module = engine.load(&path, digest).await?;
    Ok(Component::of_secret_store(WasmSecretStore::open(&module, options).await?))
}

impl From<LoadError> for InitError {
    fn from(error: LoadError) -> Self {
        Self::misconfigured(error)
    }
}

impl From<OpenError> for InitError {
    fn from(error: OpenError) -> Self {
        if error.is_retryable() { Self::unavailable(error) } else { Self::misconfigured(error) }
    }
}
