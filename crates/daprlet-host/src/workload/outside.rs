//! Applications that another program starts: only their sidecar is here.

use std::sync::Arc;

use async_trait::async_trait;
use dapr_runtime::AppChannel;

use super::{WorkloadContext, WorkloadRunner};
use crate::app_spec::Command;
use crate::connection_pool::ConnectionPool;
use crate::error::StartError;

/// Connects to applications that somebody else starts.
pub(crate) struct OutsideRunner;

#[async_trait]
impl WorkloadRunner for OutsideRunner {
    fn accepts(&self, command: &Command, _: &[u8]) -> bool {
        matches!(command, Command::None)
    }

    async fn start(&self, context: WorkloadContext) -> Result<Arc<dyn AppChannel>, StartError> {
        Ok(Arc::new(ConnectionPool::to_local_port(context.spec.port)))
    }
}
