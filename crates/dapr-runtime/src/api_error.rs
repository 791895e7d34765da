//! Errors of Dapr's APIs, the same through the HTTP and WIT APIs.
//!
//! There are two shapes: a code and a message (`dapr/pkg/messages/predefined.go`), and the same with `details`
//! (`dapr/pkg/api/errors`, `dapr/kit/errors`).

use std::fmt::Display;

use dapr_building_blocks::StateError;
use http::StatusCode;
use serde_json::{Value, json};

use crate::{BindingCallError, InvokeError, SecretCallError, StateCallError};

/// An error of one of Dapr's APIs, as its caller sees it.
#[derive(Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Dapr's error code, such as `ERR_STATE_GET`.
    pub code: &'static str,
    /// Dapr's message.
    pub message: String,
    /// Details, each as JSON.
    pub details: Vec<String>,
}

impl ApiError {
    /// Creates an error without details.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Display) -> Self {
        Self { status, code, message: message.to_string(), details: Vec::new() }
    }

    fn internal(code: &'static str, message: impl Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
    }

    /// A malformed body, with the reason `why`.
    #[must_use]
    pub fn malformed(why: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ERR_MALFORMED_REQUEST", why)
    }

    /// A malformed body, with the text of `messages.ErrMalformedRequest`.
    #[must_use]
    pub fn malformed_body(why: impl Display) -> Self {
        Self::malformed(format_args!("failed deserializing HTTP body: {why}"))
    }

    /// A request without an app id.
    #[must_use]
    pub fn no_app_id() -> Self {
        let message = "failed getting app id either from the URL path or the header dapr-app-id";
        Self::new(StatusCode::NOT_FOUND, "ERR_DIRECT_INVOKE", message)
    }

    /// Components are not loaded yet.
    #[must_use]
    pub fn outbound_not_ready() -> Self {
        Self::internal("ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready")
    }

    /// A failed invocation.
    #[must_use]
    pub fn invoke(target: &str, error: &InvokeError) -> Self {
        let status = match error {
            InvokeError::Denied { .. } => StatusCode::FORBIDDEN,
            InvokeError::Unknown { .. } | InvokeError::NoApplication | InvokeError::Channel(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, "ERR_DIRECT_INVOKE", format_args!("failed to invoke, id: {target}, err: {error}"))
    }

    /// A failed invocation of an output binding.
    #[must_use]
    pub fn binding(name: &str, error: &BindingCallError) -> Self {
        Self::internal("ERR_INVOKE_OUTPUT_BINDING", format_args!("error invoking output binding {name}: {error}"))
    }

    /// A failed read of a secret, or of all secrets without a `key`.
    #[must_use]
    pub fn secret(store: &str, key: Option<&str>, error: &SecretCallError) -> Self {
        match error {
            SecretCallError::NotConfigured => Self::internal("ERR_SECRET_STORES_NOT_CONFIGURED", error),
            SecretCallError::NotFound(_) => Self::new(StatusCode::UNAUTHORIZED, "ERR_SECRET_STORE_NOT_FOUND", error),
            SecretCallError::Denied { .. } => Self::new(StatusCode::FORBIDDEN, "ERR_PERMISSION_DENIED", error),
            SecretCallError::Store(_) => match key {
                Some(key) => Self::internal(
                    "ERR_SECRET_GET",
                    format_args!("failed getting secret with key {key} from secret store {store}: {error}"),
                ),
                None => Self::internal(
                    "ERR_SECRET_GET",
                    format_args!("failed getting secrets from secret store {store}: {error}"),
                ),
            },
        }
    }

    /// A failed read.
    #[must_use]
    pub fn state_get(store: &str, app_id: &str, key: &str, error: &StateCallError) -> Self {
        let message = |why: &str| format!("fail to get {key} from state store {store}: {why}");
        Self::state(store, Some(app_id), error, "ERR_STATE_GET", message, false)
    }

    /// A failed bulk read.
    #[must_use]
    pub fn state_bulk_get(store: &str, app_id: &str, error: &StateCallError) -> Self {
        Self::state(store, Some(app_id), error, "ERR_STATE_BULK_GET", str::to_owned, false)
    }

    /// A failed write.
    #[must_use]
    pub fn state_save(store: &str, app_id: &str, error: &StateCallError) -> Self {
        Self::state(store, Some(app_id), error, "ERR_STATE_SAVE", |why| saving(store, why), true)
    }

    /// A write with invalid options.
    #[must_use]
    pub fn state_save_options(store: &str, why: &str) -> Self {
        Self::internal("ERR_STATE_SAVE", saving(store, why))
    }

    /// A failed deletion.
    #[must_use]
    pub fn state_delete(store: &str, app_id: &str, key: &str, error: &StateCallError) -> Self {
        Self::state(store, Some(app_id), error, "ERR_STATE_DELETE", |why| deleting(key, why), true)
    }

    /// A deletion with invalid options.
    #[must_use]
    pub fn state_delete_options(key: &str, why: &str) -> Self {
        Self::internal("ERR_STATE_DELETE", deleting(key, why))
    }

    /// A failed transaction.
    #[must_use]
    pub fn state_transaction(store: &str, app_id: &str, error: &StateCallError) -> Self {
        Self::state(store, Some(app_id), error, "ERR_STATE_TRANSACTION", transacting, false)
    }

    /// A transaction with invalid options.
    #[must_use]
    pub fn state_transaction_options(why: &str) -> Self {
        Self::internal("ERR_STATE_TRANSACTION", transacting(why))
    }

    /// A query of a missing store.
    #[must_use]
    pub fn state_query(store: &str, error: &StateCallError) -> Self {
        Self::state(store, None, error, "ERR_STATE_QUERY", str::to_owned, false)
    }

    /// Creates a state store error with the `code` of the call. Its `message` surrounds the store's.
    ///
    /// With `etags`, etag errors have a status of their own; in transactions they have not.
    fn state(
        store: &str,
        app_id: Option<&str>,
        error: &StateCallError,
        code: &'static str,
        message: impl FnOnce(&str) -> String,
        etags: bool,
    ) -> Self {
        let app = app_id.map_or(Value::Null, |app_id| json!({ "appID": app_id }));
        match error {
            StateCallError::NotConfigured(_) => {
                Self::internal("ERR_STATE_STORE_NOT_CONFIGURED", error).because("DAPR_STATE_NOT_CONFIGURED", &app)
            }
            StateCallError::NotFound(_) => Self::new(StatusCode::BAD_REQUEST, "ERR_STATE_STORE_NOT_FOUND", error)
                .because("DAPR_STATE_NOT_FOUND", &app),
            StateCallError::IllegalKey(illegal) => {
                let message = format!("api error: code = InvalidArgument desc = {illegal}");
                // In a transaction, Dapr has overwritten the key before it reports the error.
                let field = if code == "ERR_STATE_TRANSACTION" { "" } else { &illegal.0 };
                Self::malformed(&message)
                    .with_violation(field, &message)
                    .about_state_store(store)
                    .because("DAPR_STATE_ILLEGAL_KEY", &Value::Null)
            }
            StateCallError::TransactionsUnsupported(_) => {
                let url = "https://docs.dapr.io/reference/components-reference/supported-state-stores/";
                let link = json!([{ "description": "Check the list of state stores and the features they support", "url": url }]);
                Self::internal("ERR_STATE_STORE_NOT_SUPPORTED", error)
                    .with(json!({ "@type": TYPE_HELP, "links": link }))
                    .about_state_store(store)
                    .because("DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED", &Value::Null)
            }
            StateCallError::TooManyOperations { count, max } => {
                let counts =
                    json!({ "currentOpsTransaction": count.to_string(), "maxOpsPerTransaction": max.to_string() });
                Self::new(StatusCode::BAD_REQUEST, "ERR_STATE_STORE_TOO_MANY_TRANSACTIONS", error)
                    .about_state_store(store)
                    .because("DAPR_STATE_TOO_MANY_TRANSACTIONS", &counts)
            }
            StateCallError::Store(cause) => {
                let status = if etags { etag_status(std::slice::from_ref(cause)) } else { None };
                // A failed transaction is always a 500.
                let status = status.or_else(|| own_status(cause).filter(|_| code != "ERR_STATE_TRANSACTION"));
                Self::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), code, message(&error.to_string()))
            }
            StateCallError::Batch(causes) => match etag_status(causes).filter(|_| etags) {
                // Dapr wraps the errors of a batch into one more of their kind.
                Some(status) => {
                    let all = error.to_string().into();
                    let all = match status {
                        StatusCode::BAD_REQUEST => StateError::EtagInvalid(all),
                        _ => StateError::EtagMismatch(Some(all)),
                    };
                    Self::new(status, code, message(&all.to_string()))
                }
                // Otherwise Dapr reports only the first etag error.
                None => match causes.iter().find(|cause| etags && cause.is_etag()) {
                    Some(first) => {
                        let status = etag_status(std::slice::from_ref(first)).unwrap_or(StatusCode::CONFLICT);
                        Self::new(status, code, message(&first.to_string()))
                    }
                    None => Self::internal(code, message(&error.to_string())),
                },
            },
        }
    }

    /// A query of a store without a query language.
    #[must_use]
    pub fn query_unsupported(store: &str) -> Self {
        Self::internal("ERR_STATE_STORE_NOT_SUPPORTED", "state store does not support querying")
            .about_state_store(store)
            .because("DAPR_STATE_QUERYING_NOT_SUPPORTED", &Value::Null)
    }

    fn with(mut self, detail: Value) -> Self {
        self.details.push(go_compat::write(&detail));
        self
    }

    /// Adds a field violation.
    ///
    /// Its parts are a struct in Go, and so in their own order; an empty field is left out.
    fn with_violation(mut self, field: &str, description: &str) -> Self {
        let text = |text: &str| go_compat::write(&Value::from(text));
        let field = if field.is_empty() { String::new() } else { format!("\"field\":{},", text(field)) };
        let violation = format!("{{{field}\"description\":{}}}", text(description));
        self.details.push(format!("{{\"@type\":\"{TYPE_BAD_REQUEST}\",\"field_violations\":[{violation}]}}"));
        self
    }

    fn about_state_store(self, store: &str) -> Self {
        self.with(json!({
            "@type": "type.googleapis.com/google.rpc.ResourceInfo",
            "description": "",
            "owner": "",
            "resource_name": store,
            "resource_type": "state",
        }))
    }

    fn because(self, reason: &str, metadata: &Value) -> Self {
        self.with(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "domain": "dapr.io",
            "metadata": metadata,
            "reason": reason,
        }))
    }
}

