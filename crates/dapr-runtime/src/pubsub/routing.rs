//! Routing rules of subscriptions, in CEL: `dapr/pkg/expr/expr.go` and `matchRoutingRule` in
//! `pkg/runtime/subscription/subscription.go`.

use std::sync::Arc;

use cel::Context;
use serde_json::{Map, Number, Value};

use crate::condition::{self, Condition};

/// Variables of a condition.
const VARIABLES: &[&str] = &["event"];

/// Size from which an event is large, in bytes.
const LARGE_EVENT: usize = 64 << 10;

/// A rule: events that its condition matches go to its path.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Condition; without one the rule matches every event.
    condition: Option<Arc<Condition>>,
    /// Path of the application.
    pub path: String,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        (self.condition(), &self.path) == (other.condition(), &other.path)
    }
}

impl Rule {
    /// Creates a rule with the condition `text`; empty text matches every event.
    ///
    /// # Errors
    /// When the condition is no CEL that is supported here.
    pub fn new(text: &str, path: &str) -> Result<Self, String> {
        let text = text.trim();
        let condition = if text.is_empty() { None } else { Some(Arc::new(Condition::new(text, VARIABLES)?)) };
        Ok(Self { condition, path: path.to_owned() })
    }

    /// Returns the text of the condition; empty without one.
    #[must_use]
    pub fn condition(&self) -> &str {
        self.condition.as_ref().map_or("", |condition| condition.text())
    }
}

/// Returns the path of the first rule that matches `event`, which has `size` bytes as JSON. A large one is evaluated on
/// a thread of its own.
///
/// # Errors
/// When a condition cannot be evaluated for this event.
pub(super) async fn route_of(rules: &[Rule], event: &Arc<Value>, size: usize) -> Result<Option<String>, String> {
    if size <= LARGE_EVENT {
        return route(rules, event).map(|path| path.map(str::to_owned));
    }
    let (rules, event) = (rules.to_vec(), event.clone());
    let routed = tokio::task::spawn_blocking(move || route(&rules, &event).map(|path| path.map(str::to_owned)));
    routed.await.map_err(|error| error.to_string())?
}

/// Returns the path of the first rule that matches `event`, which is an event's attributes or, with `rawPayload` and
/// in bulk, text.
///
/// # Errors
/// When a condition cannot be evaluated for this event.
fn route<'a>(rules: &'a [Rule], event: &Value) -> Result<Option<&'a str>, String> {
    let mut context = None;
    for rule in rules {
        let Some(condition) = &rule.condition else { return Ok(Some(&rule.path)) };
        let context = match &context {
            Some(context) => context,
            None => context.insert(context_of(event)?),
        };
        if condition.matches(context)? {
            return Ok(Some(&rule.path));
        }
    }
    Ok(None)
}

fn context_of(event: &Value) -> Result<Context<'static, 'static>, String> {
    let event = cel::to_value(go_numbers(event)).map_err(|error| error.to_string())?;
    let mut context = condition::context()?;
    context.add_variable_from_value("event", event);
    Ok(context)
}

