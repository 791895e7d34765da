//! The subscription of a new service: a route, its test, and the broker.

use std::fs;
use std::str::FromStr;

use anyhow::{Context as _, Result};

use crate::repository::Repository;

/// File of the broker.
const BROKER_FILE: &str = "config/messages.yaml";

/// The broker of the services, as daprlet has it.
const BROKER: &str = "\
# Messages between services. Only daprlet has this broker; for `daprd`, another one has this name.
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: messages
spec:
  type: pubsub.sqlite
  version: v1
  ignoreErrors: true
  metadata:
    - name: connectionString
      # Relative to the directory of each service, where the Dapr CLI starts its sidecar.
      value: ../data/messages.db
";

const IMPORTS: [&str; 2] = [
    "use service_kit::{Check, Description, EdgeSettings, Endpoint, Environment, Health, Problem, Service};",
    "use service_kit::{
    Check, Delivery, Description, EdgeSettings, Endpoint, Environment, Event, Health, Problem, Service, Subscriptions,
};",
];

const ROUTES: [&str; 2] = [
    "    Router::new().route(\"/note\", get(read).post(write)).route(\"/healthz\", get(health)).with_state(note)
}
",
    "    let subscriptions = Subscriptions::new().subscribe(\"messages\", \"TOPIC\", \"/messages/TOPIC\", receive);
    let routes = Router::new().route(\"/note\", get(read).post(write)).route(\"/healthz\", get(health));
    routes.merge(subscriptions.into_router()).with_state(note)
}

/// Keeps a message, a text.
async fn receive(State(note): State<Note>, Event { data, .. }: Event<String>) -> Delivery {
    match note.dapr.state(&note.store).save(KEY, &data).await {
        Ok(()) => Delivery::Success,
        Err(_) => Delivery::Retry,
    }
}
",
];

const TEST: &str = r#"
#[tokio::test]
async fn message_becomes_the_note() {
    let routes = routes(&FakeDapr::new());
    let event = r\#"{"id":"1","data":"milk"}"\#;
    let delivered = ask(&routes, Request::post("/messages/TOPIC"), event).await;
    assert_eq!(delivered, (StatusCode::OK, r\#"{"status":"SUCCESS"}"\#.to_owned()));
    assert_eq!(ask(&routes, Request::get("/note"), "").await, (StatusCode::OK, "milk".to_owned()));
}
"#;

/// A topic whose name can be part of a path and of Rust source.
#[derive(Clone, Debug)]
pub(super) struct Topic(String);

impl FromStr for Topic {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if text.is_empty() || !text.chars().all(is_plain) {
            return Err("a topic has letters, digits, dashes and underscores, such as image-events");
        }
        Ok(Self(text.to_owned()))
    }
}

impl Topic {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds the subscription to the library of a service; `None` if that does not look as the template does.
    pub(super) fn add_to_library(&self, text: &str) -> Option<String> {
        let [imports, routes] = [IMPORTS, ROUTES];
        let has_both = text.contains(imports[0]) && text.contains(routes[0]);
        has_both.then(|| text.replace(imports[0], imports[1]).replace(routes[0], &self.fill(routes[1])))
    }

    /// Adds the test of the subscription.
    pub(super) fn add_to_tests(&self, text: &str) -> String {
        format!("{text}{}", self.fill(&TEST.replace("\\#", "#")))
    }

    fn fill(&self, text: &str) -> String {
        text.replace("TOPIC", &self.0)
    }
}

/// Writes the broker's component, or adds `service` to the scopes of the one that is there.
pub(super) fn add_broker(project: &Repository, service: &str) -> Result<()> {
    let path = project.path(BROKER_FILE);
    let text = if path.exists() {
        with_scope(&fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?, service)
    } else {
        BROKER.to_owned()
    };
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Adds `service` to a component's scopes, which are the end of its file; one without scopes is everybody's.
fn with_scope(component: &str, service: &str) -> String {
    if component.contains("\nscopes:\n") { format!("{component}  - {service}\n") } else { component.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_joins_the_scopes_of_the_broker() {
        assert_eq!(with_scope("a\nscopes:\n  - b\n", "c"), "a\nscopes:\n  - b\n  - c\n");
        assert_eq!(with_scope(BROKER, "c"), BROKER);
    }
}
