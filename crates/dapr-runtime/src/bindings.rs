//! Invokes output bindings: `dapr/pkg/runtime/processor/binding/send.go`.

use dapr_building_blocks::binding::{BindingError, InvokeRequest, InvokeResponse};

use crate::Sidecar;

/// An error of an output binding. The texts are Dapr's.
#[derive(Debug, thiserror::Error)]
pub enum BindingCallError {
    /// The request names no operation.
    #[error("operation field is missing from request")]
    NoOperation,
    /// No binding has this name.
    #[error("couldn't find output binding {0}")]
    NotFound(String),
    /// The binding does not support the operation.
    #[error("binding {name} does not support operation {operation}. supported operations:{supported}")]
    UnsupportedOperation {
        /// Name of the binding.
        name: String,
        /// Requested operation.
        operation: String,
        /// Supported operations, separated by spaces.
        supported: String,
    },
    /// The binding failed.
    #[error("{0}")]
    Binding(#[source] BindingError),
}

impl Sidecar {
    /// Invokes the output binding `name`.
    ///
    /// # Errors
    /// See [`BindingCallError`].
    pub async fn invoke_binding(&self, name: &str, request: InvokeRequest) -> Result<InvokeResponse, BindingCallError> {
        if request.operation.is_empty() {
            return Err(BindingCallError::NoOperation);
        }
        let components = self.components();
        let binding =
            components.output_bindings.get(name).ok_or_else(|| BindingCallError::NotFound(name.to_owned()))?;
        let operations = binding.operations();
        if !operations.contains(&request.operation.as_str()) {
            return Err(BindingCallError::UnsupportedOperation {
                name: name.to_owned(),
                operation: request.operation,
                supported: operations.join(" "),
            });
        }
        let operation = request.operation.clone();
        let ended = binding.invoke(request).await;
        let lost = ended.as_ref().err().filter(|error| matches!(error, BindingError::Unavailable(_)));
        self.availability.record(&self.app_id, name, &operation, lost.map(|error| error as _));
        ended.map_err(BindingCallError::Binding)
    }
}
