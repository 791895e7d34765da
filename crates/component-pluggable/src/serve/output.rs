//! Service of an output binding.

use dapr_building_blocks::OutputBinding as Native;
use dapr_building_blocks::binding as native;
use tonic::{Request, Response, Status};

use super::instances::Instances;
use super::status;
use crate::contract::output_binding_server::OutputBinding;
use crate::contract::{
    InvokeRequest, InvokeResponse, ListOperationsRequest, ListOperationsResponse, OutputBindingInitRequest,
    OutputBindingInitResponse, PingRequest, PingResponse,
};

/// Bindings behind a socket.
pub(super) struct Bindings(pub(super) Instances<dyn Native>);

#[tonic::async_trait]
impl OutputBinding for Bindings {
    async fn init(
        &self,
        request: Request<OutputBindingInitRequest>,
    ) -> Result<Response<OutputBindingInitResponse>, Status> {
        self.0.init(&request, request.get_ref().metadata.as_ref()).await?;
        Ok(Response::new(OutputBindingInitResponse {}))
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        let operations = self.0.get(&request)?.operations().into_iter().map(str::to_owned).collect();
        Ok(Response::new(ListOperationsResponse { operations }))
    }

    async fn invoke(&self, request: Request<InvokeRequest>) -> Result<Response<InvokeResponse>, Status> {
        let binding = self.0.get(&request)?;
        let InvokeRequest { data, metadata, operation } = request.into_inner();
        let asked = native::InvokeRequest { operation, data, metadata };
        let done = binding.invoke(asked).await.map_err(|error| status::binding(&error))?;
        let data = done.data.unwrap_or_default();
        Ok(Response::new(InvokeResponse { data, metadata: done.metadata, content_type: String::new() }))
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        self.0.get(&request)?;
        Ok(Response::new(PingResponse {}))
    }
}
