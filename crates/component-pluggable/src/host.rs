//! Client side: pluggable components that other processes serve.

mod connection;
mod discovery;
mod error;
mod input;
mod output;
mod secrets;
mod state;

use std::path::Path;
use std::sync::Arc;

use dapr_building_blocks::component::Component;
use dapr_building_blocks::{ComponentSpec, InitError, Registry};

pub use discovery::{DiscoveredSocket, Service, discover};

/// Registers discovered components as `state.NAME`, `secretstores.NAME` and `bindings.NAME`, where NAME is the name of
/// the socket's file.
///
/// As in Dapr, they replace existing types.
pub fn register(registry: &mut Registry, found: Vec<DiscoveredSocket>) {
    for DiscoveredSocket { name, socket, services } in found {
        let has = |service| services.contains(&service);
        if has(Service::StateStore) {
            let socket = socket.clone();
            registry.register(&format!("state.{name}"), move |spec, _| state_store(socket.clone(), spec));
        }
        if has(Service::SecretStore) {
            let socket = socket.clone();
            registry.register(&format!("secretstores.{name}"), move |spec, _| secret_store(socket.clone(), spec));
        }
        let (has_output, has_input) = (has(Service::OutputBinding), has(Service::InputBinding));
        if has_output || has_input {
            registry.register(&format!("bindings.{name}"), move |spec, _| {
                binding(socket.clone(), spec, has_output, has_input)
            });
        }
    }
}

async fn state_store(socket: impl AsRef<Path>, spec: ComponentSpec) -> Result<Component, InitError> {
    let channel = connection::connect(socket.as_ref(), &spec.name)?;
    Ok(Component::from_state_store(state::Store::open(channel, &spec.properties).await?))
}

async fn secret_store(socket: impl AsRef<Path>, spec: ComponentSpec) -> Result<Component, InitError> {
    let channel = connection::connect(socket.as_ref(), &spec.name)?;
    Ok(Component::from_secret_store(secrets::Store::open(channel, &spec.properties).await?))
}

async fn binding(
    socket: impl AsRef<Path>,
    spec: ComponentSpec,
    has_output: bool,
    has_input: bool,
) -> Result<Component, InitError> {
    let channel = connection::connect(socket.as_ref(), &spec.name)?;
    let mut component = Component::default();
    if has_output {
        component.output_binding = Some(Arc::new(output::Binding::open(channel.clone(), &spec.properties).await?));
    }
    if has_input {
        component.input_binding = Some(Arc::new(input::Binding::open(channel, &spec).await?));
    }
    Ok(component)
}
