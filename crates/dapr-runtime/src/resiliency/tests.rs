//! Calls under policies, without any guest.

use async_trait::async_trait;
use dapr_building_blocks::state::{DeleteRequest, GetRequest, SetRequest, StateFeatures, StateItem};
use dapr_building_blocks::{Component, ComponentSpec, StateError, StateStore};
use dapr_resources::resources;
use http::Request;
use http_body_util::BodyExt as _;

use super::*;
use crate::app::tests::ScriptedChannel;
use crate::tests::sidecar;
use crate::{Body, Components, Sidecar, StateCallError, empty_body, full_body};

/// Reads `spec`, the fields of a Resiliency.
pub(crate) fn read(spec: &str) -> Result<Resiliency, String> {
    let folder = tempfile::tempdir().unwrap();
    let yaml = format!("apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {{name: r}}\nspec: {spec}");
    std::fs::write(folder.path().join("r.yaml"), yaml).unwrap();
    let resources = resources::load(&[folder.path().to_owned()], None).map_err(|errors| errors.to_string())?;
    let place = format!("{}/", folder.path().display());
    let created = Resiliency::new(&resources.resiliency);
    created.map_err(|error| format!("{}: {}", error.origin.replace(&place, ""), error.why))
}

/// The sidecar of the application `app` with these policies, and its answers.
fn app(spec: &str, responses: &[(u16, &'static str)]) -> (Arc<Sidecar>, Arc<ScriptedChannel>) {
    let (sidecar, channel) = (sidecar(), ScriptedChannel::new(responses));
    sidecar.calls.set_resiliency(read(spec).unwrap());
    sidecar.app().set_channel(channel.clone());
    (sidecar, channel)
}

/// Invokes the method `path` of the application, and returns its status and body, or the error.
async fn invoke(sidecar: &Sidecar, path: &str, body: Body) -> Result<(u16, String), String> {
    let request = Request::post(path).body(body).unwrap();
    let response = sidecar.invoke("app", request).await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, String::from_utf8(body.to_vec()).unwrap()))
}

const RETRY_APP: &str =
    "{policies: {retries: {r: {duration: 1s, maxRetries: 2, matching: {httpStatusCodes: '500-599'}}}},
  targets: {apps: {app: {retry: r}}}}";

