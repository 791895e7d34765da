//! Differences that are meant: `known-differences.json`.

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// More than these, and "the same answers" would no longer be true.
const MOST: usize = 15;

/// One difference and its reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// Names of cases; a `*` at the end stands for anything.
    pub(crate) cases: Vec<String>,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_difference_has_a_source_and_a_reason() {
        read().unwrap();
    }

    #[test]
    fn a_star_stands_for_the_rest_of_a_name_only() {
        let known = |pattern: &str| Known { cases: vec![pattern.into()], source: String::new(), why: String::new() };
        assert!(known("state *").is_about("state redis: x") && !known("state *").is_about("a state redis"));
        assert!(known("x").is_about("x") && !known("x").is_about("xy"));
    }
}
