//! Parses state requests: `components-contrib/state/{requests,request_options}.go`.

use dapr_building_blocks::Metadata;
use dapr_building_blocks::state::{Concurrency, Consistency, DeleteRequest, Operation, SetRequest, StateOptions};
use dapr_runtime::{ApiError, ErrorCategory};
use serde_json::Value;

use crate::fields::{Fields, fields, mapped};
use go_compat::JsonError;

/// A parsed write.
///
/// Its options may still be invalid, which Dapr reports later than a wrong type.
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

/// Parses one write. Metadata of the query string overrides the item's own.
pub(super) fn set(item: &Fields<'_>, query_metadata: &Metadata) -> Result<Parsed, JsonError> {
    let (concurrency, consistency) = option_texts(item)?;
    let mut metadata = item.map("metadata")?;
    metadata.extend(query_metadata.clone());
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

/// Parses a bulk read: keys, metadata, and maximum parallelism.
pub(super) fn bulk(body: &Value) -> Result<(Vec<String>, Metadata, usize), JsonError> {
    let body = fields(body, "http.BulkGetRequest")?;
    let parallelism = usize::try_from(body.number("parallelism")?.unwrap_or_default()).unwrap_or_default();
    Ok((body.texts("keys")?, body.map("metadata")?, parallelism))
}

/// Parses one step of a transaction.
pub(super) fn operation(step: &Value, query_metadata: &Metadata) -> Result<Operation, ApiError> {
    let step = fields(step, "stateTransactionRequestBody.operations").map_err(ApiError::malformed_body)?;
    let kind = step.text("operation").map_err(ApiError::malformed_body)?.unwrap_or_default();
    let request = || mapped(step.get("request"));
    match kind.as_str() {
        "upsert" => {
            let parsed = request().and_then(|item| set(&item, query_metadata)).map_err(ApiError::malformed_body)?;
            parsed.checked().map(Operation::Upsert).map_err(|why| ApiError::state_transaction_options(&why))
        }
        "delete" => {
            let parsed = request().and_then(|item| delete(&item, query_metadata)).map_err(ApiError::malformed_body)?;
            let (request, concurrency, consistency) = parsed;
            let options =
                options(&concurrency, &consistency).map_err(|why| ApiError::state_transaction_options(&why))?;
            Ok(Operation::Delete(DeleteRequest { options, ..request }))
        }
        other => Err(ApiError::new(
            ErrorCategory::InvalidArgument,
            "ERR_NOT_SUPPORTED_STATE_OPERATION",
            format_args!("operation type {other} not supported"),
        )),
    }
}

/// Parses a deletion; its options remain text.
fn delete(item: &Fields<'_>, query_metadata: &Metadata) -> Result<(DeleteRequest, String, String), JsonError> {
    let (concurrency, consistency) = option_texts(item)?;
    let mut metadata = item.map("metadata")?;
    metadata.extend(query_metadata.clone());
    let (key, etag) = (item.text("key")?.unwrap_or_default(), item.text("etag")?);
    Ok((DeleteRequest { key, etag, metadata, options: StateOptions::default() }, concurrency, consistency))
}

fn option_texts(item: &Fields<'_>) -> Result<(String, String), JsonError> {
    let options = item.object("options", "state.SetStateOption")?;
    Ok((options.text("concurrency")?.unwrap_or_default(), options.text("consistency")?.unwrap_or_default()))
}

/// Parses both options; empty means the default. The error texts are the components'.
pub(super) fn options(concurrency: &str, consistency_name: &str) -> Result<StateOptions, String> {
    let concurrency = match concurrency {
        "" => Concurrency::Unset,
        "last-write" => Concurrency::LastWrite,
        "first-write" => Concurrency::FirstWrite,
        other => return Err(format!("unrecognized concurrency model '{other}'")),
    };
    Ok(StateOptions { concurrency, consistency: consistency(consistency_name)? })
}

/// Parses the consistency level of a read or write.
pub(super) fn consistency(name: &str) -> Result<Consistency, String> {
    match name {
        "" | "eventual" => Ok(Consistency::Eventual),
        "strong" => Ok(Consistency::Strong),
        other => Err(format!("unrecognized consistency model '{other}'")),
    }
}
