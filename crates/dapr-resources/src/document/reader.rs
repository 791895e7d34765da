//! Typed access to the fields of a mapping, which collects errors and warnings.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Document;
use super::node::{Node, Value};
use crate::config_error::{ConfigError, ConfigErrors};

/// Comparison of field names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Case-insensitive, as in Go's encoding/json for Dapr's resources.
    AnyCase,
    /// Exact, as in the Dapr CLI for run templates.
    Exact,
}

/// Reader of one mapping, field by field. Fields that were never read cause a warning at the end.
pub(crate) struct Reader<'a> {
    file: &'a str,
    offset: u64,
    /// Path in the document, such as `spec.metadata[2]`.
    path: String,
    line: u64,
    entries: &'a [(String, Node)],
    known: BTreeSet<&'static str>,
    names: Names,
}

impl<'a> Reader<'a> {
    /// Creates a reader of a document's root, which must be a mapping.
    pub(crate) fn new(document: &'a Document, names: Names, errors: &mut ConfigErrors) -> Option<Self> {
        Self::from_node(&document.file, document.offset, names, String::new(), &document.root, errors)
    }

    fn from_node(
        file: &'a str,
        offset: u64,
        names: Names,
        path: String,
        node: &'a Node,
        errors: &mut ConfigErrors,
    ) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => {
                Some(Self { file, offset, path, line: node.line, entries, known: BTreeSet::new(), names })
            }
            _ => {
                let place = format!("{file}:{}", node.line + offset);
                let name = if path.is_empty() { "the document" } else { &path };
                errors.push(ConfigError::new(&place, format!("{name} is {}, not a mapping", node.kind())));
                None
            }
        }
    }

    /// Returns the position of this mapping as `FILE:LINE`.
    pub(crate) fn place(&self) -> String {
        self.place_of(self.line)
    }

    /// Returns the directory of the file.
    pub(crate) fn folder(&self) -> PathBuf {
        Path::new(self.file).parent().map(Path::to_owned).unwrap_or_default()
    }

    fn place_of(&self, line: u64) -> String {
        format!("{}:{}", self.file, line + self.offset)
    }

    fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// Returns the node of `field`; null counts as absent.
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

    /// Returns true if `name` is an accepted spelling of `field`.
    fn is(&self, name: &str, field: &str) -> bool {
        name == field || (self.names == Names::AnyCase && name.eq_ignore_ascii_case(field))
    }

    /// Accepts fields that are valid but have no meaning here.
    pub(crate) fn ignore(&mut self, fields: &[&'static str]) {
        self.known.extend(fields);
    }

    pub(crate) fn text(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Option<String> {
        let node = self.node(field)?;
        let text = node.scalar();
        if text.is_none() {
            self.wrong(field, node, "text", errors);
        }
        text
    }

    /// Returns a value of any type as text, converted as in Dapr.
    pub(crate) fn value_text(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Option<String> {
        let node = self.node(field)?;
        let text = node.value_text();
        if text.is_none() {
            self.wrong(field, node, "text", errors);
        }
        text
    }

    /// Returns the text of a field that must be present and not empty.
    pub(crate) fn required(&mut self, field: &'static str, errors: &mut ConfigErrors) -> String {
        if self.node(field).is_none() {
            errors.push(ConfigError::new(&self.place(), format!("{} is missing", self.name(field))));
            return String::new();
        }
        let text = self.text(field, errors).unwrap_or_default();
        if text.is_empty() {
            errors.push(ConfigError::new(&self.place(), format!("{} is empty", self.name(field))));
        }
        text
    }

    pub(crate) fn flag(&mut self, field: &'static str, errors: &mut ConfigErrors) -> bool {
        let Some(node) = self.node(field) else { return false };
        let flag = node.flag();
        if flag.is_none() {
            self.wrong(field, node, "true or false", errors);
        }
        flag.unwrap_or_default()
    }

    pub(crate) fn number<T: std::str::FromStr>(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Option<T> {
        let node = self.node(field)?;
        let number = node.scalar().and_then(|text| text.parse().ok());
        if number.is_none() {
            self.wrong(field, node, "a number in range", errors);
        }
        number
    }

    pub(crate) fn duration(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Option<Duration> {
        // Go marshals an unset duration as an empty string.
        let node = self.node(field).filter(|node| node.scalar().is_none_or(|text| !text.is_empty()))?;
        self.duration_of(field, node, errors)
    }

    /// Reads a duration as [`duration`](Self::duration) does; a plain number is in milliseconds.
    pub(crate) fn millis(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Option<Duration> {
        let node = self.node(field)?;
        self.millis_of(field, node, errors)
    }

    /// Returns the durations in a mapping, in source order; plain numbers are in milliseconds.
    pub(crate) fn all_millis(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Vec<(String, Duration)> {
        let Some(mapping) = self.mapping(field, errors) else { return Vec::new() };
        let entries = mapping.entries.iter();
        entries.filter_map(|(name, node)| Some((name.clone(), mapping.millis_of(name, node, errors)?))).collect()
    }

    fn millis_of(&self, field: &str, node: &Node, errors: &mut ConfigErrors) -> Option<Duration> {
        match node.scalar().and_then(|text| text.parse().ok()) {
            Some(millis) => Some(Duration::from_millis(millis)),
            None => self.duration_of(field, node, errors),
        }
    }

    fn duration_of(&self, field: &str, node: &Node, errors: &mut ConfigErrors) -> Option<Duration> {
        let nanos = node.scalar().and_then(|text| dapr_building_blocks::go_duration::parse(&text).ok());
        let duration = nanos.and_then(|nanos| u64::try_from(nanos).ok()).map(Duration::from_nanos);
        if duration.is_none() {
            self.wrong(field, node, "a duration such as 5s or 1m30s", errors);
        }
        duration
    }

    pub(crate) fn texts(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Vec<String> {
        let mut texts = Vec::new();
        for node in self.list(field, errors) {
            match node.scalar() {
                Some(text) => texts.push(text),
                None => self.wrong(field, node, "a list of texts", errors),
            }
        }
        texts
    }

    pub(crate) fn list(&mut self, field: &'static str, errors: &mut ConfigErrors) -> &'a [Node] {
        let Some(node) = self.node(field) else { return &[] };
        match &node.value {
            Value::List(items) => items,
            _ => {
                self.wrong(field, node, "a list", errors);
                &[]
            }
        }
    }

    /// Returns a mapping of texts, in source order.
    pub(crate) fn pairs(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Vec<(String, String)> {
        let Some(node) = self.node(field) else { return Vec::new() };
        let Value::Map(entries) = &node.value else {
            self.wrong(field, node, "a mapping", errors);
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for (name, value) in entries {
            match (&value.value, value.scalar()) {
                (_, Some(text)) => pairs.push((name.clone(), text)),
                (Value::Null, _) => pairs.push((name.clone(), String::new())),
                _ => self.wrong(field, value, "a mapping of texts", errors),
            }
        }
        pairs
    }

    /// Returns a reader of a nested mapping.
    pub(crate) fn mapping(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Option<Self> {
        let node = self.node(field)?;
        Self::from_node(self.file, self.offset, self.names, self.name(field), node, errors)
    }

    /// Returns readers of the mappings in a mapping, by name, in source order.
    pub(crate) fn named_mappings(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Vec<(String, Self)> {
        let Some(mapping) = self.mapping(field, errors) else { return Vec::new() };
        let Self { file, offset, names, .. } = mapping;
        let each = mapping.entries.iter().filter_map(|(name, node)| {
            Some((name.clone(), Self::from_node(file, offset, names, mapping.name(name), node, errors)?))
        });
        each.collect()
    }

    /// Returns readers of the mappings in a list.
    pub(crate) fn mappings(&mut self, field: &'static str, errors: &mut ConfigErrors) -> Vec<Self> {
        let items = self.list(field, errors);
        let (file, offset, names, name) = (self.file, self.offset, self.names, self.name(field));
        let each = (0..).zip(items);
        each.filter_map(|(index, node): (usize, _)| {
            Self::from_node(file, offset, names, format!("{name}[{index}]"), node, errors)
        })
        .collect()
    }

    /// Adds an error at the line of `field`, or else of the mapping.
    pub(crate) fn reject(&self, field: &str, message: impl Into<String>, errors: &mut ConfigErrors) {
        errors.push(self.error_at(field, message));
    }

    /// Adds a warning at the line of `field`.
    pub(crate) fn warn(&self, field: &str, message: impl Into<String>, errors: &mut ConfigErrors) {
        errors.warn(self.error_at(field, message));
    }

    fn error_at(&self, field: &str, message: impl Into<String>) -> ConfigError {
        let line = self.entry(field).map_or(self.line, |node| node.line);
        ConfigError::new(&self.place_of(line), format!("{}: {}", self.name(field), message.into()))
    }

    /// Accepts fields that have no meaning here, and warns about those with a value.
    pub(crate) fn without_effect(&mut self, fields: &[&'static str], errors: &mut ConfigErrors) {
        for field in fields {
            if self.node(field).is_some_and(|node| !node.is_empty()) {
                self.warn(field, "has no effect in daprlet", errors);
            }
        }
    }

    /// Warns about every field that was never read; Dapr ignores it too.
    pub(crate) fn finish(self, errors: &mut ConfigErrors) {
        for error in self.unknown("; it has no effect") {
            errors.warn(error);
        }
    }

    /// Reports every field that was never read as an error.
    ///
    /// For fields where a misspelling would leave something unprotected.
    pub(crate) fn finish_strict(self, errors: &mut ConfigErrors) {
        for error in self.unknown("") {
            errors.push(error);
        }
    }

    fn unknown(&self, consequence: &str) -> Vec<ConfigError> {
        let is_known = |name: &String| self.known.iter().any(|known| self.is(name, known));
        let unknown = self.entries.iter().filter(|(name, _)| !is_known(name));
        unknown
            .map(|(name, node)| {
                let near = self.known.iter().find(|known| known.eq_ignore_ascii_case(name));
                let hint = near.map(|known| format!("; it is written {known}")).unwrap_or_default();
                let message = format!("{}: unknown field{consequence}{hint}", self.name(name));
                ConfigError::new(&self.place_of(node.line), message)
            })
            .collect()
    }

    fn wrong(&self, field: &str, node: &Node, expected: &str, errors: &mut ConfigErrors) {
        let message = format!("{} is {}, but must be {expected}", self.name(field), node.kind());
        errors.push(ConfigError::new(&self.place_of(node.line), message));
    }
}
