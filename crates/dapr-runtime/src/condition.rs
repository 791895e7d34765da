//! Conditions in CEL: `dapr/pkg/expr/expr.go`.
//!
//! An expression that Go's CEL has and the crate `cel` lacks is an error when a condition is read: times, durations,
//! unknown variables. So is one that takes more than linear time, since anybody may publish a large event: macros
//! (`all`, `exists`, `map`, ...) within macros, functions of a whole variable within a macro, many additions, patterns
//! from a variable or within a macro. A pattern takes as many steps as it is long for each byte of a text, so that both
//! are limited.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cel::common::ast::{EntryExpr, Expr, LiteralValue};
use cel::extractors::This;
use cel::{Context, ExecutionError, IdedExpr, Program};
use regex_lite::Regex;

/// Maximum length of a condition, in bytes.
pub(crate) const MAX_LENGTH: usize = 4096;

/// Maximum number of additions, each of which may copy text.
const MAX_ADDITIONS: usize = 16;

/// Maximum depth of a condition. Evaluating one takes stack for each level.
const MAX_DEPTH: usize = 100;

/// Stack of the thread that reads a condition: enough for the deepest one of [`MAX_LENGTH`].
const READER_STACK: usize = 64 << 20;

/// Maximum length of a pattern, times all of its counted repetitions.
const MAX_PATTERN: usize = 10_000;

/// Steps that all patterns together may take in one context: at most some 50 ms. One takes its own length times the
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

/// A condition.
pub(crate) struct Condition {
    text: String,
    program: Program,
}

/// Creates a context without variables.
///
/// # Errors
/// When a function cannot be added.
pub(crate) fn context() -> Result<Context<'static, 'static>, String> {
    let (mut context, steps) = (Context::default(), AtomicUsize::new(0));
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

impl Condition {
    /// Reads the condition `text`, which may name `variables`.
    ///
    /// # Errors
    /// When it is no CEL that is supported here.
    pub(crate) fn new(text: &str, variables: &[&str]) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("is longer than {MAX_LENGTH} bytes"));
        }
        // A chain of operators is as deep as it is long, and even dropping it takes stack for each level.
        let reading = || compile(text, variables);
        let program = thread::scope(|scope| {
            let reader = thread::Builder::new().stack_size(READER_STACK).spawn_scoped(scope, reading);
            reader.map_err(|error| error.to_string())?.join().unwrap_or_else(|_| Err("is no CEL".to_owned()))
        })?;
        if text.matches('+').count() > MAX_ADDITIONS {
            return Err(format!("has more than {MAX_ADDITIONS} additions"));
        }
        Ok(Self { text: text.to_owned(), program })
    }

    /// Returns the text of the condition.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates the condition.
    ///
    /// # Errors
    /// When it cannot be evaluated, or its value is no boolean.
    pub(crate) fn matches(&self, context: &Context<'_, '_>) -> Result<bool, String> {
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
fn compile(text: &str, variables: &[&str]) -> Result<Program, String> {
    let program = Program::compile(text).map_err(|error| format!("is no CEL: {error}"))?;
    if depth(program.expression()) > MAX_DEPTH {
        return Err(format!("is nested more than {MAX_DEPTH} levels deep; a chain of operators counts, too"));
    }
    Check { roots: variables }.check(program.expression(), variables, false)?;
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

/// Checks that an expression can be evaluated here.
struct Check<'a> {
    /// Variables of the condition, as opposed to those of its macros.
    roots: &'a [&'a str],
}

impl Check<'_> {
    /// Returns true if an expression names a variable of the condition.
    fn names_root(&self, expression: &IdedExpr) -> bool {
        self.roots.iter().any(|root| expression.references().has_variable(root))
    }

    /// Checks an expression, given the `variables` that it may name.
    fn check(&self, expression: &IdedExpr, variables: &[&str], in_macro: bool) -> Result<(), String> {
        let each =
            |expressions: &[&IdedExpr]| expressions.iter().try_for_each(|it| self.check(it, variables, in_macro));
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) if name.starts_with('@') || variables.contains(&name.as_str()) => Ok(()),
            Expr::Ident(name) => {
                let known = self.roots.join(", ");
                Err(format!("names the variable {name}, but there is only: {known}"))
            }
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                if name.starts_with(|first: char| first.is_ascii_alphabetic()) && !FUNCTIONS.contains(&name) {
                    return Err(format!("calls {name}, which is not supported; there are {}", FUNCTIONS.join(", ")));
                }
                if name == "matches" {
                    check_pattern(call.args.last())?;
                }
                let arguments = || call.target.as_deref().into_iter().chain(&call.args);
                let is_linear = || LINEAR.contains(&name) && arguments().any(|it| self.names_root(it));
                if in_macro && (name == "_+_" || name == "matches" || is_linear()) {
                    return Err(format!("has {name} within a macro, which could take forever"));
                }
                call.target.as_deref().map_or(Ok(()), |target| self.check(target, variables, in_macro))?;
                each(&call.args.iter().collect::<Vec<_>>())
            }
            Expr::Select(select) => self.check(&select.operand, variables, in_macro),
            Expr::List(_) | Expr::Map(_) => each(&operands(expression)),
            Expr::Struct(_) => Err("has a message, which is not supported".to_owned()),
            Expr::Comprehension(_) if in_macro => {
                Err("has a macro within a macro, which could take forever".to_owned())
            }
            Expr::Comprehension(comprehension) => {
                each(&[&comprehension.iter_range])?;
                let mut inner = variables.to_vec();
                inner.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
                inner.extend(comprehension.iter_var2.as_deref());
                let parts = [
                    &comprehension.accu_init,
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ];
                parts.iter().try_for_each(|part| self.check(part, &inner, true))
            }
        }
    }
}

/// Checks that a pattern is written in the condition, is valid, and is short.
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
