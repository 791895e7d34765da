//! Replacement of component apps in builds without the feature.

use std::path::PathBuf;
use std::sync::Arc;

use dapr_runtime::Body;
use guest_wasmedge::command::WasmEdgeCommand;
use http::{Request, Response};

use crate::lifetime::Lifetime;
use crate::log::AppLog;
use crate::workload_context::WorkloadContext;

/// The error for a component app in a build without the feature.
#[derive(Debug, thiserror::Error)]
#[error("this daprlet is built without applications that are components (its feature `component-apps`)")]
pub struct ComponentError;

impl ComponentError {
    pub(crate) fn report(&self) -> String {
        self.to_string()
    }
}

/// A component app, which cannot exist in this build.
pub(crate) enum App {}

impl App {
    pub(crate) async fn handle(&self, _: Request<Body>, _: Option<std::net::IpAddr>) -> Response<Body> {
        match *self {}
    }
}

/// The engine of a build without component apps.
pub(crate) struct LazyEngine;

impl LazyEngine {
    pub(crate) fn new(_: Option<PathBuf>) -> Self {
        Self
    }

    pub(crate) fn get(&self, _: usize) -> Result<(), ComponentError> {
        Err(ComponentError)
    }
}

/// A component app as given on a command line.
pub(crate) struct ComponentCommand;

impl ComponentCommand {
    pub(crate) fn with_environment(self, _: impl FnOnce(Vec<(String, String)>) -> Vec<(String, String)>) -> Self {
        self
    }
}

impl From<WasmEdgeCommand> for ComponentCommand {
    fn from(_: WasmEdgeCommand) -> Self {
        Self
    }
}

pub(crate) async fn start(
    _: (),
    _: Vec<u8>,
    _: ComponentCommand,
    _: &crate::App,
    _: &WorkloadContext,
    _: Arc<dyn AppLog>,
) -> Result<Arc<App>, ComponentError> {
    Err(ComponentError)
}

pub(crate) async fn serve(app: Arc<App>, _: std::net::TcpListener, _: Lifetime) {
    match *app {}
}
