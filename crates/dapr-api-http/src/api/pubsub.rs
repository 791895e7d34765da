//! Publishing: `onPublish` and `onBulkPublish` in `dapr/pkg/api/http/http.go`.

use dapr_runtime::{ApiError, Body, BulkPublishError, PublishEntry, PublishRequest};
use go_compat::JsonError;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::fields::{fields, items};
use crate::response;
use crate::router::{Call, Endpoint, POST_OR_PUT, Version};
use crate::trace::Trace;

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    bulk(Version::V1Alpha1),
    bulk(Version::V1),
    Endpoint::new(POST_OR_PUT, Version::V1, "publish/{pubsub}/{topic*}", Some("publish"), "PublishEvent", |call| {
        Box::pin(publish(call))
    }),
];

const fn bulk(version: Version) -> Endpoint {
    Endpoint::new(POST_OR_PUT, version, "publish/bulk/{pubsub}/{topic*}", Some("publish"), "BulkPublishEvent", |call| {
        Box::pin(bulk_publish(call))
    })
}

async fn publish(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, pubsub, topic) = (call.sidecar, call.parameter("pubsub"), call.parameter("topic"));
    let metadata = call.query.metadata();
    sidecar.check_topic(&pubsub, &topic, &metadata)?;
    let content_type = call.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (content_type, trace) = (content_type.to_owned(), trace(&call));
    let data = call.body().await?;
    sidecar.publish(&pubsub, PublishRequest { topic, data, content_type, metadata, trace }).await?;
    Ok(response::empty())
}

async fn bulk_publish(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let (sidecar, pubsub, topic) = (call.sidecar, call.parameter("pubsub"), call.parameter("topic"));
    let (metadata, trace) = (call.query.metadata(), trace(&call));
    sidecar.check_topic(&pubsub, &topic, &metadata)?;
    let body = call.body().await?;
    let entries = go_compat::decode(&body, "bulkPublishMessageEntry.event").and_then(|body| read(&body));
    let entries = entries.map_err(|why| ApiError::bulk_events_unreadable(&pubsub, &topic, sidecar.app_id(), why))?;
    match sidecar.bulk_publish(&pubsub, &topic, entries, &metadata, &trace).await {
        Ok(()) => Ok(response::empty()),
        Err(BulkPublishError::Rejected(error)) => Err(error),
        Err(BulkPublishError::Failed(failed)) => {
            let entry = |(id, error): &(String, String)| json!({ "entryId": id, "error": error });
            let failed: Vec<_> = failed.iter().map(entry).collect();
            let body = json!({ "failedEntries": failed, "errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE" });
            Ok(response::data(StatusCode::INTERNAL_SERVER_ERROR, go_compat::write(&body)))
        }
    }
}

/// Returns the trace of a request; one with invalid baggage has been rejected before.
fn trace(call: &Call<'_>) -> (String, String) {
    let trace = Trace::from_request(call.request.uri().path(), call.headers()).ok().flatten();
    trace.map(Trace::into_text).unwrap_or_default()
}

fn read(body: &Value) -> Result<Vec<PublishEntry>, JsonError> {
    let entry = |item: &Value| {
        let entry = fields(item, "http.bulkPublishMessageEntry")?;
        Ok(PublishEntry {
            entry_id: entry.text("entryId")?.unwrap_or_default(),
            event: entry.get("event").cloned().unwrap_or_default(),
            content_type: entry.text("contentType")?.unwrap_or_default(),
            metadata: entry.get("metadata").map(|_| entry.map("metadata")).transpose()?,
        })
    };
    items(body, "[]http.bulkPublishMessageEntry")?.iter().map(entry).collect()
}
