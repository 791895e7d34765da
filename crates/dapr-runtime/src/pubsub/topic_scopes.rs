//! Topics that an application may use: `dapr/pkg/scopes/scopes.go` and `pkg/runtime/pubsub/adapter.go`.

use dapr_building_blocks::Properties;

/// Topic scopes of a broker, for one application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TopicScopes {
    /// Topics that exist; empty for any.
    allowed: Vec<String>,
    /// Topics that only the scopes below open.
    protected: Vec<String>,
    publishing: Vec<String>,
    subscription: Vec<String>,
}

impl TopicScopes {
    /// Reads `allowedTopics`, `protectedTopics`, `publishingScopes` and `subscriptionScopes`.
    pub(super) fn from_properties(properties: &Properties, app_id: &str) -> Self {
        let list = |name| properties.get_raw(name).map(topics).unwrap_or_default();
        let scope = |name| properties.get_raw(name).map(|text| scoped(text, app_id)).unwrap_or_default();
        Self {
            allowed: list("allowedTopics"),
            protected: list("protectedTopics"),
            publishing: scope("publishingScopes"),
            subscription: scope("subscriptionScopes"),
        }
    }

    pub(super) fn may_publish(&self, topic: &str) -> bool {
        self.allows(topic, &self.publishing)
    }

    pub(super) fn may_subscribe(&self, topic: &str) -> bool {
        self.allows(topic, &self.subscription)
    }

    fn allows(&self, topic: &str, scope: &[String]) -> bool {
        let has = |topics: &[String]| topics.iter().any(|known| known == topic);
        if !self.allowed.is_empty() && !has(&self.allowed) {
            return false;
        }
        has(scope) || (scope.is_empty() && !has(&self.protected))
    }
}

/// Splits a list of topics; spaces are ignored.
fn topics(text: &str) -> Vec<String> {
    let text = text.replace(' ', "");
    if text.is_empty() { Vec::new() } else { text.split(',').map(str::to_owned).collect() }
}

/// Returns the topics of the application `app_id` in `APP=TOPIC,TOPIC;APP=TOPIC`.
fn scoped(text: &str, app_id: &str) -> Vec<String> {
    let text = text.replace(' ', "");
    let entries = text.split(';').filter_map(|entry| {
        let mut parts = entry.split('=');
        (parts.next()? == app_id).then_some(parts.next()?)
    });
    entries.flat_map(|topics| topics.split(',').map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(properties: &[(&str, &str)]) -> TopicScopes {
        TopicScopes::from_properties(&properties.iter().copied().collect(), "app")
    }

    #[test]
    fn without_scopes_every_topic_is_open() {
        assert!(scopes(&[]).may_publish("t") && scopes(&[]).may_subscribe("t"));
    }

    #[test]
    fn allowed_topics_exclude_all_others() {
        let scopes = scopes(&[("allowedTopics", "a, b")]);
        assert!(scopes.may_publish("b") && !scopes.may_publish("c") && !scopes.may_subscribe("c"));
    }

    #[test]
    fn scope_names_the_topics_of_an_app() {
        let scopes = scopes(&[("publishingScopes", "app=a,b; other=c"), ("subscriptionScopes", "app=")]);
        assert!(scopes.may_publish("a") && !scopes.may_publish("c"));
        assert!(!scopes.may_subscribe("a"));
    }

    #[test]
    fn protected_topic_needs_a_scope() {
        let scopes = scopes(&[("protectedTopics", "p"), ("subscriptionScopes", "app=p")]);
        assert!(!scopes.may_publish("p") && scopes.may_publish("t") && scopes.may_subscribe("p"));
    }
}