fn saving(store: &str, why: &str) -> String {
    format!("failed saving state in state store {store}: {why}")
}

fn deleting(key: &str, why: &str) -> String {
    format!("failed deleting state with key {key}: {why}")
}

fn transacting(why: &str) -> String {
    format!("error while executing state transaction: {why}")
}

const TYPE_BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
const TYPE_HELP: &str = "type.googleapis.com/google.rpc.Help";

/// Returns the status that the error specifies.
fn own_status(error: &StateError) -> Option<StatusCode> {
    match error {
        StateError::Status { http, .. } => StatusCode::from_u16(*http).ok(),
        _ => None,
    }
}

/// Returns the status of a batch with only etag errors. An invalid etag outweighs a stale one.
fn etag_status(errors: &[StateError]) -> Option<StatusCode> {
    if errors.is_empty() || !errors.iter().all(StateError::is_etag) {
        return None;
    }
    let invalid = errors.iter().any(|error| matches!(error, StateError::EtagInvalid(_)));
    Some(if invalid { StatusCode::BAD_REQUEST } else { StatusCode::CONFLICT })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_of_a_store_reaches_the_caller_except_in_transactions() {
        let own = || StateError::Status { http: 506, code: "Internal".into(), message: "no luck".into() };
        let error = StateCallError::Store(own());
        let get = ApiError::state_get("s", "a", "k", &error);
        assert_eq!((get.status.as_u16(), get.code), (506, "ERR_STATE_GET"));
        assert_eq!(get.message, "fail to get k from state store s: api error: code = Internal desc = no luck");
        assert_eq!(ApiError::state_save("s", "a", &error).status.as_u16(), 506);
        assert_eq!(ApiError::state_delete("s", "a", "k", &error).status.as_u16(), 506);
        assert_eq!(ApiError::state_transaction("s", "a", &error).status.as_u16(), 500);
    }
}
