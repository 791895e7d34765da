//! What an application finds around it when it is run.

use std::sync::Arc;

use dapr_http::DaprHttp;
use inference::Graphs;
use sidecar::Sidecar;

use crate::allow::AllowList;
use crate::directory::Callee;
use crate::external::External;
use crate::lifetime::Lifetime;

/// Its sidecar, the ways to it, to others and outside, and the networks that it may ask.
#[cfg_attr(not(feature = "component-apps"), expect(dead_code, reason = "only components are given all of it"))]
pub(crate) struct Around {
    pub(crate) dapr_port: u16,
    pub(crate) sidecar: Arc<Sidecar>,
    pub(crate) api: Arc<DaprHttp>,
    pub(crate) external: Arc<External>,
    pub(crate) callee: Arc<Callee>,
    pub(crate) allow: Arc<AllowList>,
    pub(crate) graphs: Arc<Graphs>,
    /// Ends when its Dapr API is asked to shut down, or with the host.
    pub(crate) lifetime: Lifetime,
}
