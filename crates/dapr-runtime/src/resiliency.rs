//! Resiliency policies of one application: `dapr/pkg/resiliency`.
//!
//! A call runs as retry(circuit breaker(timeout(call))), see [`policy`]. A target without policies of its own has the
//! default ones of its kind, the most specific name first: `DefaultPubsubComponentOutboundRetryPolicy`,
//! `DefaultComponentOutboundRetryPolicy`, `DefaultComponentRetryPolicy`, `DefaultRetryPolicy`.

mod circuit_breaker;
mod policy;
mod retry;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dapr_resources::resiliency::{AppTarget, ComponentTarget, PolicyNames, ResiliencyResource};
use lru::LruCache;

pub(crate) use self::circuit_breaker::CircuitBreaker;
use self::circuit_breaker::{BreakerSettings, Breakers as _};
pub(crate) use self::policy::{Interruption, Policy, Verdict};
pub(crate) use self::retry::Retry;

/// Endpoints of one application that have a breaker of their own, unless its target says otherwise.
const BREAKER_CACHE_SIZE: usize = 100;

/// Names of retry policies that Dapr has by itself.
const BUILT_IN: &[&str] = &[
    "DaprBuiltInServiceRetries",
    "DaprBuiltInActorRetries",
    "DaprBuiltInActorReminderRetries",
    INITIALIZATION,
    ACTOR_NOT_FOUND,
];
/// The built-in policy of requests that ask an application for its subscriptions.
const INITIALIZATION: &str = "DaprBuiltInInitializationRetries";
/// The built-in policy that cannot be replaced.
const ACTOR_NOT_FOUND: &str = "DaprBuiltInActorNotFoundRetries";
/// Least number of retries of a built-in policy.
const BUILT_IN_RETRIES: u64 = 3;

/// Kind of a component, as in the names of default policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ComponentKind {
    Binding,
    Configuration,
    Lock,
    Pubsub,
    Secretstore,
    Statestore,
}

impl ComponentKind {
    const ALL: [Self; 6] =
        [Self::Binding, Self::Configuration, Self::Lock, Self::Pubsub, Self::Secretstore, Self::Statestore];
}

/// Direction of a call between the application and a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// From the component to the application.
    Inbound,
    /// From the application to the component.
    Outbound,
}

/// An error in a Resiliency.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ResiliencyError {
    /// Position of the mistake, as `FILE:LINE`.
    pub(crate) origin: String,
    /// Name of the resource.
    pub(crate) name: String,
    pub(crate) why: String,
}

/// The policies of one application, and the states of its circuit breakers.
#[derive(Default)]
pub(crate) struct Resiliency {
    timeouts: BTreeMap<String, Duration>,
    retries: BTreeMap<String, Arc<Retry>>,
    breakers: BTreeMap<String, Arc<BreakerSettings>>,
    apps: BTreeMap<String, AppTarget>,
    components: BTreeMap<String, ComponentTarget>,
    /// Default policies of applications, and of components.
    app_defaults: PolicyNames,
    component_defaults: BTreeMap<(ComponentKind, Direction), PolicyNames>,
    /// Breakers of endpoints, by application.
    endpoint_breakers: Mutex<BTreeMap<String, LruCache<String, Arc<CircuitBreaker>>>>,
    /// Breakers of components; as in Dapr, both directions share one.
    component_breakers: Mutex<BTreeMap<String, Arc<CircuitBreaker>>>,
}

impl fmt::Debug for Resiliency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { timeouts, retries, breakers, apps, components, .. } = self;
        let mut debug = formatter.debug_struct("Resiliency");
        debug.field("timeouts", timeouts).field("retries", retries).field("breakers", breakers);
        debug.field("apps", apps).field("components", components).finish_non_exhaustive()
    }
}

impl Resiliency {
    /// Merges resources; of policies or targets of one name, the last counts.
    ///
    /// # Errors
    /// When a condition is no CEL, or a target names a policy that does not exist.
    pub(crate) fn new(resources: &[ResiliencyResource]) -> Result<Self, ResiliencyError> {
        let mut policies = Self::default();
        policies.retries.insert(INITIALIZATION.to_owned(), Arc::new(Retry::initialization()));
        for resource in resources {
            policies.timeouts.extend(resource.timeouts.iter().cloned());
            for (name, retry) in &resource.retries {
                policies.add_retry(name, Retry::from_resource(retry), &retry.origin);
            }
            for (name, breaker) in &resource.circuit_breakers {
                let settings = BreakerSettings::new(name, breaker).map_err(|why| ResiliencyError {
                    origin: breaker.origin.clone(),
                    name: resource.name.clone(),
                    why: format!("circuit breaker {name:?}: trip {why}"),
                })?;
                policies.breakers.insert(name.clone(), Arc::new(settings));
            }
            policies.apps.extend(resource.apps.iter().cloned());
            policies.components.extend(resource.components.iter().cloned());
        }
        // Targets may name policies of any resource.
        resources.iter().try_for_each(|resource| policies.check(resource))?;
        policies.app_defaults = policies.default_names(&["App"]);
        for kind in ComponentKind::ALL {
            for direction in [Direction::Inbound, Direction::Outbound] {
                let [of_kind, of_direction] =
                    [format!("{kind:?}Component{direction:?}"), format!("Component{direction:?}")];
                let names = policies.default_names(&[&of_kind, &of_direction, "Component"]);
                policies.component_defaults.insert((kind, direction), names);
            }
        }
        Ok(policies)
    }

