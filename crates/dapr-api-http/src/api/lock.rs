//! Distributed locks: `dapr/pkg/api/http/lock.go`.

use dapr_building_blocks::lock::{TryLockRequest, UnlockRequest};
use dapr_runtime::{ApiError, Body};
use http::{Method, Response, StatusCode};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::response;
use crate::router::{Call, Endpoint, Version};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(&[Method::POST], Version::V1Alpha1, "lock/{store}", Some("lock"), "TryLock", |call| {
        Box::pin(try_lock(call))
    }),
    Endpoint::new(&[Method::POST], Version::V1Alpha1, "unlock/{store}", Some("unlock"), "Unlock", |call| {
        Box::pin(unlock(call))
    }),
];

/// Body of both requests: a message of `lock.proto` as protojson, with names in either spelling.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LockBody {
    #[serde(rename = "resourceId", alias = "resource_id")]
    resource: Option<String>,
    #[serde(rename = "lockOwner", alias = "lock_owner")]
    owner: Option<String>,
    #[serde(rename = "expiryInSeconds", alias = "expiry_in_seconds", deserialize_with = "int32")]
    expiry_seconds: i32,
}

async fn try_lock(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, store) = (call.sidecar, call.parameter("store"));
    let body = parse(&call.body().await?)?;
    let request = TryLockRequest {
        resource: body.resource.unwrap_or_default(),
        owner: body.owner.unwrap_or_default(),
        expiry_seconds: body.expiry_seconds,
    };
    let success = sidecar.try_lock(&store, request).await?;
    Ok(response::data(StatusCode::OK, json!({ "success": success }).to_string()))
}

async fn unlock(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, store) = (call.sidecar, call.parameter("store"));
    let body = parse(&call.body().await?)?;
    let request = UnlockRequest { resource: body.resource.unwrap_or_default(), owner: body.owner.unwrap_or_default() };
    let status = sidecar.unlock(&store, request).await?;
    Ok(response::data(StatusCode::OK, json!({ "status": status as i32 }).to_string()))
}

/// Parses a body; an empty one is an empty message.
fn parse(body: &[u8]) -> Result<LockBody, ApiError> {
    if body.is_empty() {
        return Ok(LockBody::default());
    }
    serde_json::from_slice(body).map_err(|error| ApiError::malformed_body(format_args!("proto: {error}")))
}

/// Reads an `int32` of protojson: a number without a fraction, which may be text; `null` is zero.
fn int32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = match &value {
        Value::Null => Some(0.0),
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.trim() == text => text.parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| number.fract() == 0.0 && (i32::MIN.into()..=i32::MAX.into()).contains(number));
    number
        .map(|number| number as i32)
        .ok_or_else(|| D::Error::custom(format!("invalid value for int32 field: {value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_read_as_protojson() {
        let seconds =
            |text: &str| parse(format!("{{\"expiryInSeconds\":{text}}}").as_bytes()).map(|it| it.expiry_seconds);
        for (text, expected) in [("10", 10), ("\"10\"", 10), ("1e1", 10), ("10.0", 10), ("null", 0), ("-1", -1)] {
            assert_eq!(seconds(text).unwrap(), expected, "{text}");
        }
        for text in ["1.5", "\"x\"", "true", "3000000000", "[]"] {
            assert_eq!(seconds(text).unwrap_err().http_status().as_u16(), 400, "{text}");
        }
        let both = parse(br#"{"resource_id":"r","lockOwner":"o","unknown":1}"#).unwrap();
        assert_eq!((both.resource.as_deref(), both.owner.as_deref()), (Some("r"), Some("o")));
        assert_eq!(parse(b"").unwrap().expiry_seconds, 0);
        assert!(parse(b"{").is_err() && parse(br#"{"resourceId":1}"#).is_err());
    }
}
