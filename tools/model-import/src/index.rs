//! Client of a Python package index's simple API: JSON (PEP 691), or HTML (PEP 503) as the fallback.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use url::Url;

use crate::download::agent;
use crate::pip::PipSettings;
use crate::tls::Roots;

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const ACCEPTED: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// Largest accepted file list in bytes; the requested one has two entries.
const MAX_LIST_BYTES: u64 = 4 << 20;

/// A package index. Does not implement `Debug`, because its URL may contain a password.
pub struct Index {
    url: Url,
    authorization: Option<String>,
}

/// Location of a file.
pub struct Located {
    /// URL without a password.
    pub url: String,
    /// Value of the `Authorization` header for that URL.
    pub authorization: Option<String>,
}

/// Error of a lookup.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The index's URL is invalid. It is not shown, because it may contain a password.
    #[error("pip's index address (PIP_INDEX_URL or index-url in pip.conf) is no http or https address")]
    Address,
    /// The index cannot be reached.
    #[error("{url}: {reason}")]
    Unreachable {
        /// URL of the request.
        url: String,
        /// Cause.
        reason: String,
    },
    /// The index does not have the file.
    #[error("{url} does not list {file}")]
    Missing {
        /// URL of the request.
        url: String,
        /// Name of the file.
        file: String,
    },
}

/// The fields of PEP 691 that are used.
#[derive(Deserialize)]
struct Project {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    url: String,
}

impl Index {
    /// Creates the index that pip would use.
    ///
    /// # Errors
    /// If its URL is invalid.
    pub fn new(settings: &PipSettings) -> Result<Self, IndexError> {
        let mut url = Url::parse(settings.index_url.trim()).map_err(|_| IndexError::Address)?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(IndexError::Address);
        }
        let authorization = take_password(&mut url);
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self { url, authorization })
    }

    /// Finds a file of a project.
    ///
    /// # Errors
    /// If the index cannot be reached, or does not have the file.
    pub fn find(&self, project: &str, file: &str, timeout: Duration, roots: &Roots) -> Result<Located, IndexError> {
        let list = self.url.join(&format!("{project}/")).map_err(|_| IndexError::Address)?;
        let unreachable = |reason: String| IndexError::Unreachable { url: list.to_string(), reason };
        let request = agent(timeout, roots).get(list.as_str()).header(ACCEPT, ACCEPTED);
        let request = match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        };
        let mut response = request.call().map_err(|error| unreachable(error.to_string()))?;
        if !response.status().is_success() {
            return Err(unreachable(format!("the index answers {}", response.status())));
        }
        let is_json =
            response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(JSON.as_bytes()));
        let body = response.body_mut().with_config().limit(MAX_LIST_BYTES).read_to_string();
        let body = body.map_err(|error| unreachable(error.to_string()))?;
        let link = if is_json { find_in_json(&body, file) } else { find_in_html(&body, file) };
        let missing = || IndexError::Missing { url: list.to_string(), file: file.to_owned() };
        let mut found = link.and_then(|link| list.join(&link).ok()).ok_or_else(missing)?;
        found.set_fragment(None);
        let own = take_password(&mut found);
        // The index's password is sent only to the index's own origin.
        let shared = self.authorization.clone().filter(|_| found.origin() == self.url.origin());
        Ok(Located { url: found.into(), authorization: own.or(shared) })
    }
}

/// Removes user name and password from a URL, and returns them as an `Authorization` header.
fn take_password(url: &mut Url) -> Option<String> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (decoded(url.username()), url.password().map(decoded));
    if user.is_empty() && password.is_none() {
        return None;
    }
    // Both succeed for URLs with credentials.
    let _ = (url.set_username(""), url.set_password(None));
    Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{}", password.unwrap_or_default()))))
}

fn find_in_json(body: &str, file: &str) -> Option<String> {
    let project: Project = serde_json::from_str(body).ok()?;
    project.files.into_iter().find(|it| it.filename == file).map(|it| it.url)
}

/// Finds the URL of the link with the file's name as text or path.
fn find_in_html(body: &str, file: &str) -> Option<String> {
    let links = body.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        rest.get(1..)?.split_once(quote).map(|(link, _)| link.replace("&amp;", "&"))
    });
    links.into_iter().find(|link| {
        let path = link.split(['#', '?']).next().unwrap_or_default();
        percent_decode_str(path).decode_utf8_lossy().rsplit('/').next() == Some(file)
    })
}
