//! The names of a model's classes, which TensorFlow Lite packs behind the model as a zip.

use std::io::{Cursor, Read as _};

/// Longer lists are not believed.
const MOST_BYTES: u64 = 1 << 20;

/// The labels in a file, one for each line, each its first name.
pub(crate) fn packed(bytes: &[u8]) -> Option<String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let name = archive.file_names().find(|name| name.ends_with(".txt"))?.to_owned();
    let mut text = String::new();
    archive.by_name(&name).ok()?.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    let first = |line: &str| line.split(',').next().unwrap_or_default().trim().to_owned() + "\n";
    Some(text.lines().map(first).collect())
}
