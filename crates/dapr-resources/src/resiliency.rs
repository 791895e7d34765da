//! Resiliency resources: `dapr/pkg/apis/resiliency/v1alpha1/types.go`.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config_error::ConfigErrors;
use crate::document::Reader;
use crate::resource_header::ResourceHeader;

/// HTTP statuses that `matching` may name.
const HTTP_STATUSES: RangeInclusive<u16> = 100..=599;

/// gRPC codes that `matching` may name.
const GRPC_CODES: RangeInclusive<u16> = 0..=16;

/// Values of an actor target's `circuitBreakerScope`.
const ACTOR_SCOPES: &[&str] = &["type", "id", "both"];

/// Policies and their targets, read from YAML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResiliencyResource {
    /// `metadata.name`.
    pub name: String,
    /// `spec.policies.timeouts`, by name.
    pub timeouts: Vec<(String, Duration)>,
    /// `spec.policies.retries`, by name.
    pub retries: Vec<(String, RetryResource)>,
    /// `spec.policies.circuitBreakers`, by name.
    pub circuit_breakers: Vec<(String, CircuitBreakerResource)>,
    /// `spec.targets.apps`: invocations, by app id, HTTPEndpoint or URL.
    pub apps: Vec<(String, AppTarget)>,
    /// `spec.targets.components`, by name.
    pub components: Vec<(String, ComponentTarget)>,
    /// `spec.targets.actors`, by actor type.
    pub actors: Vec<(String, PolicyNames)>,
    /// `scopes`: the applications that see the resource; empty means all.
    pub scopes: Vec<String>,
    /// Position of the resource, as `FILE:LINE`.
    pub origin: String,
}

/// A retry policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryResource {
    /// `policy: exponential`; otherwise the delay is constant.
    pub is_exponential: bool,
    /// `duration`: the constant delay; Dapr's default is 5 s.
    pub duration: Option<Duration>,
    /// `maxInterval`: the longest exponential delay; Dapr's default is 60 s.
    pub max_interval: Option<Duration>,
    /// `maxRetries`; absent or negative means no limit.
    pub max_retries: Option<i64>,
    /// `matching.httpStatusCodes`: statuses to retry; `None` means all.
    pub http_statuses: Option<Vec<RangeInclusive<u16>>>,
    /// `matching.gRPCStatusCodes`: codes to retry; `None` means all.
    pub grpc_codes: Option<Vec<RangeInclusive<u16>>>,
    /// Position of the policy, as `FILE:LINE`.
    pub origin: String,
}

/// A circuit breaker policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CircuitBreakerResource {
    /// `maxRequests` while half-open; zero means one.
    pub max_requests: u32,
    /// `interval` after which a closed breaker forgets its counts; zero means never.
    pub interval: Duration,
    /// `timeout` of the open state; zero means 60 s.
    pub timeout: Duration,
    /// `trip`: condition in CEL; empty means `consecutiveFailures > 5`.
    pub trip: String,
    /// Position of the policy, as `FILE:LINE`.
    pub origin: String,
}

/// Names of the policies of a target; empty means none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyNames {
    /// Name of a timeout.
    pub timeout: String,
    /// Name of a retry policy.
    pub retry: String,
    /// Name of a circuit breaker.
    pub circuit_breaker: String,
    /// Position of the target, as `FILE:LINE`.
    pub origin: String,
}

/// Policies of the invocations of one application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppTarget {
    /// Policies of each call.
    pub policies: PolicyNames,
    /// `circuitBreakerCacheSize`: endpoints with a breaker of their own; Dapr's default is 100.
    pub breaker_cache_size: Option<usize>,
}

/// Policies of the calls of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentTarget {
    /// Calls of the component to the application.
    pub inbound: PolicyNames,
    /// Calls of the application to the component.
    pub outbound: PolicyNames,
    /// Position of the target, as `FILE:LINE`.
    pub origin: String,
}

