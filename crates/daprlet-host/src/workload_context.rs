//! The context in which an application runs.

use std::sync::Arc;

use dapr_api_http::DaprHttp;
use dapr_runtime::Sidecar;
use inference::Graphs;

use crate::allow::AllowList;
use crate::directory::Callee;
use crate::external::External;
use crate::lifetime::Lifetime;

/// The application's sidecar, APIs, network access and models.
#[cfg_attr(not(feature = "component-apps"), expect(dead_code, reason = "only component apps use all of it"))]
pub(crate) struct WorkloadContext {
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
