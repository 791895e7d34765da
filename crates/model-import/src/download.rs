//! Downloads that may be interrupted: what is there already is not fetched again, what arrives is checked, and a file is
//! there completely or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::StatusCode;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, RANGE};

use crate::directory::hex;
use crate::tls::Roots;

/// How long a server may be silent before it is asked again, from where it stopped.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often in a row a download may end without anything new.
const ATTEMPTS: u32 = 4;

/// The same for a download that has an alternative: nobody waits for a server that cannot be reached.
const HASTY_PATIENCE: Duration = Duration::from_secs(5);
const HASTY_ATTEMPTS: u32 = 1;

/// A file may have at most this many bytes: models for services are smaller.
const MOST_BYTES: u64 = 1 << 30;

/// What is fetched, and how patiently.
pub struct Source<'a> {
    /// Where it is.
    pub url: &'a str,
    /// The SHA-256 of what is there.
    pub sha256: &'a str,
    /// How long the server may be silent.
    pub patience: Duration,
    /// How often in a row an attempt may bring nothing new.
    pub attempts: u32,
    /// The value of `Authorization`, where the server wants one.
    pub authorization: Option<&'a str>,
    /// Whose certificates are trusted.
    pub roots: &'a Roots,
}

/// Is told how many bytes are here, and of how many, if the server says so.
pub type Progress<'a> = &'a dyn Fn(u64, Option<u64>);

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The server does not have it.
    #[error("{url}: the server answers {status}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The server's answer.
        status: u16,
    },
    /// The connection failed again and again.
    #[error("{url}: {reason}{}", if *kept { "; what has arrived is kept, and the same command goes on from there" } else { "" })]
    Broken {
        /// What was asked for.
        url: String,
        /// What happened last.
        reason: String,
        /// Whether something has arrived.
        kept: bool,
    },
    /// It is another file than it should be.
    #[error("{url} has the SHA-256 {found}, and {expected} was expected: nothing of it is kept")]
    Checksum {
        /// What was asked for.
        url: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// It is larger than any model should be.
    #[error("{0} is larger than a gigabyte")]
    TooLarge(String),
    /// It cannot be kept.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl<'a> Source<'a> {
    /// What is there, fetched with the usual patience.
    #[must_use]
    pub fn new(url: &'a str, sha256: &'a str, roots: &'a Roots) -> Self {
        Self { url, sha256, patience: PATIENCE, attempts: ATTEMPTS, authorization: None, roots }
    }

    /// The same, given up at the first sign that the server cannot be reached.
    #[must_use]
    pub fn hasty(self) -> Self {
        Self { patience: HASTY_PATIENCE, attempts: HASTY_ATTEMPTS, ..self }
    }

    /// Fetches the file to `path`, through the proxy of the environment (`HTTPS_PROXY` and the like) if there is one.
    ///
    /// # Errors
    /// When it cannot be had, or is another one.
    pub fn fetch(&self, path: &Path, progress: Progress<'_>) -> Result<(), DownloadError> {
        let part = path.with_extension("part");
        let agent = agent(self.patience, self.roots);
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

    /// Asks once for what is missing. The inner error is one that another attempt may not have.
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
            // Nothing is missing, or what is here is no beginning of what is there: the checksum tells.
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
            if here > MOST_BYTES {
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

/// A client that waits so long for each step, through the proxy of the environment if there is one.
pub(crate) fn agent(patience: Duration, roots: &Roots) -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).tls_config(roots.config());
    let config = config.timeout_resolve(Some(patience)).timeout_connect(Some(patience));
    config.timeout_recv_response(Some(patience)).timeout_per_read(Some(patience)).build().into()
}

/// Whether the part that a server sends begins where it was asked to.
fn starts_at<T>(response: &ureq::http::Response<T>, have: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {have}-")))
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}
