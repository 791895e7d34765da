//! Serving a component to Dapr.

mod input;
mod instances;
mod output;
mod secrets;
mod state;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use building_blocks::component::Component;
use building_blocks::{InitError, Secret};
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
use crate::contract::{DESCRIPTION, LARGEST_MESSAGE};
use crate::socket::Socket;
use instances::Instances;

/// Makes a component of the name and the properties that a YAML gives to it.
pub type Maker =
    Arc<dyn Fn(String, BTreeMap<String, Secret>) -> BoxFuture<'static, Result<Component, InitError>> + Send + Sync>;

/// What a component is served as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// A store of state.
    StateStore,
    /// A store of secrets.
    SecretStore,
    /// A binding that is called.
    OutputBinding,
    /// A binding that calls.
    InputBinding,
    /// A binding that is called, and calls.
    Binding,
}

/// Why serving ended.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The description of the protocol is not understood.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport gave up.
    #[error("{0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves components that `maker` makes until `shutdown`, and lets calls that have begun end.
///
/// # Errors
/// When the transport fails.
pub async fn serve(block: Block, maker: Maker, socket: Socket, shutdown: CancellationToken) -> Result<(), ServeError> {
    let Socket { listener, file } = socket;
    let served = services(block, maker)?;
    served.serve_with_incoming_shutdown(UnixListenerStream::new(listener), shutdown.cancelled_owned()).await?;
    drop(file);
    Ok(())
}

fn services(block: Block, maker: Maker) -> Result<Router, ServeError> {
    // daprd asks in v1alpha, tools of today in v1.
    let reflection = |names: &[&str]| {
        let mut builder =
            tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(DESCRIPTION);
        for name in names {
            builder = builder.with_service_name(*name);
        }
        builder
    };
    let reflected = |names: &[&str]| -> Result<Router, ServeError> {
        let router = Server::builder().add_service(reflection(names).build_v1alpha()?);
        Ok(router.add_service(reflection(names).build_v1()?))
    };
    Ok(match block {
        Block::StateStore => {
            let stores = state::Stores(Arc::new(Instances::new(maker, |component| component.state_store)));
            reflected(&[STATE_STORE, TRANSACTIONAL, MULTI_MAX_SIZE])?
                .add_service(StateStoreServer::new(stores.clone()).max_decoding_message_size(LARGEST_MESSAGE))
                .add_service(
                    TransactionalStateStoreServer::new(stores.clone()).max_decoding_message_size(LARGEST_MESSAGE),
                )
                .add_service(TransactionalStoreMultiMaxSizeServer::new(stores))
        }
        Block::SecretStore => {
            let stores = secrets::Stores(Instances::new(maker, |component| component.secret_store));
            reflected(&[SECRET_STORE])?.add_service(SecretStoreServer::new(stores))
        }
        Block::OutputBinding => reflected(&[OUTPUT_BINDING])?.add_service(called(maker)),
        Block::InputBinding => reflected(&[INPUT_BINDING])?.add_service(calling(maker)),
        Block::Binding => {
            let both = reflected(&[OUTPUT_BINDING, INPUT_BINDING])?;
            both.add_service(called(maker.clone())).add_service(calling(maker))
        }
    })
}

fn called(maker: Maker) -> OutputBindingServer<output::Bindings> {
    let bindings = output::Bindings(Instances::new(maker, |component| component.output_binding));
    OutputBindingServer::new(bindings).max_decoding_message_size(LARGEST_MESSAGE)
}

fn calling(maker: Maker) -> InputBindingServer<input::Bindings> {
    let bindings = input::Bindings(Instances::new(maker, |component| component.input_binding));
    InputBindingServer::new(bindings).max_decoding_message_size(LARGEST_MESSAGE)
}
