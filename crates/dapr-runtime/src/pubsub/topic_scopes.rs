//! Topics that an application may use: `dapr/pkg/scopes/scopes.go` and `pkg/runtime/pubsub/adapter.go`.

use std::collections::BTreeMap;

use dapr_building_blocks::Properties;

/// Topic scopes of a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TopicScopes {
    /// Topics that exist; empty for any.
    allowed: Vec<String>,
    /// Topics that only the scopes below open.
    protected: Vec<String>,
    /// Topics by application.
    publishing: BTreeMap<String, Vec<String>>,
    subscription: BTreeMap<String, Vec<String>>,
}

impl TopicScopes {
    /// Reads `allowedTopics`, `protectedTopics`, `publishingScopes` and `subscriptionScopes`.
    pub(super) fn from_properties(properties: &Properties) -> Self {
        let list = |name| properties.get_raw(name).map(topics).unwrap_or_default();
        let scope = |name| properties.get_raw(name).map(scoped).unwrap_or_default();
        Self {
            allowed: list("allowedTopics"),
            protected: list("protectedTopics"),
            publishing: scope("publishingScopes"),
            subscription: scope("subscriptionScopes"),
        }
    }

    pub(super) fn may_publish(&self, app_id: &str, topic: &str) -> bool {
        self.allows(topic, self.publishing.get(app_id))
    }

    pub(super) fn may_subscribe(&self, app_id: &str, topic: &str) -> bool {
        self.allows(topic, self.subscription.get(app_id))
    }

    fn allows(&self, topic: &str, scope: Option<&Vec<String>>) -> bool {
        let scope = scope.map_or(&[][..], Vec::as_slice);
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

/// Returns the topics of each application in `APP=TOPIC,TOPIC;APP=TOPIC`.
fn scoped(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut scopes = BTreeMap::<String, Vec<String>>::new();
    for entry in text.replace(' ', "").split(';') {
        let mut parts = entry.split('=');
        if let (Some(app), Some(topics)) = (parts.next(), parts.next()) {
            scopes.entry(app.to_owned()).or_default().extend(topics.split(',').map(str::to_owned));
        }
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(properties: &[(&str, &str)]) -> TopicScopes {
        TopicScopes::from_properties(&properties.iter().copied().collect())
    }

    #[test]
    fn without_scopes_every_topic_is_open() {
        assert!(scopes(&[]).may_publish("app", "t") && scopes(&[]).may_subscribe("app", "t"));
    }

    #[test]
    fn allowed_topics_exclude_all_others() {
        let scopes = scopes(&[("allowedTopics", "a, b")]);
        assert!(scopes.may_publish("app", "b") && !scopes.may_publish("app", "c") && !scopes.may_subscribe("app", "c"));
    }

    #[test]
    fn scope_names_the_topics_of_an_app() {
        let scopes = scopes(&[("publishingScopes", "app=a,b; other=c"), ("subscriptionScopes", "app=")]);
        assert!(scopes.may_publish("app", "a") && !scopes.may_publish("app", "c"));
        assert!(!scopes.may_subscribe("app", "a"));
    }

    #[test]
    fn protected_topic_needs_a_scope() {
        let scopes = scopes(&[("protectedTopics", "p"), ("subscriptionScopes", "app=p")]);
        assert!(!scopes.may_publish("app", "p") && scopes.may_publish("app", "t") && scopes.may_subscribe("app", "p"));
    }
}
