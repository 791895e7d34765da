//! Subscription resources: `dapr/pkg/apis/subscriptions/{v1alpha1,v2alpha1}/types.go`.

use crate::config_error::ConfigErrors;
use crate::document::Reader;
use crate::resource_header::ResourceHeader;

/// Subscription to a topic, read from YAML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionResource {
    /// `metadata.name`.
    pub name: String,
    /// `spec.pubsubname`: the broker.
    pub pubsub: String,
    /// `spec.topic`.
    pub topic: String,
    /// `spec.metadata`, in source order.
    pub metadata: Vec<(String, String)>,
    /// `spec.deadLetterTopic`; empty for none.
    pub dead_letter_topic: String,
    /// `spec.routes` or `spec.route`: at least one rule.
    pub rules: Vec<RuleResource>,
    /// `spec.bulkSubscribe`, if enabled.
    pub bulk: Option<BulkSubscribeResource>,
    /// `scopes`: the applications that see the subscription; empty means all.
    pub scopes: Vec<String>,
    /// Position of the resource, as `FILE:LINE`.
    pub origin: String,
}

/// A routing rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleResource {
    /// Condition in CEL; empty matches every event.
    pub condition: String,
    /// Path of the application.
    pub path: String,
    /// Position of the rule, as `FILE:LINE`.
    pub origin: String,
}

/// Limits of a bulk delivery; zero means Dapr's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkSubscribeResource {
    /// Maximum number of messages.
    pub max_messages: i64,
    /// Longest time that the first message waits for more, in milliseconds.
    pub max_await_millis: i64,
}

/// Reads a Subscription of `dapr.io/v2alpha1`, or of `dapr.io/v1alpha1` with one `route`.
pub(crate) fn read(
    header: ResourceHeader,
    is_v2: bool,
    mut spec: Reader<'_>,
    errors: &mut ConfigErrors,
) -> SubscriptionResource {
    let (pubsub, topic) = (spec.required("pubsubname", errors), spec.required("topic", errors));
    let metadata = spec.pairs("metadata", errors);
    let dead_letter_topic = spec.text("deadLetterTopic", errors).unwrap_or_default();
    let origin = spec.place();
    let rules = if is_v2 {
        spec.mapping("routes", errors).map(|routes| read_routes(routes, errors)).unwrap_or_default()
    } else {
        let route = spec.text("route", errors).filter(|path| !path.is_empty());
        route.map(|path| RuleResource { path, origin, ..RuleResource::default() }).into_iter().collect()
    };
    if rules.is_empty() {
        let (field, example) =
            if is_v2 { ("routes", "routes: {default: /orders}") } else { ("route", "route: /orders") };
        spec.reject(field, format!("names no path of the application; give one, as in {example}"), errors);
    }
    let bulk = spec.mapping("bulkSubscribe", errors).and_then(|mut bulk| {
        let is_enabled = bulk.flag("enabled", errors);
        let limits = BulkSubscribeResource {
            max_messages: bulk.number("maxMessagesCount", errors).unwrap_or_default(),
            max_await_millis: bulk.number("maxAwaitDurationMs", errors).unwrap_or_default(),
        };
        bulk.finish(errors);
        is_enabled.then_some(limits)
    });
    spec.finish(errors);
    let ResourceHeader { name, scopes, origin, secret_store: _, folder: _ } = header;
    SubscriptionResource { name, pubsub, topic, metadata, dead_letter_topic, rules, bulk, scopes, origin }
}

fn read_routes(mut routes: Reader<'_>, errors: &mut ConfigErrors) -> Vec<RuleResource> {
    let mut rules = Vec::new();
    for mut rule in routes.mappings("rules", errors) {
        let origin = rule.place();
        let (condition, path) = (rule.required("match", errors), rule.required("path", errors));
        rule.finish(errors);
        rules.push(RuleResource { condition, path, origin });
    }
    let default = routes.text("default", errors).filter(|path| !path.is_empty());
    rules.extend(default.map(|path| RuleResource { path, origin: routes.place(), ..RuleResource::default() }));
    routes.finish(errors);
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::load;

    fn check(yaml: &str) -> Result<Vec<SubscriptionResource>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s.yaml"), yaml).unwrap();
        let place = format!("{}/", folder.path().display());
        load(&[folder.path().to_owned()], None)
            .map(|resources| resources.subscriptions)
            .map_err(|errors| errors.to_string().replace(&place, ""))
    }

    #[test]
    fn both_versions_are_read() {
        let yaml = r#"
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: {name: old}
spec: {pubsubname: p, topic: a, route: /a, metadata: {rawPayload: "true"}}
scopes: [app]
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: {name: new}
spec:
  pubsubname: p
  topic: b
  deadLetterTopic: dead
  bulkSubscribe: {enabled: true, maxMessagesCount: 5}
  routes:
    rules: [{match: event.type == "x", path: /x}]
    default: /b
"#;
        let read = check(yaml).unwrap();
        let [old, new] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((old.topic.as_str(), old.rules[0].path.as_str(), old.scopes.len()), ("a", "/a", 1));
        assert_eq!(old.metadata, [("rawPayload".to_owned(), "true".to_owned())]);
        let rules: Vec<_> = new.rules.iter().map(|rule| (rule.condition.as_str(), rule.path.as_str())).collect();
        assert_eq!(rules, [("event.type == \"x\"", "/x"), ("", "/b")]);
        assert_eq!(new.bulk, Some(BulkSubscribeResource { max_messages: 5, max_await_millis: 0 }));
    }

    #[test]
    fn missing_fields_are_errors_with_their_line() {
        let yaml = "apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: {name: s}
spec:
  topic: a
  routes: {rules: [{path: /x}]}
---
apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata: {name: t}
spec: {pubsubname: p, topic: a}
";
        let expected = "3 errors:
  s.yaml:4: spec.pubsubname is missing
  s.yaml:6: spec.routes.rules[0].match is missing
  s.yaml:11: spec.route: names no path of the application; give one, as in route: /orders";
        assert_eq!(check(yaml).unwrap_err(), expected);
    }
}
