//! The one place that every call to a component or an application goes through.

use std::fmt::{self, Display};
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use dapr_building_blocks::StateError;
use dapr_building_blocks::binding::BindingError;
use dapr_building_blocks::configuration::ConfigurationError;
use dapr_building_blocks::lock::LockError;
use dapr_building_blocks::pubsub::PubSubError;
use dapr_building_blocks::secret::SecretError;
use dapr_building_blocks::state::BatchError;
use tokio_util::sync::CancellationToken;

use crate::availability::Availability;
use crate::resiliency::{ComponentKind, Direction, Interruption, Policy, Resiliency, Verdict};

/// Receiver of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CallTarget<'a> {
    /// A component that the application calls.
    Component(ComponentKind, &'a str),
    /// The application, called by a component.
    FromComponent(ComponentKind, &'a str),
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
    resiliency: RwLock<Arc<Resiliency>>,
    shutdown: CancellationToken,
}

impl Calls {
    /// Creates the calls of an application without policies; retries end with `shutdown`.
    pub(crate) fn new(app_id: &str, shutdown: CancellationToken) -> Self {
        let (availability, resiliency) = Default::default();
        Self(Arc::new(Inner { app_id: app_id.to_owned(), availability, resiliency, shutdown }))
    }

    /// Replaces the policies; calls under way keep theirs.
    pub(crate) fn set_resiliency(&self, resiliency: Resiliency) {
        *self.0.resiliency.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(resiliency);
    }

    /// Returns the current policies.
    pub(crate) fn resiliency(&self) -> Arc<Resiliency> {
        self.0.resiliency.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the policy of calls to `target`, of an application with a breaker for `endpoint` alone.
    pub(crate) fn policy(&self, target: CallTarget<'_>, endpoint: &str) -> Policy {
        let resiliency = self.resiliency();
        if resiliency.is_empty() {
            return Policy::default();
        }
        match target {
            CallTarget::Component(kind, name) => resiliency.component(name, kind, Direction::Outbound),
            CallTarget::FromComponent(kind, name) => resiliency.component(name, kind, Direction::Inbound),
            CallTarget::App(id) => resiliency.endpoint(id, endpoint),
        }
    }

    /// Runs `call` under the policy of `target`, and logs when a component is lost and when it is back.
    ///
    /// `operation` is for log lines. Each attempt begins with a copy of `input`.
    pub(crate) async fn run<I: Clone, O: Outcome, F: Future<Output = O>>(
        &self,
        target: CallTarget<'_>,
        operation: &str,
        input: I,
        call: impl FnMut(I) -> F,
    ) -> O {
        self.run_narrowing(target, operation, input, call, |_, _| {}).await
    }

    /// As [`run`](Self::run). Before another attempt, `narrow` removes from the input what the last one has done, and
    /// keeps from its outcome what counts.
    pub(crate) async fn run_narrowing<I: Clone, O: Outcome, F: Future<Output = O>>(
        &self,
        target: CallTarget<'_>,
        operation: &str,
        input: I,
        call: impl FnMut(I) -> F,
        narrow: impl FnMut(&mut I, &mut O),
    ) -> O {
        let policy = self.policy(target, "");
        self.run_with(&policy, target, operation, input, call, narrow).await
    }

    /// As [`run_narrowing`](Self::run_narrowing), under a given policy.
    pub(crate) async fn run_with<I: Clone, O: Outcome, F: Future<Output = O>>(
        &self,
        policy: &Policy,
        target: CallTarget<'_>,
        operation: &str,
        input: I,
        mut call: impl FnMut(I) -> F,
        mut narrow: impl FnMut(&mut I, &mut O),
    ) -> O {
        let Inner { app_id, availability, shutdown, .. } = &*self.0;
        tracing::trace!(app = app_id, %target, operation, "calling");
        let record = |outcome: &O| {
            if let CallTarget::Component(_, name) = target {
                availability.record(app_id, name, operation, outcome.unavailable());
            }
        };
        let (mut retries, mut left) = (policy.retries(), Some(input));
        loop {
            // Only a call that may be repeated needs its input again.
            let next = if policy.has_retries() { left.clone() } else { left.take() };
            let Some(next) = next else { unreachable!("without retries there is one attempt") };
            let (mut outcome, verdict) = policy.attempt(call(next)).await;
            record(&outcome);
            let delay = retries.next(verdict, &format_args!("{operation} of {target} by {app_id}"));
            let Some(delay) = delay else { return outcome };
            if shutdown.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
                return outcome;
            }
            if let Some(left) = &mut left {
                narrow(left, &mut outcome);
            }
        }
    }
}

impl Display for CallTarget<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(_, name) => write!(formatter, "component {name}"),
            Self::FromComponent(_, name) => write!(formatter, "event of component {name}"),
            Self::App(id) => write!(formatter, "app {id}"),
        }
    }
}

/// Outcome of a call.
pub(crate) trait Outcome {
    /// Returns the error, if it shows that the target is unreachable or its disk is full.
    fn unavailable(&self) -> Option<&dyn Display> {
        None
    }

    /// Returns how policies see the outcome.
    fn verdict(&self) -> Verdict;

    /// The outcome of a call that a policy ended.
    fn interrupted(why: Interruption) -> Self;
}

/// An error of a call.
pub(crate) trait CallError {
    /// Returns the error, if it shows that the target is unreachable or its disk is full.
    fn unavailable(&self) -> Option<&dyn Display> {
        None
    }

    /// Returns how policies see the error.
    fn verdict(&self) -> Verdict {
        Verdict::Failure
    }

    /// The error of a call that a policy ended.
    fn interrupted(why: Interruption) -> Self;
}

impl<T, E: CallError> Outcome for Result<T, E> {
    fn unavailable(&self) -> Option<&dyn Display> {
        self.as_ref().err().and_then(CallError::unavailable)
    }

    fn verdict(&self) -> Verdict {
        self.as_ref().map_or_else(CallError::verdict, |_| Verdict::Success)
    }

    fn interrupted(why: Interruption) -> Self {
        Err(E::interrupted(why))
    }
}

/// Implements [`CallError`] for errors with the variants `Unavailable` and `Other`.
macro_rules! call_errors {
    ($($error:ident)*) => {
        $(impl CallError for $error {
            fn unavailable(&self) -> Option<&dyn Display> {
                matches!(self, Self::Unavailable(_)).then_some(self)
            }

            fn interrupted(why: Interruption) -> Self {
                Self::Other(why.into())
            }
        })*
    };
}

call_errors! { BindingError ConfigurationError LockError PubSubError SecretError }

impl CallError for StateError {
    fn unavailable(&self) -> Option<&dyn Display> {
        matches!(self, Self::Unavailable(_)).then_some(self)
    }

    /// As `PerformBulkStoreOperation` in `dapr/pkg/components/state/bulk.go`.
    fn verdict(&self) -> Verdict {
        if self.is_etag() { Verdict::Permanent } else { Verdict::Failure }
    }

    fn interrupted(why: Interruption) -> Self {
        Self::Other(why.into())
    }
}

impl CallError for BatchError {
    fn unavailable(&self) -> Option<&dyn Display> {
        match self {
            Self::Each(errors) => errors.iter().find_map(|(_, error)| error.unavailable()),
            Self::Whole(error) => error.unavailable(),
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Each(errors) if errors.iter().all(|(_, error)| error.is_etag()) => Verdict::Permanent,
            Self::Each(_) => Verdict::Failure,
            Self::Whole(error) => error.verdict(),
        }
    }

    fn interrupted(why: Interruption) -> Self {
        Self::Whole(StateError::interrupted(why))
    }
}
