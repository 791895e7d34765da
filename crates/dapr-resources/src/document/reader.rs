//! Taking what is expected from a mapping, and noting everything that is not as expected.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Document;
use super::node::{Node, Value};
use crate::problem::{Problem, Problems};

/// The comparison of field names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// As Go's encoding/json does for Dapr's resources: in any case.
    AnyCase,
    /// As the Dapr CLI does for run templates.
    Exact,
}

/// Reads one mapping, field by field. What was never asked for is worth a warning at the end.
pub(crate) struct Reader<'a> {
    file: &'a str,
    offset: u64,
    /// Where in the document, such as `spec.metadata[2]`.
    path: String,
    line: u64,
    entries: &'a [(String, Node)],
    known: BTreeSet<&'static str>,
    names: Names,
}

impl<'a> Reader<'a> {
    /// A reader of `node`, which must be a mapping.
    pub(crate) fn new(document: &'a Document, names: Names, problems: &mut Problems) -> Option<Self> {
        Self::of(&document.file, document.offset, names, String::new(), &document.root, problems)
    }

    fn of(
        file: &'a str,
        offset: u64,
        names: Names,
        path: String,
        node: &'a Node,
        problems: &mut Problems,
    ) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => {
                Some(Self { file, offset, path, line: node.line, entries, known: BTreeSet::new(), names })
            }
            _ => {
                let place = format!("{file}:{}", node.line + offset);
                let name = if path.is_empty() { "the document" } else { &path };
                problems.push(Problem::new(&place, format!("{name} is {}, not a mapping", node.kind())));
                None
            }
        }
    }

    /// Where this mapping is, as `FILE:LINE`.
    pub(crate) fn place(&self) -> String {
        self.place_of(self.line)
    }

    /// The folder of the file that this is in.
    pub(crate) fn folder(&self) -> PathBuf {
        Path::new(self.file).parent().map(Path::to_owned).unwrap_or_default()
    }

    fn place_of(&self, line: u64) -> String {
        format!("{}:{}", self.file, line + self.offset)
    }

    fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// The node of `field`; null counts as absent.
    pub(crate) fn node(&mut self, field: &'static str) -> Option<&'a Node> {
        self.known.insert(field);
        let node = self.entry(field)?;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    fn entry(&self, field: &str) -> Option<&'a Node> {
        let exact = self.entries.iter().find(|(name, _)| name == field);
        let found = exact.or_else(|| self.entries.iter().find(|(name, _)| self.is(name, field)));
        found.map(|(_, node)| node)
    }

    /// Whether `name` is how somebody has written `field`.
    fn is(&self, name: &str, field: &str) -> bool {
        name == field || (self.names == Names::AnyCase && name.eq_ignore_ascii_case(field))
    }

    /// Fields that may be there and mean nothing here.
    pub(crate) fn ignore(&mut self, fields: &[&'static str]) {
        self.known.extend(fields);
    }

    pub(crate) fn text(&mut self, field: &'static str, problems: &mut Problems) -> Option<String> {
        let node = self.node(field)?;
        let text = node.scalar();
        if text.is_none() {
            self.wrong(field, node, "text", problems);
        }
        text
    }

    /// A value of any type, as the text that Dapr makes of it.
    pub(crate) fn value_text(&mut self, field: &'static str, problems: &mut Problems) -> Option<String> {
        let node = self.node(field)?;
        let text = node.value_text();
        if text.is_none() {
            self.wrong(field, node, "text", problems);
        }
        text
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required(&mut self, field: &'static str, problems: &mut Problems) -> String {
        if self.node(field).is_none() {
            problems.push(Problem::new(&self.place(), format!("{} is missing", self.name(field))));
            return String::new();
        }
        let text = self.text(field, problems).unwrap_or_default();
        if text.is_empty() {
            problems.push(Problem::new(&self.place(), format!("{} is empty", self.name(field))));
        }
        text
    }

    pub(crate) fn flag(&mut self, field: &'static str, problems: &mut Problems) -> bool {
        let Some(node) = self.node(field) else { return false };
        let flag = node.flag();
        if flag.is_none() {
            self.wrong(field, node, "true or false", problems);
        }
        flag.unwrap_or_default()
    }

    pub(crate) fn number<T: std::str::FromStr>(&mut self, field: &'static str, problems: &mut Problems) -> Option<T> {
        let node = self.node(field)?;
        let number = node.scalar().and_then(|text| text.parse().ok());
        if number.is_none() {
            self.wrong(field, node, "a number in range", problems);
        }
        number
    }

    pub(crate) fn duration(&mut self, field: &'static str, problems: &mut Problems) -> Option<Duration> {
        // Go marshals a duration that is not set as an empty text.
        let node = self.node(field).filter(|node| node.scalar().is_none_or(|text| !text.is_empty()))?;
        let nanos = node.scalar().and_then(|text| building_blocks::go_duration::parse(&text).ok());
        let duration = nanos.and_then(|nanos| u64::try_from(nanos).ok()).map(Duration::from_nanos);
        if duration.is_none() {
            self.wrong(field, node, "a duration such as 5s or 1m30s", problems);
        }
        duration
    }

    pub(crate) fn texts(&mut self, field: &'static str, problems: &mut Problems) -> Vec<String> {
        let mut texts = Vec::new();
        for node in self.list(field, problems) {
            match node.scalar() {
                Some(text) => texts.push(text),
                None => self.wrong(field, node, "a list of texts", problems),
            }
        }
        texts
    }

    pub(crate) fn list(&mut self, field: &'static str, problems: &mut Problems) -> &'a [Node] {
        let Some(node) = self.node(field) else { return &[] };
        match &node.value {
            Value::List(items) => items,
            _ => {
                self.wrong(field, node, "a list", problems);
                &[]
            }
        }
    }

    /// A mapping of texts, in its order.
    pub(crate) fn pairs(&mut self, field: &'static str, problems: &mut Problems) -> Vec<(String, String)> {
        let Some(node) = self.node(field) else { return Vec::new() };
        let Value::Map(entries) = &node.value else {
            self.wrong(field, node, "a mapping", problems);
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for (name, value) in entries {
            match (&value.value, value.scalar()) {
                (_, Some(text)) => pairs.push((name.clone(), text)),
                (Value::Null, _) => pairs.push((name.clone(), String::new())),
                _ => self.wrong(field, value, "a mapping of texts", problems),
            }
        }
        pairs
    }

    /// A mapping inside this one.
    pub(crate) fn mapping(&mut self, field: &'static str, problems: &mut Problems) -> Option<Self> {
        let node = self.node(field)?;
        Self::of(self.file, self.offset, self.names, self.name(field), node, problems)
    }

    /// The mappings in a list.
    pub(crate) fn mappings(&mut self, field: &'static str, problems: &mut Problems) -> Vec<Self> {
        let items = self.list(field, problems);
        let (file, offset, names, name) = (self.file, self.offset, self.names, self.name(field));
        let each = (0..).zip(items);
        each.filter_map(|(index, node): (usize, _)| {
            Self::of(file, offset, names, format!("{name}[{index}]"), node, problems)
        })
        .collect()
    }

    /// Notes a mistake at the line of `field`, or of the mapping.
    pub(crate) fn mistake(&self, field: &str, message: impl Into<String>, problems: &mut Problems) {
        problems.push(self.problem(field, message));
    }

    /// Warns of what has no effect, at the line of `field`.
    pub(crate) fn warn(&self, field: &str, message: impl Into<String>, problems: &mut Problems) {
        problems.warn(self.problem(field, message));
    }

    fn problem(&self, field: &str, message: impl Into<String>) -> Problem {
        let line = self.entry(field).map_or(self.line, |node| node.line);
        Problem::new(&self.place_of(line), format!("{}: {}", self.name(field), message.into()))
    }

    /// Takes fields that Dapr knows and that mean nothing here, and warns of those that are there and not empty.
    pub(crate) fn without_effect(&mut self, fields: &[&'static str], problems: &mut Problems) {
        for field in fields {
            if self.node(field).is_some_and(|node| !node.is_empty()) {
                self.warn(field, "has no effect in daprlet", problems);
            }
        }
    }

    /// Warns of every field that nobody asked for, as Dapr would not have seen it either.
    pub(crate) fn finish(self, problems: &mut Problems) {
        for problem in self.unknown("; it has no effect") {
            problems.warn(problem);
        }
    }

    /// Takes every field that nobody asked for as a mistake: here a misspelled one would leave something open.
    pub(crate) fn finish_strict(self, problems: &mut Problems) {
        for problem in self.unknown("") {
            problems.push(problem);
        }
    }

    fn unknown(&self, consequence: &str) -> Vec<Problem> {
        let is_known = |name: &String| self.known.iter().any(|known| self.is(name, known));
        let unknown = self.entries.iter().filter(|(name, _)| !is_known(name));
        unknown
            .map(|(name, node)| {
                let near = self.known.iter().find(|known| known.eq_ignore_ascii_case(name));
                let hint = near.map(|known| format!("; it is written {known}")).unwrap_or_default();
                let message = format!("{}: unknown field{consequence}{hint}", self.name(name));
                Problem::new(&self.place_of(node.line), message)
            })
            .collect()
    }

    fn wrong(&self, field: &str, node: &Node, expected: &str, problems: &mut Problems) {
        let message = format!("{} is {}, but must be {expected}", self.name(field), node.kind());
        problems.push(Problem::new(&self.place_of(node.line), message));
    }
}
