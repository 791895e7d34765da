//! YAML documents as trees in which every node has its line number.

mod go_yaml;
mod node;
mod reader;

use std::path::Path;

pub(crate) use node::Node;
pub(crate) use reader::{Names, Reader};

use crate::config_error::{ConfigError, ConfigErrors};

/// One document of a YAML file.
pub(crate) struct Document {
    pub(crate) file: String,
    pub(crate) root: Node,
    /// Number of lines in the file before this document.
    pub(crate) offset: u64,
}

/// Reads and parses the documents in the file `path`. Empty documents are skipped.
pub(crate) fn read(path: &Path) -> Result<Vec<Document>, ConfigErrors> {
    parse(&path.display().to_string(), &text(path)?)
}

/// Reads the file `path` as text.
pub(crate) fn text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError::new(&path.display().to_string(), error.to_string()))
}

/// Parses the documents of a file, split at lines that begin with `---` as in Dapr's loader.
pub(crate) fn parse(file: &str, text: &str) -> Result<Vec<Document>, ConfigErrors> {
    let mut pieces: Vec<(u64, String)> = vec![(0, String::new())];
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if line.starts_with("---") {
            pieces.push((number, String::new()));
        } else if let Some((_, piece)) = pieces.last_mut() {
            piece.push_str(line);
        }
    }
    let mut documents = Vec::new();
    let mut errors = ConfigErrors::default();
    for (offset, piece) in pieces {
        let says_nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        if piece.lines().all(says_nothing) {
            continue;
        }
        match node::parse(&piece) {
            Ok(root) => documents.push(Document { file: file.to_owned(), root, offset }),
            Err((line, message)) => {
                let place = format!("{file}:{}", line + offset);
                errors.push(ConfigError::new(&place, format!("not valid YAML: {message}")));
            }
        }
    }
    errors.into_result().map(|_| documents)
}
