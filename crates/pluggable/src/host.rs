//! Using components that others serve.

mod connection;
mod discovery;
mod error;
mod input;
mod output;
mod secrets;
mod state;

use std::path::Path;
use std::sync::Arc;

use building_blocks::component::Component;
use building_blocks::{ComponentSpec, InitError, Registry};

pub use discovery::{Found, Service, discover};

/// Adds the component types that were found: `state.NAME`, `secretstores.NAME` and `bindings.NAME`, with the name of the
/// socket's file. One that is there already gives way, as in Dapr.
pub fn register(registry: &mut Registry, found: Vec<Found>) {
    for Found { name, socket, services } in found {
        let has = |service| services.contains(&service);
        if has(Service::StateStore) {
            let socket = socket.clone();
            registry.register(&format!("state.{name}"), move |spec, _| state_store(socket.clone(), spec));
        }
        if has(Service::SecretStore) {
            let socket = socket.clone();
            registry.register(&format!("secretstores.{name}"), move |spec, _| secret_store(socket.clone(), spec));
        }
        let (is_called, calls) = (has(Service::OutputBinding), has(Service::InputBinding));
        if is_called || calls {
            registry
                .register(&format!("bindings.{name}"), move |spec, _| binding(socket.clone(), spec, is_called, calls));
        }
    }
}

async fn state_store(socket: impl AsRef<Path>, spec: ComponentSpec) -> Result<Component, InitError> {
    let channel = connection::connect(socket.as_ref(), &spec.name)?;
    Ok(Component::of_state_store(state::Store::open(channel, &spec.properties).await?))
}

async fn secret_store(socket: impl AsRef<Path>, spec: ComponentSpec) -> Result<Component, InitError> {
    let channel = connection::connect(socket.as_ref(), &spec.name)?;
    Ok(Component::of_secret_store(secrets::Store::open(channel, &spec.properties).await?))
}

async fn binding(
    socket: impl AsRef<Path>,
    spec: ComponentSpec,
    is_called: bool,
    calls: bool,
) -> Result<Component, InitError> {
    let channel = connection::connect(socket.as_ref(), &spec.name)?;
    let mut component = Component::default();
    if is_called {
        component.output_binding = Some(Arc::new(output::Binding::open(channel.clone(), &spec.properties).await?));
    }
    if calls {
        component.input_binding = Some(Arc::new(input::Binding::open(channel, &spec).await?));
    }
    Ok(component)
}
