//! Conditions in CEL: `dapr/pkg/expr/expr.go`.
//!
//! An expression that Go's CEL has and the crate `cel` lacks is an error when a condition is read: times, durations,
//! unknown variables. So is one that takes more than linear time, since anybody may publish a large event: macros
//! (`all`, `exists`, `map`, ...) within macros, functions of a whole variable within a macro, many additions, patterns
//! from a variable.

use std::fmt;

use cel::common::ast::{EntryExpr, Expr};
use cel::{Context, IdedExpr, Program};

/// Maximum length of a condition, in bytes.
pub(crate) const MAX_LENGTH: usize = 4096;

/// Maximum number of additions, each of which may copy text.
const MAX_ADDITIONS: usize = 16;

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

impl Condition {
    /// Reads the condition `text`, which may name `variables`.
    ///
    /// # Errors
    /// When it is no CEL that is supported here.
    pub(crate) fn new(text: &str, variables: &[&str]) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("is longer than {MAX_LENGTH} bytes"));
        }
        let program = Program::compile(text).map_err(|error| format!("is no CEL: {error}"))?;
        Check { roots: variables }.check(program.expression(), variables, false)?;
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
                if name == "matches" && !matches!(call.args.last().map(|it| &it.expr), Some(Expr::Literal(_))) {
                    return Err("has a pattern that is not written in the rule".to_owned());
                }
                let arguments = || call.target.as_deref().into_iter().chain(&call.args);
                if in_macro && (name == "_+_" || LINEAR.contains(&name) && arguments().any(|it| self.names_root(it))) {
                    return Err(format!("has {name} of a whole variable within a macro, which could take forever"));
                }
                call.target.as_deref().map_or(Ok(()), |target| self.check(target, variables, in_macro))?;
                each(&call.args.iter().collect::<Vec<_>>())
            }
            Expr::Select(select) => self.check(&select.operand, variables, in_macro),
            Expr::List(list) => each(&list.elements.iter().collect::<Vec<_>>()),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => each(&[&entry.key, &entry.value]),
                EntryExpr::StructField(field) => each(&[&field.value]),
            }),
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
