//! YAML documents as trees whose every node knows its line.

mod go_yaml;
mod node;
mod reader;

use std::path::Path;

pub(crate) use node::Node;
pub(crate) use reader::{Names, Reader};

use crate::problem::{Problem, Problems};

/// One document of a file.
pub(crate) struct Document {
    pub(crate) file: String,
    pub(crate) root: Node,
    /// Lines of the file before this document.
    pub(crate) offset: u64,
}

/// The documents of `path`, or what is wrong with it. Empty documents are left out.
pub(crate) fn read(path: &Path) -> Result<Vec<Document>, Problems> {
    parse(&path.display().to_string(), &text(path)?)
}

/// What is in the file `path`.
pub(crate) fn text(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| Problem::new(&path.display().to_string(), error.to_string()))
}

/// Splits where Dapr's loader does, at lines that begin with `---`.
pub(crate) fn parse(file: &str, text: &str) -> Result<Vec<Document>, Problems> {
    let mut pieces: Vec<(u64, String)> = vec![(0, String::new())];
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if line.starts_with("---") {
            pieces.push((number, String::new()));
        } else if let Some((_, piece)) = pieces.last_mut() {
            piece.push_str(line);
        }
    }
    let mut documents = Vec::new();
    let mut problems = Problems::default();
    for (offset, piece) in pieces {
        let says_nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        if piece.lines().all(says_nothing) {
            continue;
        }
        match node::parse(&piece) {
            Ok(root) => documents.push(Document { file: file.to_owned(), root, offset }),
            Err((line, message)) => {
                let place = format!("{file}:{}", line + offset);
                problems.push(Problem::new(&place, format!("this is no YAML: {message}")));
            }
        }
    }
    problems.into_result().map(|_| documents)
}
