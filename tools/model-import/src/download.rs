//! Resumable downloads. Received bytes are not fetched again, the content is verified, and a file appears only when
//! complete.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::StatusCode;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, RANGE};

use crate::directory::hex;
use crate::tls::Roots;

/// Longest silence of a server before a new attempt, which resumes the download.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);

/// Most attempts in a row without progress.
const MAX_ATTEMPTS: u32 = 4;

/// Short timeouts for a download with an alternative: an unreachable server fails early.
const FAST_SILENCE_TIMEOUT: Duration = Duration::from_secs(5);
const FAST_MAX_ATTEMPTS: u32 = 1;

/// Largest file in bytes: models for services are smaller.
const MAX_BYTES: u64 = 1 << 30;

/// A file to download, and its timeouts.
pub struct Source<'a> {
    /// URL of the file.
    pub url: &'a str,
    /// SHA-256 of the file.
    pub sha256: &'a str,
    /// Longest silence of the server.
    pub timeout: Duration,
    /// Most attempts in a row without progress.
    pub attempts: u32,
    /// Value of the `Authorization` header, if the server needs one.
    pub authorization: Option<&'a str>,
    /// Trusted root certificates.
    pub roots: &'a Roots,
}

/// Callback with the bytes received, and the total if known.
pub type Progress<'a> = &'a dyn Fn(u64, Option<u64>);

/// Error of a download.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The server responded with an error status.
    #[error("{url}: the server answers {status}")]
    Refused {
        /// URL of the request.
        url: String,
        /// Status of the response.
        status: u16,
    },
    /// The connection failed repeatedly.
    #[error("{url}: {reason}{}", if *kept { "; what has arrived is kept, and the same command goes on from there" } else { "" })]
    Broken {
        /// URL of the request.
        url: String,
        /// Last error.
        reason: String,
        /// True if some bytes were received.
        kept: bool,
    },
    /// The checksum does not match.
    #[error("{url} has the SHA-256 {found}, and {expected} was expected: nothing of it is kept")]
    Checksum {
        /// URL of the request.
        url: String,
        /// Expected SHA-256.
        expected: String,
        /// SHA-256 of the downloaded file.
        found: String,
    },
    /// The file is larger than any model should be.
    #[error("{0} is larger than a gigabyte")]
    TooLarge(String),
    /// The file cannot be stored.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

impl<'a> Source<'a> {
    /// Creates a download with the default timeouts.
    #[must_use]
    pub fn new(url: &'a str, sha256: &'a str, roots: &'a Roots) -> Self {
        Self { url, sha256, timeout: SILENCE_TIMEOUT, attempts: MAX_ATTEMPTS, authorization: None, roots }
    }

    /// Gives up at the first sign that the server is unreachable.
    #[must_use]
    pub fn fail_fast(self) -> Self {
        Self { timeout: FAST_SILENCE_TIMEOUT, attempts: FAST_MAX_ATTEMPTS, ..self }
    }

    /// Downloads the file to `path`, through the proxy of the environment (`HTTPS_PROXY` and similar) if there is one.
    ///
    /// # Errors
    /// If the download fails, or the checksum does not match.
    pub fn fetch(&self, path: &Path, progress: Progress<'_>) -> Result<(), DownloadError> {
        let part = path.with_extension("part");
        let agent = agent(self.timeout, self.roots);
        let mut failures = 0;
        loop {
            let before = size(&part);
            let Err(reason) = self.attempt(&agent, &part, before, progress)? else { break };
            failures = if size(&part) > before { 0 } else { failures + 1 };
            if failures == self.attempts {
                return Err(DownloadError::Broken { url: self.url.to_owned(), reason, kept: size(&part) > 0 });
            }
        }
        let failed = |source| DownloadError::File { path: part.clone(), source };
        let found = hex(&fs::read(&part).map_err(failed)?);
        if !found.eq_ignore_ascii_case(self.sha256) {
            fs::remove_file(&part).map_err(failed)?;
            let (url, expected) = (self.url.to_owned(), self.sha256.to_owned());
            return Err(DownloadError::Checksum { url, expected, found });
        }
        fs::rename(&part, path).map_err(failed)
    }

    /// Requests the missing bytes once. The inner error is transient.
    fn attempt(
        &self,
        agent: &ureq::Agent,
        part: &Path,
        have: u64,
        progress: Progress<'_>,
    ) -> Result<Result<(), String>, DownloadError> {
        let request = agent.get(self.url);
        let request = if have > 0 { request.header(RANGE, format!("bytes={have}-")) } else { request };
        let request = match self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        };
        let mut response = match request.call() {
            Ok(response) => response,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let failed = |source| DownloadError::File { path: part.to_owned(), source };
        let goes_on = response.status() == StatusCode::PARTIAL_CONTENT && starts_at(&response, have);
        match response.status() {
            StatusCode::OK => {}
            StatusCode::PARTIAL_CONTENT if goes_on => {}
            // Nothing is missing, or the received bytes are not the start of the file: the checksum decides.
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => return Ok(Ok(())),
            status if status.is_server_error() => return Ok(Err(format!("the server answers {status}"))),
            status => return Err(DownloadError::Refused { url: self.url.to_owned(), status: status.as_u16() }),
        }
        let mut file = OpenOptions::new().create(true).append(true).open(part).map_err(failed)?;
        let mut here = have;
        if !goes_on {
            file.set_len(0).map_err(failed)?;
            here = 0;
        }
        let length =
            response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let total = length.map(|length| here + length);
        let mut body = response.body_mut().as_reader();
        let mut piece = vec![0; 1 << 16];
        loop {
            progress(here, total);
            let count = match body.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return Ok(Err(error.to_string())),
            };
            here += count as u64;
            if here > MAX_BYTES {
                return Err(DownloadError::TooLarge(self.url.to_owned()));
            }
            file.write_all(piece.get(..count).unwrap_or_default()).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        match total {
            Some(total) if here < total => Ok(Err("the connection was cut".to_owned())),
            _ => Ok(Ok(())),
        }
    }
}

/// Creates a client with this timeout for each step, and the proxy of the environment if there is one.
pub(crate) fn agent(timeout: Duration, roots: &Roots) -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).tls_config(roots.config());
    let config = config.timeout_resolve(Some(timeout)).timeout_connect(Some(timeout));
    config.timeout_recv_response(Some(timeout)).timeout_per_read(Some(timeout)).build().into()
}

/// Returns true if the response starts at the requested offset.
fn starts_at<T>(response: &ureq::http::Response<T>, have: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {have}-")))
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}
