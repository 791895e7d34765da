//! Sizes as Kubernetes and Dapr write them.

/// Reads `4Mi`, `16MB`, `1024` and the like, in bytes. A bare number up to 1,024 means MB, as it did in Dapr's older
/// `dapr-http-max-request-size`.
///
/// # Errors
/// What a size looks like.
pub fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let bad = || format!("{text:?} is no size; write 4Mi, 16MB or a number of bytes");
    let number: u64 = number.parse().map_err(|_| bad())?;
    let factor: u64 = match unit.trim() {
        "" if number <= 1024 => 1 << 20,
        "" | "B" => 1,
        "k" | "K" | "KB" | "kB" => 1000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "Ki" | "KiB" => 1 << 10,
        "Mi" | "MiB" => 1 << 20,
        "Gi" | "GiB" => 1 << 30,
        _ => return Err(bad()),
    };
    number.checked_mul(factor).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_are_read_with_either_kind_of_prefix() {
        assert_eq!(parse("4Mi"), Ok(4 << 20));
        assert_eq!(parse("16MB"), Ok(16_000_000));
        assert_eq!(parse("65536"), Ok(65_536));
        assert_eq!(parse("8"), Ok(8 << 20));
        assert!(parse("four").is_err() && parse("4X").is_err() && parse("").is_err());
    }
}
