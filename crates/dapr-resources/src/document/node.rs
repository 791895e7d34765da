//! YAML values with their line numbers; scalars keep their source text.

use std::collections::BTreeMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::go_yaml;

/// Limit on the nodes of a document. Repeated nodes count each time, as aliases can multiply them without bound.
const MAX_NODES: usize = 100_000;

/// A YAML value of any kind.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: u64,
    pub(crate) value: Value,
}

/// Content of a node.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Scalar {
        /// Source text, including `00501` and `yes`, so that it is unchanged where text is expected.
        text: String,
        /// True if the scalar is unquoted, so that it may be a number or a boolean.
        is_plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Returns the text of a scalar.
    pub(crate) fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text.clone()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Returns the text of a scalar in a field of any type. Numbers and booleans are written as in Go.
    pub(crate) fn value_text(&self) -> Option<String> {
        match &self.value {
            Value::Scalar { text, is_plain: true } => Some(go_yaml::resolve(text)),
            _ => self.scalar(),
        }
    }

    /// Parses a boolean, in the spellings of YAML 1.1 and 1.2.
    pub(crate) fn flag(&self) -> Option<bool> {
        match &self.value {
            Value::Scalar { text, is_plain: true } => parse_flag(text),
            _ => None,
        }
    }

    /// Returns true if Go's marshaller may have written this value for an unset field.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Scalar { text, is_plain } => text.is_empty() || (*is_plain && (text == "0" || text == "false")),
            Value::List(nodes) => nodes.is_empty(),
            Value::Map(entries) => entries.iter().all(|(_, node)| node.is_empty()),
        }
    }

    /// Returns a readable name for the kind of value.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar { text, is_plain: true } if parse_flag(text).is_some() => "true or false",
            Value::Scalar { text, is_plain: true } if text.parse::<f64>().is_ok() => "a number",
            Value::Scalar { .. } => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

fn parse_flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Line and reason of a parse error.
pub(super) type ParseError = (u64, String);

/// Parses the text of one document.
pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    let mut builder = Builder { parser: Parser::new_from_str(text), anchors: BTreeMap::new(), left: MAX_NODES };
    let mut root = None;
    loop {
        let (event, line) = builder.next()?;
        match event {
            Event::StreamEnd => return root.ok_or((1, "it is empty".to_owned())),
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ if root.is_some() => return Err((line, "another document begins without a line ---".to_owned())),
            event => root = Some(builder.node(event, line)?),
        }
    }
}

struct Builder<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: BTreeMap<usize, Node>,
    /// Number of nodes still allowed.
    left: usize,
}

impl<'a> Builder<'a> {
    /// Returns the next event other than a comment, and its line.
    fn next(&mut self) -> Result<(Event<'a>, u64), ParseError> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => return Ok((event, line(&span.start))),
                Some(Err(error)) => return Err(scan_error(&error)),
                None => return Ok((Event::StreamEnd, 1)),
            }
        }
    }

    /// Parses the node that begins with `event`.
    fn node(&mut self, event: Event<'a>, line: u64) -> Result<Node, ParseError> {
        self.take(1, line)?;
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, _) => (anchor, scalar(text.into_owned(), style)),
            Event::SequenceStart(_, anchor, _) => (anchor, Value::List(self.list()?)),
            Event::MappingStart(_, anchor, _) => (anchor, Value::Map(self.map()?)),
            Event::Alias(anchor) => {
                // An alias inside its own anchor's node is not defined yet.
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err((line, "an alias is not defined, or refers to its own parent".to_owned()));
                };
                self.take(count(&node), line)?;
                return Ok(node);
            }
            _ => return Err((line, "a value is missing".to_owned())),
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self) -> Result<Vec<Node>, ParseError> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(list),
                (event, line) => list.push(self.node(event, line)?),
            }
        }
    }

    fn map(&mut self) -> Result<Vec<(String, Node)>, ParseError> {
        let mut map: Vec<(String, Node)> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = self.node(event, line)?;
            let (event, value_line) = self.next()?;
            let value = self.node(event, value_line)?;
            match key.value {
                Value::Scalar { text, is_plain: true } if text == "<<" => merged.extend(entries_to_merge(value)?),
                Value::Scalar { text, .. } if map.iter().any(|(other, _)| *other == text) => {
                    return Err((line, format!("duplicate key {text:?}")));
                }
                Value::Scalar { text, .. } => map.push((text, Node { line, ..value })),
                Value::Null => map.push(("null".to_owned(), value)),
                Value::List(_) | Value::Map(_) => return Err((line, "a key is not text".to_owned())),
            }
        }
        for (key, value) in merged {
            if !map.iter().any(|(other, _)| *other == key) {
                map.push((key, value));
            }
        }
        Ok(map)
    }

    fn take(&mut self, nodes: usize, line: u64) -> Result<(), ParseError> {
        self.left = self.left.checked_sub(nodes).ok_or((line, format!("it has more than {MAX_NODES} values")))?;
        Ok(())
    }
}

