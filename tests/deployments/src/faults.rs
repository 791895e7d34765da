//! Faults of the machine under a daprlet: its clock, its disk, and a power cut.
//!
//! A library in C (`faults/faults.c`) is loaded before the C library (`LD_PRELOAD`, Linux only). It reads what is wrong from a file,
//! and copies each file when it is synced, so that a power cut can leave what was synced and nothing else.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Environment variable that names the compiled library; without it, nothing is disturbed.
const LIBRARY: &str = "DAPRLET_FAULTS";

/// Errno of a disk that is full (`ENOSPC`).
pub const DISK_FULL: i32 = 28;
/// Errno of a disk that fails (`EIO`).
pub const DISK_FAILURE: i32 = 5;

/// Faults of one deployment.
pub struct Faults {
    control: File,
    synced: PathBuf,
    root: PathBuf,
}

impl Faults {
    /// Returns true if the library is there.
    #[must_use]
    pub fn are_available() -> bool {
        std::env::var_os(LIBRARY).is_some()
    }

    /// Makes `command` run with faults, none of them yet; `None` where the library is not there.
    pub(crate) fn prepare(root: &Path, command: &mut Command) -> anyhow::Result<Option<Self>> {
        let Some(library) = std::env::var_os(LIBRARY) else { return Ok(None) };
        // A file's copy is found by its real path.
        let root = root.canonicalize()?;
        let (file, synced) = (root.join("faults"), root.join("synced"));
        fs::create_dir_all(&synced)?;
        fs::write(&file, [0; 16])?;
        let control = File::options().write(true).open(&file)?;
        command.env("LD_PRELOAD", library).env("FAULTS_FILE", file).env("FAULTS_SYNCED", &synced);
        Ok(Some(Self { control, synced, root }))
    }

    /// Sets the wall clock that many seconds off.
    ///
    /// # Errors
    /// If the control file cannot be written.
    pub fn set_clock(&self, seconds: i64) -> io::Result<()> {
        self.control.write_all_at(&seconds.to_ne_bytes(), 0)
    }

    /// Fails writes to files with this errno; 0 lets them succeed again.
    ///
    /// # Errors
    /// If the control file cannot be written.
    pub fn fail_writes(&self, errno: i32) -> io::Result<()> {
        self.control.write_all_at(&i64::from(errno).to_ne_bytes(), 8)
    }

    /// Replaces all data with what was synced of it, as a power cut would. The process must be dead.
    ///
    /// # Errors
    /// If files cannot be replaced.
    pub fn lose_unsynced(&self) -> anyhow::Result<()> {
        let mut lost = 0;
        for entry in fs::read_dir(self.root.join("data"))? {
            let file = entry?.path();
            if !file.is_file() {
                continue;
            }
            let copy = self.synced.join(file.display().to_string().replace('/', "%"));
            if copy.exists() {
                fs::copy(&copy, &file).with_context(|| format!("cannot restore {}", file.display()))?;
            } else {
                fs::remove_file(&file)?;
            }
            lost += 1;
        }
        ensure!(lost > 0, "there is no data in {}", self.root.display());
        Ok(())
    }
}
