//! What a component YAML may say.

/// More than a development machine's state usually is, and less than the memory that a host gives by default.
const DEFAULT_MAX_BYTES: usize = 64 << 20;

/// `maxBytes`; or why it cannot be read.
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
    fn the_last_value_counts_and_the_case_of_the_name_does_not() {
        assert_eq!(check(&[("maxBytes", "1"), ("MAXBYTES", " 2 "), ("other", "x")]), Ok(2));
        assert_eq!(check(&[("maxBytes", "")]), Ok(DEFAULT_MAX_BYTES));
    }

    #[test]
    fn what_is_no_number_is_refused_without_showing_it() {
        let error = check(&[("maxBytes", "hunter2")]).unwrap_err();
        assert!(error.contains("maxBytes") && !error.contains("hunter2"), "{error}");
    }
}
