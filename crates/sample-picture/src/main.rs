//! Writes the sample picture to the file that is named, or to `docs/sample.jpg`.

use std::path::PathBuf;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("docs/sample.jpg"), PathBuf::from);
    std::fs::write(&path, sample_picture::jpeg()?).with_context(|| path.display().to_string())
}
