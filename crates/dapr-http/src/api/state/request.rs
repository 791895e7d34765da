//! Reading state requests: `components-contrib/state/{requests,request_options}.go`.

use building_blocks::Metadata;
use building_blocks::state::{Concurrency, Consistency, DeleteRequest, Operation, SetRequest, StateOptions};
use http::StatusCode;
use serde_json::Value;

use crate::error::ApiError;
use crate::json::{Fields, fields};

/// A write as it was read; its options may still be wrong, which Dapr notices later than a wrong type.
pub(super) struct Parsed {
    pub(super) key: String,
    request: SetRequest,
    concurrency: String,
    consistency: String,
}

impl Parsed {
    pub(super) fn checked(self) -> Result<SetRequest, String> {
        let options = options(&self.concurrency, &self.consistency)?;
        Ok(SetRequest { options, ..self.request })
    }
}

/// Reads one write. Metadata of the query string wins over the item's own.
pub(super) fn set(item: &Fields<'_>, of_query: &Metadata) -> Result<Parsed, ApiError> {
    let (concurrency, consistency) = option_texts(item)?;
    let mut metadata = item.map("metadata")?;
    metadata.extend(of_query.clone());
    let key = item.text("key")?.unwrap_or_default();
    let request = SetRequest {
        key: key.clone(),
        value: super::value(item.get("value")).into(),
        etag: item.text("etag")?,
        metadata,
        options: StateOptions::default(),
        content_type: item.text("contentType")?,
    };
    Ok(Parsed { key, request, concurrency, consistency })
}

/// Reads one step of a transaction.
pub(super) fn operation(step: &Value, of_query: &Metadata) -> Result<Operation, ApiError> {
    let step = fields(step, "http.stateTransactionRequestBodyOperation")?;
    let kind = step.text("operation")?.unwrap_or_default();
    let nothing = Value::Object(serde_json::Map::new());
    let request = step.get("request").unwrap_or(&nothing);
    match kind.as_str() {
        "upsert" => {
            let parsed = set(&fields(request, "state.SetRequest").map_err(in_body)?, of_query).map_err(in_body)?;
            parsed.checked().map(Operation::Upsert).map_err(in_transaction)
        }
        "delete" => delete(&fields(request, "state.DeleteRequest").map_err(in_body)?, of_query),
        other => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "ERR_NOT_SUPPORTED_STATE_OPERATION",
            format_args!("operation type {other} not supported"),
        )),
    }
}

fn delete(item: &Fields<'_>, of_query: &Metadata) -> Result<Operation, ApiError> {
    let (concurrency, consistency) = option_texts(item)?;
    let mut metadata = item.map("metadata").map_err(in_body)?;
    metadata.extend(of_query.clone());
    Ok(Operation::Delete(DeleteRequest {
        key: item.text("key").map_err(in_body)?.unwrap_or_default(),
        etag: item.text("etag").map_err(in_body)?,
        metadata,
        options: options(&concurrency, &consistency).map_err(in_transaction)?,
    }))
}

fn in_body(error: ApiError) -> ApiError {
    ApiError::malformed_body(error.message)
}

fn in_transaction(why: String) -> ApiError {
    let message = format!("error while executing state transaction: {why}");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "ERR_STATE_TRANSACTION", message)
}

fn option_texts(item: &Fields<'_>) -> Result<(String, String), ApiError> {
    match item.get("options") {
        None => Ok(Default::default()),
        Some(options) => {
            let options = fields(options, "state.SetStateOption")?;
            Ok((options.text("concurrency")?.unwrap_or_default(), options.text("consistency")?.unwrap_or_default()))
        }
    }
}

/// Both options; empty means the default. The texts of the errors are the components'.
pub(super) fn options(concurrency: &str, consistency_name: &str) -> Result<StateOptions, String> {
    let concurrency = match concurrency {
        "" | "last-write" => Concurrency::LastWrite,
        "first-write" => Concurrency::FirstWrite,
        other => return Err(format!("unrecognized concurrency model '{other}'")),
    };
    Ok(StateOptions { concurrency, consistency: consistency(consistency_name)? })
}

/// How fresh a read, or how widely known a write, must be.
pub(super) fn consistency(name: &str) -> Result<Consistency, String> {
    match name {
        "" | "eventual" => Ok(Consistency::Eventual),
        "strong" => Ok(Consistency::Strong),
        other => Err(format!("unrecognized consistency model '{other}'")),
    }
}