/// Reads a Resiliency.
pub(crate) fn read(header: ResourceHeader, mut spec: Reader<'_>, errors: &mut ConfigErrors) -> ResiliencyResource {
    let ResourceHeader { name, scopes, origin, secret_store: _, folder: _ } = header;
    let mut resource = ResiliencyResource { name, scopes, origin, ..ResiliencyResource::default() };
    if let Some(mut policies) = spec.mapping("policies", errors) {
        resource.timeouts = policies.all_millis("timeouts", errors);
        for (name, policy) in policies.named_mappings("retries", errors) {
            resource.retries.push((name, read_retry(policy, errors)));
        }
        for (name, policy) in policies.named_mappings("circuitBreakers", errors) {
            resource.circuit_breakers.push((name, read_circuit_breaker(policy, errors)));
        }
        policies.finish(errors);
    }
    if let Some(mut targets) = spec.mapping("targets", errors) {
        for (name, mut target) in targets.named_mappings("apps", errors) {
            let policies = read_names(&mut target, errors);
            let breaker_cache_size = target.number("circuitBreakerCacheSize", errors).filter(|size| *size > 0);
            target.finish(errors);
            resource.apps.push((name, AppTarget { policies, breaker_cache_size }));
        }
        for (name, mut target) in targets.named_mappings("components", errors) {
            let origin = target.place();
            let [inbound, outbound] = ["inbound", "outbound"].map(|direction| {
                target.mapping(direction, errors).map(|mut names| {
                    let read = read_names(&mut names, errors);
                    names.finish(errors);
                    read
                })
            });
            target.finish(errors);
            let [inbound, outbound] = [inbound, outbound].map(Option::unwrap_or_default);
            resource.components.push((name, ComponentTarget { inbound, outbound, origin }));
        }
        for (name, target) in targets.named_mappings("actors", errors) {
            resource.actors.push((name, read_actor(target, errors)));
        }
        targets.finish(errors);
    }
    spec.finish(errors);
    resource
}

fn read_retry(mut policy: Reader<'_>, errors: &mut ConfigErrors) -> RetryResource {
    let kind = policy.text("policy", errors).unwrap_or_default().to_ascii_lowercase();
    if !["", "constant", "exponential"].contains(&kind.as_str()) {
        policy.reject("policy", format!("is {kind:?}, but must be constant or exponential"), errors);
    }
    let mut retry = RetryResource {
        is_exponential: kind == "exponential",
        duration: policy.millis("duration", errors),
        max_interval: policy.millis("maxInterval", errors),
        max_retries: policy.number("maxRetries", errors),
        origin: policy.place(),
        ..RetryResource::default()
    };
    if let Some(mut matching) = policy.mapping("matching", errors) {
        retry.http_statuses = read_codes(&mut matching, "httpStatusCodes", &HTTP_STATUSES, errors);
        retry.grpc_codes = read_codes(&mut matching, "gRPCStatusCodes", &GRPC_CODES, errors);
        matching.finish(errors);
    }
    policy.finish(errors);
    retry
}

/// Reads codes and ranges of codes, such as `429,500-599`.
fn read_codes(
    matching: &mut Reader<'_>,
    field: &'static str,
    valid: &RangeInclusive<u16>,
    errors: &mut ConfigErrors,
) -> Option<Vec<RangeInclusive<u16>>> {
    let text = matching.text(field, errors).filter(|text| !text.is_empty())?;
    let code = |text: &str| text.parse().ok().filter(|code| valid.contains(code));
    let mut codes = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (code(first), code(last)) {
            (Some(first), Some(last)) if first <= last => codes.push(first..=last),
            _ => {
                let (from, to) = valid.clone().into_inner();
                let why = format!("has {part:?}, which is no code or range of codes from {from} to {to}");
                matching.reject(field, why, errors);
            }
        }
    }
    Some(codes)
}

fn read_circuit_breaker(mut policy: Reader<'_>, errors: &mut ConfigErrors) -> CircuitBreakerResource {
    let breaker = CircuitBreakerResource {
        max_requests: policy.number("maxRequests", errors).unwrap_or_default(),
        interval: policy.millis("interval", errors).unwrap_or_default(),
        timeout: policy.millis("timeout", errors).unwrap_or_default(),
        trip: policy.text("trip", errors).unwrap_or_default(),
        origin: policy.place(),
    };
    policy.finish(errors);
    breaker
}

fn read_names(target: &mut Reader<'_>, errors: &mut ConfigErrors) -> PolicyNames {
    PolicyNames {
        timeout: target.text("timeout", errors).unwrap_or_default(),
        retry: target.text("retry", errors).unwrap_or_default(),
        circuit_breaker: target.text("circuitBreaker", errors).unwrap_or_default(),
        origin: target.place(),
    }
}

