//! Errors of the state API: `dapr/pkg/api/errors/state.go`.

use dapr_building_blocks::{Metadata, StateError};
use http::StatusCode;

use crate::StateCallError;
use crate::api_error::{ApiError, ErrorCategory, ErrorDetail};

impl ApiError {
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
        let app = app_id.map(|app_id| Metadata::from([("appID".to_owned(), app_id.to_owned())]));
        match error {
            StateCallError::NotConfigured(_) => {
                Self::new(ErrorCategory::FailedPrecondition, "ERR_STATE_STORE_NOT_CONFIGURED", error)
                    .with_reason("DAPR_STATE_NOT_CONFIGURED", app)
            }
            StateCallError::NotFound(_) => {
                Self::new(ErrorCategory::InvalidArgument, "ERR_STATE_STORE_NOT_FOUND", error)
                    .with_reason("DAPR_STATE_NOT_FOUND", app)
            }
            StateCallError::IllegalKey(illegal) => {
                let message = format!("api error: code = InvalidArgument desc = {illegal}");
                // In a transaction, Dapr has overwritten the key before it reports the error.
                let field = if code == "ERR_STATE_TRANSACTION" { "" } else { &illegal.0 }.to_owned();
                Self::malformed(&message)
                    .with_detail(ErrorDetail::Violation { field, description: message })
                    .about("state", store)
                    .with_reason("DAPR_STATE_ILLEGAL_KEY", None)
            }
            StateCallError::TransactionsUnsupported(_) => {
                let help = ErrorDetail::Help {
                    description: "Check the list of state stores and the features they support",
                    url: "https://docs.dapr.io/reference/components-reference/supported-state-stores/",
                };
                Self::new(ErrorCategory::FailedPrecondition, "ERR_STATE_STORE_NOT_SUPPORTED", error)
                    .with_detail(help)
                    .about("state", store)
                    .with_reason("DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED", None)
            }
            StateCallError::TooManyOperations { count, max } => {
                let counts = Metadata::from([
                    ("currentOpsTransaction".to_owned(), count.to_string()),
                    ("maxOpsPerTransaction".to_owned(), max.to_string()),
                ]);
                Self::new(ErrorCategory::InvalidArgument, "ERR_STATE_STORE_TOO_MANY_TRANSACTIONS", error)
                    .about("state", store)
                    .with_reason("DAPR_STATE_TOO_MANY_TRANSACTIONS", Some(counts))
            }
            StateCallError::Outbox(cause) => {
                let mut details = app.unwrap_or_default();
                details.insert("error".to_owned(), cause.to_string());
                Self::internal("ERR_PUBLISH_OUTBOX", error).with_reason("DAPR_PUBSUB_OUTBOX", Some(details))
            }
            StateCallError::Store(cause) => {
                let message = message(&error.to_string());
                if let Some(category) = etag_category(std::slice::from_ref(cause)).filter(|_| etags) {
                    return Self::new(category, code, message);
                }
                let failed = Self::internal(code, message);
                // A failed transaction is always a 500.
                match own_status(cause).filter(|_| code != "ERR_STATE_TRANSACTION") {
                    Some(status) => failed.with_http_status(status),
                    None => failed,
                }
            }
            StateCallError::Batch(causes) => match etag_category(causes).filter(|_| etags) {
                // Dapr wraps the errors of a batch into one more of their kind.
                Some(category) => {
                    let all = error.to_string().into();
                    let all = match category {
                        ErrorCategory::InvalidArgument => StateError::EtagInvalid(all),
                        _ => StateError::EtagMismatch(Some(all)),
                    };
                    Self::new(category, code, message(&all.to_string()))
                }
                // Otherwise Dapr reports only the first etag error.
                None => match causes.iter().find(|cause| etags && cause.is_etag()) {
                    Some(first) => {
                        let category = etag_category(std::slice::from_ref(first)).unwrap_or(ErrorCategory::Conflict);
                        Self::new(category, code, message(&first.to_string()))
                    }
                    None => Self::internal(code, message(&error.to_string())),
                },
            },
        }
    }

    /// A query of a store without a query language.
    #[must_use]
    pub fn query_unsupported(store: &str) -> Self {
        let message = "state store does not support querying";
        Self::new(ErrorCategory::FailedPrecondition, "ERR_STATE_STORE_NOT_SUPPORTED", message)
            .about("state", store)
            .with_reason("DAPR_STATE_QUERYING_NOT_SUPPORTED", None)
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

/// Returns the status that the error specifies.
fn own_status(error: &StateError) -> Option<StatusCode> {
    match error {
        StateError::Status { http, .. } => StatusCode::from_u16(*http).ok(),
        _ => None,
    }
}

/// Returns the category of a batch with only etag errors. An invalid etag outweighs a stale one.
fn etag_category(errors: &[StateError]) -> Option<ErrorCategory> {
    if errors.is_empty() || !errors.iter().all(StateError::is_etag) {
        return None;
    }
    let invalid = errors.iter().any(|error| matches!(error, StateError::EtagInvalid(_)));
    Some(if invalid { ErrorCategory::InvalidArgument } else { ErrorCategory::Conflict })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_of_a_store_reaches_the_caller_except_in_transactions() {
        let own = || StateError::Status { http: 506, code: "Internal".into(), message: "no luck".into() };
        let error = StateCallError::Store(own());
        let get = ApiError::state_get("s", "a", "k", &error);
        assert_eq!((get.http_status().as_u16(), get.code), (506, "ERR_STATE_GET"));
        assert_eq!(get.message, "fail to get k from state store s: api error: code = Internal desc = no luck");
        assert_eq!(ApiError::state_save("s", "a", &error).http_status().as_u16(), 506);
        assert_eq!(ApiError::state_delete("s", "a", "k", &error).http_status().as_u16(), 506);
        assert_eq!(ApiError::state_transaction("s", "a", &error).http_status().as_u16(), 500);
    }
}
