//! Which events a reader asks for.

use std::str::FromStr;

use http::StatusCode;
use service_kit::Problem;

/// How many events one answer has at most, and without `limit` at all.
pub const MAX_LIMIT: u32 = 1000;

/// The newest `limit` events, or the newest of those with an id below `before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many.
    pub limit: u32,
    /// Only events with a smaller id.
    pub before: Option<u64>,
}

impl Page {
    /// Reads a query such as `limit=20&before=140`.
    ///
    /// # Errors
    /// When a parameter cannot be used: 400 with its name.
    pub fn from_query(query: &str) -> Result<Self, Problem> {
        let mut page = Self { limit: MAX_LIMIT, before: None };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "limit" => page.limit = number("limit", value, 1, MAX_LIMIT)?,
                "before" => page.before = Some(number("before", value, 1, i64::MAX as u64)?),
                _ => {}
            }
        }
        Ok(page)
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
    fn without_parameters_all_are_asked_for_up_to_the_limit() {
        assert_eq!(Page::from_query("").unwrap(), Page { limit: MAX_LIMIT, before: None });
        assert_eq!(Page::from_query("limit=5&before=9&x=y").unwrap(), Page { limit: 5, before: Some(9) });
    }

    #[test]
    fn a_parameter_out_of_range_is_named() {
        for query in ["limit=0", "limit=1001", "limit=x"] {
            assert!(Page::from_query(query).unwrap_err().detail().starts_with("limit "), "{query}");
        }
        assert!(Page::from_query("before=-1").unwrap_err().detail().starts_with("before "));
    }
}
