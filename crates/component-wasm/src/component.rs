//! Component types for Wasm: `state.wasm`, `secretstores.wasm` and `bindings.wasm-component`.

mod properties;
mod reload;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, Registry};

use crate::engine::{Engine, Module, World};
use crate::error::{LoadError, OpenError};
use crate::options::Options;
use crate::output_binding::WasmOutputBinding;
use crate::secrets::WasmSecretStore;
use crate::state::WasmStateStore;
pub use properties::HOST_PROPERTIES;
use properties::Settings;
use reload::Replaceable;

const STATE: &str = "state.wasm";
const SECRETS: &str = "secretstores.wasm";
/// Type of output bindings. Dapr's own `bindings.wasm` is something else: a program that runs once for each call.
const BINDING: &str = "bindings.wasm-component";

/// Returns the component type that loads modules of `world`.
#[must_use]
pub const fn component_type(world: World) -> &'static str {
    match world {
        World::StateStore => STATE,
        World::SecretStore => SECRETS,
        World::OutputBinding => BINDING,
    }
}

/// Registers the component types that load Wasm components. Compiled code is cached in `cache`, if given.
pub fn register(registry: &mut Registry, cache: Option<PathBuf>) {
    let engine = Arc::new(LazyEngine { cache, engine: Mutex::default() });
    let stores = engine.clone();
    registry.register(STATE, move |spec, context| {
        let engine = stores.get();
        async move { state(engine?, spec, &context).await }
    });
    let bindings = engine.clone();
    registry.register(SECRETS, move |spec, context| {
        let engine = engine.get();
        async move { secrets(engine?, spec, &context).await }
    });
    registry.register(BINDING, move |spec, context| {
        let engine = bindings.get();
        async move { binding(engine?, spec, &context).await }
    });
}

/// The engine, created for the first component that needs it; without one it costs nothing.
struct LazyEngine {
    cache: Option<PathBuf>,
    engine: Mutex<Option<Engine>>,
}

impl LazyEngine {
    fn get(&self) -> Result<Engine, InitError> {
        let mut slot = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*slot {
            return Ok(engine.clone());
        }
        let engine = Engine::new(self.cache.clone())?;
        Ok(slot.insert(engine).clone())
    }
}

async fn state(engine: Engine, spec: ComponentSpec, context: &Context) -> Result<Component, InitError> {
    let store = open(engine, spec, context, WasmStateStore::open).await?;
    Ok(Component { state_store: Some(store), ..Component::default() })
}

async fn secrets(engine: Engine, spec: ComponentSpec, context: &Context) -> Result<Component, InitError> {
    let store = open(engine, spec, context, WasmSecretStore::open).await?;
    Ok(Component { secret_store: Some(store), ..Component::default() })
}

async fn binding(engine: Engine, spec: ComponentSpec, context: &Context) -> Result<Component, InitError> {
    let binding = open(engine, spec, context, WasmOutputBinding::open).await?;
    Ok(Component { output_binding: Some(binding), ..Component::default() })
}

/// Loads and opens a component; from then on, its file is watched.
async fn open<T: Replaceable>(
    engine: Engine,
    spec: ComponentSpec,
    context: &Context,
    open: impl AsyncFnOnce(&Module, Options) -> Result<T, OpenError>,
) -> Result<Arc<T>, InitError> {
    let Settings { path, digest, options } = Settings::from_spec(spec, context)?;
    let version = reload::version(&path).await;
    let module = engine.load(&path, digest).await?;
    let opened = Arc::new(open(&module, options).await?);
    tokio::spawn(reload::watch(engine, path, digest, version, Arc::downgrade(&opened)));
    Ok(opened)
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
