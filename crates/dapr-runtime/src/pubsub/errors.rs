//! Errors of the pub/sub API: `dapr/pkg/api/errors/pubsub.go`.

use std::fmt::Display;

use dapr_building_blocks::Metadata;
use dapr_building_blocks::pubsub::PubSubError;
use http::StatusCode;

use crate::api_error::{ApiError, ErrorCategory};

/// Kind of the component, in the errors' details.
const KIND: &str = "pubsub";

/// An error of publishing.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The application has no broker of this name.
    #[error("pubsub '{0}' not found")]
    NotFound(String),
    /// The broker's scopes exclude the topic.
    #[error("topic {topic} is not allowed for app id {app_id}")]
    Forbidden {
        /// Topic of the message.
        topic: String,
        /// The application.
        app_id: String,
    },
    /// The broker failed.
    #[error("{0}")]
    Broker(#[from] PubSubError),
}

impl ApiError {
    /// The application has no broker `pubsub`.
    #[must_use]
    pub fn pubsub_not_found(pubsub: &str, metadata: Metadata) -> Self {
        Self::new(ErrorCategory::InvalidArgument, "ERR_PUBSUB_NOT_FOUND", format_args!("pubsub {pubsub} is not found"))
            .with_http_status(StatusCode::NOT_FOUND)
            .with_reason("DAPR_PUBSUB_NOT_FOUND", Some(metadata))
    }

    /// A request without a topic.
    #[must_use]
    pub fn topic_empty(pubsub: &str, metadata: Metadata) -> Self {
        let message = format_args!("topic is empty in pubsub {pubsub}");
        Self::new(ErrorCategory::InvalidArgument, "ERR_TOPIC_NAME_EMPTY", message)
            .with_http_status(StatusCode::NOT_FOUND)
            .described_about(KIND, pubsub)
            .with_reason("DAPR_PUBSUB_TOPIC_NAME_EMPTY", Some(metadata))
    }

    /// Metadata of a request that cannot be read.
    #[must_use]
    pub fn pubsub_metadata(pubsub: &str, metadata: Metadata, why: impl Display) -> Self {
        let message = format_args!("failed deserializing metadata. Error: {why}");
        Self::new(ErrorCategory::InvalidArgument, "ERR_PUBSUB_REQUEST_METADATA", message)
            .described_about(KIND, pubsub)
            .with_reason("DAPR_PUBSUB_METADATA_DESERIALIZATION", Some(metadata))
    }

    /// A payload that is no CloudEvent, although it claims to be one.
    #[must_use]
    pub fn cloud_event(pubsub: &str, app_id: &str, why: impl Display) -> Self {
        Self::new(ErrorCategory::InvalidArgument, "ERR_PUBSUB_CLOUD_EVENTS_SER", "cannot create cloudevent")
            .with_http_status(StatusCode::INTERNAL_SERVER_ERROR)
            .described_about(KIND, pubsub)
            .with_reason("DAPR_PUBSUB_CLOUD_EVENT_CREATION", Some(app_error(app_id, why)))
    }

    /// A bulk request that cannot be read.
    #[must_use]
    pub fn bulk_events_unreadable(pubsub: &str, topic: &str, app_id: &str, why: impl Display) -> Self {
        let message = format_args!("error when unmarshaling the request for topic {topic} pubsub {pubsub}: {why}");
        Self::bulk_events(pubsub, message, "DAPR_PUBSUB_UNMARSHAL_EVENTS", Metadata::from([app(app_id)]))
    }

    /// An entry of a bulk request whose event does not fit its content type.
    #[must_use]
    pub fn bulk_event_mismatch(pubsub: &str, topic: &str, app_id: &str, why: impl Display) -> Self {
        let message = format!("error when marshalling cloud event envelope for topic {topic} pubsub {pubsub}: {why}");
        Self::bulk_events(pubsub, message, "DAPR_PUBSUB_MARSHAL_ENVELOPE", app_error(app_id, why))
    }

    /// An entry of a bulk request without an id of its own.
    #[must_use]
    pub fn bulk_entry_id(pubsub: &str, topic: &str, app_id: &str) -> Self {
        let why = "entryId is duplicated or not present for entry";
        let message = format!("error marshaling events to bytes for topic {topic} pubsub {pubsub}. error: {why}");
        Self::bulk_events(pubsub, message, "DAPR_PUBSUB_MARSHAL_EVENTS", app_error(app_id, why))
    }

    fn bulk_events(pubsub: &str, message: impl Display, reason: &'static str, metadata: Metadata) -> Self {
        Self::new(ErrorCategory::InvalidArgument, "ERR_PUBSUB_EVENTS_SER", message)
            .described_about(KIND, pubsub)
            .with_reason(reason, Some(metadata))
    }

    /// A failed publish.
    #[must_use]
    pub fn publish(pubsub: &str, topic: &str, error: &PublishError) -> Self {
        let metadata = [("topic".to_owned(), topic.to_owned()), ("error".to_owned(), error.to_string())].into();
        let (failed, reason) = match error {
            PublishError::Forbidden { .. } => {
                (Self::new(ErrorCategory::PermissionDenied, "ERR_PUBSUB_FORBIDDEN", error), "DAPR_PUBSUB_FORBIDDEN")
            }
            PublishError::NotFound(_) => {
                let failed = Self::new(ErrorCategory::NotFound, "ERR_PUBSUB_NOT_FOUND", error);
                (failed.with_http_status(StatusCode::BAD_REQUEST), "DAPR_PUBSUB_TEST_NOT_FOUND")
            }
            PublishError::Broker(why) => {
                let message = format_args!("error when publishing to topic {topic} in pubsub {pubsub}: {why}");
                (Self::internal("ERR_PUBSUB_PUBLISH_MESSAGE", message), "DAPR_PUBSUB_PUBLISH_MESSAGE")
            }
        };
        failed.described_about(KIND, pubsub).with_reason(reason, Some(metadata))
    }
}

fn app(app_id: &str) -> (String, String) {
    ("appID".to_owned(), app_id.to_owned())
}

fn app_error(app_id: &str, why: impl Display) -> Metadata {
    [app(app_id), ("error".to_owned(), why.to_string())].into()
}
