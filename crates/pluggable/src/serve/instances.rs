//! The components behind one socket, by the name of the YAML that each was made for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use building_blocks::Secret;
use building_blocks::component::Component;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use super::{Maker, status};
use crate::contract::{INSTANCE, MetadataRequest};

/// How many YAML files may use one socket: more are a client that makes up names.
const MOST: usize = 256;

/// Instances of one component.
pub(super) struct Instances<T: ?Sized> {
    maker: Maker,
    part: fn(Component) -> Option<Arc<T>>,
    made: Mutex<BTreeMap<String, Made<T>>>,
    turn: tokio::sync::Mutex<()>,
}

struct Made<T: ?Sized> {
    properties: BTreeMap<String, Secret>,
    part: Arc<T>,
}

impl<T: ?Sized> Instances<T> {
    /// Instances that `maker` makes, of which `part` is used.
    pub(super) fn new(maker: Maker, part: fn(Component) -> Option<Arc<T>>) -> Self {
        Self { maker, part, made: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Makes the instance that a call names. One that is there already, with the same properties, stays as it is: a sidecar
    /// that has started again finds what a store in memory held.
    pub(super) async fn init<R>(&self, request: &Request<R>, given: Option<&MetadataRequest>) -> Result<(), Status> {
        let name = name(request.metadata()).to_owned();
        let given = given.map(|given| given.properties.clone()).unwrap_or_default();
        let properties: BTreeMap<String, Secret> =
            given.into_iter().map(|(name, value)| (name, value.into())).collect();
        let _turn = self.turn.lock().await;
        {
            let made = self.made();
            match made.get(&name) {
                Some(found) if found.properties == properties => return Ok(()),
                None if made.len() >= MOST => {
                    return Err(Status::resource_exhausted("too many components use this socket"));
                }
                _ => {}
            }
        }
        let component = (self.maker)(name.clone(), properties.clone()).await.map_err(|error| status::init(&error))?;
        let part =
            (self.part)(component).ok_or_else(|| Status::unimplemented("the component has no such building block"))?;
        self.made().insert(name, Made { properties, part });
        Ok(())
    }

    /// The instance that a call names.
    pub(super) fn of<R>(&self, request: &Request<R>) -> Result<Arc<T>, Status> {
        let name = name(request.metadata());
        let found = self.made().get(name).map(|made| made.part.clone());
        found.ok_or_else(|| Status::failed_precondition(format!("component {name:?} has not been initialised")))
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<String, Made<T>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of the YAML's component; empty for a client that serves but one.
fn name(metadata: &MetadataMap) -> &str {
    metadata.get(INSTANCE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
