//! Invokes output bindings: `dapr/pkg/runtime/processor/binding/send.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use dapr_building_blocks::binding::{BindingError, InvokeRequest, InvokeResponse};
use dapr_building_blocks::{Component, ComponentSpec, InputBinding, OutputBinding};

use crate::calls::CallTarget;
use crate::components::{AddError, Block};
use crate::resiliency::ComponentKind;
use crate::{ApiError, Sidecar};

/// The bindings of one application, by name.
#[derive(Clone, Default)]
pub(crate) struct Bindings {
    output: BTreeMap<String, Arc<dyn OutputBinding>>,
    pub(crate) input: BTreeMap<String, Input>,
}

/// An input binding with its settings for the application.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) binding: Arc<dyn InputBinding>,
    /// Path for its events.
    pub(crate) route: String,
    /// True if the component declares itself an input; otherwise the application is asked.
    pub(crate) is_explicit: bool,
}

impl Block for Bindings {
    fn add(&mut self, spec: &ComponentSpec, component: &Component, _: &str) -> Result<Vec<String>, AddError> {
        let direction = Direction::from_property(spec.properties.get_raw("direction"));
        let mut capabilities = Vec::new();
        if let Some(binding) = component.input_binding.as_ref().filter(|_| direction.input) {
            let route = spec.properties.get("route").unwrap_or(&spec.name).to_owned();
            let input = Input { binding: binding.clone(), route, is_explicit: direction.is_explicit };
            self.input.insert(spec.name.clone(), input);
            capabilities.push("INPUT_BINDING".to_owned());
        }
        if let Some(binding) = component.output_binding.as_ref().filter(|_| direction.output) {
            self.output.insert(spec.name.clone(), binding.clone());
            capabilities.push("OUTPUT_BINDING".to_owned());
        }
        Ok(capabilities)
    }
}

/// Directions of a binding: `direction` in its metadata, `dapr/pkg/runtime/processor/binding/binding.go`.
#[derive(Clone, Copy)]
struct Direction {
    input: bool,
    output: bool,
    /// True if the component specifies the direction; the default is both.
    is_explicit: bool,
}

impl Direction {
    fn from_property(property: Option<&str>) -> Self {
        let Some(text) = property else { return Self { input: true, output: true, is_explicit: false } };
        let names = |direction: &str| text.split(',').any(|word| word.trim().eq_ignore_ascii_case(direction));
        Self { input: names("input"), output: names("output"), is_explicit: true }
    }
}

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

impl ApiError {
    /// A failed invocation of an output binding.
    #[must_use]
    pub fn binding(name: &str, error: &BindingCallError) -> Self {
        Self::internal("ERR_INVOKE_OUTPUT_BINDING", format_args!("error invoking output binding {name}: {error}"))
    }
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
            components.bindings.output.get(name).ok_or_else(|| BindingCallError::NotFound(name.to_owned()))?;
        let operations = binding.operations();
        if !operations.contains(&request.operation.as_str()) {
            return Err(BindingCallError::UnsupportedOperation {
                name: name.to_owned(),
                operation: request.operation,
                supported: operations.join(" "),
            });
        }
        let operation = request.operation.clone();
        let target = CallTarget::Component(ComponentKind::Binding, name);
        let outcome = self.calls.run(target, &operation, request, |request| binding.invoke(request)).await;
        outcome.map_err(BindingCallError::Binding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direction_is_input_output_or_both() {
        let check = |text| {
            let Direction { input, output, is_explicit } = Direction::from_property(text);
            (input, output, is_explicit)
        };
        assert_eq!(check(None), (true, true, false));
        assert_eq!(check(Some("input")), (true, false, true));
        assert_eq!(check(Some("Output , INPUT")), (true, true, true));
        assert_eq!(check(Some("output")), (false, true, true));
        assert_eq!(check(Some("")), (false, false, true));
    }
}
