//! Class names: packed with a TensorFlow Lite model as a zip, or ImageNet's thousand.

use std::io::{Cursor, Read as _};

/// Largest accepted list in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads the labels packed in a file, one a line: the first name of each class.
pub(crate) fn read_packed(bytes: &[u8]) -> Option<String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let name = archive.file_names().find(|name| name.ends_with(".txt"))?.to_owned();
    let mut text = String::new();
    archive.by_name(&name).ok()?.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    let first = |line: &str| line.split(',').next().unwrap_or_default().trim().to_owned() + "\n";
    Some(text.lines().map(first).collect())
}

/// ImageNet's thousand classes in order, separated by commas.
const IMAGENET: &str = include_str!("labels/imagenet.txt");

/// Returns the names of ImageNet's classes, one a line.
pub(crate) fn imagenet() -> String {
    IMAGENET.split(',').map(|label| label.trim().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imagenet_has_a_thousand_names_in_order() {
        let labels = imagenet();
        let labels: Vec<&str> = labels.lines().collect();
        assert_eq!(labels.len(), 1000);
        assert_eq!([labels[0], labels[281], labels[934], labels[999]], ["tench", "tabby", "hotdog", "toilet tissue"]);
        assert!(labels.iter().all(|label| !label.is_empty() && !label.contains('\n')));
    }
}
