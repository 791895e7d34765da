//! Output bindings: operations on a system outside.

use crate::contract::output_binding::exports::dapr::components::binding::Guest;
pub use crate::contract::output_binding::exports::dapr::components::binding::{Error, InvokeRequest, InvokeResponse};
use crate::export::{Exported, Exports, call, keep};
use crate::{InitError, Properties};

/// An output binding; [`export_output_binding!`](crate::export_output_binding) exports it.
///
/// ```
/// use dapr_component::binding::{Error, InvokeRequest, InvokeResponse};
/// use dapr_component::{InitError, OutputBinding, Properties, export_output_binding};
///
/// struct Counter {
///     count: u64,
///     limit: u64,
/// }
///
/// impl OutputBinding for Counter {
///     fn init(properties: Properties) -> Result<Self, InitError> {
///         Ok(Self { count: 0, limit: properties.int("limit")?.unwrap_or(u64::MAX) })
///     }
///
///     fn operations(&self) -> Vec<String> {
///         vec!["create".to_owned()]
///     }
///
///     fn invoke(&mut self, request: InvokeRequest) -> Result<InvokeResponse, Error> {
///         if self.count == self.limit {
///             return Err(Error::invalid_request("the limit is reached"));
///         }
///         self.count += 1;
///         let data = Some(self.count.to_string().into_bytes());
///         Ok(InvokeResponse { data, metadata: request.metadata, content_type: None })
///     }
/// }
///
/// export_output_binding!(Counter);
/// ```
pub trait OutputBinding: Sized + 'static {
    /// Creates the binding from its properties. Called once, before anything else.
    ///
    /// # Errors
    /// When a property is wrong, or a dependency is not available now.
    fn init(properties: Properties) -> Result<Self, InitError>;

    /// Returns the names of the supported operations. Called once, after [`init`](Self::init).
    fn operations(&self) -> Vec<String>;

    /// Executes one operation.
    ///
    /// # Errors
    /// When the request is invalid, or the operation fails.
    fn invoke(&mut self, request: InvokeRequest) -> Result<InvokeResponse, Error>;

    /// Checks that the binding's target can be reached now; by default it can.
    ///
    /// # Errors
    /// When it cannot.
    fn ping(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl<B: OutputBinding + Exported> Guest for Exports<B> {
    fn init(properties: Vec<(String, String)>) -> Result<(), InitError> {
        B::init(Properties::from_secrets(properties)).map(keep)
    }

    fn operations() -> Vec<String> {
        call(|binding: &mut B| binding.operations())
    }

    fn invoke(request: InvokeRequest) -> Result<InvokeResponse, Error> {
        call(|binding: &mut B| binding.invoke(request))
    }

    fn ping() -> Result<(), Error> {
        call(B::ping)
    }
}