#[tokio::test(start_paused = true)]
async fn invocation_is_retried_and_its_last_answer_returned() {
    let (sidecar, channel) = app(RETRY_APP, &[(500, "a"), (503, "b"), (200, "c")]);
    assert_eq!(invoke(&sidecar, "/m", full_body("body")).await, Ok((200, "c".to_owned())));
    assert_eq!(channel.requests.lock().unwrap().len(), 3);
    let (sidecar, _) = app(RETRY_APP, &[(500, "a"), (501, "b"), (502, "c"), (200, "d")]);
    assert_eq!(invoke(&sidecar, "/m", empty_body()).await, Ok((502, "c".to_owned())));
    let (sidecar, channel) = app(RETRY_APP, &[(404, "no"), (200, "d")]);
    assert_eq!(invoke(&sidecar, "/m", empty_body()).await, Ok((404, "no".to_owned())), "no status that matches");
    assert_eq!(channel.requests.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn streaming_body_is_sent_once() {
    let (sidecar, channel) = app(RETRY_APP, &[(500, "a"), (200, "b")]);
    let pieces = futures_util::stream::iter(["x"].map(|piece| Ok(http_body::Frame::data(piece.into()))));
    let body = http_body_util::StreamBody::new(pieces).boxed_unsync();
    assert_eq!(invoke(&sidecar, "/m", body).await, Ok((500, "a".to_owned())));
    assert_eq!(channel.requests.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn open_breaker_of_one_method_leaves_the_others() {
    let spec = "{policies: {circuitBreakers: {b: {trip: consecutiveFailures > 1, timeout: 10s}}},
      targets: {apps: {app: {circuitBreaker: b}}}}";
    let (sidecar, _) = app(spec, &[(500, "1"), (404, "2"), (200, "3"), (200, "4")]);
    assert_eq!(invoke(&sidecar, "/bad", empty_body()).await.unwrap().0, 500);
    assert_eq!(invoke(&sidecar, "/bad", empty_body()).await.unwrap().0, 404);
    assert_eq!(invoke(&sidecar, "/bad", empty_body()).await, Err("circuit breaker is open".to_owned()));
    assert_eq!(invoke(&sidecar, "/good", empty_body()).await.unwrap().1, "3");
    tokio::time::advance(Duration::from_millis(10_001)).await;
    assert_eq!(invoke(&sidecar, "/bad", empty_body()).await.unwrap().1, "4");
}

#[tokio::test(start_paused = true)]
async fn timeout_ends_each_attempt() {
    struct Silent(std::sync::atomic::AtomicU32);
    #[async_trait]
    impl crate::AppChannel for Silent {
        async fn send(&self, _: Request<Body>) -> Result<http::Response<Body>, crate::InvokeError> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::future::pending().await
        }
        async fn ready(&self) {}
    }
    let (sidecar, channel) = (sidecar(), Arc::new(Silent(0.into())));
    let spec = "{policies: {timeouts: {DefaultAppTimeoutPolicy: 2s}, retries: {DefaultRetryPolicy: {duration: 1s, maxRetries: 1}}}}";
    sidecar.calls.set_resiliency(read(spec).unwrap());
    sidecar.app().set_channel(channel.clone());
    let begin = tokio::time::Instant::now();
    assert_eq!(invoke(&sidecar, "/m", empty_body()).await, Err("context deadline exceeded".to_owned()));
    let attempts = channel.0.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!((attempts, begin.elapsed().as_secs()), (2, 5));
}

/// Fails with the next of its errors, and then succeeds; keys that begin with `etag` fail for ever.
#[derive(Default)]
struct Flaky {
    failures: Mutex<u32>,
    written: Mutex<Vec<String>>,
}

#[async_trait]
impl StateStore for Flaky {
    fn features(&self) -> StateFeatures {
        StateFeatures::new(&[])
    }

    async fn get(&self, _: GetRequest) -> Result<Option<StateItem>, StateError> {
        Ok(None)
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        let key = request.key.rsplit("||").next().unwrap().to_owned();
        self.written.lock().unwrap().push(key.clone());
        let mut failures = self.failures.lock().unwrap();
        if key.starts_with("etag") {
            return Err(StateError::EtagMismatch(None));
        }
        if *failures > 0 && key != "good" {
            *failures -= 1;
            return Err(StateError::Other("away".into()));
        }
        Ok(())
    }

    async fn delete(&self, _: DeleteRequest) -> Result<(), StateError> {
        Ok(())
    }
}

/// Writes keys to a store that fails so many times; returns the keys that were tried, and the outcome.
async fn save(failures: u32, keys: &[&str]) -> (Vec<String>, Result<(), StateCallError>) {
    let store = Arc::new(Flaky { failures: failures.into(), ..Flaky::default() });
    let (sidecar, mut components) = (sidecar(), Components::default());
    let spec = ComponentSpec { name: "store".into(), ..ComponentSpec::default() };
    components.add(&spec, &Component { state_store: Some(store.clone()), ..Component::default() }).unwrap();
    sidecar.set_components(components);
    let policies = "{policies: {retries: {DefaultStatestoreComponentOutboundRetryPolicy: {maxRetries: 2}}}}";
    sidecar.calls.set_resiliency(read(policies).unwrap());
    let request = |key: &&str| SetRequest { key: (*key).to_owned(), ..SetRequest::default() };
    let outcome = sidecar.state_store("store").unwrap().save(keys.iter().map(request).collect()).await;
    let written = store.written.lock().unwrap().clone();
    (written, outcome)
}

#[tokio::test(start_paused = true)]
async fn failed_write_is_repeated_and_an_etag_is_not() {
    let (written, outcome) = save(2, &["key"]).await;
    assert!(outcome.is_ok() && written.len() == 3, "{written:?}");
    let (written, outcome) = save(3, &["key"]).await;
    assert!(outcome.unwrap_err().to_string() == "away" && written.len() == 3);
    let (written, outcome) = save(0, &["etag"]).await;
    assert!(matches!(outcome, Err(StateCallError::Store(error)) if error.is_etag()) && written.len() == 1);
}

#[tokio::test(start_paused = true)]
async fn only_failed_writes_of_a_batch_are_repeated() {
    let (mut written, outcome) = save(1, &["good", "bad", "etag"]).await;
    written.sort();
    assert_eq!(written, ["bad", "bad", "etag", "good"]);
    let Err(StateCallError::Batch(errors)) = outcome else { panic!("{outcome:?}") };
    assert!(matches!(errors.as_slice(), [error] if error.is_etag()), "{errors:?}");
}

#[test]
fn default_policies_are_found_by_the_most_specific_name() {
    let names = [
        "DefaultRetryPolicy",
        "DefaultComponentRetryPolicy",
        "DefaultComponentInboundRetryPolicy",
        "DefaultPubsubComponentInboundRetryPolicy",
    ];
    for count in 1..=names.len() {
        let known: Vec<_> =
            names[..count].iter().zip(1..).map(|(name, max)| format!("{name}: {{maxRetries: {max}}}")).collect();
        let policies = read(&format!("{{policies: {{retries: {{{}}}}}}}", known.join(", "))).unwrap();
        let policy = policies.component("p", ComponentKind::Pubsub, Direction::Inbound);
        assert_eq!(policy.retry.unwrap().max_retries, Some(count as u64));
        let other = policies.component("p", ComponentKind::Pubsub, Direction::Outbound);
        assert_eq!(other.retry.unwrap().max_retries, Some(count.min(2) as u64));
        assert_eq!(policies.endpoint("app", "/").retry.unwrap().max_retries, Some(1));
    }
    let own =
        "{policies: {retries: {DefaultRetryPolicy: {}}, timeouts: {t: 1s}}, targets: {apps: {app: {timeout: t}}}}";
    let policy = read(own).unwrap().endpoint("app", "/");
    assert!(policy.retry.is_none() && policy.timeout.is_some(), "a target has its own policies alone");
}

#[test]
fn unknown_policy_and_bad_condition_are_errors_with_their_line() {
    let error = read("\n  targets:\n    components:\n      store:\n        outbound: {retry: nothing}").unwrap_err();
    assert_eq!(error, "r.yaml:8: there is no retry \"nothing\" among the policies");
    let error = read("\n  policies:\n    circuitBreakers:\n      b:\n        trip: failures >").unwrap_err();
    assert!(error.starts_with("r.yaml:7: circuit breaker \"b\": trip is no CEL"), "{error}");
}

#[test]
fn built_in_policies_have_at_least_three_retries() {
    let retries = |name: &str, max: i64| {
        let policies = read(&format!("{{policies: {{retries: {{{name}: {{maxRetries: {max}}}}}}}}}")).unwrap();
        policies.retries.get(name).map(|retry| retry.max_retries)
    };
    assert_eq!(retries("DaprBuiltInServiceRetries", 1), Some(Some(3)));
    assert_eq!(retries("DaprBuiltInServiceRetries", 5), Some(Some(5)));
    assert_eq!(retries("DaprBuiltInActorNotFoundRetries", 9), None);
    assert!(read("{policies: {retries: {DaprBuiltInServiceRetries: {maxRetries: 3}}}}").unwrap().is_empty());
}
