//! Finds files of a Python package index by its simple API: JSON (PEP 691), or HTML (PEP 503) where an index has only that.

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

/// Longer lists of files are refused; the one that is asked for has two entries.
const MAX_LIST_BYTES: u64 = 4 << 20;

/// A package index. It has no `Debug`: its address may have come with a password.
pub struct Index {
    url: Url,
    authorization: Option<String>,
}

/// Where a file is.
pub struct Located {
    /// Its address, without any password.
    pub url: String,
    /// The value of `Authorization` for that address.
    pub authorization: Option<String>,
}

/// Why a file was not found.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The index's address is none. It is not shown, because it may hold a password.
    #[error("pip's index address (PIP_INDEX_URL or index-url in pip.conf) is no http or https address")]
    Address,
    /// The index cannot be asked.
    #[error("{url}: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The index does not have the file.
    #[error("{url} does not list {file}")]
    Missing {
        /// What was asked for.
        url: String,
        /// The file.
        file: String,
    },
}

/// The part of PEP 691 that is read here.
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
    /// The index that pip would use.
    ///
    /// # Errors
    /// When its address is none.
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

    /// Where a project's file is.
    ///
    /// # Errors
    /// When the index cannot be asked, or does not have it.
    pub fn find(&self, project: &str, file: &str, patience: Duration, roots: &Roots) -> Result<Located, IndexError> {
        let list = self.url.join(&format!("{project}/")).map_err(|_| IndexError::Address)?;
        let unreachable = |reason: String| IndexError::Unreachable { url: list.to_string(), reason };
        let request = agent(patience, roots).get(list.as_str()).header(ACCEPT, ACCEPTED);
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
        let link = if is_json { in_json(&body, file) } else { in_html(&body, file) };
        let missing = || IndexError::Missing { url: list.to_string(), file: file.to_owned() };
        let mut found = link.and_then(|link| list.join(&link).ok()).ok_or_else(missing)?;
        found.set_fragment(None);
        let own = take_password(&mut found);
        // A password for the index is for nobody else.
        let shared = self.authorization.clone().filter(|_| found.origin() == self.url.origin());
        Ok(Located { url: found.into(), authorization: own.or(shared) })
    }
}

/// Takes user name and password out of an address: the header that they mean.
fn take_password(url: &mut Url) -> Option<String> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (decoded(url.username()), url.password().map(decoded));
    if user.is_empty() && password.is_none() {
        return None;
    }
    // Both succeed for addresses that have them.
    let _ = (url.set_username(""), url.set_password(None));
    Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{}", password.unwrap_or_default()))))
}

fn in_json(body: &str, file: &str) -> Option<String> {
    let project: Project = serde_json::from_str(body).ok()?;
    project.files.into_iter().find(|it| it.filename == file).map(|it| it.url)
}

/// The address in the link whose text or path is the file's name.
fn in_html(body: &str, file: &str) -> Option<String> {
    let links = body.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        rest.get(1..)?.split_once(quote).map(|(link, _)| link.replace("&amp;", "&"))
    });
    links.into_iter().find(|link| {
        let path = link.split(['#', '?']).next().unwrap_or_default();
        percent_decode_str(path).decode_utf8_lossy().rsplit('/').next() == Some(file)
    })
}
