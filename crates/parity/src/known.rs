//! Differences that are meant: `known-differences.json`.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use worlds::Answer;

/// More than these, and "the same answers" would no longer be true.
const MOST: usize = 15;

/// One difference and its reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// Names of cases; a `*` at the end stands for anything.
    pub(crate) cases: Vec<String>,
    /// The parts of the answers that may differ: `status`, `body`, or a header's name. All others have to be the same.
    pub(crate) differs: Vec<String>,
    /// Where in Dapr's sources its behaviour comes from.
    pub(crate) source: String,
    /// Why daprlet does otherwise.
    pub(crate) why: String,
}

/// The project's list.
pub(crate) fn read() -> anyhow::Result<Vec<Known>> {
    let known: Vec<Known> =
        serde_json::from_str(include_str!("../known-differences.json")).context("known-differences.json")?;
    ensure!(known.len() <= MOST, "known-differences.json has {} entries; more than {MOST} are too many", known.len());
    for one in &known {
        ensure!(!one.source.is_empty() && !one.why.is_empty(), "known-differences.json: {:?} has no reason", one.cases);
    }
    Ok(known)
}

impl Known {
    pub(crate) fn is_about(&self, case: &str) -> bool {
        self.cases.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => case.starts_with(start),
            None => case == pattern,
        })
    }

    /// Whether these answers differ in nothing but what may differ.
    pub(crate) fn excuses(&self, ours: &Answer, real: &Answer) -> bool {
        self.without_what_differs(ours) == self.without_what_differs(real)
    }

    fn without_what_differs(&self, answer: &Answer) -> Answer {
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
    use super::*;

    fn known(pattern: &str, differs: &[&str]) -> Known {
        let differs = differs.iter().map(|part| (*part).to_owned()).collect();
        Known { cases: vec![pattern.into()], differs, source: String::new(), why: String::new() }
    }

    #[test]
    fn a_known_difference_excuses_the_parts_that_it_names_and_no_others() {
        let answer = |status, content_type: &str, body: &str| Answer {
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
    fn every_known_difference_has_a_source_and_a_reason() {
        read().unwrap();
    }

    #[test]
    fn a_star_stands_for_the_rest_of_a_name_only() {
        let known = |pattern: &str| known(pattern, &[]);
        assert!(known("state *").is_about("state redis: x") && !known("state *").is_about("a state redis"));
        assert!(known("x").is_about("x") && !known("x").is_about("xy"));
    }
}