/// Returns `value` with the numbers of Go's `any`, which are floating-point.
fn go_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().and_then(Number::from_f64).map_or(Value::Null, Value::Number),
        Value::Array(items) => items.iter().map(go_numbers).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), go_numbers(value))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::condition::MAX_LENGTH;

    fn matches(condition: &str, event: &Value) -> Result<bool, String> {
        let rule = Rule::new(condition, "/path")?;
        route(&[rule], event).map(|path| path.is_some())
    }

    #[test]
    fn first_matching_rule_is_taken() {
        let rules = [
            Rule::new(r#"event.type == "a""#, "/a").unwrap(),
            Rule::new(r#"event.data.amount > 10"#, "/large").unwrap(),
            Rule::new("", "/other").unwrap(),
        ];
        for (event, expected) in [
            (json!({"type": "a", "data": {}}), "/a"),
            (json!({"type": "b", "data": {"amount": 11}}), "/large"),
            (json!({"type": "b", "data": {"amount": 10}}), "/other"),
        ] {
            assert_eq!(route(&rules, &event).unwrap(), Some(expected), "{event}");
        }
        assert_eq!(route(&rules[..1], &json!({"type": "b"})).unwrap(), None);
    }

    #[test]
    fn conditions_are_evaluated_as_in_go() {
        let event = json!({"type": "order.created", "data": {"n": 1, "tags": ["x", "y"], "name": "Ann"}});
        for condition in [
            r#"event.type.startsWith("order.") && event.type.endsWith("created")"#,
            r#"event.type.contains("der") && event.type.matches("^o.*d$")"#,
            r#"event.data.n == 1 && event.data.n == 1.0 && event.data.n < 2"#,
            r#"event.data.tags.exists(tag, tag == "y") && size(event.data.tags) == 2"#,
            r#"has(event.data.name) && !has(event.data.nothing)"#,
            r#""x" in event.data.tags && event.data["name"] == "Ann""#,
            r#"event.data.n > 0 ? true : false"#,
            r#"event.data.tags.exists(tag, tag.startsWith("y")) && event.data.tags.all(tag, tag != event.type)"#,
        ] {
            assert_eq!(matches(condition, &event), Ok(true), "{condition}");
        }
        let alternatives = vec![r#"event.type == "other""#; 60].join(" || ");
        assert_eq!(matches(&alternatives, &event), Ok(false), "a long list of alternatives");
        assert!(matches("event.missing == 1", &event).unwrap_err().contains("No such key"));
        assert!(matches("event.data.n", &event).unwrap_err().contains("was not a boolean"));
    }

    #[test]
    fn pattern_of_a_long_text_is_an_error() {
        let event = json!({"text": "a".repeat(60_000)});
        assert_eq!(matches("event.text.matches('^a+$')", &event), Ok(true));
        assert_eq!(matches("event.text.matches('^[b-z]{3,10}-[0-9]{2,4}$')", &json!({"text": "bcd-12"})), Ok(true));
        let slow = format!("event.text.matches('{}b')", "(.*)".repeat(100));
        assert!(matches(&slow, &event).unwrap_err().contains("too long for the pattern"));
    }

    #[test]
    fn unsupported_condition_is_an_error_at_once() {
        for (condition, why) in [
            ("event.type ==", "is no CEL"),
            ("evnt.type == 'a'", "there is only: event"),
            ("timestamp(event.time) > timestamp('2020-01-01T00:00:00Z')", "calls timestamp"),
            ("event.a.exists(x, event.b.exists(y, x == y))", "macro within a macro"),
            ("event.a.exists(x, x in event.a)", "within a macro"),
            ("event.a.exists(x, event.text.contains(x))", "within a macro"),
            ("event.a.exists(x, x + x == 'aa')", "within a macro"),
            ("event.a.matches(event.b)", "pattern that is not written"),
            ("event.a.matches('(')", "invalid pattern"),
            ("event.a.matches('(a{100}){100}b')", "with its repetitions"),
            ("event.a.matches('((a{ 10 }){10,}){10}b')", "with its repetitions"),
            ("event.a.exists(x, x.matches('a'))", "within a macro"),
            (&format!("0{} == 0", "-1".repeat(2000)), "nested more than"),
            (&format!("event{} == 0", ".a".repeat(2000)), "nested more than"),
            (&format!("event{} == 0", "[0]".repeat(1300)), "nested more than"),
            (&format!("size({}) > 1", vec!["event.a"; 18].join("+")), "additions"),
            (&"a".repeat(MAX_LENGTH + 1), "is longer than"),
        ] {
            let error = Rule::new(condition, "/").unwrap_err();
            assert!(error.contains(why), "{condition}: {error}");
        }
    }
}
