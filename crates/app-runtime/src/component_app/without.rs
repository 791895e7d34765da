//! In place of applications that are components, where daprlet is built without them.

use std::path::PathBuf;
use std::sync::Arc;

use http::{Request, Response};
use sidecar::Body;
use wasmedge_guest::command::WasmEdgeCommand;

use crate::around::Around;
use crate::lifetime::Lifetime;
use crate::log::AppLog;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
#[error("this daprlet is built without applications that are components (its feature `component-apps`)")]
pub struct ComponentError;

impl ComponentError {
    pub(crate) fn report(&self) -> String {
        self.to_string()
    }
}

/// A component; there is none.
pub(crate) enum App {}

impl App {
    pub(crate) async fn handle(&self, _: Request<Body>, _: Option<std::net::IpAddr>) -> Response<Body> {
        match *self {}
    }
}

/// The engine of no components.
pub(crate) struct LazyEngine;

impl LazyEngine {
    pub(crate) fn new(_: Option<PathBuf>) -> Self {
        Self
    }

    pub(crate) fn get(&self, _: usize) -> Result<(), ComponentError> {
        Err(ComponentError)
    }
}

/// A component as a command line asks for it.
pub(crate) struct Wanted;

impl Wanted {
    pub(crate) fn with_environment(self, _: impl FnOnce(Vec<(String, String)>) -> Vec<(String, String)>) -> Self {
        self
    }
}

impl From<WasmEdgeCommand> for Wanted {
    fn from(_: WasmEdgeCommand) -> Self {
        Self
    }
}

pub(crate) async fn start(
    _: (),
    _: Vec<u8>,
    _: Wanted,
    _: &crate::App,
    _: &Around,
    _: Arc<dyn AppLog>,
) -> Result<Arc<App>, ComponentError> {
    Err(ComponentError)
}

pub(crate) async fn serve(app: Arc<App>, _: std::net::TcpListener, _: Lifetime) {
    match *app {}
}
