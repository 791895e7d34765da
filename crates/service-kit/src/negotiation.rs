//! Content negotiation by the `Accept` header.

use http::HeaderMap;
use http::header::ACCEPT;

/// Returns true if `Accept` names the media type or its family, as in `image/*`.
///
/// `*/*`, which `curl` sends, does not count: it gets the service's default.
#[must_use]
pub fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let family = media_type.split_once('/').map_or(media_type, |(family, _)| family);
    let lists = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let wanted = !parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        let of_family = range.strip_suffix("/*").is_some_and(|name| name.eq_ignore_ascii_case(family));
        wanted && (of_family || range.eq_ignore_ascii_case(media_type))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(accept: &'static str) -> bool {
        accepts(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]), "image/png")
    }

    #[test]
    fn type_is_accepted_by_name_or_family() {
        assert!(asks("image/png"));
        assert!(asks("text/html, IMAGE/*;q=0.8"));
    }

    #[test]
    fn wildcard_does_not_accept_a_specific_type() {
        assert!(!asks("*/*"));
        assert!(!asks("text/plain"));
        assert!(!asks("image/png;q=0"));
        assert!(!accepts(&HeaderMap::new(), "image/png"));
    }
}
