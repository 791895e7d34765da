//! What may happen to a download.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use model_import::download::{DownloadError, Source};
use model_import::tls::Roots;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::server::{Mood, Server};

struct Download {
    folder: TempDir,
    server: Server,
    sha256: String,
}

fn contents() -> Vec<u8> {
    (0..300_000u32).map(|number| (number % 251) as u8).collect()
}

impl Download {
    fn from(moods: &[Mood]) -> Self {
        let sha256 = Sha256::digest(contents()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { folder: TempDir::new().unwrap(), server: Server::start(&contents(), moods), sha256 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("model.tflite")
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("model.part")
    }

    fn fetch(&self) -> Result<(), DownloadError> {
        let patience = Duration::from_millis(200);
        let roots = Roots::new(None);
        Source { patience, ..Source::new(&self.server.url, &self.sha256, &roots) }.fetch(&self.path(), &|_, _| {})
    }

    #[track_caller]
    fn check_complete(&self) {
        assert_eq!(fs::read(self.path()).unwrap(), contents());
        assert!(!self.part().exists());
    }
}

#[test]
fn a_good_file_arrives_and_progress_is_told() {
    let download = Download::from(&[Mood::Good]);
    let told = std::sync::Mutex::new(Vec::new());
    let roots = Roots::new(None);
    let source = Source::new(&download.server.url, &download.sha256, &roots);
    source.fetch(&download.path(), &|here, total| told.lock().unwrap().push((here, total))).unwrap();
    download.check_complete();
    let told = told.into_inner().unwrap();
    assert_eq!((told[0], told[told.len() - 1]), ((0, Some(300_000)), (300_000, Some(300_000))));
}

#[test]
fn a_connection_that_is_cut_is_made_again_and_goes_on_from_there() {
    let download = Download::from(&[Mood::Cut(100_000), Mood::Cut(50_000), Mood::Good]);
    download.fetch().unwrap();
    download.check_complete();
    assert_eq!(download.server.ranges(), ["", "bytes=100000-", "bytes=150000-"]);
}

#[test]
fn a_server_that_falls_silent_is_asked_again() {
    let download = Download::from(&[Mood::Silent(100_000), Mood::Good]);
    download.fetch().unwrap();
    download.check_complete();
}

#[test]
fn a_server_that_never_gets_on_is_given_up_and_a_later_run_goes_on() {
    let download =
        Download::from(&[Mood::Cut(1000), Mood::Cut(0), Mood::Cut(0), Mood::Cut(0), Mood::Cut(0), Mood::Good]);
    let error = download.fetch().unwrap_err();
    assert!(matches!(error, DownloadError::Broken { .. }), "{error}");
    assert_eq!((download.path().exists(), fs::metadata(download.part()).unwrap().len()), (false, 1000));
    download.fetch().unwrap();
    download.check_complete();
    assert_eq!(download.server.ranges().last().unwrap(), "bytes=1000-");
}

#[test]
fn a_server_that_knows_no_ranges_sends_everything_again() {
    let download = Download::from(&[Mood::Cut(100_000), Mood::WithoutRanges]);
    download.fetch().unwrap();
    download.check_complete();
}

#[test]
fn another_file_is_refused_and_nothing_of_it_is_kept() {
    let mut download = Download::from(&[Mood::Good]);
    download.sha256 = "0".repeat(64);
    let error = download.fetch().unwrap_err();
    assert!(matches!(error, DownloadError::Checksum { .. }), "{error}");
    assert!(!download.path().exists() && !download.part().exists());
}

#[test]
fn a_file_that_is_not_there_is_told_at_once() {
    let download = Download::from(&[Mood::Missing]);
    let error = download.fetch().unwrap_err();
    assert!(matches!(error, DownloadError::Refused { status: 404, .. }), "{error}");
    assert_eq!(download.server.ranges().len(), 1);
}

#[test]
fn what_replaces_a_file_does_so_at_once() {
    let download = Download::from(&[Mood::Cut(10), Mood::Missing]);
    fs::write(download.path(), b"the old one").unwrap();
    download.fetch().unwrap_err();
    assert_eq!(fs::read(download.path()).unwrap(), b"the old one");
}
