//! Several images in one request, as `multipart/form-data`.

use serde::Serialize;

use crate::response::Top;

/// Result for one image of a form.
#[derive(Serialize)]
pub(crate) struct Outcome<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<&'a str>,
    /// Status of the response that this image alone would have got.
    pub(crate) status: u16,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) top: Option<Top<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_delivery: Option<&'static str>,
}
