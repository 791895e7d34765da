//! Operations of an access policy: paths with wildcards, matched as in `dapr/pkg/config/acl_trie.go`.

/// Segment that matches any last segment.
const ANY_LAST: &str = "*";

/// Segment that matches everything below.
const ANY_BELOW: &str = "**";

/// A rule that allows or denies some paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRule {
    /// Path, in any case; `*` matches any text in a segment, `/**` everything below.
    pub path: String,
    /// HTTP methods in capitals; `*` matches all.
    pub verbs: Vec<String>,
    /// True if the rule allows, false if it denies.
    pub allows: bool,
}

/// Rules as a tree of path segments. Where several match, the first one added counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operations(Vec<Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    segment: String,
    rule: Option<OperationRule>,
    below: Vec<Self>,
}

impl Operations {
    /// Builds the tree of `rules`.
    #[must_use]
    pub fn new(rules: Vec<OperationRule>) -> Self {
        let mut root = Vec::new();
        for rule in rules {
            let segments = segments(&rule.path);
            add(&mut root, &segments, rule);
        }
        Self(root)
    }

    /// Returns whether `verb` is allowed at `path`; `None` where no rule matches.
    #[must_use]
    pub fn allow(&self, path: &str, verb: &str) -> Option<bool> {
        let rule = self.find(&segments(path))?;
        rule.verbs.iter().any(|known| known == verb || known == "*").then_some(rule.allows)
    }

    fn find(&self, segments: &[String]) -> Option<&OperationRule> {
        let mut nodes = &self.0;
        for (index, segment) in segments.iter().enumerate() {
            let is_last = index + 1 == segments.len();
            let node = child(nodes, segment, is_last)?;
            nodes = &node.below;
            match &node.rule {
                Some(_) if !is_last && node.segment == ANY_LAST => {}
                // A rule covers what is below it, too.
                Some(rule) => return Some(rule),
                None if is_last => return child(nodes, ANY_LAST, true)?.rule.as_ref(),
                None => {}
            }
        }
        None
    }
}

fn segments(path: &str) -> Vec<String> {
    path.strip_prefix('/').unwrap_or(path).split('/').map(str::to_lowercase).collect()
}

fn add(nodes: &mut Vec<Node>, segments: &[String], rule: OperationRule) {
    let Some((segment, rest)) = segments.split_first() else { return };
    let index = nodes.iter().position(|node| node.segment == *segment).unwrap_or_else(|| {
        nodes.push(Node { segment: segment.clone(), rule: None, below: Vec::new() });
        nodes.len() - 1
    });
    let Some(node) = nodes.get_mut(index) else { return };
    if !rest.is_empty() {
        add(&mut node.below, rest, rule);
    } else if node.rule.is_none() {
        node.rule = Some(rule);
    }
}

/// Returns the first of `nodes` that matches `segment`.
fn child<'a>(nodes: &'a [Node], segment: &str, is_last: bool) -> Option<&'a Node> {
    nodes.iter().find(|node| match node.segment.as_str() {
        pattern if pattern == segment => true,
        ANY_LAST => is_last,
        ANY_BELOW => true,
        pattern => is_match(segment, pattern),
    })
}

/// Returns whether `text` matches `pattern`, in which each `*` matches any text.
fn is_match(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.split_once(part) {
            Some((_, behind)) => text = behind,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(rules: &[(&str, &str, bool)]) -> Operations {
        let rule = |&(path, verbs, allows): &(&str, &str, bool)| OperationRule {
            path: path.to_owned(),
            verbs: verbs.split(',').map(str::to_owned).collect(),
            allows,
        };
        Operations::new(rules.iter().map(rule).collect())
    }

    #[test]
    fn rule_is_found_by_path_and_verb() {
        let operations = operations(&[
            ("/order", "POST,PUT", true),
            ("admin/**", "*", false),
            ("/items/*", "GET", true),
            ("/v*/ping", "*", true),
            ("/a/*/c", "*", true),
        ]);
        for (path, verb, expected) in [
            ("/order", "POST", Some(true)),
            ("order", "PUT", Some(true)),
            ("/Order", "POST", Some(true)),
            ("/order", "GET", None),
            ("/order/1", "POST", Some(true)),
            ("/admin/a/b", "GET", Some(false)),
            ("/items/1", "GET", Some(true)),
            ("/items", "GET", Some(true)),
            ("/items/1/2", "GET", None),
            ("/v2/ping", "DELETE", Some(true)),
            ("/w/ping", "DELETE", None),
            ("/", "GET", None),
        ] {
            assert_eq!(operations.allow(path, verb), expected, "{verb} {path}");
        }
    }

    #[test]
    fn first_of_several_fitting_rules_counts() {
        let rules = [("/items/*", "*", true), ("/items/secret", "*", false)];
        assert_eq!(operations(&rules).allow("/items/secret", "GET"), Some(true));
        assert_eq!(operations(&[rules[1], rules[0]]).allow("/items/secret", "GET"), Some(false));
    }

    #[test]
    fn wildcard_in_a_segment_stands_for_any_text() {
        for (text, pattern) in
            [("v2", "v*"), ("v", "v*"), ("abc", "*c"), ("abcabc", "a*b*c"), ("x", "*"), ("ab", "a**b")]
        {
            assert!(is_match(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("w2", "v*"), ("abc", "*b"), ("a", "a*a"), ("abd", "a*b*c")] {
            assert!(!is_match(text, pattern), "{text} {pattern}");
        }
    }
}
