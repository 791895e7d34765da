//! Routing rules of subscriptions, in CEL: `dapr/pkg/expr/expr.go` and `matchRoutingRule` in
//! `pkg/runtime/subscription/subscription.go`.
//!
//! An expression that Go's CEL has and the crate `cel` lacks is an error when a rule is read: times, durations, other
//! variables than `event`. So is one that takes more than linear time, since anybody may publish a large event: macros
//! (`all`, `exists`, `map`, ...) within macros, functions of the whole event within a macro, many additions, patterns
//! from an event or within a macro. A pattern takes as many steps as it is long for each byte of a text, so that both
//! are limited.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cel::common::ast::{EntryExpr, Expr, LiteralValue};
use cel::extractors::This;
use cel::{Context, ExecutionError, IdedExpr, Program};
use regex_lite::Regex;
use serde_json::{Map, Number, Value};

/// Maximum length of a condition, in bytes.
const MAX_LENGTH: usize = 4096;

/// Size from which an event is large, in bytes.
const LARGE_EVENT: usize = 64 << 10;

/// Maximum number of additions, each of which may copy text.
const MAX_ADDITIONS: usize = 16;

/// Maximum depth of a condition. Evaluating one takes stack for each level.
const MAX_DEPTH: usize = 100;

/// Stack of the thread that reads a condition: enough for the deepest one of [`MAX_LENGTH`].
const READER_STACK: usize = 64 << 20;

/// Maximum length of a pattern, times all of its counted repetitions.
const MAX_PATTERN: usize = 10_000;

/// Steps that all patterns together may take for one event: at most some 50 ms. One takes its own length times the
/// text's.
const MAX_PATTERN_STEPS: usize = 1 << 20;

/// Functions that read all of their arguments.
const LINEAR: &[&str] = &["@in", "bytes", "contains", "endsWith", "matches", "startsWith", "string"];

/// Functions of the crate `cel`. Operators have names that begin with another character than a letter.
const FUNCTIONS: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];

/// A rule: events that its condition matches go to its path.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Condition; without one the rule matches every event.
    condition: Option<Arc<Condition>>,
    /// Path of the application.
    pub path: String,
}

struct Condition {
    text: String,
    program: Program,
}

impl Rule {
    /// Creates a rule with the condition `text`; empty text matches every event.
    ///
    /// # Errors
    /// When the condition is no CEL that is supported here.
    pub fn new(text: &str, path: &str) -> Result<Self, String> {
        let text = text.trim();
        let condition = if text.is_empty() { None } else { Some(Arc::new(Condition::new(text)?)) };
        Ok(Self { condition, path: path.to_owned() })
    }

    /// Returns the text of the condition; empty without one.
    #[must_use]
    pub fn condition(&self) -> &str {
        self.condition.as_ref().map_or("", |condition| &condition.text)
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
    let mut context = Context::default();
    context.add_variable_from_value("event", event);
    let steps = AtomicUsize::new(0);
    let matches = move |This(text): This<Arc<String>>, pattern: Arc<String>| {
        let taken = pattern_size(&pattern).saturating_mul(text.len());
        if steps.fetch_add(taken, Ordering::Relaxed).saturating_add(taken) > MAX_PATTERN_STEPS {
            return Err(ExecutionError::function_error("matches", "the text is too long for the pattern"));
        }
        let pattern = Regex::new(&pattern).map_err(|error| ExecutionError::function_error("matches", error))?;
        Ok(pattern.is_match(&text))
    };
    context.add_function("matches", matches).map_err(|error| error.to_string())?;
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

impl Condition {
    fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("is longer than {MAX_LENGTH} bytes"));
        }
        // A chain of operators is as deep as it is long, and even dropping it takes stack for each level.
        let reading = || compile(text);
        let program = thread::scope(|scope| {
            let reader = thread::Builder::new().stack_size(READER_STACK).spawn_scoped(scope, reading);
            reader.map_err(|error| error.to_string())?.join().unwrap_or_else(|_| Err("is no CEL".to_owned()))
        })?;
        if text.matches('+').count() > MAX_ADDITIONS {
            return Err(format!("has more than {MAX_ADDITIONS} additions"));
        }
        Ok(Self { text: text.to_owned(), program })
    }

    fn matches(&self, context: &Context<'_, '_>) -> Result<bool, String> {
        match self.program.execute(context) {
            Ok(cel::Value::Bool(matches)) => Ok(matches),
            Ok(_) => Err(format!("the result of match expression {} was not a boolean", self.text)),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(formatter)
    }
}

/// Compiles a condition that can be evaluated here.
fn compile(text: &str) -> Result<Program, String> {
    let program = Program::compile(text).map_err(|error| format!("is no CEL: {error}"))?;
    if depth(program.expression()) > MAX_DEPTH {
        return Err(format!("is nested more than {MAX_DEPTH} levels deep; a chain of operators counts, too"));
    }
    check(program.expression(), &[], false)?;
    Ok(program)
}

