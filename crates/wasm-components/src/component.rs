//! `type: state.wasm`, `type: secretstores.wasm` and `type: bindings.wasm-component` in a component YAML.

mod properties;
mod reload;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use building_blocks::{Component, ComponentSpec, Context, InitError, Registry};

use crate::engine::{Engine, Module, World};
use crate::error::{LoadError, OpenError};
use crate::options::Options;
use crate::output_binding::WasmOutputBinding;
use crate::secrets::WasmSecretStore;
use crate::state::WasmStateStore;
pub use properties::HOST_PROPERTIES;
use properties::Wanted;
use reload::Replaceable;

const STATE: &str = "state.wasm";
const SECRETS: &str = "secretstores.wasm";
/// `bindings.wasm` is another thing in Dapr: a program that runs once for each call.
const BINDING: &str = "bindings.wasm-component";

/// The component type that loads modules of `world`.
#[must_use]
pub const fn component_type(world: World) -> &'static str {
    match world {
        World::StateStore => STATE,
        World::SecretStore => SECRETS,
        World::OutputBinding => BINDING,
    }
}

/// Adds the component types that load Wasm modules. Compiled modules are kept in `cache`, where one is given.
pub fn register(registry: &mut Registry, cache: Option<PathBuf>) {
    let engine = Arc::new(LazyEngine { cache, made: Mutex::default() });
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
    let store = opened(engine, spec, context, WasmStateStore::open).await?;
    Ok(Component { state_store: Some(store), ..Component::default() })
}

async fn secrets(engine: Engine, spec: ComponentSpec, context: &Context) -> Result<Component, InitError> {
    let store = opened(engine, spec, context, WasmSecretStore::open).await?;
    Ok(Component { secret_store: Some(store), ..Component::default() })
}

async fn binding(engine: Engine, spec: ComponentSpec, context: &Context) -> Result<Component, InitError> {
    let binding = opened(engine, spec, context, WasmOutputBinding::open).await?;
    Ok(Component { output_binding: Some(binding), ..Component::default() })
}

/// Loads the module and opens it; from then on, its file is watched.
async fn opened<T: Replaceable>(
    engine: Engine,
    spec: ComponentSpec,
    context: &Context,
    open: impl AsyncFnOnce(&Module, Options) -> Result<T, OpenError>,
) -> Result<Arc<T>, InitError> {
    let Wanted { path, digest, options } = Wanted::of(spec, context)?;
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