    fn add_retry(&mut self, name: &str, mut retry: Retry, origin: &str) {
        if name == ACTOR_NOT_FOUND {
            tracing::warn!(name, origin, "a built-in policy that cannot be replaced; ignoring the new one");
            return;
        }
        if BUILT_IN.contains(&name) && retry.max_retries.is_some_and(|max| max < BUILT_IN_RETRIES) {
            tracing::warn!(name, origin, "a built-in policy has at least {BUILT_IN_RETRIES} retries; using so many");
            retry.max_retries = Some(BUILT_IN_RETRIES);
        }
        self.retries.insert(name.to_owned(), Arc::new(retry));
    }

    fn check(&self, resource: &ResiliencyResource) -> Result<(), ResiliencyError> {
        let apps = resource.apps.iter().map(|(_, target)| &target.policies);
        let components = resource.components.iter().flat_map(|(_, target)| [&target.inbound, &target.outbound]);
        let actors = resource.actors.iter().map(|(_, names)| names);
        for names in apps.chain(components).chain(actors) {
            let PolicyNames { timeout, retry, circuit_breaker, origin } = names;
            let known = [
                ("timeout", timeout, self.timeouts.contains_key(timeout)),
                ("retry", retry, self.retries.contains_key(retry) || BUILT_IN.contains(&retry.as_str())),
                ("circuit breaker", circuit_breaker, self.breakers.contains_key(circuit_breaker)),
            ];
            let unknown = known.iter().find(|(_, name, is_known)| !(name.is_empty() || *is_known));
            if let Some((kind, name, _)) = unknown {
                let why = format!("there is no {kind} {name:?} among the policies");
                return Err(ResiliencyError { origin: origin.clone(), name: resource.name.clone(), why });
            }
        }
        Ok(())
    }

    /// Returns the policy of an invocation of `app`, with a breaker for this endpoint.
    pub(crate) fn endpoint(&self, app: &str, endpoint: &str) -> Policy {
        let target = self.apps.get(app);
        let names = target.map_or(&self.app_defaults, |target| &target.policies);
        let size = target.and_then(|target| target.breaker_cache_size).unwrap_or(BREAKER_CACHE_SIZE);
        self.policy(names, |settings| {
            let mut breakers = self.endpoint_breakers.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || LruCache::new(NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN));
            let of_app = breakers.entry(app.to_owned()).or_insert_with(new);
            of_app.get_or_insert(endpoint.to_owned(), || settings.breaker(format!("{app}{endpoint}"))).clone()
        })
    }

    /// Returns the policy of a call between the application and the component `name`.
    pub(crate) fn component(&self, name: &str, kind: ComponentKind, direction: Direction) -> Policy {
        let names = match (self.components.get(name), direction) {
            (Some(target), Direction::Inbound) => &target.inbound,
            (Some(target), Direction::Outbound) => &target.outbound,
            (None, _) => match self.component_defaults.get(&(kind, direction)) {
                Some(names) => names,
                None => return Policy::default(),
            },
        };
        self.policy(names, |settings| {
            let mut breakers = self.component_breakers.lock().unwrap_or_else(PoisonError::into_inner);
            breakers.entry(name.to_owned()).or_insert_with(|| settings.breaker(name.to_owned())).clone()
        })
    }

    /// Returns the retries of requests that ask an application for its subscriptions.
    pub(crate) fn initialization(&self) -> Retry {
        self.retries.get(INITIALIZATION).map_or_else(Retry::initialization, |retry| Retry::clone(retry))
    }

    /// Returns whether there are no policies at all, so that no call has one.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { timeouts, retries, breakers, .. } = self;
        timeouts.is_empty() && breakers.is_empty() && retries.keys().all(|name| BUILT_IN.contains(&name.as_str()))
    }

    fn policy(
        &self,
        names: &PolicyNames,
        breaker: impl FnOnce(&Arc<BreakerSettings>) -> Arc<CircuitBreaker>,
    ) -> Policy {
        Policy {
            timeout: self.timeouts.get(&names.timeout).copied().filter(|timeout| !timeout.is_zero()),
            retry: self.retries.get(&names.retry).cloned(),
            breaker: self.breakers.get(&names.circuit_breaker).map(breaker),
        }
    }

    /// Returns the names of the default policies that exist, for the first of `levels` that has one.
    fn default_names(&self, levels: &[&str]) -> PolicyNames {
        let find = |suffix: &str, exists: &dyn Fn(&String) -> bool| {
            let names = levels.iter().copied().chain([""]).map(|level| format!("Default{level}{suffix}"));
            names.into_iter().find(exists).unwrap_or_default()
        };
        PolicyNames {
            timeout: find("TimeoutPolicy", &|name| self.timeouts.contains_key(name)),
            retry: find("RetryPolicy", &|name| self.retries.contains_key(name)),
            circuit_breaker: find("CircuitBreakerPolicy", &|name| self.breakers.contains_key(name)),
            origin: String::new(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