/// Returns the depth of an expression, without recursion.
fn depth(expression: &IdedExpr) -> usize {
    let mut deepest = 0;
    let mut pending = vec![(expression, 1)];
    while let Some((expression, depth)) = pending.pop() {
        deepest = deepest.max(depth);
        pending.extend(operands(expression).into_iter().map(|operand| (operand, depth + 1)));
    }
    deepest
}

/// Returns the direct parts of an expression.
fn operands(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Vec::new(),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Select(select) => vec![&*select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_operands(&entry.expr)).collect(),
        Expr::Struct(message) => message.entries.iter().flat_map(|entry| entry_operands(&entry.expr)).collect(),
        Expr::Comprehension(comprehension) => vec![
            &comprehension.iter_range,
            &comprehension.accu_init,
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ],
    }
}

fn entry_operands(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(field) => vec![&field.value],
    }
}

/// Returns true if an expression names the event.
fn names_event(expression: &IdedExpr) -> bool {
    expression.references().has_variable("event")
}

/// Checks that an expression can be evaluated here, given the variables of the macro around it.
fn check(expression: &IdedExpr, variables: &[&str], in_macro: bool) -> Result<(), String> {
    let each = |expressions: &[&IdedExpr]| expressions.iter().try_for_each(|it| check(it, variables, in_macro));
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => Ok(()),
        Expr::Ident(name) if name == "event" || name.starts_with('@') || variables.contains(&name.as_str()) => Ok(()),
        Expr::Ident(name) => Err(format!("names {name:?}, but the only variable is \"event\"")),
        Expr::Call(call) => {
            let name = call.func_name.as_str();
            if name.starts_with(|first: char| first.is_ascii_alphabetic()) && !FUNCTIONS.contains(&name) {
                return Err(format!("calls {name}, which is not supported; there are {}", FUNCTIONS.join(", ")));
            }
            if name == "matches" {
                check_pattern(call.args.last())?;
            }
            let arguments = || call.target.as_deref().into_iter().chain(&call.args);
            if in_macro
                && (name == "_+_" || name == "matches" || LINEAR.contains(&name) && arguments().any(names_event))
            {
                return Err(format!("has {name} within a macro, which could take forever"));
            }
            call.target.as_deref().map_or(Ok(()), |target| check(target, variables, in_macro))?;
            each(&call.args.iter().collect::<Vec<_>>())
        }
        Expr::Select(select) => check(&select.operand, variables, in_macro),
        Expr::List(_) | Expr::Map(_) => each(&operands(expression)),
        Expr::Struct(_) => Err("has a message, which is not supported".to_owned()),
        Expr::Comprehension(_) if in_macro => Err("has a macro within a macro, which could take forever".to_owned()),
        Expr::Comprehension(comprehension) => {
            each(&[&comprehension.iter_range])?;
            let mut inner = variables.to_vec();
            inner.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
            inner.extend(comprehension.iter_var2.as_deref());
            let parts =
                [&comprehension.accu_init, &comprehension.loop_cond, &comprehension.loop_step, &comprehension.result];
            parts.iter().try_for_each(|part| check(part, &inner, true))
        }
    }
}

/// Checks that a pattern is written in the rule, is valid, and is short.
fn check_pattern(pattern: Option<&IdedExpr>) -> Result<(), String> {
    let Some(Expr::Literal(LiteralValue::String(pattern))) = pattern.map(|it| &it.expr) else {
        return Err("has a pattern that is not written in the rule".to_owned());
    };
    if pattern_size(pattern.inner()) > MAX_PATTERN {
        return Err(format!("has a pattern of more than {MAX_PATTERN} characters, with its repetitions"));
    }
    Regex::new(pattern.inner()).map(drop).map_err(|error| format!("has an invalid pattern: {error}"))
}

/// Returns the length of a pattern times the numbers of its counted repetitions, such as `{2,5}`.
fn pattern_size(pattern: &str) -> usize {
    let counted = pattern.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let counts =
        counted.filter_map(|(counts, _)| counts.split(',').filter_map(|count| count.trim().parse().ok()).max());
    counts.fold(pattern.len(), |size: usize, count: usize| size.saturating_mul(count.max(1)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            ("evnt.type == 'a'", "the only variable"),
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
            (&format!("size({}) > 1", vec!["event.a"; 18].join("+")), "additions"),
            (&"a".repeat(MAX_LENGTH + 1), "is longer than"),
            (&format!("0{} == 0", "-1".repeat(2000)), "nested more than"),
            (&format!("event{} == 0", ".a".repeat(2000)), "nested more than"),
            (&format!("event{} == 0", "[0]".repeat(1300)), "nested more than"),
        ] {
            let error = Rule::new(condition, "/").unwrap_err();
            assert!(error.contains(why), "{condition}: {error}");
        }
    }
}