fn line(marker: &Marker) -> u64 {
    marker.line().try_into().unwrap_or(u64::MAX)
}

fn scan_error(error: &ScanError) -> ParseError {
    (line(error.marker()), error.info())
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    let is_plain = style == ScalarStyle::Plain;
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" if is_plain => Value::Null,
        _ => Value::Scalar { text, is_plain },
    }
}

/// Returns the entries that a merge key (`<<`) adds; earlier mappings come first.
fn entries_to_merge(node: Node) -> Result<Vec<(String, Node)>, ParseError> {
    match node.value {
        Value::Map(entries) => Ok(entries),
        Value::List(nodes) => Ok(nodes.into_iter().map(entries_to_merge).collect::<Result<Vec<_>, _>>()?.concat()),
        _ => Err((node.line, "a merge key (<<) takes a mapping, or a list of them".to_owned())),
    }
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar { .. } => 1,
        Value::List(nodes) => 1 + nodes.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, node)| 1 + count(node)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> BTreeMap<String, Option<String>> {
        let Value::Map(entries) = parse(text).unwrap().value else { panic!("{text}") };
        entries.into_iter().map(|(key, node)| (key, node.scalar())).collect()
    }

    #[test]
    fn scalars_keep_their_source_text() {
        for written in ["00501", "1_000", "0x1F", "0o17", "017", "1e3", "1.10", "+7", ".5", "yes", "No", "on", "TRUE"] {
            let read = map(&format!("{{plain: {written}, quoted: \"{written}\"}}"));
            assert_eq!(read["plain"].as_deref(), Some(written));
            assert_eq!(read["quoted"].as_deref(), Some(written));
        }
        for written in ["190:20:30", "2001-12-14", ".inf", "-.NaN", "685_230.15", "0b1010"] {
            assert_eq!(map(&format!("a: {written}"))["a"].as_deref(), Some(written));
        }
    }

    #[test]
    fn only_unquoted_words_are_null_or_boolean() {
        let flag = |text: &str| {
            let Value::Map(entries) = parse(&format!("a: {text}")).unwrap().value else { panic!() };
            entries[0].1.flag()
        };
        assert_eq!(["yes", "On", "true"].map(flag), [Some(true); 3]);
        assert_eq!(["no", "Off", "FALSE"].map(flag), [Some(false); 3]);
        assert_eq!(["\"true\"", "1", "y"].map(flag), [None; 3]);
        let read = map("a: ~\nb: null\nc:\nd: \"null\"\ne: ''\n");
        assert_eq!(
            ["a", "b", "c", "d", "e"].map(|key| read[key].as_deref()),
            [None, None, None, Some("null"), Some("")]
        );
    }

    #[test]
    fn anchors_and_merge_keys_are_resolved() {
        let read = map("base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\n<<: [*base, *other]\na: own\n");
        let values = ["a", "b", "c"].map(|key| read[key].as_deref());
        assert_eq!(values, [Some("own"), Some("2"), Some("4")]);
    }

    #[test]
    fn malicious_documents_are_rejected() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..8 {
            let previous = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
        }
        for text in [bomb.as_str(), &"[".repeat(100_000), "a: &a [*a]", "a: 1\na: 2", "[a]: 1", "a: [1,\nb", "*none"] {
            assert!(parse(text).is_err(), "{}", text.chars().take(20).collect::<String>());
        }
    }
}
