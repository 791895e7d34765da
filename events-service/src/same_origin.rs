//! Protection of destructive endpoints from pages of other origins.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use service_kit::Problem;

/// Rejects requests from pages of another origin. Programs send neither header, and pass.
pub(crate) fn require(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let foreign_site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign_origin = headers.contains_key(ORIGIN) && {
        let origin = text(ORIGIN.as_str()).and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
        origin.is_none() || origin != text(HOST.as_str())
    };
    if foreign_site || foreign_origin {
        return Err(Problem::new(StatusCode::FORBIDDEN, "a page from another origin must not do this"));
    }
    Ok(())
}
