//! Intended differences: `known-differences.json`.

use anyhow::{Context as _, ensure};
use deployments::RecordedResponse;
use serde::Deserialize;

/// Most intended differences: with more, "the same responses" would no longer be true.
const MAX_KNOWN_DIFFERENCES: usize = 15;

/// One difference and its reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownDifference {
    /// Names of cases; a `*` at the end matches anything.
    pub(crate) cases: Vec<String>,
    /// Parts of the response that may differ: `status`, `body`, or a header's name. All others must be equal.
    pub(crate) differs: Vec<String>,
    /// Location in Dapr's sources of its behaviour.
    pub(crate) source: String,
    /// Reason why daprlet differs.
    pub(crate) why: String,
}

/// Reads the list.
pub(crate) fn read() -> anyhow::Result<Vec<KnownDifference>> {
    let known: Vec<KnownDifference> =
        serde_json::from_str(include_str!("../known-differences.json")).context("known-differences.json")?;
    ensure!(
        known.len() <= MAX_KNOWN_DIFFERENCES,
        "known-differences.json has {} entries; more than {MAX_KNOWN_DIFFERENCES} are too many",
        known.len()
    );
    for one in &known {
        ensure!(!one.source.is_empty() && !one.why.is_empty(), "known-differences.json: {:?} has no reason", one.cases);
    }
    Ok(known)
}

impl KnownDifference {
    pub(crate) fn is_about(&self, case: &str) -> bool {
        self.cases.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => case.starts_with(start),
            None => case == pattern,
        })
    }

    /// Returns true if two responses differ only in the listed parts.
    pub(crate) fn excuses(&self, ours: &RecordedResponse, real: &RecordedResponse) -> bool {
        self.without_what_differs(ours) == self.without_what_differs(real)
    }

    fn without_what_differs(&self, answer: &RecordedResponse) -> RecordedResponse {
        let may_differ = |part: &str| self.differs.iter().any(|differs| differs == part);
        let mut rest = answer.clone();
        rest.headers.retain(|(name, _)| !may_differ(name));
        if may_differ("status") {
            rest.status = 0;
        }
        if may_differ("body") {
            rest.body.clear();
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;

    /// The list as a page of the book.
    fn page() -> String {
        let mut page = "# Differences to daprd\n\nThe differences that the parity suite expects (`tests/parity/known-differences.json`), \
                        written by its tests (`UPDATE=1` writes them anew).\n\n| cases | differs in | in Dapr's sources | reason |\n\
                        |---|---|---|---|\n"
            .to_owned();
        for KnownDifference { cases, differs, source, why } in read().unwrap() {
            let escaped = |text: &str| text.replace('|', "\\|");
            let cases = cases.iter().map(|case| format!("`{case}`")).collect::<Vec<_>>().join(", ");
            writeln!(
                page,
                "| {} | {} | {} | {} |",
                escaped(&cases),
                differs.join(", "),
                escaped(&source),
                escaped(&why)
            )
            .unwrap();
        }
        page + "\nOther differences are stricter checks of configuration, and are listed in [Stricter checks](stricter.md).\n"
    }

    #[test]
    fn page_in_the_book_is_current() {
        let file = Path::new("../../book/reference/differences.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(file, page()).unwrap();
        }
        let found = std::fs::read_to_string(file).unwrap_or_default();
        assert!(found == page(), "book/reference/differences.md is out of date: run this test with UPDATE=1");
    }

    fn known(pattern: &str, differs: &[&str]) -> KnownDifference {
        let differs = differs.iter().map(|part| (*part).to_owned()).collect();
        KnownDifference { cases: vec![pattern.into()], differs, source: String::new(), why: String::new() }
    }

    #[test]
    fn known_difference_excuses_only_its_named_parts() {
        let answer = |status, content_type: &str, body: &str| RecordedResponse {
            status,
            headers: [("content-type".to_owned(), content_type.to_owned())].into(),
            body: body.into(),
        };
        let (text, html) = (answer(200, "text/plain", "x"), answer(200, "text/html", "x"));
        assert!(known("x", &["content-type"]).excuses(&text, &html));
        assert!(!known("x", &["body"]).excuses(&text, &html) && !known("x", &[]).excuses(&text, &html));
        assert!(!known("x", &["content-type"]).excuses(&text, &answer(500, "text/html", "x")));
        assert!(!known("x", &["content-type"]).excuses(&text, &answer(200, "text/html", "y")));
        assert!(known("x", &["status", "body"]).excuses(&text, &answer(500, "text/plain", "y")));
    }

    #[test]
    fn known_differences_have_sources_and_reasons() {
        read().unwrap();
    }

    #[test]
    fn star_matches_only_the_rest_of_a_name() {
        let known = |pattern: &str| known(pattern, &[]);
        assert!(known("state *").is_about("state redis: x") && !known("state *").is_about("a state redis"));
        assert!(known("x").is_about("x") && !known("x").is_about("xy"));
    }
}
