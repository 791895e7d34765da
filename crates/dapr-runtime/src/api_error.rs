//! Errors of Dapr's APIs, the same through every API.
//!
//! There are two shapes: a code and a message (`dapr/pkg/messages/predefined.go`), and the same with details
//! (`dapr/pkg/api/errors`, `dapr/kit/errors`). The errors of a building block are beside its calls.

use std::fmt::Display;

use dapr_building_blocks::Metadata;
use http::StatusCode;
use serde_json::{Value, json};

/// An error of one of Dapr's APIs, as its caller sees it.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// Kind of the error.
    pub category: ErrorCategory,
    /// HTTP status, where Dapr's differs from that of the category.
    http_status: Option<StatusCode>,
    /// Dapr's error code, such as `ERR_STATE_GET`.
    pub code: &'static str,
    /// Dapr's message.
    pub message: String,
    /// Details, in Dapr's order.
    pub details: Vec<ErrorDetail>,
}

/// Kind of an error, which each protocol maps to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCategory {
    /// The request is invalid.
    InvalidArgument,
    /// The request names something that does not exist.
    NotFound,
    /// The caller may not do this.
    PermissionDenied,
    /// A concurrent change has come first.
    Conflict,
    /// A limit is exceeded; the same request may succeed later.
    ResourceExhausted,
    /// The application's configuration does not support the request.
    FailedPrecondition,
    /// The call failed.
    Internal,
    /// This build does not have the feature.
    Unimplemented,
}

impl ErrorCategory {
    /// Returns the HTTP status.
    #[must_use]
    pub const fn http_status(self) -> StatusCode {
        match self {
            Self::InvalidArgument => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::Conflict => StatusCode::CONFLICT,
            Self::ResourceExhausted => StatusCode::SERVICE_UNAVAILABLE,
            Self::FailedPrecondition | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        }
    }

    /// Returns the gRPC status code (`google.golang.org/grpc/codes`).
    #[must_use]
    pub const fn grpc_code(self) -> i32 {
        match self {
            Self::InvalidArgument => 3,
            Self::NotFound => 5,
            Self::PermissionDenied => 7,
            Self::ResourceExhausted => 8,
            Self::FailedPrecondition => 9,
            Self::Conflict => 10,
            Self::Unimplemented => 12,
            Self::Internal => 13,
        }
    }
}

/// A detail of an error: a message of `google.rpc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorDetail {
    /// `ErrorInfo`: the reason, with metadata; `None` is `null`.
    Reason {
        /// Dapr's reason, such as `DAPR_STATE_NOT_FOUND`.
        reason: &'static str,
        /// Names and values.
        metadata: Option<Metadata>,
    },
    /// `ResourceInfo`: the component that the error is about.
    Resource {
        /// Kind of the component, such as `state`.
        kind: &'static str,
        /// Name of the component.
        name: String,
        /// Description, which some building blocks give.
        description: String,
    },
    /// `BadRequest` with one violation. An empty field is left out.
    Violation {
        /// Field of the request.
        field: String,
        /// Description of the violation.
        description: String,
    },
    /// `Help` with one link.
    Help {
        /// Description of the link.
        description: &'static str,
        /// Address of the link.
        url: &'static str,
    },
}

impl ErrorDetail {
    /// Returns the detail as JSON, as `dapr/kit/errors` writes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Reason { reason, metadata } => go_compat::write(&json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "domain": "dapr.io",
                "metadata": metadata,
                "reason": reason,
            })),
            Self::Resource { kind, name, description } => go_compat::write(&json!({
                "@type": "type.googleapis.com/google.rpc.ResourceInfo",
                "description": description,
                "owner": "",
                "resource_name": name,
                "resource_type": kind,
            })),
            // Its parts are a struct in Go, and so in their own order.
            Self::Violation { field, description } => {
                let text = |text: &str| go_compat::write(&Value::from(text));
                let field = if field.is_empty() { String::new() } else { format!("\"field\":{},", text(field)) };
                let violation = format!("{{{field}\"description\":{}}}", text(description));
                let type_ = "type.googleapis.com/google.rpc.BadRequest";
                format!("{{\"@type\":\"{type_}\",\"field_violations\":[{violation}]}}")
            }
            Self::Help { description, url } => go_compat::write(&json!({
                "@type": "type.googleapis.com/google.rpc.Help",
                "links": [{ "description": description, "url": url }],
            })),
        }
    }
}

impl ApiError {
    /// Creates an error without details.
    #[must_use]
    pub fn new(category: ErrorCategory, code: &'static str, message: impl Display) -> Self {
        Self { category, http_status: None, code, message: message.to_string(), details: Vec::new() }
    }

    /// Creates the error of a call that failed.
    #[must_use]
    pub fn internal(code: &'static str, message: impl Display) -> Self {
        Self::new(ErrorCategory::Internal, code, message)
    }

    /// A malformed body, with the reason `why`.
    #[must_use]
    pub fn malformed(why: impl Display) -> Self {
        Self::new(ErrorCategory::InvalidArgument, "ERR_MALFORMED_REQUEST", why)
    }

    /// A malformed body, with the text of `messages.ErrMalformedRequest`.
    #[must_use]
    pub fn malformed_body(why: impl Display) -> Self {
        Self::malformed(format_args!("failed deserializing HTTP body: {why}"))
    }

    /// Components are not loaded yet.
    #[must_use]
    pub fn outbound_not_ready() -> Self {
        Self::internal("ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready")
    }

    /// HTTP status of the error.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        self.http_status.unwrap_or_else(|| self.category.http_status())
    }

    /// Replaces the HTTP status of the category.
    #[must_use]
    pub fn with_http_status(self, status: StatusCode) -> Self {
        Self { http_status: Some(status), ..self }
    }

    pub(crate) fn with_detail(mut self, detail: ErrorDetail) -> Self {
        self.details.push(detail);
        self
    }

    /// Adds the reason, which comes last.
    pub(crate) fn with_reason(self, reason: &'static str, metadata: Option<Metadata>) -> Self {
        self.with_detail(ErrorDetail::Reason { reason, metadata })
    }

    /// Adds the component that the error is about.
    pub(crate) fn about(self, kind: &'static str, name: &str) -> Self {
        self.with_detail(ErrorDetail::Resource { kind, name: name.to_owned(), description: String::new() })
    }

    /// Adds the component that the error is about, described by the message.
    pub(crate) fn described_about(self, kind: &'static str, name: &str) -> Self {
        let description = self.message.clone();
        self.with_detail(ErrorDetail::Resource { kind, name: name.to_owned(), description })
    }
}