fn read_actor(mut target: Reader<'_>, errors: &mut ConfigErrors) -> PolicyNames {
    let policies = read_names(&mut target, errors);
    let scope = target.text("circuitBreakerScope", errors).unwrap_or_default();
    let is_valid = ACTOR_SCOPES.contains(&scope.as_str()) || scope.is_empty() && policies.circuit_breaker.is_empty();
    if !is_valid {
        let message = format!("is {scope:?}; with a circuit breaker it must be {}", ACTOR_SCOPES.join(", "));
        target.reject("circuitBreakerScope", message, errors);
    }
    target.ignore(&["circuitBreakerCacheSize"]);
    target.finish(errors);
    policies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::load;

    fn check(yaml: &str) -> Result<ResiliencyResource, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("r.yaml"), yaml).unwrap();
        let place = format!("{}/", folder.path().display());
        load(&[folder.path().to_owned()], None)
            .map(|mut resources| resources.resiliency.remove(0))
            .map_err(|errors| errors.to_string().replace(&place, ""))
    }

    #[test]
    fn policies_and_targets_are_read() {
        let resource = check(
            r#"
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: r}
scopes: [app]
spec:
  policies:
    timeouts: {general: 5s, short: 250}
    retries:
      constant: {policy: constant, duration: 1s, maxRetries: 3, matching: {httpStatusCodes: "429,500-599"}}
      growing: {policy: Exponential, maxInterval: 15s, maxRetries: -1, matching: {gRPCStatusCodes: "14"}}
    circuitBreakers:
      simple: {maxRequests: 2, interval: 8s, timeout: 45s, trip: consecutiveFailures > 8}
  targets:
    apps: {other: {timeout: general, retry: constant, circuitBreaker: simple, circuitBreakerCacheSize: 5}}
    components: {store: {outbound: {retry: growing}, inbound: {timeout: short}}}
    actors: {cat: {circuitBreaker: simple, circuitBreakerScope: both}}
"#,
        )
        .unwrap();
        let millis = Duration::from_millis;
        assert_eq!(resource.timeouts, [("general".to_owned(), millis(5000)), ("short".to_owned(), millis(250))]);
        let [(_, constant), (_, growing)] = resource.retries.as_slice() else { panic!("{resource:?}") };
        assert_eq!((constant.duration, constant.max_retries), (Some(millis(1000)), Some(3)));
        assert_eq!(constant.http_statuses, Some(vec![429..=429, 500..=599]));
        assert!(growing.is_exponential && !constant.is_exponential);
        assert_eq!((growing.max_interval, &growing.grpc_codes), (Some(millis(15_000)), &Some(vec![14..=14])));
        let (_, breaker) = &resource.circuit_breakers[0];
        assert_eq!((breaker.max_requests, breaker.trip.as_str()), (2, "consecutiveFailures > 8"));
        let (name, app) = &resource.apps[0];
        assert_eq!(
            (name.as_str(), app.policies.retry.as_str(), app.breaker_cache_size),
            ("other", "constant", Some(5))
        );
        let (_, component) = &resource.components[0];
        assert_eq!((component.outbound.retry.as_str(), component.inbound.timeout.as_str()), ("growing", "short"));
        assert_eq!((resource.actors[0].0.as_str(), resource.scopes.len()), ("cat", 1));
    }

    #[test]
    fn mistakes_are_errors_with_their_line() {
        let yaml = r#"apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: r}
spec:
  policies:
    timeouts:
      general: soon
    retries:
      a: {policy: linear}
      b: {matching: {httpStatusCodes: "99,500-400,x"}}
    circuitBreakers:
      c: {timeout: -1s}
  targets:
    actors:
      cat: {circuitBreaker: c}
"#;
        let expected = "7 errors:
  r.yaml:7: spec.policies.timeouts.general is text, but must be a duration such as 5s or 1m30s
  r.yaml:9: spec.policies.retries.a.policy: is \"linear\", but must be constant or exponential
  r.yaml:10: spec.policies.retries.b.matching.httpStatusCodes: has \"99\", which is no code or range of codes from 100 to 599
  r.yaml:10: spec.policies.retries.b.matching.httpStatusCodes: has \"500-400\", which is no code or range of codes from 100 to 599
  r.yaml:10: spec.policies.retries.b.matching.httpStatusCodes: has \"x\", which is no code or range of codes from 100 to 599
  r.yaml:12: spec.policies.circuitBreakers.c.timeout is text, but must be a duration such as 5s or 1m30s
  r.yaml:15: spec.targets.actors.cat.circuitBreakerScope: is \"\"; with a circuit breaker it must be type, id, both";
        assert_eq!(check(yaml).unwrap_err(), expected);
    }
}
