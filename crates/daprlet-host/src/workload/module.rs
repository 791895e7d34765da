//! WasmEdge modules as applications.

mod first_request;
mod guest;
mod instances;
mod network;

use std::sync::Arc;

use async_trait::async_trait;
use dapr_runtime::AppChannel;
use guest_engine::{Kind, RejectionLog};
use guest_wasmedge::command::WasmEdgeCommand;
use guest_wasmedge::{AcceptQueue, Account, DescriptorBudget, Engine, MemoryAccount};

use self::guest::GuestApp;
use self::instances::Instances;
use self::network::GuestNetwork;
use super::{WorkloadContext, WorkloadRunner, graphs};
use crate::app_spec::Command;
use crate::connection_pool::ConnectionPool;
use crate::error::StartError;

#[cfg(feature = "component-apps")]
pub(crate) use self::guest::log_if_slow;

/// Option of `wasmedge` that names a model.
const PRELOAD: &str = "--nn-preload NAME:ONNX:CPU:FILE";

/// Runs WasmEdge modules.
pub(crate) struct ModuleRunner {
    engine: Arc<Engine>,
}

impl ModuleRunner {
    pub(crate) const fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }
}

#[async_trait]
impl WorkloadRunner for ModuleRunner {
    fn accepts(&self, command: &Command, wasm: &[u8]) -> bool {
        matches!(command, Command::WasmEdge(_)) && guest_engine::kind(wasm) != Some(Kind::Component)
    }

    async fn start(&self, mut context: WorkloadContext) -> Result<Arc<dyn AppChannel>, StartError> {
        let command = match &context.spec.workload.command {
            Command::WasmEdge(command) => command.clone(),
            other => return Err(StartError::unsupported(&context.spec.id, other)),
        };
        let graphs = graphs::load(&context, PRELOAD, &command.graphs).await?;
        let environment = context.guest_environment(&command.environment);
        let command = WasmEdgeCommand { environment, ..command };
        let wasm = std::mem::take(&mut context.wasm);
        let module = guest::compile(&self.engine, &context.spec.id, &context.path, wasm).await?;
        let listener = context.bind()?;
        let (spec, lifetime) = (context.spec, context.lifetime);
        let workload = spec.workload;
        let queue = AcceptQueue::with_capacity(workload.instances, workload.limits.queue);
        let pool = Arc::new(ConnectionPool::to_guests(queue.clone()));
        let queue_timeout = workload.limits.queue_timeout;
        let network = Arc::new(GuestNetwork {
            app: spec.id.clone(),
            queue: spec.port.map(|port| (port, queue.clone())),
            port_origin: spec.port_origin,
            dapr_port: context.dapr_port,
            api: context.api,
            allow: context.allow,
            shutdown: lifetime.stopped.clone(),
            denied: Default::default(),
        });
        let guest = Arc::new(GuestApp {
            app: spec.id,
            engine: self.engine.clone(),
            path: context.path,
            module,
            command,
            working_dir: workload.working_dir,
            descriptors: DescriptorBudget::new(workload.limits.descriptors),
            memory: MemoryAccount::new(workload.limits.app_memory),
            is_replaceable: workload.instances > 1,
            pool: pool.clone(),
            limits: workload.limits,
            account: Account::new(workload.weight),
            network,
            graphs,
            log: context.log,
            status: context.status,
        });
        if let Some(listener) = listener {
            let more = Instances {
                guest: guest.clone(),
                queue,
                max_instances: workload.instances,
                queue_timeout,
                rejections: RejectionLog::default(),
            };
            lifetime.spawn("app port", more.run(listener, lifetime.clone()));
        }
        lifetime.spawn("guest", guest.supervise(lifetime.clone(), workload.ends_run));
        Ok(pool)
    }
}
