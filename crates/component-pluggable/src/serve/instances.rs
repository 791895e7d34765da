//! Components behind one socket, by the name of the YAML for which each was created.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dapr_building_blocks::Secret;
use dapr_building_blocks::component::Component;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use super::{ComponentFactory, status};
use crate::contract::{INSTANCE_HEADER, MetadataRequest};

/// Limit on YAML files that use one socket. More suggest a client that makes up names.
const MAX_INSTANCES: usize = 256;

/// Instances of one component.
pub(super) struct Instances<T: ?Sized> {
    factory: ComponentFactory,
    part: fn(Component) -> Option<Arc<T>>,
    instances: Mutex<BTreeMap<String, Instance<T>>>,
    turn: tokio::sync::Mutex<()>,
}

struct Instance<T: ?Sized> {
    properties: BTreeMap<String, Secret>,
    part: Arc<T>,
}

impl<T: ?Sized> Instances<T> {
    /// Creates an empty set of instances; `factory` creates components, of which `part` is used.
    pub(super) fn new(factory: ComponentFactory, part: fn(Component) -> Option<Arc<T>>) -> Self {
        Self { factory, part, instances: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Creates the instance that a call names.
    ///
    /// An existing one with the same properties is kept, so that a restarted sidecar still finds the contents of an
    /// in-memory store.
    pub(super) async fn init<R>(&self, request: &Request<R>, given: Option<&MetadataRequest>) -> Result<(), Status> {
        let name = name(request.metadata()).to_owned();
        let given = given.map(|given| given.properties.clone()).unwrap_or_default();
        let properties: BTreeMap<String, Secret> =
            given.into_iter().map(|(name, value)| (name, value.into())).collect();
        let _turn = self.turn.lock().await;
        {
            let instances = self.instances();
            match instances.get(&name) {
                Some(found) if found.properties == properties => return Ok(()),
                None if instances.len() >= MAX_INSTANCES => {
                    return Err(Status::resource_exhausted("too many components use this socket"));
                }
                _ => {}
            }
        }
        let component = (self.factory)(name.clone(), properties.clone()).await.map_err(|error| status::init(&error))?;
        let part =
            (self.part)(component).ok_or_else(|| Status::unimplemented("the component has no such building block"))?;
        self.instances().insert(name, Instance { properties, part });
        Ok(())
    }

    /// Returns the instance that a call names.
    pub(super) fn get<R>(&self, request: &Request<R>) -> Result<Arc<T>, Status> {
        let name = name(request.metadata());
        let found = self.instances().get(name).map(|instance| instance.part.clone());
        found.ok_or_else(|| Status::failed_precondition(format!("component {name:?} has not been initialised")))
    }

    fn instances(&self) -> MutexGuard<'_, BTreeMap<String, Instance<T>>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the name of the YAML's component; empty for a client with a single component.
fn name(metadata: &MetadataMap) -> &str {
    metadata.get(INSTANCE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
