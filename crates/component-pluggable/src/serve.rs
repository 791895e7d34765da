//! Server side: serving a component to Dapr.

mod input;
mod instances;
mod output;
mod secrets;
mod state;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use dapr_building_blocks::component::Component;
use dapr_building_blocks::{InitError, Secret};
use futures_util::future::BoxFuture;
use thiserror::Error;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::Router;

use crate::contract::input_binding_server::{InputBindingServer, SERVICE_NAME as INPUT_BINDING};
use crate::contract::output_binding_server::{OutputBindingServer, SERVICE_NAME as OUTPUT_BINDING};
use crate::contract::secret_store_server::{SERVICE_NAME as SECRET_STORE, SecretStoreServer};
use crate::contract::state_store_server::{SERVICE_NAME as STATE_STORE, StateStoreServer};
use crate::contract::transactional_state_store_server::{SERVICE_NAME as TRANSACTIONAL, TransactionalStateStoreServer};
use crate::contract::transactional_store_multi_max_size_server::{
    SERVICE_NAME as MULTI_MAX_SIZE, TransactionalStoreMultiMaxSizeServer,
};
use crate::contract::{DESCRIPTION, MAX_MESSAGE_SIZE};
use crate::socket::Socket;
use instances::Instances;

/// Factory of components, from the name and the properties in a YAML.
pub type ComponentFactory =
    Arc<dyn Fn(String, BTreeMap<String, Secret>) -> BoxFuture<'static, Result<Component, InitError>> + Send + Sync>;

/// Building block as which a component is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// State store.
    StateStore,
    /// Secret store.
    SecretStore,
    /// Output binding, which is invoked.
    OutputBinding,
    /// Input binding, which sends events.
    InputBinding,
    /// Binding in both directions.
    Binding,
}

/// Error that ended serving.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The protocol's descriptor set is invalid.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("{0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves components created by `factory` until `shutdown`, and then completes the calls in progress.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    block: Block,
    factory: ComponentFactory,
    socket: Socket,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let Socket { listener, file } = socket;
    let served = services(block, factory)?;
    served.serve_with_incoming_shutdown(UnixListenerStream::new(listener), shutdown.cancelled_owned()).await?;
    drop(file);
    Ok(())
}

fn services(block: Block, factory: ComponentFactory) -> Result<Router, ServeError> {
    // daprd uses v1alpha, current tools use v1.
    let reflection = |names: &[&str]| {
        let mut builder =
            tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(DESCRIPTION);
        for name in names {
            builder = builder.with_service_name(*name);
        }
        builder
    };
    let with_reflection = |names: &[&str]| -> Result<Router, ServeError> {
        let router = Server::builder().add_service(reflection(names).build_v1alpha()?);
        Ok(router.add_service(reflection(names).build_v1()?))
    };
    Ok(match block {
        Block::StateStore => {
            let stores = state::Stores(Arc::new(Instances::new(factory, |component| component.state_store)));
            with_reflection(&[STATE_STORE, TRANSACTIONAL, MULTI_MAX_SIZE])?
                .add_service(StateStoreServer::new(stores.clone()).max_decoding_message_size(MAX_MESSAGE_SIZE))
                .add_service(
                    TransactionalStateStoreServer::new(stores.clone()).max_decoding_message_size(MAX_MESSAGE_SIZE),
                )
                .add_service(TransactionalStoreMultiMaxSizeServer::new(stores))
        }
        Block::SecretStore => {
            let stores = secrets::Stores(Instances::new(factory, |component| component.secret_store));
            with_reflection(&[SECRET_STORE])?.add_service(SecretStoreServer::new(stores))
        }
        Block::OutputBinding => with_reflection(&[OUTPUT_BINDING])?.add_service(output_service(factory)),
        Block::InputBinding => with_reflection(&[INPUT_BINDING])?.add_service(input_service(factory)),
        Block::Binding => {
            let both = with_reflection(&[OUTPUT_BINDING, INPUT_BINDING])?;
            both.add_service(output_service(factory.clone())).add_service(input_service(factory))
        }
    })
}

fn output_service(factory: ComponentFactory) -> OutputBindingServer<output::Bindings> {
    let bindings = output::Bindings(Instances::new(factory, |component| component.output_binding));
    OutputBindingServer::new(bindings).max_decoding_message_size(MAX_MESSAGE_SIZE)
}

fn input_service(factory: ComponentFactory) -> InputBindingServer<input::Bindings> {
    let bindings = input::Bindings(Instances::new(factory, |component| component.input_binding));
    InputBindingServer::new(bindings).max_decoding_message_size(MAX_MESSAGE_SIZE)
}
