//! Properties of the component YAML.

/// Default limit: more than a typical development state, and less than a host's default memory limit.
const DEFAULT_MAX_BYTES: usize = 64 << 20;

/// Parses `maxBytes`.
pub(crate) fn max_bytes(properties: &[(String, String)]) -> Result<usize, String> {
    let mut max_bytes = DEFAULT_MAX_BYTES;
    for (name, value) in properties {
        if name.eq_ignore_ascii_case("maxBytes") && !value.is_empty() {
            max_bytes =
                value.trim().parse().map_err(|_| "property \"maxBytes\" must be a number of bytes".to_owned())?;
        }
    }
    Ok(max_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Result<usize, String> {
        max_bytes(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn last_value_counts_and_name_is_case_insensitive() {
        assert_eq!(check(&[("maxBytes", "1"), ("MAXBYTES", " 2 "), ("other", "x")]), Ok(2));
        assert_eq!(check(&[("maxBytes", "")]), Ok(DEFAULT_MAX_BYTES));
    }

    #[test]
    fn invalid_number_is_rejected_without_showing_it() {
        let error = check(&[("maxBytes", "hunter2")]).unwrap_err();
        assert!(error.contains("maxBytes") && !error.contains("hunter2"), "{error}");
    }
}
