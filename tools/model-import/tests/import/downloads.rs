//! Downloads with interruptions and errors.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use model_import::download::{DownloadError, Source};
use model_import::tls::Roots;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::server::{FaultMode, Server};

struct Download {
    folder: TempDir,
    server: Server,
    sha256: String,
}

fn contents() -> Vec<u8> {
    (0..300_000u32).map(|number| (number % 251) as u8).collect()
}

impl Download {
    fn from(modes: &[FaultMode]) -> Self {
        let sha256 = Sha256::digest(contents()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { folder: TempDir::new().unwrap(), server: Server::start(&contents(), modes), sha256 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("model.tflite")
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("model.part")
    }

    fn fetch(&self) -> Result<(), DownloadError> {
        let timeout = Duration::from_millis(200);
        let roots = Roots::new(None);
        Source { timeout, ..Source::new(&self.server.url, &self.sha256, &roots) }.fetch(&self.path(), &|_, _| {})
    }

    #[track_caller]
    fn check_complete(&self) {
        assert_eq!(fs::read(self.path()).unwrap(), contents());
        assert!(!self.part().exists());
    }
}

#[test]
fn download_succeeds_and_reports_progress() {
    let download = Download::from(&[FaultMode::Good]);
    let told = std::sync::Mutex::new(Vec::new());
    let roots = Roots::new(None);
    let source = Source::new(&download.server.url, &download.sha256, &roots);
    source.fetch(&download.path(), &|here, total| told.lock().unwrap().push((here, total))).unwrap();
    download.check_complete();
    let told = told.into_inner().unwrap();
    assert_eq!((told[0], told[told.len() - 1]), ((0, Some(300_000)), (300_000, Some(300_000))));
}

#[test]
fn cut_connection_resumes_the_download() {
    let download = Download::from(&[FaultMode::Cut(100_000), FaultMode::Cut(50_000), FaultMode::Good]);
    download.fetch().unwrap();
    download.check_complete();
    assert_eq!(download.server.ranges(), ["", "bytes=100000-", "bytes=150000-"]);
}

#[test]
fn stalled_server_gets_another_request() {
    let download = Download::from(&[FaultMode::Silent(100_000), FaultMode::Good]);
    download.fetch().unwrap();
    download.check_complete();
}

#[test]
fn failed_download_is_resumed_by_a_later_run() {
    let download = Download::from(&[
        FaultMode::Cut(1000),
        FaultMode::Cut(0),
        FaultMode::Cut(0),
        FaultMode::Cut(0),
        FaultMode::Cut(0),
        FaultMode::Good,
    ]);
    let error = download.fetch().unwrap_err();
    assert!(matches!(error, DownloadError::Broken { .. }), "{error}");
    assert_eq!((download.path().exists(), fs::metadata(download.part()).unwrap().len()), (false, 1000));
    download.fetch().unwrap();
    download.check_complete();
    assert_eq!(download.server.ranges().last().unwrap(), "bytes=1000-");
}

#[test]
fn server_without_ranges_restarts_the_download() {
    let download = Download::from(&[FaultMode::Cut(100_000), FaultMode::WithoutRanges]);
    download.fetch().unwrap();
    download.check_complete();
}

#[test]
fn checksum_mismatch_discards_the_file() {
    let mut download = Download::from(&[FaultMode::Good]);
    download.sha256 = "0".repeat(64);
    let error = download.fetch().unwrap_err();
    assert!(matches!(error, DownloadError::Checksum { .. }), "{error}");
    assert!(!download.path().exists() && !download.part().exists());
}

#[test]
fn missing_file_fails_at_once() {
    let download = Download::from(&[FaultMode::Missing]);
    let error = download.fetch().unwrap_err();
    assert!(matches!(error, DownloadError::Refused { status: 404, .. }), "{error}");
    assert_eq!(download.server.ranges().len(), 1);
}

#[test]
fn file_is_replaced_atomically() {
    let download = Download::from(&[FaultMode::Cut(10), FaultMode::Missing]);
    fs::write(download.path(), b"the old one").unwrap();
    download.fetch().unwrap_err();
    assert_eq!(fs::read(download.path()).unwrap(), b"the old one");
}
