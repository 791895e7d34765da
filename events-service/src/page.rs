//! Paging of the list of events.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use service_kit::Problem;

/// Most events in one response, and the default of `limit`.
pub const MAX_LIMIT: u32 = 1000;

/// A page: the newest `limit` events, the newest of those with an id below `before`, or the oldest of those with an id
/// above `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Most events on the page.
    pub limit: u32,
    /// Upper bound of the ids, exclusive.
    pub before: Option<u64>,
    /// Lower bound of the ids, exclusive.
    pub after: Option<u64>,
}

impl Page {
    /// Parses a query such as `limit=20&before=140`.
    ///
    /// # Errors
    /// 400 with the parameter's name, if one is invalid.
    pub fn from_query(query: &str) -> Result<Self, Problem> {
        let mut page = Self { limit: MAX_LIMIT, before: None, after: None };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "limit" => page.limit = number("limit", value, 1, MAX_LIMIT)?,
                "before" => page.before = Some(number("before", value, 1, i64::MAX as u64)?),
                "after" => page.after = Some(number("after", value, 0, i64::MAX as u64)?),
                _ => {}
            }
        }
        if page.before.and(page.after).is_some() {
            let detail = "before and after exclude each other";
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail).in_field("after"));
        }
        Ok(page)
    }
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_query(parts.uri.query().unwrap_or_default())
    }
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    name: &'static str,
    value: &str,
    least: T,
    most: T,
) -> Result<T, Problem> {
    let number = value.parse().ok().filter(|number| *number >= least && *number <= most);
    number.ok_or_else(|| {
        let detail = format!("{name} has to be a whole number from {least} to {most}");
        Problem::new(StatusCode::BAD_REQUEST, detail).in_field(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_query_gives_the_maximum_limit() {
        assert_eq!(Page::from_query("").unwrap(), Page { limit: MAX_LIMIT, before: None, after: None });
        assert_eq!(Page::from_query("limit=5&before=9&x=y").unwrap(), Page { limit: 5, before: Some(9), after: None });
        assert_eq!(Page::from_query("after=0").unwrap(), Page { limit: MAX_LIMIT, before: None, after: Some(0) });
    }

    #[test]
    fn parameter_out_of_range_is_named() {
        for query in ["limit=0", "limit=1001", "limit=x"] {
            assert!(Page::from_query(query).unwrap_err().detail().starts_with("limit "), "{query}");
        }
        assert!(Page::from_query("before=-1").unwrap_err().detail().starts_with("before "));
        assert!(Page::from_query("before=5&after=2").unwrap_err().detail().contains("exclude each other"));
    }
}
