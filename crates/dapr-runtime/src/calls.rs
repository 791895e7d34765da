//! The one place that every call to a component or an application goes through.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;

use dapr_building_blocks::StateError;
use dapr_building_blocks::binding::BindingError;
use dapr_building_blocks::secret::SecretError;
use dapr_building_blocks::state::BatchError;

use crate::InvokeError;
use crate::availability::Availability;

/// Receiver of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CallTarget<'a> {
    /// A component, by its name.
    Component(&'a str),
    /// An application or an outside server, by its id, name or URL.
    App(&'a str),
}

/// Runs the calls of one application.
#[derive(Clone, Debug)]
pub(crate) struct Calls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    app_id: String,
    availability: Availability,
}

impl Calls {
    pub(crate) fn new(app_id: &str) -> Self {
        Self(Arc::new(Inner { app_id: app_id.to_owned(), availability: Availability::default() }))
    }

    /// Runs `call`, whose operation is named in log lines, and logs when its target is lost and when it is back.
    pub(crate) async fn run<O: Outcome>(
        &self,
        target: CallTarget<'_>,
        operation: &str,
        call: impl Future<Output = O>,
    ) -> O {
        let (CallTarget::Component(name) | CallTarget::App(name)) = target;
        tracing::trace!(app = self.0.app_id, target = name, operation, "calling");
        let outcome = call.await;
        if let CallTarget::Component(name) = target {
            self.0.availability.record(&self.0.app_id, name, operation, outcome.unavailable());
        }
        outcome
    }
}

/// Outcome of a call.
pub(crate) trait Outcome {
    /// Returns the error, if it shows that the target is unreachable or its disk is full.
    fn unavailable(&self) -> Option<&dyn Display>;
}

impl<T, E: Outcome> Outcome for Result<T, E> {
    fn unavailable(&self) -> Option<&dyn Display> {
        self.as_ref().err().and_then(Outcome::unavailable)
    }
}

impl<T: Outcome> Outcome for Vec<T> {
    fn unavailable(&self) -> Option<&dyn Display> {
        self.iter().find_map(Outcome::unavailable)
    }
}

impl Outcome for StateError {
    fn unavailable(&self) -> Option<&dyn Display> {
        matches!(self, Self::Unavailable(_)).then_some(self)
    }
}

impl Outcome for BatchError {
    fn unavailable(&self) -> Option<&dyn Display> {
        match self {
            Self::Each(errors) => errors.unavailable(),
            Self::Whole(error) => error.unavailable(),
        }
    }
}

impl Outcome for SecretError {
    fn unavailable(&self) -> Option<&dyn Display> {
        matches!(self, Self::Unavailable(_)).then_some(self)
    }
}

impl Outcome for BindingError {
    fn unavailable(&self) -> Option<&dyn Display> {
        matches!(self, Self::Unavailable(_)).then_some(self)
    }
}

/// The supervisor of an application logs its end.
impl Outcome for InvokeError {
    fn unavailable(&self) -> Option<&dyn Display> {
        None
    }
}
